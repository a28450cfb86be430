//! XMPP over WebSocket (RFC 7395) and BOSH (XEP-0124, XEP-0206): streams, logging in, stanzas.

mod bosh;
mod client;
mod disco;
mod element;
mod login;
mod polling;
mod read;
mod sasl;
mod stanza;
mod stream;
#[cfg(test)]
mod tests;
mod websocket;

pub use bosh::{BoshError, BoshSession, bosh_body, bosh_end};
pub use client::{Carrier, Client};
pub use disco::{
    Identity, Info, Service, caps, info, info_answer, info_request, is_info_request, services,
    services_request,
};
pub use element::{Element, Node};
pub use login::{LoggedIn, Login, LoginError};
pub use read::{XmlError, parse};
pub use sasl::scram_exchange;
pub use stanza::{StanzaError, iq, is_answer, is_request, refusal, result, stanza_error};
pub use stream::{Features, Opened, StreamError, features, stream_error};
pub use websocket::{XmppError, XmppWebSocket};

/// Namespaces.
pub mod ns {
    /// Framing over WebSocket (RFC 7395).
    pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
    /// Streams (RFC 6120).
    pub const STREAMS: &str = "http://etherx.jabber.org/streams";
    /// Conditions of stream errors (RFC 6120 section 4.9).
    pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
    /// SASL (RFC 6120 section 6).
    pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
    /// Stanzas of a client.
    pub const CLIENT: &str = "jabber:client";
    /// Conditions of stanza errors (RFC 6120 section 8.3.3).
    pub const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
    /// Binding of a resource (RFC 6120 section 7).
    pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
    /// Pings (XEP-0199).
    pub const PING: &str = "urn:xmpp:ping";
    /// What an entity is and can do (XEP-0030).
    pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
    /// What an entity can do, told in its presence (XEP-0115).
    pub const CAPS: &str = "http://jabber.org/protocol/caps";
    /// Forms (XEP-0004).
    pub const DATA: &str = "jabber:x:data";
    /// STUN and TURN servers (XEP-0215).
    pub const EXTDISCO: &str = "urn:xmpp:extdisco:2";
    /// The same, as it was before.
    pub const EXTDISCO_1: &str = "urn:xmpp:extdisco:1";
    /// BOSH (XEP-0124).
    pub const HTTP_BIND: &str = "http://jabber.org/protocol/httpbind";
    /// XMPP over BOSH (XEP-0206).
    pub const XBOSH: &str = "urn:xmpp:xbosh";
    /// The prefix `xml`.
    pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
}
