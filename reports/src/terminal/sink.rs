//! The terminal's report as a sink.

use mxdoctor_model::Event;

use super::progress::Progress;
use super::{TerminalOptions, render};
use crate::at_end::AtEnd;
use crate::output::Output;
use crate::{Sink, SinkError};

/// Progress while it runs, the page at the end.
pub(crate) struct Terminal {
    // Dropped before the page, so that the live area is gone when a cut-off page is written.
    progress: Option<Progress>,
    page: AtEnd,
}

impl Terminal {
    pub(crate) fn new(out: Output, options: &TerminalOptions, on_stdout: bool) -> Self {
        let look = options.look(on_stdout);
        let live = on_stdout && options.shows_progress();
        Self {
            progress: live.then(|| Progress::new(look.color, look.utf8)),
            page: AtEnd::new(out, move |report| render(report, look)),
        }
    }
}

impl Sink for Terminal {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        if let Some(progress) = &mut self.progress {
            progress.event(event);
        }
        self.page.event(event)
    }
}
