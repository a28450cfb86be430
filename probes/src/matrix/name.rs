//! Server names (Matrix specification, appendices, "Server Name").

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The host of a server name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address literal, without brackets.
    Ip(IpAddr),
    /// A DNS name, as written.
    Dns(String),
}

/// A valid server name: a host and perhaps a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerName {
    /// As written; what goes into the `Host` header.
    pub text: String,
    /// The host.
    pub host: Host,
    /// The port, where one is written.
    pub port: Option<u16>,
}

/// Why a text is no server name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// Longer than 255 characters of host name.
    #[error("its host is longer than 255 characters")]
    TooLong,
    /// `https://` or another scheme in front.
    #[error("it begins with a scheme (`{0}`)")]
    Scheme(String),
    /// Something after the host and port.
    #[error("it has a path, query or fragment (`{0}`)")]
    Path(String),
    /// White space, invisible or control characters, a byte order mark.
    #[error("it contains white space or an invisible character ({0})")]
    Blank(String),
    /// A character outside the grammar.
    #[error("the character `{0}` is not permitted in it")]
    Character(char),
    /// A dot at the beginning or end, or two in a row.
    #[error("it has an empty label (a dot too many)")]
    Label,
    /// Not a port between 1 and 65535.
    #[error("`{0}` is not a port")]
    Port(String),
    /// An IPv6 literal that is none, or has no brackets.
    #[error("it is not a valid IPv6 literal in brackets")]
    Ipv6,
    /// Four numbers that are no IPv4 address.
    #[error("it is not a valid IPv4 address")]
    Ipv4,
}

impl ServerName {
    /// The host as text; an IPv6 address without brackets.
    pub fn host_text(&self) -> String {
        match &self.host {
            Host::Ip(address) => address.to_string(),
            Host::Dns(name) => name.clone(),
        }
    }

    /// The host as it stands in a URL; an IPv6 address in brackets.
    pub fn url_host(&self) -> String {
        match &self.host {
            Host::Ip(IpAddr::V6(address)) => format!("[{address}]"),
            Host::Ip(address) => address.to_string(),
            Host::Dns(name) => name.clone(),
        }
    }

    /// The DNS name, where the host is one.
    pub fn dns(&self) -> Option<&str> {
        match &self.host {
            Host::Dns(name) => Some(name),
            Host::Ip(_) => None,
        }
    }

    /// Whether it has upper-case letters, which the specification advises against: names are
    /// compared case-sensitively.
    pub fn has_upper_case(&self) -> bool {
        self.text.bytes().any(|byte| byte.is_ascii_uppercase()) && self.dns().is_some()
    }
}

impl FromStr for ServerName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        plain(text)?;
        let (host_text, port_text) = split_port(text)?;
        let port = port_text.map(parse_port).transpose()?;
        let host = parse_host(host_text)?;
        Ok(Self { text: text.to_owned(), host, port })
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Refuses what people really write there, each by its own name.
fn plain(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    let invisible = |c: &char| {
        c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}')
    };
    if let Some(blank) = text.chars().find(invisible) {
        return Err(NameError::Blank(format!("U+{:04X}", u32::from(blank))));
    }
    if let Some(end) = text.find("://") {
        return Err(NameError::Scheme(text[..end + 3].to_owned()));
    }
    if let Some(start) = text.find(['/', '?', '#']) {
        return Err(NameError::Path(text[start..].to_owned()));
    }
    Ok(())
}

fn split_port(text: &str) -> Result<(&str, Option<&str>), NameError> {
    if text.starts_with('[') {
        let end = text.find(']').ok_or(NameError::Ipv6)?;
        let (host, rest) = text.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(NameError::Ipv6),
        };
    }
    match text.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(NameError::Ipv6),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

/// One to five digits; the grammar permits 0 and more than 65535, which nobody can connect to.
fn parse_port(text: &str) -> Result<u16, NameError> {
    let wrong = || NameError::Port(text.chars().take(20).collect());
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !digits {
        return Err(wrong());
    }
    text.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)
}

