//! XMPP over WebSocket (RFC 7395) and BOSH (XEP-0124, XEP-0206), up to the stream's features.

mod bosh;
mod element;
mod read;
mod stream;
mod websocket;

pub use bosh::{BoshError, BoshSession};
pub use element::{Element, Node};
pub use read::{XmlError, parse};
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
    /// BOSH (XEP-0124).
    pub const HTTP_BIND: &str = "http://jabber.org/protocol/httpbind";
    /// XMPP over BOSH (XEP-0206).
    pub const XBOSH: &str = "urn:xmpp:xbosh";
    /// The prefix `xml`.
    pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
}
