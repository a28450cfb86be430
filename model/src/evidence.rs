//! What was seen on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an [`Evidence`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceKind {
    /// A question to a name server and its answer.
    Dns,
    /// A connection attempt or a TLS handshake.
    Connection,
    /// A certificate chain as sent.
    Certificate,
    /// A request and its answer.
    Request,
    /// An exchange of datagrams.
    Packets,
    /// A database session.
    Database,
    /// A file, an object or a line of it.
    Manifest,
    /// A sentence that connects the others.
    Note,
}

/// One thing that was observed, redacted: no passwords, tokens or keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What it shows.
    pub kind: EvidenceKind,
    /// One line or a few, for a person.
    pub text: String,
}

impl Evidence {
    /// Evidence of a kind.
    pub fn new(kind: EvidenceKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// A sentence that connects the others.
    pub fn note(text: impl Into<String>) -> Self {
        Self::new(EvidenceKind::Note, text)
    }
}
