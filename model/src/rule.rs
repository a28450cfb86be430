//! What a rule over manifests found, and where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a rule over manifests found, beside what every entry of a report has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleFinding {
    /// The rule: `SYN-08`.
    pub rule: String,
    /// `info`, `warning`, `unmeasured`, `error` or `critical`.
    pub severity: String,
    /// The object that it belongs to, `Deployment synapse`; empty for what is in no object.
    pub object: String,
    /// What happens at run time.
    pub breaks: String,
    /// Where it stands: the place to blame first, then what proves it.
    pub locations: Vec<Location>,
    /// What `mxdoctor lint --fix` does about it, where there is a safe change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// A stretch of one line of a file, or a field of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// The file's path, or the object's kind and name.
    pub path: String,
    /// Line, from 1; 0 where there are no lines.
    pub line: u32,
    /// Column in characters, from 1; 0 where there are no lines.
    pub column: u32,
    /// How many characters it takes.
    pub length: u32,
    /// The field of an object that has no lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The line as it is written, secrets masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it shows; empty for the place to blame.
    pub shows: String,
}

impl std::fmt::Display for Location {
    /// `path:line:column`, or the object with its field.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)?;
        match &self.field {
            Some(field) if self.line == 0 => write!(f, " {field}"),
            Some(field) => write!(f, " {field}:{}", self.line),
            None => write!(f, ":{}:{}", self.line, self.column),
        }
    }
}