fn parse_host(text: &str) -> Result<Host, NameError> {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address = inner.parse::<Ipv6Addr>().map_err(|_| NameError::Ipv6)?;
        return Ok(Host::Ip(address.into()));
    }
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > 255 {
        return Err(NameError::TooLong);
    }
    let permitted = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if let Some(wrong) = text.chars().find(|c| !permitted(*c)) {
        return Err(NameError::Character(wrong));
    }
    let labels: Vec<&str> = text.split('.').collect();
    if labels.len() == 4 && labels.iter().all(|l| l.bytes().all(|b| b.is_ascii_digit())) {
        return text
            .parse::<Ipv4Addr>()
            .map(|address| Host::Ip(address.into()))
            .map_err(|_| NameError::Ipv4);
    }
    if labels.iter().any(|label| label.is_empty()) {
        return Err(NameError::Label);
    }
    Ok(Host::Dns(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Result<ServerName, NameError> {
        text.parse()
    }

    /// The examples of the appendix.
    #[test]
    fn the_specifications_examples_are_valid() {
        let parts = |text: &str| name(text).map(|n| (n.host_text(), n.port)).expect("valid");
        assert_eq!(parts("matrix.org"), ("matrix.org".into(), None));
        assert_eq!(parts("matrix.org:8888"), ("matrix.org".into(), Some(8888)));
        assert_eq!(parts("1.2.3.4"), ("1.2.3.4".into(), None));
        assert_eq!(parts("1.2.3.4:1234"), ("1.2.3.4".into(), Some(1234)));
        assert_eq!(parts("[1234:5678::abcd]"), ("1234:5678::abcd".into(), None));
        assert_eq!(parts("[1234:5678::abcd]:5678"), ("1234:5678::abcd".into(), Some(5678)));
    }

    #[test]
    fn each_mistake_has_its_own_name() {
        use NameError::{Blank, Character, Empty, Ipv4, Ipv6, Label, Path, Port, Scheme, TooLong};
        for (text, error) in [
            ("", Empty),
            (":443", Empty),
            ("https://matrix.example.org", Scheme("https://".into())),
            ("matrix.example.org/", Path("/".into())),
            ("matrix.example.org/_matrix?x", Path("/_matrix?x".into())),
            (" matrix.example.org", Blank("U+0020".into())),
            ("matrix.example.org\n", Blank("U+000A".into())),
            ("\u{feff}matrix.example.org", Blank("U+FEFF".into())),
            ("matrix_1.example.org", Character('_')),
            ("mätrix.example.org", Character('ä')),
            ("user@example.org", Character('@')),
            ("matrix.example.org.", Label),
            ("matrix..example.org", Label),
            ("matrix.example.org:", Port(String::new())),
            ("matrix.example.org:0", Port("0".into())),
            ("matrix.example.org:99999", Port("99999".into())),
            ("matrix.example.org:123456", Port("123456".into())),
            ("matrix.example.org:https", Port("https".into())),
            ("::1", Ipv6),
            ("[::1", Ipv6),
            ("[::1]443", Ipv6),
            ("[fe80::1%eth0]", Ipv6),
            ("1.2.3.400", Ipv4),
        ] {
            assert_eq!(name(text), Err(error), "{text:?}");
        }
        assert_eq!(name(&"a".repeat(256)), Err(TooLong));
    }

    #[test]
    fn upper_case_is_valid_and_known() {
        assert!(name("Example.org").expect("valid").has_upper_case());
        assert!(!name("example.org").expect("valid").has_upper_case());
        assert!(!name("[2001:DB8::1]").expect("valid").has_upper_case());
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text in ".{0,300}") {
            let _ = name(&text);
        }

        #[test]
        fn what_is_valid_keeps_its_text(text in "[a-z0-9.:\\[\\]-]{0,40}") {
            if let Ok(parsed) = name(&text) {
                prop_assert_eq!(parsed.to_string(), text);
                prop_assert!(parsed.port != Some(0));
            }
        }
    }
}
