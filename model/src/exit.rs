//! Exit codes of the binary, a public interface.

/// What the process ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Nothing at or above the threshold.
    Clean = 0,
    /// At least one finding at or above `--fail-on`.
    Findings = 1,
    /// The command line or the configuration cannot be used.
    Usage = 2,
    /// Something could not be measured, and nothing failed.
    Unmeasured = 3,
    /// The patterns selected no check.
    NothingSelected = 4,
    /// A defect of mxdoctor.
    Internal = 70,
    /// Ended by SIGINT; the report is complete as far as known.
    Interrupted = 130,
    /// Ended by SIGTERM; the report is complete as far as known.
    Terminated = 143,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
