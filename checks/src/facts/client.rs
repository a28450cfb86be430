//! What the homeserver says to clients: the client well-known and the versions that it speaks.

use std::sync::Arc;

use mxdoctor_model::{EvidenceKind, Finding, Vantage};
use mxdoctor_probes::http::{Exchange, Response};
use serde_json::{Map, Value};
use url::Url;

use super::ask;
use super::discovery::{Homeserver, below, https, not_configured, server_host};
use crate::{Cx, Fact, Unavailable};

/// `/.well-known/matrix/client` on the server name's host (Matrix client-server API, "Well-known
/// URIs"), whatever the answer is.
#[derive(Debug, Clone)]
pub struct WellKnownClient;

/// The answer to the question for the client well-known.
#[derive(Debug, Clone)]
pub struct ClientWellKnown {
    /// The request and its answer.
    pub exchange: Arc<Exchange>,
    /// The document, or what kept a client from reading one.
    pub document: Result<Map<String, Value>, WellKnownTrouble>,
}

/// What keeps a client from finding the homeserver by the well-known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WellKnownTrouble {
    /// 404: there is none.
    Missing,
    /// Neither 200 nor 404.
    Status(u16),
    /// Redirects lead nowhere; why.
    Redirects(String),
    /// An HTML page where JSON belongs.
    Html,
    /// Not JSON; what the parser says.
    NotJson(String),
    /// JSON, but not an object.
    NotObject,
    /// No `m.homeserver` object.
    NoHomeserver,
    /// `m.homeserver` without a `base_url` string.
    NoBaseUrl,
    /// A `base_url` that is no absolute http or https URL.
    InvalidBaseUrl(String),
}

impl Fact for WellKnownClient {
    type Value = ClientWellKnown;
    const OWNER: &'static str = "synapse.well_known_client";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(40);

    async fn observe(&self, cx: &Cx) -> Result<ClientWellKnown, Unavailable> {
        if cx.vantage() != Vantage::Public {
            return Err(not_configured(cx, Self::OWNER, "the server name"));
        }
        let name = &cx.target().server_name;
        let Some(base) = https(&server_host(name).to_lowercase()) else {
            return Err(Unavailable::by(
                Self::OWNER,
                Finding::skip(format!("`{name}` has no host that could be asked")),
            ));
        };
        let exchange = ask::get(cx, below(&base, "/.well-known/matrix/client")).await?;
        let document = read_document(&exchange);
        Ok(ClientWellKnown { exchange, document })
    }
}

impl ClientWellKnown {
    /// The base URL of the homeserver, `m.homeserver.base_url`.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn base_url(&self) -> Result<Url, WellKnownTrouble> {
        base_url(self.document.as_ref().map_err(Clone::clone)?)
    }

    /// The Jitsi host that clients are told to use, which overrides Element's own configuration.
    pub fn jitsi_domain(&self) -> Option<&str> {
        let document = self.document.as_ref().ok()?;
        ["io.element.jitsi", "im.vector.riot.jitsi"]
            .iter()
            .find_map(|key| document.get(*key))?
            .get("preferredDomain")?
            .as_str()
            .filter(|domain| !domain.is_empty())
    }
}

fn read_document(exchange: &Exchange) -> Result<Map<String, Value>, WellKnownTrouble> {
    if let Some(trouble) = &exchange.redirect_trouble {
        return Err(WellKnownTrouble::Redirects(trouble.clone()));
    }
    let answer = exchange.last();
    match answer.status.as_u16() {
        200 => match &answer.cut {
            Some(cut) => Err(WellKnownTrouble::NotJson(format!("not read whole: {cut}"))),
            None => parse_document(&answer.body),
        },
        404 | 410 => Err(WellKnownTrouble::Missing),
        other => Err(WellKnownTrouble::Status(other)),
    }
}

fn parse_document(body: &[u8]) -> Result<Map<String, Value>, WellKnownTrouble> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(document)) => Ok(document),
        Ok(_) => Err(WellKnownTrouble::NotObject),
        Err(_) if is_html(body) => Err(WellKnownTrouble::Html),
        Err(_) if body.starts_with("\u{feff}".as_bytes()) => {
            Err(WellKnownTrouble::NotJson("it begins with a byte order mark".into()))
        }
        Err(error) => Err(WellKnownTrouble::NotJson(error.to_string())),
    }
}

fn base_url(document: &Map<String, Value>) -> Result<Url, WellKnownTrouble> {
    let homeserver = document
        .get("m.homeserver")
        .and_then(Value::as_object)
        .ok_or(WellKnownTrouble::NoHomeserver)?;
    let text =
        homeserver.get("base_url").and_then(Value::as_str).ok_or(WellKnownTrouble::NoBaseUrl)?;
    web_url(text).ok_or_else(|| WellKnownTrouble::InvalidBaseUrl(text.to_owned()))
}

/// An absolute http or https URL with a host.
pub(crate) fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.host_str().is_some()).then_some(url)
}

