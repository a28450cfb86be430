//! Why there is no relay.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Method;
use crate::tls;

/// Why there is no allocation, or why something on it did not come about.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TurnError {
    /// TCP did not come about.
    #[error(transparent)]
    Connect(#[from] tls::ConnectError),
    /// TLS did not come about.
    #[error(transparent)]
    Handshake(tls::HandshakeError),
    /// A client would refuse the certificate; nothing was sent over it.
    #[error("the certificate is not one that a client would accept")]
    Certificate(Arc<tls::Session>),
    /// ICMP says that nothing listens.
    #[error("nothing listens there (ICMP port unreachable)")]
    Refused,
    /// Nothing came back.
    #[error("no answer to {method} ({sent} sent) within {limit:?}")]
    Silent {
        /// What was asked.
        method: Method,
        /// How often.
        sent: u32,
        /// How long was waited.
        limit: Duration,
    },
    /// The server closed the stream.
    #[error("the server closes the connection")]
    Closed,
    /// Something else than TURN answers; the first bytes.
    #[error("what answers does not speak TURN: {0}")]
    NotTurn(String),
    /// The server refuses.
    #[error("{method} is answered with {code} {reason}")]
    Answer {
        /// What was asked.
        method: Method,
        /// RFC 8489 section 14.8, RFC 8656 section 19.
        code: u16,
        /// The code's own name; the server's words where it has none.
        reason: String,
    },
    /// Answers came, and none of them signed with our password.
    #[error("the answer to {0} is not signed with the password")]
    Unsigned(Method),
    /// An answer lacks what it must have.
    #[error("the answer to {0} has no {1}")]
    Incomplete(Method, &'static str),
    /// The server wants credentials, and there are none.
    #[error("the server wants credentials, and none were given")]
    NoCredentials,
    /// The server sends clients elsewhere, again and again.
    #[error("the server sends clients on to {0}, and further from there")]
    Elsewhere(SocketAddr),
    /// Trouble on our own side.
    #[error("{0}")]
    Ours(String),
}

impl TurnError {
    /// The code of the server's answer, where it gave one.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Answer { code, .. } => Some(*code),
            _ => None,
        }
    }

    pub(super) fn answer(method: Method, error: Option<(u16, String)>) -> Self {
        let Some((code, said)) = error else { return Self::Incomplete(method, "error code") };
        let reason = code_name(code).map_or(said, str::to_owned);
        Self::Answer { method, code, reason }
    }
}

/// What an error code means (RFC 8489 section 14.8, RFC 8656 section 19, RFC 6156 section 10.2).
pub fn code_name(code: u16) -> Option<&'static str> {
    Some(match code {
        300 => "try alternate",
        400 => "bad request",
        401 => "unauthenticated",
        403 => "forbidden",
        420 => "unknown attribute",
        437 => "allocation mismatch",
        438 => "stale nonce",
        440 => "address family not supported",
        441 => "wrong credentials",
        442 => "unsupported transport protocol",
        443 => "peer address family mismatch",
        486 => "allocation quota reached",
        500 => "server error",
        508 => "insufficient capacity",
        _ => return None,
    })
}
