//! What a handshake brought: what was negotiated, the chain as sent, what verification says.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Certificate, Staple};

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
    /// What the stapled OCSP response says of the leaf, or why it is of no use; none where none
    /// was stapled.
    pub ocsp: Option<Result<Staple, String>>,
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
