//! Canonical JSON (Matrix specification, appendices, "Canonical JSON").

use serde_json::{Number, Value};

/// The largest integer that is safe in an IEEE double, 2^53 - 1.
const MAX_INTEGER: i64 = (1 << 53) - 1;

/// A number that canonical JSON cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the number {number} at {at} is not an integer within ±(2^53 - 1)")]
pub struct NotCanonical {
    /// Where it is: `/old_verify_keys/…/expired_ts` (RFC 6901).
    pub at: String,
    /// As read.
    pub number: String,
}

/// The canonical encoding: the shortest UTF-8 form with keys sorted by code point. `-0` and
/// integral floats become plain integers, as in the specification's examples.
///
/// # Errors
/// [`NotCanonical`] for any other number.
pub fn canonical_json(value: &Value) -> Result<String, NotCanonical> {
    let mut out = String::new();
    let mut path = Vec::new();
    encode(value, &mut path, &mut out)?;
    Ok(out)
}

/// The first number that is not written as a plain integer in range. Implementations differ in
/// what they make of such a number, so that a signature over it does not hold everywhere.
pub fn loose_number(value: &Value) -> Option<NotCanonical> {
    fn look<'v>(value: &'v Value, path: &mut Vec<&'v str>) -> Option<NotCanonical> {
        match value {
            Value::Number(number) => {
                let strict =
                    number.as_i64().is_some_and(|n| n.unsigned_abs() <= MAX_INTEGER.unsigned_abs());
                (!strict).then(|| not_canonical(number, path))
            }
            Value::Array(items) => items.iter().find_map(|item| {
                path.push("-");
                let found = look(item, path);
                path.pop();
                found
            }),
            Value::Object(fields) => fields.iter().find_map(|(key, field)| {
                path.push(key);
                let found = look(field, path);
                path.pop();
                found
            }),
            _ => None,
        }
    }
    look(value, &mut Vec::new())
}

fn encode<'v>(
    value: &'v Value,
    path: &mut Vec<&'v str>,
    out: &mut String,
) -> Result<(), NotCanonical> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Value::Number(number) => {
            let integer = integer(number).ok_or_else(|| not_canonical(number, path))?;
            out.push_str(&integer.to_string());
        }
        Value::String(text) => encode_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                path.push("-");
                encode(item, path, out)?;
                path.pop();
            }
            out.push(']');
        }
        Value::Object(fields) => {
            // Sorted here whatever the map's own order is: UTF-8 bytes sort as code points do.
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by(|(one, _), (other, _)| one.as_bytes().cmp(other.as_bytes()));
            out.push('{');
            for (index, (key, field)) in fields.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                encode_string(key, out);
                out.push(':');
                path.push(key);
                encode(field, path, out)?;
                path.pop();
            }
            out.push('}');
        }
    }
    Ok(())
}

fn integer(number: &Number) -> Option<i64> {
    let integer = match number.as_i64() {
        Some(integer) => integer,
        None => {
            let float = number.as_f64()?;
            // Within the range a double holds every integer exactly, so the cast loses nothing.
            let fits = float.fract() == 0.0 && float.abs() <= MAX_INTEGER as f64;
            fits.then_some(float as i64)?
        }
    };
    (integer.unsigned_abs() <= MAX_INTEGER.unsigned_abs()).then_some(integer)
}

fn not_canonical(number: &Number, path: &[&str]) -> NotCanonical {
    NotCanonical { at: format!("/{}", path.join("/")), number: number.to_string() }
}

fn encode_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> Result<String, NotCanonical> {
        canonical_json(&serde_json::from_str(text).expect("JSON"))
    }

    /// Every example of the appendix.
    #[test]
    fn the_specifications_examples() {
        for (json, expected) in [
            ("{}", "{}"),
            (r#"{ "one": 1, "two": "Two" }"#, r#"{"one":1,"two":"Two"}"#),
            (r#"{ "b": "2", "a": "1" }"#, r#"{"a":"1","b":"2"}"#),
            (r#"{"b":"2","a":"1"}"#, r#"{"a":"1","b":"2"}"#),
            (
                r#"{"auth": {"success": true, "mxid": "@john.doe:example.com", "profile": {
                    "display_name": "John Doe", "three_pids": [
                    {"medium": "email", "address": "john.doe@example.org"},
                    {"medium": "msisdn", "address": "123456789"}]}}}"#,
                concat!(
                    r#"{"auth":{"mxid":"@john.doe:example.com","profile":{"#,
                    r#""display_name":"John Doe","three_pids":["#,
                    r#"{"address":"john.doe@example.org","medium":"email"},"#,
                    r#"{"address":"123456789","medium":"msisdn"}]},"success":true}}"#
                ),
            ),
            (r#"{ "a": "日本語" }"#, r#"{"a":"日本語"}"#),
            (r#"{ "本": 2, "日": 1 }"#, r#"{"日":1,"本":2}"#),
            (r#"{ "a": "\u65E5" }"#, r#"{"a":"日"}"#),
            (r#"{ "a": null }"#, r#"{"a":null}"#),
            (r#"{ "a": -0, "b": 1e10 }"#, r#"{"a":0,"b":10000000000}"#),
        ] {
            assert_eq!(canonical(json).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn only_the_mandatory_escapes_are_kept() {
        assert_eq!(
            canonical(r#"["\u0008\f\n\r\t\u000b\u001F\/\"\\\u007f"]"#).as_deref(),
            Ok("[\"\\b\\f\\n\\r\\t\\u000b\\u001f/\\\"\\\\\u{7f}\"]")
        );
    }

    #[test]
    fn numbers_out_of_range_have_no_encoding() {
        assert!(canonical("[9007199254740991, -9007199254740991]").is_ok());
        for wrong in ["[9007199254740992]", "[-9007199254740992]", "[1.5]", "[1e300]"] {
            assert!(canonical(wrong).is_err(), "{wrong}");
        }
        let error = canonical(r#"{"a":{"b":[1.5]}}"#).expect_err("a float");
        assert_eq!((error.at.as_str(), error.number.as_str()), ("/a/b/-", "1.5"));
    }

    #[test]
    fn loose_numbers_are_found() {
        let loose = |text: &str| loose_number(&serde_json::from_str(text).expect("JSON"));
        assert_eq!(loose(r#"{"a":[1,{"b":2}]}"#), None);
        for wrong in ["1.0", "-0", "1e3", "9007199254740993"] {
            let found = loose(&format!(r#"{{"a":[0,{wrong}]}}"#)).expect("found");
            assert_eq!(found.at, "/a/-");
        }
        assert!(loose("-9223372036854775808").is_some());
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".{0,4}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reading_back_gives_the_same(value in json()) {
            let text = canonical_json(&value).expect("no floats");
            let back: Value = serde_json::from_str(&text).expect("JSON");
            prop_assert_eq!(&back, &value);
            prop_assert_eq!(canonical_json(&back).expect("no floats"), text);
        }

        #[test]
        fn any_json_is_judged(text in ".{0,200}") {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let _ = canonical_json(&value);
                let _ = loose_number(&value);
            }
        }
    }
}
