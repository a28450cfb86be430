//! One file per output format, fed by events.

use mxdoctor_model::Event;

/// Where events go.
pub trait Sink: Send {
    /// Takes the next event.
    ///
    /// # Errors
    /// What could not be written, and where.
    fn event(&mut self, event: &Event) -> Result<(), SinkError>;
}

/// A report that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SinkError(pub String);

/// A format and where it goes.
pub struct Spec;

impl Spec {
    /// For a person.
    pub fn terminal() -> Self {
        Self
    }
}

impl std::str::FromStr for Spec {
    type Err = SinkError;
    fn from_str(_: &str) -> Result<Self, Self::Err> {
        Ok(Self)
    }
}

/// How to write for a person.
pub struct TerminalOptions;

impl TerminalOptions {
    /// Looks at the environment.
    pub fn detect(_: Option<bool>) -> Self {
        Self
    }
}

struct Plain;

impl Sink for Plain {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        if let Event::RunFinished { report } = event {
            use std::io::Write as _;
            let text = serde_json::to_string_pretty(report).unwrap_or_default();
            let _ = writeln!(std::io::stdout(), "{text}");
        }
        Ok(())
    }
}

/// Opens the reports.
///
/// # Errors
/// What cannot be opened.
pub fn open(_: &[Spec], _: &TerminalOptions) -> Result<Vec<Box<dyn Sink>>, SinkError> {
    Ok(vec![Box::new(Plain)])
}
