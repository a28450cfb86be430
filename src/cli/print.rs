//! Writing to standard output and standard error; a reader who has gone is no error.

use std::io::Write as _;

use mxdoctor_model::ExitCode;

/// Writes text to standard output.
pub(super) fn text(text: &str) -> ExitCode {
    bytes(text.as_bytes())
}

/// Writes bytes to standard output.
pub(super) fn bytes(bytes: &[u8]) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::Clean,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::Clean,
        Err(error) => {
            complain(&format!("cannot write to standard output: {error}"));
            ExitCode::Internal
        }
    }
}

/// Writes a JSON document to standard output.
pub(super) fn json(value: &serde_json::Value) -> ExitCode {
    text(&format!("{value:#}\n"))
}

/// Writes a line to standard error.
pub(super) fn complain(message: &str) {
    // Nowhere is left to tell that standard error is gone.
    let _ = writeln!(std::io::stderr().lock(), "{}", message.trim_end());
}
