//! A request and what came of it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::tls::{HandshakeError, Session};

/// Which version to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// HTTP/2 where the server offers it by ALPN, else 1.1.
    Best,
    /// HTTP/1.1.
    Http1,
}

/// A body of which only the length matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Filler {
    /// Bytes, as `Content-Length` says.
    pub length: u64,
    /// Announce the length and send none of it: who refuses by `Content-Length` answers at once,
    /// and everybody else waits.
    pub withheld: bool,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// GET unless said otherwise.
    pub method: Method,
    /// Absolute, `http` or `https`; its path is sent as it stands.
    pub url: Url,
    /// Besides `Host`, `User-Agent` and `Accept`.
    pub headers: HeaderMap,
    /// None unless said otherwise.
    pub body: Bytes,
    /// In place of a body of bytes: so many zeros, sent or just announced.
    pub filler: Option<Filler>,
    /// How long the answer may take, where it is not what the instruments are set to.
    pub patience: Option<Duration>,
    /// Redirects to follow; 0 unless said otherwise.
    pub redirects: usize,
    /// Bytes of body kept; what is more is cut, and said so. 256 KiB unless said otherwise.
    pub limit: usize,
    /// Connect to just this address instead of the first that answers.
    pub address: Option<IpAddr>,
    /// What to send as `Host` (or `:authority`), verbatim, where it is not the URL's.
    pub host: Option<String>,
    /// Which version to speak.
    pub version: Version,
    /// Go on although verification says that a client would not (and say so in the session).
    pub accept_any_certificate: bool,
}

impl Request {
    /// GET of a URL.
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            filler: None,
            patience: None,
            redirects: 0,
            limit: 256 * 1024,
            address: None,
            host: None,
            version: Version::Best,
            accept_any_certificate: false,
        }
    }
}

/// How long each phase took; a phase that was not needed is zero.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// Name to addresses.
    pub resolve: Duration,
    /// TCP.
    pub connect: Duration,
    /// TLS.
    pub handshake: Duration,
    /// From the request's last byte to the answer's first.
    pub first_byte: Duration,
    /// From the first byte to the last.
    pub body: Duration,
}

/// One request and its answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// Method sent.
    pub method: Method,
    /// URL asked for.
    pub url: Url,
    /// Address that answered, before overrides.
    pub address: SocketAddr,
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    /// Status code.
    pub status: StatusCode,
    /// As sent, duplicates kept.
    pub headers: HeaderMap,
    /// At most the request's limit.
    pub body: Bytes,
    /// The body was longer than the limit, or ended early; why.
    pub cut: Option<String>,
    /// The TLS session, for https.
    pub session: Option<Arc<Session>>,
    /// Phases.
    pub timings: Timings,
}

/// A request with its redirects, in order; the last is the answer. Never empty.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Each hop.
    pub hops: Vec<Response>,
    /// Redirects were not followed to the end: too many, a loop, or an unusable location.
    pub redirect_trouble: Option<String>,
}

impl Exchange {
    /// The answer at the end.
    pub fn last(&self) -> &Response {
        &self.hops[self.hops.len() - 1]
    }
}

impl Response {
    /// The first value of a header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text, invalid UTF-8 replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// One line for evidence: `GET https://… → 502 in 12 ms (198.51.100.10, HTTP/2)`.
    pub fn line(&self) -> String {
        let t = self.timings;
        let total = t.resolve + t.connect + t.handshake + t.first_byte + t.body;
        format!(
            "{} {} → {} in {} ms ({}, {})",
            self.method,
            self.url,
            self.status.as_u16(),
            total.as_millis(),
            self.address.ip(),
            self.version
        )
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HttpError {
    /// The name has no address that could be asked for.
    #[error("{name} does not resolve: {reason}")]
    Resolve {
        /// Host name.
        name: String,
        /// NXDOMAIN, no answer, …
        reason: String,
    },
    /// No connection or TLS session with any address tried; the last one's error.
    #[error("{address}: {error}")]
    Handshake {
        /// Address connected to, before overrides.
        address: SocketAddr,
        /// How far it came.
        error: HandshakeError,
    },
    /// Verification refused the certificate.
    #[error("{}: the certificate is not acceptable", session.address)]
    Certificate {
        /// The session with what verification says.
        session: Arc<Session>,
    },
    /// No answer within the limit.
    #[error("{address}: no answer within {limit:?}")]
    TimedOut {
        /// Address connected to, before overrides.
        address: SocketAddr,
        /// The limit.
        limit: Duration,
    },
    /// The server closed or reset the connection instead of answering.
    #[error("{address}: the connection was closed before an answer")]
    Closed {
        /// Address connected to, before overrides.
        address: SocketAddr,
    },
    /// What came is not HTTP.
    #[error("{address}: the answer is not HTTP: {reason}")]
    Garbage {
        /// Address connected to, before overrides.
        address: SocketAddr,
        /// What the parser says.
        reason: String,
    },
    /// Trouble on our own side.
    #[error("{0}")]
    Ours(String),
}
