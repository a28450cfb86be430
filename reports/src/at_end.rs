//! A sink for every format that is a function of the whole report.

use mxdoctor_model::{Event, Report};

use crate::known::Known;
use crate::output::Output;
use crate::{Sink, SinkError};

/// A format: the text of a whole report.
type Render = Box<dyn Fn(&Report) -> String + Send>;

/// Writes once, at the end of the run. Dropped before (a defect, an unwinding panic) it writes what
/// is known until then, marked `crash`: a reader always finds a valid document.
pub(crate) struct AtEnd {
    out: Output,
    render: Render,
    known: Known,
}

impl AtEnd {
    pub(crate) fn new(out: Output, render: impl Fn(&Report) -> String + Send + 'static) -> Self {
        Self { out, render: Box::new(render), known: Known::default() }
    }

    fn write(&mut self, report: &Report) -> Result<(), SinkError> {
        let text = (self.render)(report);
        self.out.write(&text)?;
        self.out.finish()
    }
}

impl Sink for AtEnd {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        self.known.take(event);
        match event {
            Event::RunFinished { report } => self.write(report),
            _ => Ok(()),
        }
    }
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        if let Some(report) = self.known.cut_short("crash") {
            // Nobody is left to be told of an error.
            let _ = self.write(&report);
        }
    }
}
