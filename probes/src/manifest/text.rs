//! Bytes as the text that Kubernetes takes them for.

/// What bytes are.
pub(super) enum Decoded {
    /// A text, without the byte order mark.
    Text(String),
    /// None.
    Broken {
        /// The bytes with a sign in place of what is no character.
        text: String,
        /// How many bytes of that are good.
        good: usize,
        /// What is wrong behind these, lower case.
        why: String,
    },
}

/// Reads UTF-8, and UTF-16 with a byte order mark, as YAML 1.2 (section 5.2) says.
pub(super) fn decode(bytes: Vec<u8>) -> Decoded {
    match &bytes[..] {
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        _ => {}
    }
    match String::from_utf8(bytes) {
        Ok(text) => Decoded::Text(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let byte = error.as_bytes().get(good).copied().unwrap_or_default();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            Decoded::Broken { text, good, why: format!("the byte 0x{byte:02x} is not UTF-8") }
        }
    }
}

fn utf16(bytes: &[u8], number: fn([u8; 2]) -> u16) -> Decoded {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| number(*pair)).collect();
    match String::from_utf16(&units) {
        Ok(text) if rest.is_empty() => Decoded::Text(text),
        _ => Decoded::Broken {
            text: String::from_utf16_lossy(&units),
            good: 0,
            why: "the byte order mark says UTF-16, and the rest is not: save it as UTF-8"
                .to_owned(),
        },
    }
}

/// Where the first character stands that YAML forbids (YAML 1.2, section 5.1), as Kubernetes' own
/// reader does. JSON is read by another one.
pub(super) fn forbidden(text: &str) -> Option<usize> {
    let json = text.trim_start().starts_with(['{', '[']);
    let bad = |char: char| {
        (char.is_control() && !matches!(char, '\t' | '\n' | '\r' | '\u{85}'))
            || matches!(char, '\u{fffe}' | '\u{ffff}')
    };
    if json { None } else { text.find(bad) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_of_utf_16_are_read() {
        for bytes in [&b"\xff\xfea\0"[..], b"\xfe\xff\0a", b"\xef\xbb\xbfa", b"a"] {
            assert!(matches!(decode(bytes.to_vec()), Decoded::Text(text) if text == "a"));
        }
        for bytes in [&b"\xff\xfea"[..], b"\xff\xfe\0\xd8", b"a\xe9"] {
            assert!(matches!(decode(bytes.to_vec()), Decoded::Broken { .. }));
        }
    }

    #[test]
    fn control_characters_are_found() {
        assert_eq!(forbidden("a: \tb\r\n"), None);
        assert_eq!(forbidden("a: \u{1b}[31m"), Some(3));
        assert_eq!(forbidden("a: \0"), Some(3));
        assert_eq!(forbidden("{\"a\": \"\u{7f}\"}"), None);
    }
}
