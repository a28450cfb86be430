//! Jitsi Meet's `config.js` read without a JavaScript engine.
//!
//! The file is a list of assignments, `config.hosts.domain = 'meet.jitsi';`, or one
//! `var config = { … };`. Literals, concatenation and variables that the file itself sets are
//! understood. Every other statement is left out and counted, never fatal: what is in an `if` is
//! not executed.

mod parser;
mod tokens;

use serde_json::{Map, Value};
use url::Url;

/// Bytes of the file that are read at most; Jitsi's own, comments and all, has about 80 KiB.
pub const MAX_SIZE: usize = 512 * 1024;

/// What the file sets.
#[derive(Debug, Clone, PartialEq)]
pub struct JsConfig {
    /// The object `config`.
    pub config: Map<String, Value>,
    /// Statements and entries that were left out.
    pub skipped: usize,
    /// A server-side include stands in the file unexpanded: `<!--# echo var="subdir" … -->`.
    pub raw_ssi: bool,
}

/// Why nothing can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsConfigError {
    /// Nothing there.
    #[error("the answer is empty")]
    Empty,
    /// A web page.
    #[error("the answer is a web page, not JavaScript")]
    Html,
    /// More than [`MAX_SIZE`].
    #[error("the file has {0} bytes, more than {MAX_SIZE}")]
    TooLarge(usize),
    /// Nothing is assigned to `config`.
    #[error("nothing in it is assigned to `config`")]
    NoConfig,
}

impl JsConfig {
    /// Reads the file. `page` is what `location` means in it.
    ///
    /// # Errors
    /// [`JsConfigError`] when it sets nothing.
    pub fn parse(body: &[u8], page: &Url) -> Result<Self, JsConfigError> {
        if body.len() > MAX_SIZE {
            return Err(JsConfigError::TooLarge(body.len()));
        }
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.is_empty() {
            return Err(JsConfigError::Empty);
        }
        // A comment of HTML is not a page: an unexpanded include may stand on the first line.
        if text.starts_with('<') && !text.starts_with("<!--") {
            return Err(JsConfigError::Html);
        }
        let (config, skipped) = parser::read(text, page);
        let config = config.ok_or(JsConfigError::NoConfig)?;
        Ok(Self { config, skipped, raw_ssi: text.contains("<!--#") })
    }

    /// The value at a dotted path below `config`: `hosts.domain`.
    pub fn get(&self, path: &str) -> Option<&Value> {
        let mut keys = path.split('.');
        let first = self.config.get(keys.next()?)?;
        keys.try_fold(first, |value, key| value.get(key))
    }

    /// The text at a dotted path below `config`.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get(path).and_then(Value::as_str)
    }
}

#[cfg(test)]
mod tests;
