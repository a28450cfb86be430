//! Stanzas: requests, their answers and errors (RFC 6120 section 8).

use std::fmt;

use super::{Element, ns};

/// Characters of an error's words that are kept.
const MAX_TEXT: usize = 300;

/// A stanza's error (RFC 6120 section 8.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StanzaError {
    /// Who answers; none where nobody is told.
    pub from: Option<String>,
    /// `cancel`, `auth`, `modify`, `wait`; empty where not told.
    pub kind: String,
    /// `service-unavailable`, …; `undefined-condition` where none is told.
    pub condition: String,
    /// The sender's own words, at most 300 characters.
    pub text: Option<String>,
    /// What stands in the error besides, in namespaces of the application's own.
    pub details: Vec<Element>,
}

impl StanzaError {
    /// The detail of that name, in whatever namespace: servers differ in these.
    pub fn detail(&self, name: &str) -> Option<&Element> {
        self.details.iter().find(|detail| detail.name == name)
    }

    /// Whether the server does not serve the domain that was addressed, and would have to ask
    /// another server: a Prosody without `s2s` says `not-allowed`, in these words.
    pub fn is_not_served(&self) -> bool {
        let words = self.text.as_deref().unwrap_or_default();
        match self.condition.as_str() {
            "remote-server-not-found" | "remote-server-timeout" => true,
            "not-allowed" => words.contains("Communication with remote domains"),
            _ => false,
        }
    }
}

impl fmt::Display for StanzaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.condition)?;
        self.text.as_ref().map_or(Ok(()), |text| write!(f, " ({text})"))
    }
}

/// The error of a stanza of type `error`; none for any other stanza.
pub fn stanza_error(stanza: &Element) -> Option<StanzaError> {
    if stanza.get_attr("type") != Some("error") {
        return None;
    }
    // The last one: a stanza may echo what it answers.
    let error = stanza.elements().filter(|child| child.name == "error").last();
    let mut read = StanzaError {
        from: stanza.get_attr("from").map(str::to_owned),
        kind: error.and_then(|error| error.get_attr("type")).unwrap_or_default().to_owned(),
        condition: "undefined-condition".into(),
        text: None,
        details: Vec::new(),
    };
    for child in error.into_iter().flat_map(Element::elements) {
        // Smack puts the text in the stanza's namespace.
        if child.name == "text" {
            let text = child.get_text();
            let text = text.trim();
            read.text = (!text.is_empty()).then(|| text.chars().take(MAX_TEXT).collect());
        } else if child.ns == ns::STANZA_ERRORS {
            read.condition.clone_from(&child.name);
        } else {
            read.details.push(child.clone());
        }
    }
    // mod_muc and Jitsi's own modules also put details beside the error.
    let beside =
        stanza.elements().filter(|child| !matches!(&*child.name, "error" | "jingle" | "x"));
    read.details.extend(beside.cloned());
    Some(read)
}

/// A request of type `get` or `set`.
pub fn iq(kind: &str, id: &str, to: &str) -> Element {
    Element::new("iq", ns::CLIENT).attr("type", kind).attr("id", id).attr("to", to)
}

/// Whether a stanza answers the request of that id (result or error).
pub fn is_answer(stanza: &Element, id: &str) -> bool {
    stanza.is("iq", ns::CLIENT)
        && stanza.get_attr("id") == Some(id)
        && matches!(stanza.get_attr("type"), Some("result" | "error"))
}

/// Whether a stanza is a request, which demands an answer (RFC 6120 section 8.2.3).
pub fn is_request(stanza: &Element) -> bool {
    stanza.is("iq", ns::CLIENT) && matches!(stanza.get_attr("type"), Some("get" | "set"))
}

/// Acknowledges a request: an empty result.
pub fn result(request: &Element) -> Element {
    answer(request, "result")
}

/// Refuses a request that is not understood: `service-unavailable`.
pub fn refusal(request: &Element) -> Element {
    let condition = Element::new("service-unavailable", ns::STANZA_ERRORS);
    let error = Element::new("error", ns::CLIENT).attr("type", "cancel").child(condition);
    answer(request, "error").child(error)
}

fn answer(request: &Element, kind: &str) -> Element {
    let id = request.get_attr("id").unwrap_or_default();
    let answer = Element::new("iq", ns::CLIENT).attr("type", kind).attr("id", id);
    match request.get_attr("from") {
        Some(from) => answer.attr("to", from),
        None => answer,
    }
}

/// Whether a stanza is a ping (XEP-0199).
pub(super) fn is_ping(stanza: &Element) -> bool {
    stanza.is("iq", ns::CLIENT)
        && stanza.get_attr("type") == Some("get")
        && stanza.get("ping", ns::PING).is_some()
}
