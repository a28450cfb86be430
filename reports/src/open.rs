//! From what was asked for to sinks.

use crate::at_end::AtEnd;
use crate::ndjson::Ndjson;
use crate::output::Output;
use crate::terminal::{Terminal, TerminalOptions};
use crate::{Format, Sink, SinkError, Spec, github, json, junit, sarif, short};

/// Opens every report in `specs`, and the terminal's on standard output when none of them goes
/// there: what a machine reads stays clean, and a person is not left without a word.
///
/// # Errors
/// [`SinkError`] when two reports want the same place, or a file cannot be written. Nothing is left
/// behind then.
pub fn open(specs: &[Spec], options: &TerminalOptions) -> Result<Vec<Box<dyn Sink>>, SinkError> {
    let mut specs = specs.to_vec();
    if specs.iter().all(|spec| spec.path.is_some()) {
        specs.insert(0, Spec::stdout(Format::Terminal));
    }
    for (at, second) in specs.iter().enumerate() {
        let Some(first) = specs[..at].iter().find(|first| first.path == second.path) else {
            continue;
        };
        return Err(match &second.path {
            Some(path) => SinkError::SameFile { path: path.clone() },
            None => SinkError::TwoOnStdout { first: first.format, second: second.format },
        });
    }
    specs.iter().map(|spec| sink(spec, options)).collect()
}

fn sink(spec: &Spec, options: &TerminalOptions) -> Result<Box<dyn Sink>, SinkError> {
    let out = Output::open(spec)?;
    Ok(match spec.format {
        Format::Terminal => Box::new(Terminal::new(out, options, spec.path.is_none())),
        Format::Short => Box::new(AtEnd::new(out, short::render)),
        Format::Junit => Box::new(AtEnd::new(out, junit::render)),
        Format::JunitStrict => Box::new(AtEnd::new(out, junit::render_strict)),
        Format::Json => Box::new(AtEnd::new(out, json::render)),
        Format::Ndjson => Box::new(Ndjson(out)),
        Format::Sarif => Box::new(AtEnd::new(out, sarif::render)),
        Format::Github => Box::new(AtEnd::new(out, github::render)),
    })
}
