//! `/.well-known/matrix/server` of the server name's host, at each of its addresses.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use http::{HeaderValue, header};
use mxdoctor_model::{EvidenceKind, Finding, Outcome};
use mxdoctor_probes::http::{Exchange, Response};
use mxdoctor_probes::matrix::{
    Delegation, DelegationError, NameError, ServerName, parse_delegation,
};
use url::Url;

use crate::facts::{Ask, Asked, Endpoint, Fetched, Page, Sessions, Trusted, ask, classify};
use crate::{Cx, Fact, Unavailable};

/// The file's place on the server name's host.
const PATH: &str = "/.well-known/matrix/server";

/// What the commonest peer calls itself; firewalls treat it differently from browsers.
const PEER: HeaderValue = HeaderValue::from_static("Synapse/1.147.1");

/// Redirects that peers follow for certain.
const REDIRECTS: usize = 10;

/// Bytes read: more than the 50 KiB that peers read, so that an excess is seen.
const LIMIT: usize = 64 * 1024;

/// The server name, parsed.
///
/// # Errors
/// Owned by `federation.server_name`.
pub(crate) fn server_name(cx: &Cx) -> Result<ServerName, Unavailable> {
    let text = &cx.target().server_name;
    text.parse().map_err(|error: NameError| {
        let finding = Finding::fail(
            "server-name-invalid",
            format!("`{text}` is not a valid server name: {error}"),
        )
        .expected("a host name or address, with `:` and a port where one is needed")
        .actual(text.clone());
        Unavailable::by("federation.server_name", finding)
    })
}

/// The delegation file of the server name, asked for at each address as a server asks; and once
/// more as this tool.
///
/// Owned by what stands before it: `dns.address`, `tls.*`, `ingress.*`. What the answers hold is
/// for `federation.well_known` to judge.
#[derive(Debug, Clone)]
pub struct WellKnownServer;

/// What came of it.
#[derive(Debug, Clone)]
pub struct ServerWellKnown {
    /// Where it belongs; none where the server name has a port or is an address, and no server
    /// asks for it.
    pub url: Option<Url>,
    /// One answer an address, at least one where there is a URL.
    pub answers: Vec<WellKnownAnswer>,
    /// The answer to this tool by its own name.
    pub plain: Option<Arc<Exchange>>,
    /// The answer past a cache, asked for where an answer came out of one.
    pub fresh: Option<Arc<Exchange>>,
    /// Addresses that gave no answer of an application, and why.
    pub silent: Vec<(Option<SocketAddr>, Unavailable)>,
}

/// The answer of one address.
#[derive(Debug, Clone)]
pub struct WellKnownAnswer {
    /// The address; none where the name is overridden.
    pub address: Option<SocketAddr>,
    /// The request with its redirects; none where there was no answer.
    pub exchange: Option<Arc<Exchange>>,
    /// Where it delegates to, or why nowhere.
    pub delegation: Result<Delegation, WellKnownProblem>,
}

/// Why an answer delegates nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WellKnownProblem {
    /// 404 or 410.
    #[error("there is none ({0})")]
    Missing(u16),
    /// Any other status than 200.
    #[error("it is answered with {0}")]
    Status(u16),
    /// Something before the application answers for just this path, or nothing does; what it says.
    #[error("{0}")]
    Unserved(String),
    /// Redirects lead nowhere, or away from https.
    #[error("its redirects lead nowhere: {0}")]
    Redirect(String),
    /// The body came to no end.
    #[error("its body ends early: {0}")]
    Cut(String),
    /// The content.
    #[error(transparent)]
    Content(#[from] DelegationError),
}

impl ServerWellKnown {
    /// What peers make of it: the first answer that delegates, else the first problem.
    pub fn delegation(&self) -> Option<Result<&Delegation, &WellKnownProblem>> {
        let good = self.answers.iter().find_map(|answer| answer.delegation.as_ref().ok());
        let bad = || self.answers.iter().find_map(|answer| answer.delegation.as_ref().err());
        good.map(Ok).or_else(|| bad().map(Err))
    }
}

impl WellKnownAnswer {
    /// An answer of an application.
    pub(crate) fn of(address: Option<SocketAddr>, exchange: Arc<Exchange>) -> Self {
        let delegation = read(&exchange);
        Self { address, exchange: Some(exchange), delegation }
    }

    /// The end of its redirects.
    pub fn last(&self) -> Option<&Response> {
        self.exchange.as_deref().map(Exchange::last)
    }
}

