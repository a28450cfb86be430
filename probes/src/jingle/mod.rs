//! Jingle (XEP-0166, XEP-0167, XEP-0176, XEP-0320, XEP-0338, XEP-0339) as Jicofo speaks it:
//! functions over elements, without I/O. Everything read is bounded by the reader of XML and by
//! the counts here.

mod answer;
mod incoming;
mod initiate;
mod media;
mod sources;
#[cfg(test)]
mod tests;
mod transport;

pub use answer::{
    Local, LocalCandidate, LocalSource, Reason, accept, decline, ice_failed, terminate,
    transport_info,
};
pub use incoming::{Incoming, incoming, is_from_focus, is_offer};
pub use initiate::{BridgeSession, Content, Initiate, JingleError, StartMuted, initiate};
pub use media::{Media, PayloadType};
pub use sources::{MediaKind, Source, SourceGroup, Sources};
pub use transport::{Setup, Transport};

/// Namespaces.
pub mod ns {
    /// Sessions (XEP-0166).
    pub const JINGLE: &str = "urn:xmpp:jingle:1";
    /// RTP sessions (XEP-0167).
    pub const RTP: &str = "urn:xmpp:jingle:apps:rtp:1";
    /// Feedback messages (XEP-0293).
    pub const RTCP_FB: &str = "urn:xmpp:jingle:apps:rtp:rtcp-fb:0";
    /// Header extensions (XEP-0294).
    pub const HEADER_EXTENSION: &str = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0";
    /// Sources (XEP-0339).
    pub const SSMA: &str = "urn:xmpp:jingle:apps:rtp:ssma:0";
    /// ICE over UDP (XEP-0176).
    pub const ICE_UDP: &str = "urn:xmpp:jingle:transports:ice-udp:1";
    /// Fingerprints (XEP-0320).
    pub const DTLS: &str = "urn:xmpp:jingle:apps:dtls:0";
    /// Data channels (XEP-0343).
    pub const SCTP: &str = "urn:xmpp:jingle:transports:dtls-sctp:1";
    /// Grouping (XEP-0338).
    pub const GROUPING: &str = "urn:xmpp:jingle:apps:grouping:0";
    /// Jitsi's bridge channel.
    pub const COLIBRI: &str = "http://jitsi.org/protocol/colibri";
    /// Jicofo's own elements.
    pub const FOCUS: &str = "http://jitsi.org/protocol/focus";
    /// Jitsi Meet's own elements.
    pub const JITMEET: &str = "http://jitsi.org/jitmeet";
    /// Who begins muted.
    pub const START_MUTED: &str = "http://jitsi.org/jitmeet/start-muted";
}
