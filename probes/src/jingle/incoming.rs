//! Jingle requests by their action.

use super::initiate::{bridge_session, contents, jingle, transport};
use super::{BridgeSession, Initiate, JingleError, Sources, Transport, initiate, ns};
use crate::xmpp::{Element, ns as xmpp};

/// A Jingle request.
#[derive(Debug)]
pub enum Incoming {
    /// An offer.
    Initiate(Box<Initiate>),
    /// Candidates that come later.
    TransportInfo(Box<Transport>),
    /// Streams that are new.
    SourceAdd(Sources),
    /// Streams that are gone.
    SourceRemove(Sources),
    /// The session is over.
    Terminate {
        /// The name of the reason's element: `success`, `expired`, …
        reason: Option<String>,
        /// The focus' own words.
        text: Option<String>,
        /// The bridge session that is over.
        bridge_session: Option<BridgeSession>,
    },
    /// Another action.
    Other(String),
}

/// Reads a Jingle request; none where the stanza is no Jingle request at all. Every one is to be
/// acknowledged with [`crate::xmpp::result`], whatever it says.
pub fn incoming(iq: &Element) -> Option<Result<Incoming, JingleError>> {
    jingle(iq).ok().map(|jingle| read(iq, jingle))
}

/// Whether a stanza means to offer a session, be it readable or not.
pub fn is_offer(iq: &Element) -> bool {
    jingle(iq).is_ok_and(|jingle| jingle.get_attr("action") == Some("session-initiate"))
}

/// Whether a stanza comes from the focus' occupant: only that one may offer a session. Any other
/// offer is a direct one of another participant, to be declined.
pub fn is_from_focus(stanza: &Element) -> bool {
    stanza.get_attr("from").and_then(|from| from.split_once('/')).is_some_and(|(_, r)| r == "focus")
}

fn read(iq: &Element, jingle: &Element) -> Result<Incoming, JingleError> {
    Ok(match jingle.get_attr("action").ok_or(JingleError::Missing("action"))? {
        "session-initiate" => Incoming::Initiate(Box::new(initiate(iq)?)),
        "transport-info" => {
            let (transport, _) = transport(&contents(jingle)?)?;
            Incoming::TransportInfo(Box::new(transport))
        }
        "source-add" => Incoming::SourceAdd(Sources::read(jingle)),
        "source-remove" => Incoming::SourceRemove(Sources::read(jingle)),
        "session-terminate" => terminate(jingle),
        other => Incoming::Other(other.chars().take(80).collect()),
    })
}

fn terminate(jingle: &Element) -> Incoming {
    let reason = jingle.get("reason", ns::JINGLE);
    // An `iq` without a namespace of its own for the text is seen as well.
    let words = |child: &&Element| child.name == "text";
    let text = reason.and_then(|reason| reason.elements().find(words)).map(Element::get_text);
    let name = reason.and_then(|reason| reason.elements().find(|child| child.name != "text"));
    Incoming::Terminate {
        reason: name.map(|name| name.name.clone()),
        text: text.filter(|text| !text.is_empty()),
        bridge_session: bridge_session(jingle),
    }
}

/// An empty `jingle` request to `to`.
pub(super) fn request(id: &str, to: &str, action: &str, sid: &str) -> (Element, Element) {
    let iq = Element::new("iq", xmpp::CLIENT).attr("type", "set").attr("id", id).attr("to", to);
    (iq, Element::new("jingle", ns::JINGLE).attr("action", action).attr("sid", sid))
}