impl Fact for WellKnownServer {
    type Value = ServerWellKnown;
    const OWNER: &'static str = "federation.well_known";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<ServerWellKnown, Unavailable> {
        let name = server_name(cx)?;
        let mut known = ServerWellKnown {
            url: None,
            answers: Vec::new(),
            plain: None,
            fresh: None,
            silent: Vec::new(),
        };
        let (Some(host), None) = (name.dns(), name.port) else { return Ok(known) };
        let url = Url::parse(&format!("https://{host}{PATH}"));
        let url = url.map_err(|error| {
            let summary = format!("internal: no URL for {host}: {error}");
            Unavailable::by("federation.server_name", Finding::error(summary))
        })?;
        let ask = Ask::get(url.clone()).redirects(REDIRECTS).limit(LIMIT);
        let as_peer = ask.clone().header(header::USER_AGENT, PEER);
        let looks = addresses(cx, host).await?.into_iter().map(|address| {
            let mut ask = as_peer.clone();
            ask.address = address.map(|address| address.ip());
            look(cx, address, ask)
        });
        let (plain, looked) = tokio::join!(cx.fact(Fetched(ask)), join_all(looks));
        for (address, looked) in looked {
            match looked {
                Ok(answer) => known.answers.push(answer),
                Err(by) => known.silent.push((address, by)),
            }
        }
        if let ([], Some((_, by))) = (known.answers.as_slice(), known.silent.first()) {
            return Err(by.clone());
        }
        known.plain = plain.ok();
        if known.answers.iter().filter_map(WellKnownAnswer::last).any(is_of_a_cache) {
            let mut past = url.clone();
            past.set_query(Some(&ask::fresh_word()));
            let ask = as_peer.redirects(REDIRECTS);
            known.fresh = cx.fact(Fetched(Ask { url: past, ..ask })).await.ok();
        }
        known.url = Some(url);
        Ok(known)
    }
}

/// The answer of one address. Trouble of just this path is an answer too: nobody else says it.
async fn look(
    cx: &Cx,
    address: Option<SocketAddr>,
    ask: Ask,
) -> (Option<SocketAddr>, Result<WellKnownAnswer, Unavailable>) {
    let by = match cx.fact(Fetched(ask.clone())).await {
        Ok(exchange) => return (address, Ok(WellKnownAnswer::of(address, exchange))),
        Err(by) => by,
    };
    let others = match by.owner {
        // It asks for this very path, by the tool's own name.
        "ingress.challenge" => {
            let plain = cx.fact(Asked(Ask::get(ask.url.clone()))).await;
            plain.is_ok_and(|exchange| classify(exchange.last()) == Some(Page::Challenge))
        }
        "ingress.reachable" => {
            let mut beside = Ask::get(ask.url.clone());
            beside.address = ask.address;
            beside.url.set_path("/.well-known/matrix/client");
            cx.fact(Fetched(beside)).await.is_err()
        }
        _ => true,
    };
    if others || by.finding.outcome == Outcome::Error {
        return (address, Err(by));
    }
    let exchange = cx.fact(Asked(ask)).await.ok();
    let delegation = Err(WellKnownProblem::Unserved(by.finding.summary.clone()));
    (address, Ok(WellKnownAnswer { address, exchange, delegation }))
}

/// Whether a cache between says that it gave the answer.
fn is_of_a_cache(response: &Response) -> bool {
    let hit = ["cf-cache-status", "x-cache", "x-cache-status", "cache-status"];
    let hit = hit.iter().filter_map(|name| response.header(name));
    let old = response.header("age").and_then(|age| age.trim().parse::<u64>().ok());
    old.is_some_and(|age| age > 0)
        || hit.into_iter().any(|said| said.to_lowercase().contains("hit"))
}

/// The addresses with a certificate that peers accept; one without address where the name is
/// overridden. The others are for `tls.addresses_agree`.
async fn addresses(cx: &Cx, host: &str) -> Result<Vec<Option<SocketAddr>>, Unavailable> {
    let endpoint = Endpoint::new(host.to_lowercase(), 443);
    let Endpoint { host, port } = endpoint.clone();
    cx.fact(Trusted { host: host.clone(), port }).await?;
    if endpoint.overridden(cx).is_some() {
        return Ok(vec![None]);
    }
    let handshakes = cx.fact(Sessions { host, port }).await?;
    let accepted = handshakes.attempts.iter().filter(|attempt| attempt.accepted());
    Ok(accepted.map(|attempt| Some(attempt.address)).collect())
}

