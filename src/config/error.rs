//! What is wrong with the configuration, and on which line.

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

/// The command line or the configuration cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// As given.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file has a wrong line.
    #[error("{message}")]
    Line {
        /// What is wrong with it.
        message: String,
        /// The file.
        #[source_code]
        source_code: NamedSource<String>,
        /// The place in it.
        #[label("here")]
        span: SourceSpan,
        /// What was probably meant.
        #[help]
        help: Option<String>,
    },
    /// A value cannot be used.
    #[error("{name}: {message}")]
    Value {
        /// Flag or key.
        name: String,
        /// What is wrong with it, and what was expected.
        message: String,
        /// What was probably meant.
        #[help]
        help: Option<String>,
    },
    /// A pattern that fits no check.
    #[error("{name}: `{text}` fits no check")]
    FitsNothing {
        /// Flag.
        name: String,
        /// The pattern.
        text: String,
        /// What was probably meant.
        #[help]
        help: String,
    },
}

impl ConfigError {
    /// A value that cannot be used.
    pub(crate) fn value(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Value { name: name.into(), message: message.into(), help: None }
    }

    /// From what the TOML reader says; names the nearest right key for a wrong one.
    pub(super) fn toml(path: &str, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().trim_end().to_owned();
        let (message, help) = match unknown_key(&message) {
            Some((key, known)) => {
                let message = format!("unknown key `{key}`");
                let help = match nearest(key, known.iter().copied()) {
                    Some(right) => format!("did you mean `{right}`?"),
                    None => format!("known keys here: {}", known.join(", ")),
                };
                (message, Some(help))
            }
            None => (message, None),
        };
        Self::Line {
            message,
            source_code: NamedSource::new(path, text.to_owned()),
            span: error.span().unwrap_or(0..0).into(),
            help,
        }
    }
}

/// The key and the known ones out of serde's `unknown field` message.
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (key, rest) = rest.split_once('`')?;
    Some((key, rest.split('`').skip(1).step_by(2).collect()))
}

/// The word most like the one given, if any is like it at all.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