/// Whether a body begins like a page.
pub(crate) fn is_html(body: &[u8]) -> bool {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// What the homeserver answers to `GET /_matrix/client/versions`, once it is a right answer.
#[derive(Debug, Clone)]
pub struct Versions;

/// Specification versions and unstable features that a homeserver speaks.
#[derive(Debug, Clone)]
pub struct ClientVersions {
    /// `r0.6.1`, `v1.12`, … in the order given.
    pub versions: Vec<String>,
    /// Unstable features and whether they are on.
    pub unstable: Map<String, Value>,
    /// The request and its answer.
    pub exchange: Arc<Exchange>,
}

impl ClientVersions {
    /// Whether an unstable feature is announced as on.
    pub fn feature(&self, name: &str) -> bool {
        self.unstable.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The value of the `Server` header, as the homeserver or what stands before it says.
    pub fn server(&self) -> Option<&str> {
        self.exchange.last().header("server")
    }
}

impl Fact for Versions {
    type Value = ClientVersions;
    const OWNER: &'static str = "synapse.versions";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<ClientVersions, Unavailable> {
        let homeserver = cx.fact(Homeserver).await?;
        let exchange = ask::get(cx, homeserver.url("/_matrix/client/versions")).await?;
        read_versions(exchange).map_err(|finding| Unavailable::by(Self::OWNER, finding))
    }
}

/// Reads the answer to `GET /_matrix/client/versions`.
///
/// # Errors
/// What is wrong with it, as a finding.
pub(crate) fn read_versions(exchange: Arc<Exchange>) -> Result<ClientVersions, Finding> {
    let answer = exchange.last();
    let judged = match &exchange.redirect_trouble {
        Some(trouble) => Err(Finding::fail(
            "homeserver-url-wrong",
            format!("{} is redirected to nowhere: {trouble}", exchange.hops[0].url),
        )),
        None => judge_versions(answer),
    };
    match judged {
        Ok((versions, unstable)) => Ok(ClientVersions { versions, unstable, exchange }),
        Err(finding) => Err(finding.evidence(EvidenceKind::Request, answer.line())),
    }
}

fn judge_versions(answer: &Response) -> Result<(Vec<String>, Map<String, Value>), Finding> {
    let status = answer.status.as_u16();
    let expected = "200 with a JSON object that holds `versions`";
    let document: Option<Value> = serde_json::from_slice(&answer.body).ok();
    if status >= 500 {
        let summary = format!("the homeserver answers {status} when asked for its versions");
        return Err(Finding::fail("homeserver-broken", summary)
            .expected(expected)
            .actual(gist(answer))
            .transient());
    }
    if status == 429 {
        let summary = "the homeserver limits our rate: its versions cannot be told now";
        return Err(Finding::error(summary).actual(gist(answer)).transient());
    }
    if let Some(cut) = &answer.cut {
        let summary = format!("the homeserver's answer about its versions is not whole: {cut}");
        let finding = Finding::fail("homeserver-broken", summary);
        return Err(finding.expected(expected).actual(cut).transient());
    }
    let not_matrix = |actual: String| {
        Finding::fail(
            "homeserver-url-wrong",
            format!(
                "Homeserver URL does not appear to be a valid Matrix homeserver: {} is not \
                 answered as a homeserver does",
                answer.url
            ),
        )
        .expected(expected)
        .actual(actual)
    };
    let Some(Value::Object(document)) = document.filter(|_| status == 200) else {
        return Err(not_matrix(gist(answer)));
    };
    let Some(list) = document.get("versions").and_then(Value::as_array) else {
        return Err(not_matrix("a JSON object without a `versions` array".into()));
    };
    let versions: Vec<String> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if versions.is_empty() || versions.len() != list.len() {
        return Err(not_matrix("`versions` is not a list of version names".into()));
    }
    let unstable = document.get("unstable_features").and_then(Value::as_object).cloned();
    Ok((versions, unstable.unwrap_or_default()))
}

/// An answer in a few words: status, type and the start of its body.
pub(crate) fn gist(answer: &Response) -> String {
    let kind = answer.header("content-type").unwrap_or("no content type");
    let text = answer.text();
    let start: String = text
        .split_whitespace()
        .flat_map(|word| [word, " "])
        .flat_map(str::chars)
        .filter(|c| !c.is_control())
        .take(80)
        .collect();
    let start = start.trim();
    let status = answer.status.as_u16();
    if start.is_empty() {
        format!("{status}, {kind}, no body")
    } else {
        format!("{status}, {kind}: {start}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Result<Url, WellKnownTrouble> {
        parse_document(text.as_bytes()).and_then(|document| base_url(&document))
    }

    #[test]
    fn the_base_url_is_read_as_clients_do() {
        let right = r#"{"m.homeserver":{"base_url":"https://matrix.example.org/"}}"#;
        assert_eq!(document(right).expect("a URL").as_str(), "https://matrix.example.org/");
        let wrong = [
            ("<!doctype html>", WellKnownTrouble::Html),
            ("\u{feff} <html>", WellKnownTrouble::Html),
            ("[]", WellKnownTrouble::NotObject),
            ("{}", WellKnownTrouble::NoHomeserver),
            (r#"{"m.homeserver":"https://x"}"#, WellKnownTrouble::NoHomeserver),
            (r#"{"m.homeserver":{"base_url":1}}"#, WellKnownTrouble::NoBaseUrl),
        ];
        for (text, trouble) in wrong {
            assert_eq!(document(text), Err(trouble), "{text}");
        }
        for text in ["matrix.example.org", "ftp://matrix.example.org", "/x", "https://"] {
            let json = serde_json::json!({"m.homeserver": {"base_url": text}}).to_string();
            assert_eq!(document(&json), Err(WellKnownTrouble::InvalidBaseUrl(text.into())));
        }
        assert!(matches!(document("{\"m.h"), Err(WellKnownTrouble::NotJson(_))));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = parse_document(&body).and_then(|document| base_url(&document));
        }
    }
}
