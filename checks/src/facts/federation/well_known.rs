//! `/.well-known/matrix/server` of the server name's host, at each of its addresses.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use http::{HeaderValue, header};
use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::{Exchange, Response};
use mxdoctor_probes::matrix::{
    Delegation, DelegationError, NameError, ServerName, parse_delegation,
};
use url::Url;

use crate::facts::{Ask, Endpoint, Fetched, Sessions, Trusted};
use crate::{Cx, Fact, Unavailable};

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
    /// Addresses that gave no answer of an application, and why.
    pub silent: Vec<(SocketAddr, Unavailable)>,
}

/// The answer of one address.
#[derive(Debug, Clone)]
pub struct WellKnownAnswer {
    /// The request with its redirects.
    pub exchange: Arc<Exchange>,
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

impl Fact for WellKnownServer {
    type Value = ServerWellKnown;
    const OWNER: &'static str = "federation.well_known";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<ServerWellKnown, Unavailable> {
        let name = server_name(cx)?;
        let (Some(host), None) = (name.dns(), name.port) else {
            let (answers, silent) = (Vec::new(), Vec::new());
            return Ok(ServerWellKnown { url: None, answers, plain: None, silent });
        };
        let url = Url::parse(&format!("https://{host}/.well-known/matrix/server"));
        let url = url.map_err(|error| {
            let summary = format!("internal: no URL for {host}: {error}");
            Unavailable::by("federation.server_name", Finding::error(summary))
        })?;
        let ask = Ask::get(url.clone()).redirects(REDIRECTS).limit(LIMIT);
        let as_peer = ask.clone().header(header::USER_AGENT, PEER);
        let looks = addresses(cx, host).await?.into_iter().map(|address| {
            let ask = match address {
                Some(address) => as_peer.clone().at(address.ip()),
                None => as_peer.clone(),
            };
            async move { (address, cx.fact(Fetched(ask)).await) }
        });
        let (plain, looked) = tokio::join!(cx.fact(Fetched(ask)), join_all(looks));
        let (mut answers, mut silent) = (Vec::new(), Vec::new());
        for (address, looked) in looked {
            match looked {
                Ok(exchange) => {
                    let delegation = read(&exchange);
                    answers.push(WellKnownAnswer { exchange, delegation });
                }
                Err(by) => silent.push((address.unwrap_or(([0, 0, 0, 0], 443).into()), by)),
            }
        }
        match silent.first() {
            Some((_, by)) if answers.is_empty() => Err(by.clone()),
            _ => Ok(ServerWellKnown { url: Some(url), answers, plain: plain.ok(), silent }),
        }
    }
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
            Self::Status(_) | Self::Redirect(_) | Self::Cut(_) => "well-known-server-broken",
            Self::Content(
                DelegationError::Html | DelegationError::NotJson(_) | DelegationError::Empty,
            ) => "well-known-not-json",
            Self::Content(_) => "well-known-server-malformed",
        }
    }

    /// What `federation.well_known` says of it.
    pub(crate) fn finding(&self, url: &Url, response: &Response) -> Finding {
        let finding = Finding::fail(self.cause(), format!("{url}: {self}"))
            .expected("200 and a JSON object with `m.server`")
            .actual(format!("{} {}", response.status.as_u16(), excerpt(response)))
            .evidence(EvidenceKind::Request, response.line());
        let host = url.host_str().unwrap_or_default();
        match self {
            Self::Content(DelegationError::Html) => finding.remedy(format!(
                "a web page answers https://{host}/.well-known/matrix/server: route that path to a \
                 responder of its own, above the rule that sends {host} to Element Web or a website"
            )),
            Self::Content(DelegationError::Name { value, error: NameError::Scheme(scheme) }) => {
                let bare = value.trim_start_matches(scheme.as_str()).trim_end_matches('/');
                let bare = bare.split('/').next().unwrap_or(bare);
                let port = if bare.contains(':') { "" } else { ":443" };
                finding
                    .remedy(format!("write `{{\"m.server\": \"{bare}{port}\"}}`, without scheme"))
            }
            _ => finding,
        }
    }
}

/// The start of a body, on one line.
pub(crate) fn excerpt(response: &Response) -> String {
    let text: String = response.text().split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(120).collect()
}
