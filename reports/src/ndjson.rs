//! One event a line, as JSON, as it happens.

use mxdoctor_model::Event;

use crate::output::Output;
use crate::{Sink, SinkError};

pub(crate) struct Ndjson(pub(crate) Output);

impl Sink for Ndjson {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        let mut line = serde_json::to_string(event)
            .expect("an event has only string keys and no values that JSON lacks");
        line.push('\n');
        self.0.write(&line)?;
        match event {
            Event::RunFinished { .. } => self.0.finish(),
            _ => Ok(()),
        }
    }
}
