//! `/.well-known/matrix/server` (server-server API, "Resolving server names", step 3).

use serde_json::Value;

use super::{NameError, ServerName};

/// Bytes of the file that Synapse reads at most; more is a failure for it.
pub const MAX_BODY: usize = 50 * 1024;

/// What some editors put before a text, and JSON forbids (RFC 8259, section 8.1).
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What a well-known file delegates to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// `m.server`.
    pub to: ServerName,
}

/// Why a file delegates to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DelegationError {
    /// Longer than peers read.
    #[error("the file has {0} bytes, and peers read at most {MAX_BODY}")]
    TooLarge(usize),
    /// A web page.
    #[error("the answer is a web page, not JSON")]
    Html,
    /// Nothing.
    #[error("the answer is empty")]
    Empty,
    /// Something else that is not JSON; what the parser says.
    #[error("the answer is not JSON: {0}")]
    NotJson(String),
    /// JSON, and not an object.
    #[error("the answer is {0}, not a JSON object")]
    NotObject(&'static str),
    /// An object without `m.server`.
    #[error("`m.server` is missing")]
    Missing,
    /// `m.server` is not a string.
    #[error("`m.server` is {0}, not a string")]
    NotString(&'static str),
    /// `m.server` is no server name.
    #[error("`m.server` is `{value}`: {error}")]
    Name {
        /// As written.
        value: String,
        /// What is wrong with it.
        error: NameError,
    },
}

/// Reads the body of a well-known file. The content type does not matter to peers.
///
/// # Errors
/// [`DelegationError`], each mistake by its own name.
pub fn parse_delegation(body: &[u8]) -> Result<Delegation, DelegationError> {
    if body.len() > MAX_BODY {
        return Err(DelegationError::TooLarge(body.len()));
    }
    let bare = body.strip_prefix(BYTE_ORDER_MARK);
    let start = bare.unwrap_or(body).trim_ascii_start();
    if start.is_empty() {
        return Err(DelegationError::Empty);
    }
    if start.starts_with(b"<") {
        return Err(DelegationError::Html);
    }
    if bare.is_some() {
        return Err(DelegationError::NotJson("it begins with a byte order mark".into()));
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| DelegationError::NotJson(error.to_string()))?;
    let Value::Object(fields) = &value else {
        return Err(DelegationError::NotObject(kind(&value)));
    };
    match fields.get("m.server") {
        None => Err(DelegationError::Missing),
        Some(Value::String(text)) => match text.parse() {
            Ok(to) => Ok(Delegation { to }),
            Err(error) => {
                let value = text.chars().take(300).collect();
                Err(DelegationError::Name { value, error })
            }
        },
        Some(other) => Err(DelegationError::NotString(kind(other))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(body: &str) -> Result<Delegation, DelegationError> {
        parse_delegation(body.as_bytes())
    }

    #[test]
    fn a_delegation_with_and_without_port() {
        let with = parse(r#"{"m.server": "matrix.testing.borooka.ee:443"}"#).expect("valid");
        assert_eq!(with.to.port, Some(443));
        let without = parse(r#"{"m.server": "matrix.testing.borooka.ee", "x": 1}"#).expect("valid");
        assert_eq!(without.to.port, None);
    }

    #[test]
    fn each_mistake_has_its_own_name() {
        use DelegationError::{Empty, Html, Missing, NotObject, NotString};
        assert_eq!(parse("  "), Err(Empty));
        assert_eq!(parse("\n<!doctype html><title>Element</title>"), Err(Html));
        assert_eq!(parse("[]"), Err(NotObject("an array")));
        assert_eq!(parse("{}"), Err(Missing));
        assert_eq!(parse(r#"{"m.server": ["a"]}"#), Err(NotString("an array")));
        assert_eq!(parse("\u{feff}<html>"), Err(Html));
        let mark = parse("\u{feff}{\"m.server\": \"a.example\"}").expect_err("an error");
        assert!(mark.to_string().contains("byte order mark"), "{mark}");
        assert!(matches!(parse(r#"{"m.server": "a",}"#), Err(DelegationError::NotJson(_))));
        assert_eq!(
            parse(r#"{"m.server": "https://matrix.example.org"}"#),
            Err(DelegationError::Name {
                value: "https://matrix.example.org".into(),
                error: NameError::Scheme("https://".into()),
            })
        );
        let large = format!(r#"{{"m.server": "a.example", "x": "{}"}}"#, "x".repeat(MAX_BODY));
        assert!(matches!(parse(&large), Err(DelegationError::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(body in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse_delegation(&body);
        }

        #[test]
        fn nested_bodies_are_judged(depth in 0usize..3000) {
            let body = format!("{{\"m.server\":{}", "[".repeat(depth));
            prop_assert!(parse(&body).is_err());
        }
    }
}
