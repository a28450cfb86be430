//! One TLS handshake: what was negotiated, the chain as sent, and what verification says of it.
//!
//! Verification is apart from the handshake: a bad certificate is described, not only refused.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::Net;

/// A certificate of a chain as sent, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// RFC 4514 style, as `x509-parser` prints it.
    pub subject: String,
    /// Likewise.
    pub issuer: String,
    /// Subject alternative names: DNS names in lower case, addresses as text.
    pub names: Vec<String>,
    /// Unix seconds.
    pub not_before: i64,
    /// Unix seconds.
    pub not_after: i64,
    /// For instance `ECDSA P-256`, `RSA 2048`, `Ed25519`.
    pub key: String,
    /// Key size in bits.
    pub key_bits: usize,
    /// For instance `ecdsa-with-SHA256`.
    pub signature: String,
    /// SHA-256 of the DER in lower-case hex.
    pub sha256: String,
    /// Where the issuer's certificate can be fetched (authority information access).
    pub issuer_url: Option<String>,
    /// Whether subject and issuer are the same.
    pub self_issued: bool,
}

/// Whether the chain leads to a trusted root, apart from names and dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// It does.
    Trusted,
    /// The issuer of the last certificate sent is neither sent nor trusted.
    /// `completed`: fetching the issuer by the certificate's own URL made it trusted, which proves
    /// that just the intermediate is missing.
    IssuerNotSent {
        /// The issuer's name.
        issuer: String,
        /// Proven by fetching it.
        completed: bool,
    },
    /// Ends in a root that is not trusted (a private authority), named.
    UntrustedRoot(String),
    /// The certificate is signed with its own key.
    SelfSigned,
    /// Anything else that verification says: a bad signature, an unfit purpose.
    Invalid(String),
}

/// What a client's verification says, each part apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The chain.
    pub trust: Trust,
    /// Whether the leaf covers the name asked for.
    pub name_matches: bool,
    /// Whether the whole chain is in its dates, by our own clock.
    pub in_dates: bool,
}

impl Verification {
    /// Whether a client would go on.
    pub fn accepted(&self) -> bool {
        self.trust == Trust::Trusted && self.name_matches && self.in_dates
    }
}

/// A completed handshake.
#[derive(Debug, Clone)]
pub struct Session {
    /// The name sent as SNI and verified; an address for an address.
    pub name: String,
    /// The address connected to, before overrides.
    pub address: SocketAddr,
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// For instance `TLS13_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// `h2`, `http/1.1` or none.
    pub alpn: Option<String>,
    /// As sent, leaf first.
    pub chain: Vec<Certificate>,
    /// What verification says.
    pub verification: Verification,
    /// An OCSP response was stapled.
    pub ocsp_stapled: bool,
    /// TCP connect.
    pub connect: Duration,
    /// TLS handshake.
    pub handshake: Duration,
}

/// How far a TCP connection came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// RST, or ICMP port unreachable.
    #[error("connection refused")]
    Refused,
    /// No answer.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// No route to host or network.
    #[error("{0}")]
    Unreachable(String),
    /// Trouble on our own side: no such address family here, no file descriptors.
    #[error("cannot connect from here: {0}")]
    Ours(String),
}

/// Why there is no session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// TCP did not come about.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server sent an alert, by its name in RFC 8446 (`handshake_failure`,
    /// `unrecognized_name`, `protocol_version`, …).
    #[error("the server ended the handshake with the alert {0}")]
    Alert(String),
    /// The server closed or reset the connection before the end of the handshake.
    #[error("the server closed the connection during the handshake")]
    Closed,
    /// The server does not speak TLS; the first bytes as text.
    #[error("the server does not speak TLS: {0}")]
    NotTls(String),
    /// No end within the limit.
    #[error("no end of the handshake within {0:?}")]
    TimedOut(Duration),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// What a server makes of a hello that offers nothing newer than TLS 1.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OldHello {
    /// It answers with that version: old versions are accepted.
    Accepted(String),
    /// It refuses.
    Refused,
    /// Could not be told.
    Unknown(String),
}

impl Net {
    /// Connects and shakes hands. `name` is what is sent as SNI (not for an address) and verified.
    /// ALPN offers `h2` and `http/1.1`.
    ///
    /// # Errors
    /// [`HandshakeError`], with how far it came.
    pub async fn handshake(
        &self,
        _name: &str,
        _address: SocketAddr,
    ) -> Result<Arc<Session>, HandshakeError> {
        unimplemented!()
    }

    /// Connects with TCP only; how long it took.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(&self, _address: SocketAddr) -> Result<Duration, ConnectError> {
        unimplemented!()
    }

    /// Offers TLS 1.0 and 1.1 only, by a hello written by hand: rustls cannot.
    pub async fn old_hello(&self, _name: &str, _address: SocketAddr) -> OldHello {
        unimplemented!()
    }
}
