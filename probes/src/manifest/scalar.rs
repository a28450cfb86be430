//! What an unquoted word of YAML means.

use super::{Text, Value};

/// The value of a plain scalar as Kubernetes' own reader (YAML 1.1's booleans, through
/// `sigs.k8s.io/yaml`) and PyYAML take it.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ if is_number(text) => Value::Number(text.replace('_', "")),
        _ => Value::Text(Text::plain(text)),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some(first) = digits.bytes().next() else { return false };
    if !(first.is_ascii_digit() || (first == b'.' && digits.len() > 1)) {
        return false;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return !rest.is_empty() && rest.chars().all(|digit| digit.is_digit(radix));
        }
    }
    // `1_000` is a number of YAML 1.1, and `10:00` one in base 60 that nobody means.
    digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'_' | b'.' | b'e' | b'E' | b'+' | b'-'))
        && digits.replace('_', "").parse::<f64>().is_ok()
}
