//! Where a value stands.

use std::fmt;
use std::sync::Arc;

/// A text that values were read from: a file, or an object of an API server.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's path as the reader gave it, or the object's kind, namespace and name.
    pub name: String,
    /// The text; empty for an object of an API server.
    pub text: String,
}

/// A stretch of one line of a source, or a field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What it is a place in.
    pub source: Arc<Source>,
    /// Line, from 1; 0 where the source has no lines.
    pub line: u32,
    /// Column in characters, from 1; 0 where the source has no lines.
    pub column: u32,
    /// How many characters of that line it takes, at least 1.
    pub length: u32,
    /// The field's path in the object, where the source has no lines.
    pub field: Option<Arc<str>>,
}

impl Source {
    /// A file's text under the path that a reader knows it by.
    pub fn file(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into() })
    }

    /// An object of an API server.
    pub fn object(name: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: String::new() })
    }

    /// The text of a line, from 1.
    pub fn line(&self, line: u32) -> Option<&str> {
        self.text.lines().nth(usize::try_from(line.checked_sub(1)?).ok()?)
    }
}

impl Place {
    /// A stretch of a line.
    pub fn new(source: &Arc<Source>, line: u32, column: u32, length: u32) -> Self {
        Self { source: Arc::clone(source), line, column, length: length.max(1), field: None }
    }

    /// A field of an object that has no lines.
    pub fn field(source: &Arc<Source>, field: impl Into<Arc<str>>) -> Self {
        let source = Arc::clone(source);
        Self { source, line: 0, column: 0, length: 1, field: Some(field.into()) }
    }

    /// The start of a source.
    pub fn start(source: &Arc<Source>) -> Self {
        Self::new(source, 1, 1, 1)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source.name)?;
        match &self.field {
            Some(field) if self.line == 0 => write!(f, " {field}"),
            Some(field) => write!(f, " {field}:{}", self.line),
            None => write!(f, ":{}:{}", self.line, self.column),
        }
    }
}