/// What a peer makes of an answer.
pub(crate) fn read(exchange: &Exchange) -> Result<Delegation, WellKnownProblem> {
    if let Some(trouble) = &exchange.redirect_trouble {
        return Err(WellKnownProblem::Redirect(trouble.clone()));
    }
    if let Some(hop) = exchange.hops.iter().find(|hop| hop.url.scheme() != "https") {
        let reason = format!("{} is not https", hop.url);
        return Err(WellKnownProblem::Redirect(reason));
    }
    let response = exchange.last();
    match response.status.as_u16() {
        200 => {}
        status @ (404 | 410) => return Err(WellKnownProblem::Missing(status)),
        status => return Err(WellKnownProblem::Status(status)),
    }
    if let Some(cut) = &response.cut
        && response.body.len() < LIMIT
    {
        return Err(WellKnownProblem::Cut(cut.clone()));
    }
    Ok(parse_delegation(&response.body)?)
}

impl WellKnownProblem {
    /// The cause of this problem.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Missing(_) => "well-known-server-missing",
            Self::Status(_) | Self::Unserved(_) | Self::Redirect(_) | Self::Cut(_) => {
                "well-known-server-broken"
            }
            Self::Content(
                DelegationError::Html | DelegationError::NotJson(_) | DelegationError::Empty,
            ) => "well-known-not-json",
            Self::Content(_) => "well-known-server-malformed",
        }
    }

    /// What `federation.well_known` says of it.
    pub(crate) fn finding(&self, url: &Url, answer: &WellKnownAnswer) -> Finding {
        let finding = Finding::fail(self.cause(), format!("{url}: {self}"))
            .expected("200 and a JSON object with `m.server`");
        let finding = match answer.last() {
            Some(response) => finding
                .actual(format!("{} {}", response.status.as_u16(), excerpt(response)))
                .evidence(EvidenceKind::Request, response.line()),
            None => finding.actual("no answer"),
        };
        let host = url.host_str().unwrap_or_default();
        match self {
            Self::Content(DelegationError::Html) => finding.remedy(format!(
                "a web page answers https://{host}{PATH}: route that path to a responder of its                  own, above the rule that sends {host} to Element Web or a website"
            )),
            Self::Content(DelegationError::Name { value, .. }) => match meant(value) {
                Some(meant) => finding.remedy(format!("write `{{\"m.server\": \"{meant}\"}}`")),
                None => finding,
            },
            _ => finding,
        }
    }
}

/// The server name that somebody meant who wrote an invalid one: the host alone and a port.
fn meant(value: &str) -> Option<ServerName> {
    let invisible = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}')
    };
    let bare: String = value.chars().filter(|c| !invisible(*c)).collect();
    if bare.starts_with('@') {
        return None;
    }
    let bare = bare.split_once("://").map_or(bare.as_str(), |(_, rest)| rest);
    let bare = bare.split(['/', '?', '#']).next().unwrap_or_default();
    let bare = bare.rsplit('@').next().unwrap_or_default();
    if let Ok(address) = bare.parse::<std::net::Ipv6Addr>() {
        return format!("[{address}]:443").parse().ok();
    }
    let (host, port) = bare.rsplit_once(':').unwrap_or((bare, ""));
    let host = host.trim_matches('.');
    let port = port.parse::<u16>().ok().filter(|port| *port != 0).unwrap_or(443);
    format!("{host}:{port}").parse().ok()
}

/// The start of a body, on one line.
pub(crate) fn excerpt(response: &Response) -> String {
    let text: String = response.text().split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_guessed() {
        for (value, right) in [
            ("https://matrix.example.org", Some("matrix.example.org:443")),
            ("https://matrix.example.org:8448/", Some("matrix.example.org:8448")),
            ("matrix.example.org/_matrix", Some("matrix.example.org:443")),
            (" matrix.example.org:443\n", Some("matrix.example.org:443")),
            ("\u{feff}matrix.example.org", Some("matrix.example.org:443")),
            ("matrix.example.org.", Some("matrix.example.org:443")),
            ("matrix.example.org:", Some("matrix.example.org:443")),
            ("matrix.example.org:99999", Some("matrix.example.org:443")),
            ("@user:matrix.example.org", None),
            ("admin@matrix.example.org", Some("matrix.example.org:443")),
            ("2001:db8::1", Some("[2001:db8::1]:443")),
            ("matrix_1.example.org", None),
            ("", None),
        ] {
            assert_eq!(meant(value).map(|name| name.text).as_deref(), right, "{value:?}");
        }
    }
}
