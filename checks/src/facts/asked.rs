//! Requests and their answers, each made once.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::{Exchange, HttpError, Request, Version};
use url::Url;

use super::page::{Page, classify};
use super::{Addresses, Endpoint, Sessions, Trusted};
use crate::{Cx, Fact, Unavailable, ingress};

/// A request as a key: two equal ones are sent once. Its `Debug` form is complete but for secrets,
/// of which only a hash shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Ask {
    /// Method.
    pub method: Method,
    /// Absolute, `http` or `https`.
    pub url: Url,
    /// Besides `Host`, `User-Agent` and `Accept`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Body; empty for none.
    pub body: Bytes,
    /// Redirects to follow.
    pub redirects: usize,
    /// Bytes of body kept.
    pub limit: usize,
    /// Just this address instead of the first that answers.
    pub address: Option<IpAddr>,
    /// `Host` verbatim, where it is not the URL's.
    pub host: Option<String>,
    /// HTTP/1.1 even where HTTP/2 is offered.
    pub http1: bool,
}

impl Ask {
    /// A GET that follows no redirect.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A request without a body that follows no redirect.
    pub fn new(method: Method, url: Url) -> Self {
        let request = Request::get(url);
        Self {
            method,
            url: request.url,
            headers: Vec::new(),
            body: Bytes::new(),
            redirects: 0,
            limit: request.limit,
            address: None,
            host: None,
            http1: false,
        }
    }

    /// With a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With a body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Following at most so many redirects.
    pub fn redirects(mut self, redirects: usize) -> Self {
        self.redirects = redirects;
        self
    }

