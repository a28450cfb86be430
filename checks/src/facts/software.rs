//! What the homeserver is made of, and how versions compare.

use std::cmp::Ordering;

use mxdoctor_model::Finding;
use serde_json::Value;

use super::ask;
use super::client::Versions;
use super::discovery::Homeserver;
use crate::{Cx, Fact, Unavailable};

/// Name and version of the homeserver's software, as it says itself.
#[derive(Debug, Clone)]
pub struct Software;

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSoftware {
    /// `Synapse`, `Dendrite`, `conduwuit`, …
    pub name: String,
    /// `1.147.0`, without what a build adds.
    pub version: String,
    /// Where it says so.
    pub source: &'static str,
}

impl ServerSoftware {
    /// Whether it is Synapse.
    pub fn is_synapse(&self) -> bool {
        self.name.eq_ignore_ascii_case("synapse")
    }
}

impl Fact for Software {
    type Value = ServerSoftware;
    const OWNER: &'static str = "synapse.software";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<ServerSoftware, Unavailable> {
        let homeserver = cx.fact(Homeserver).await?;
        let versions = cx.fact(Versions).await?;
        let answer = ask::get(cx, homeserver.url("/_matrix/federation/v1/version")).await;
        let from_federation = answer.ok().and_then(|exchange| {
            let answer = exchange.last();
            answer.status.is_success().then(|| by_federation(&answer.body)).flatten()
        });
        from_federation.or_else(|| versions.server().and_then(by_header)).ok_or_else(|| {
            let reason = "the homeserver does not say what software it is: \
                          /_matrix/federation/v1/version is not answered on its client address, \
                          and its Server header is replaced on the way";
            Unavailable::by(Self::OWNER, Finding::skip(reason))
        })
    }
}

/// From the body of `/_matrix/federation/v1/version`.
fn by_federation(body: &[u8]) -> Option<ServerSoftware> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let server = document.get("server")?;
    let text = |key| server.get(key)?.as_str().filter(|text| !text.is_empty());
    Some(ServerSoftware {
        name: text("name")?.to_owned(),
        version: text("version").unwrap_or_default().split(' ').next()?.to_owned(),
        source: "/_matrix/federation/v1/version",
    })
}

/// From a `Server` header that only a homeserver sends.
fn by_header(header: &str) -> Option<ServerSoftware> {
    let version = header.strip_prefix("Synapse/")?.split(' ').next()?;
    Some(ServerSoftware {
        name: "Synapse".into(),
        version: version.to_owned(),
        source: "the Server header",
    })
}

/// A release number such as `1.147.0` or `1.147.0rc1`; a candidate is older than its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    numbers: [u64; 3],
    candidate: bool,
}

impl Release {
    /// Reads `1.2`, `v1.2.3`, `1.2.3rc1`, `1.2.3+suffix`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut numbers = [0; 3];
        let mut count = 0;
        for (slot, part) in numbers.iter_mut().zip(text[..end].split('.')) {
            *slot = part.parse().ok()?;
            count += 1;
        }
        let rest = &text[end..];
        let candidate = rest.trim_start_matches('-').starts_with("rc");
        (count >= 2).then_some(Self { numbers, candidate })
    }
}

impl Ord for Release {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then(other.candidate.cmp(&self.candidate))
    }
}

impl PartialOrd for Release {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether what runs is what was written: equal as text but for a leading `v`, or as releases.
pub(crate) fn as_written(runs: &str, written: &str) -> bool {
    let bare = |text: &str| text.trim().trim_start_matches('v').to_owned();
    bare(runs) == bare(written)
        || matches!((Release::parse(runs), Release::parse(written)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_is_read_from_what_it_says() {
        let said = by_federation(br#"{"server":{"name":"Synapse","version":"1.147.1 (b=x,abc)"}}"#);
        let said = said.expect("a program");
        assert!(said.is_synapse());
        assert_eq!(said.version, "1.147.1");
        assert_eq!(by_federation(b"{}"), None);
        assert_eq!(by_federation(br#"{"server":"x"}"#), None);
        assert_eq!(by_header("Synapse/1.147.1").expect("a program").version, "1.147.1");
        assert_eq!(by_header("cloudflare"), None);
    }

    #[test]
    fn releases_compare() {
        let release = |text| Release::parse(text).expect("a release");
        assert!(release("1.147.0") < release("1.147.1"));
        assert!(release("1.147.0rc2") < release("1.147.0"));
        assert!(release("v1.9.9") < release("1.12.10"));
        assert_eq!(release("1.147"), release("1.147.0"));
        for text in ["", "develop", "abc123", "1", "..", "99999999999999999999.1"] {
            assert_eq!(Release::parse(text), None, "{text}");
        }
        assert!(as_written("1.147.0", "v1.147.0") && !as_written("1.147.1", "1.147.0"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String, body: Vec<u8>) {
            let _ = (Release::parse(&text), by_federation(&body), by_header(&text));
        }
    }
}
