//! What every report is to the engine.

use std::path::PathBuf;

use mxdoctor_model::Event;

use crate::Format;

/// A report in the making.
pub trait Sink: Send {
    /// Takes the next event of the run. A reader of standard output that went away is no error:
    /// the sink falls silent.
    ///
    /// # Errors
    /// [`SinkError::Write`] when a file cannot be written. The other sinks are not concerned.
    fn event(&mut self, event: &Event) -> Result<(), SinkError>;
}

/// Why a report could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Standard output can carry one report only.
    #[error(
        "two reports on standard output, {first} and {second}: \
         give one of them a file, as in `--report {second}=PATH`"
    )]
    TwoOnStdout {
        /// The one that came first.
        first: Format,
        /// The other one.
        second: Format,
    },
    /// Two reports name the same file.
    #[error("two reports in one file, {}: give each its own", path.display())]
    SameFile {
        /// The file that both name.
        path: PathBuf,
    },
    /// A file, or standard output for another reason than that its reader went away.
    #[error("cannot write the {format} report to {to}: {source}")]
    Write {
        /// The report.
        format: Format,
        /// The path as it was given, or `standard output`.
        to: String,
        /// What the system says.
        source: std::io::Error,
    },
}

impl SinkError {
    /// Whether the command line is to blame, and not the disk.
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Write { .. })
    }
}