    /// Keeping at most so many bytes of the body.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// At just this address.
    pub fn at(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// With this `Host`, verbatim.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Over HTTP/1.1 only.
    pub fn http1(mut self) -> Self {
        self.http1 = true;
        self
    }

    /// As the instrument takes it.
    pub(crate) fn request(&self) -> Request {
        let mut request = Request::get(self.url.clone());
        request.method = self.method.clone();
        request.headers.extend(self.headers.iter().cloned());
        request.body = self.body.clone();
        request.redirects = self.redirects;
        request.limit = self.limit;
        request.address = self.address;
        request.host = self.host.clone();
        request.version = if self.http1 { Version::Http1 } else { Version::Best };
        request
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)?;
        for (name, value) in &self.headers {
            match value.to_str() {
                Ok(value) if *name != http::header::AUTHORIZATION => write!(f, ", {name}: {value}"),
                _ => write!(f, ", {name}: #{:x}", hash(value.as_bytes())),
            }?;
        }
        if !self.body.is_empty() {
            write!(f, ", body #{:x}", hash(&self.body))?;
        }
        if self.redirects > 0 {
            write!(f, ", redirects {}", self.redirects)?;
        }
        if self.limit != Request::get(self.url.clone()).limit {
            write!(f, ", limit {}", self.limit)?;
        }
        if let Some(address) = self.address {
            write!(f, ", at {address}")?;
        }
        if let Some(host) = &self.host {
            write!(f, ", Host {host}")?;
        }
        if self.http1 { f.write_str(", HTTP/1.1") } else { Ok(()) }
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Any HTTP answer to a request, whatever its status; over a connection that a client would trust.
///
/// Owned by `ingress.reachable` where there is no answer.
#[derive(Debug, Clone)]
pub struct Asked(pub Ask);

impl Fact for Asked {
    type Value = Exchange;
    const OWNER: &'static str = "ingress.reachable";

    async fn observe(&self, cx: &Cx) -> Result<Exchange, Unavailable> {
        let Some(endpoint) = Endpoint::of(&self.0.url) else {
            let finding = Finding::error(format!("internal: {} has no host", self.0.url));
            return Err(Unavailable::by("ingress.reachable", finding));
        };
        if endpoint.overridden(cx).is_none() {
            cx.fact(Addresses { host: endpoint.host.clone() }).await?;
        }
        let request = self.0.request();
        let answer = match self.0.url.scheme() {
            "https" => ask_over_tls(cx, &endpoint, request).await?,
            _ => cx.net().http(request).await,
        };
        answer.map_err(|error| Unavailable::by("ingress.reachable", silent(&self.0, &error)))
    }
}

/// Asks a host whose certificate a client would accept.
///
/// The request is under way while the sessions are judged, which saves two round trips: the
/// instrument sends nothing over a certificate that a client would refuse. What may not be sent
/// twice waits for the judgement.
async fn ask_over_tls(
    cx: &Cx,
    endpoint: &Endpoint,
    mut request: Request,
) -> Result<Result<Exchange, HttpError>, Unavailable> {
    let Endpoint { host, port } = endpoint.clone();
    let trusted = cx.fact(Trusted { host: host.clone(), port });
    let asking = cx.net().http(request.clone());
    tokio::pin!(trusted, asking);
    let (session, answer) = tokio::select! {
        biased;
        session = &mut trusted => (session?, None),
        answer = &mut asking, if request.method.is_safe() => (trusted.await?, Some(answer)),
    };
    // Another address may be broken: that is `tls.addresses_agree`'s to say, and the rest of the
    // run goes on with the one that is known to be good.
    if request.address.is_none() && endpoint.overridden(cx).is_none() {
        let handshakes = cx.fact(Sessions { host, port }).await?;
        if handshakes.attempts.iter().any(|attempt| !attempt.accepted()) {
            request.address = Some(session.address.ip());
            return Ok(cx.net().http(request).await);
        }
    }
    Ok(match answer {
        Some(answer) => answer,
        None => asking.await,
    })
}

/// The finding for a request without an answer.
fn silent(ask: &Ask, error: &HttpError) -> Finding {
    let host = Endpoint::of(&ask.url).map_or_else(String::new, |endpoint| endpoint.to_string());
    let what = format!("{} {}", ask.method, ask.url);
    let finding = match error {
        HttpError::Ours(_) | HttpError::Resolve { .. } | HttpError::Certificate { .. } => {
            Finding::error(format!("{what} could not be sent: {error}"))
        }
        HttpError::Handshake { error: inner, .. } if ask.url.scheme() == "https" => {
            // A session came about a moment ago: the server refuses more, or is going down.
            let summary = format!("{host} does not take another connection: {inner}");
            Finding::fail("no-http-answer", summary).transient()
        }
        HttpError::TimedOut { limit, .. } => {
            let summary = format!("{host} takes the request and does not answer within {limit:?}");
            Finding::fail("no-http-answer", summary)
        }
        HttpError::Closed { .. } => {
            let summary = format!("{host} closes the connection instead of answering");
            Finding::fail("no-http-answer", summary).transient()
        }
        HttpError::Handshake { .. } => {
            Finding::fail("port-closed", format!("{host} takes no connection: {error}")).transient()
        }
        HttpError::Garbage { .. } => {
            Finding::fail("no-http-answer", format!("{host} answers with something not HTTP"))
        }
    };
    finding
        .on(host)
        .expected("an HTTP answer")
        .actual(error.to_string())
        .evidence(EvidenceKind::Request, format!("{what}: {error}"))
}

/// An answer that comes from the application, not from what stands before it.
///
/// Owned, besides what [`Asked`] says, by `ingress.reachable` where a gateway or a tunnel answers
/// for itself, and by `ingress.challenge` where the edge wants to see a browser. A page that says
/// that just this path is not routed is let through: that may be as it should be, and is the
/// business of who looks for it.
#[derive(Debug, Clone)]
pub struct Fetched(pub Ask);

impl Fact for Fetched {
    type Value = Exchange;
    const OWNER: &'static str = "ingress.reachable";

    async fn observe(&self, cx: &Cx) -> Result<Exchange, Unavailable> {
        let exchange = cx.fact(Asked(self.0.clone())).await?;
        let response = exchange.last();
        let finding = |page| (page, Endpoint::of(&response.url));
        match classify(response).map(finding) {
            Some((Page::Challenge, Some(endpoint))) => Err(Unavailable::by(
                "ingress.challenge",
                ingress::challenge::judge(&endpoint, response),
            )),
            Some((Page::NotRouted(_), _)) if !whole_host_is_not_routed(cx, &self.0.url).await => {
                Ok(Exchange::clone(&exchange))
            }
            Some((page, Some(endpoint))) => Err(Unavailable::by(
                "ingress.reachable",
                ingress::reachable::judge(&endpoint, cx.target(), response, &page),
            )),
            _ => Ok(Exchange::clone(&exchange)),
        }
    }
}

/// Whether a gateway routes nothing of the application that the URL belongs to: not even what is
/// asked first of it.
async fn whole_host_is_not_routed(cx: &Cx, url: &Url) -> bool {
    let path = url.path();
    if path.starts_with("/.well-known/") {
        return false;
    }
    let mut first = url.clone();
    first.set_query(None);
    match ["/_matrix/", "/_synapse/", "/health"].iter().find_map(|prefix| path.find(prefix)) {
        Some(base) => first.set_path(&format!("{}/_matrix/client/versions", &path[..base])),
        None => first.set_path(&path[..=path.rfind('/').unwrap_or(0)]),
    }
    if first == *url {
        return true;
    }
    let asked = cx.fact(Asked(Ask::get(first))).await;
    asked.is_ok_and(|exchange| matches!(classify(exchange.last()), Some(Page::NotRouted(_))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_requests_apart_and_hide_secrets() {
        let url: Url = "https://example.org/x".parse().expect("a URL");
        let plain = Ask::get(url.clone());
        assert_eq!(format!("{plain:?}"), "GET https://example.org/x");
        let secret = HeaderValue::from_static("Bearer secret");
        let other = plain.clone().header(http::header::AUTHORIZATION, secret).redirects(3);
        let shown = format!("{other:?}");
        assert!(!shown.contains("secret") && shown.ends_with("redirects 3"), "{shown}");
        let body = |text: &'static str| format!("{:?}", plain.clone().body(text));
        assert_ne!(body("{}"), body("[]"));
        assert_ne!(format!("{:?}", plain.clone().http1()), format!("{plain:?}"));
    }
}
