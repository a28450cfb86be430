//! What a server says at the start of a stream (RFC 6120 section 4).

use std::fmt;
use std::time::Duration;

use super::{Element, ns};

/// Features of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// SASL mechanisms offered, in order; empty after authentication, or where none is offered.
    pub mechanisms: Vec<String>,
    /// Whether mechanisms are offered at all, be it an empty list.
    pub offers_sasl: bool,
    /// As received.
    pub element: Element,
}

/// An opened stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The domain that answers.
    pub from: Option<String>,
    /// Id of the stream.
    pub id: Option<String>,
    /// What it offers.
    pub features: Features,
    /// From sending the opening to the features.
    pub elapsed: Duration,
}

/// The server ends the stream with an error (RFC 6120 section 4.9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// `host-unknown`, `policy-violation`, …
    pub condition: String,
    /// The server's own words.
    pub text: Option<String>,
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.condition)?;
        self.text.as_ref().map_or(Ok(()), |text| write!(f, " ({text})"))
    }
}

/// The features, if the element is `<stream:features/>`.
pub fn features(element: &Element) -> Option<Features> {
    if !element.is("features", ns::STREAMS) {
        return None;
    }
    let offered = element.get("mechanisms", ns::SASL);
    let mechanisms = offered
        .into_iter()
        .flat_map(Element::elements)
        .filter(|child| child.is("mechanism", ns::SASL))
        .map(|child| child.get_text().trim().to_owned())
        .collect();
    Some(Features { mechanisms, offers_sasl: offered.is_some(), element: element.clone() })
}

/// The error, if the element is `<stream:error/>`.
pub fn stream_error(element: &Element) -> Option<StreamError> {
    if !element.is("error", ns::STREAMS) {
        return None;
    }
    let own = |child: &&Element| child.ns == ns::STREAM_ERRORS;
    let condition = element.elements().filter(own).find(|child| child.name != "text");
    let text = element.get("text", ns::STREAM_ERRORS).map(Element::get_text);
    Some(StreamError {
        condition: condition.map_or("undefined-condition", |child| child.name.as_str()).to_owned(),
        text: text.filter(|text| !text.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::parse;

    #[test]
    fn features_tell_an_empty_list_from_none() {
        let read = |inner: &str| {
            let text = format!(
                "<stream:features xmlns:stream='{}'>{inner}</stream:features>",
                ns::STREAMS
            );
            features(&parse(&text).expect("XML")).expect("features")
        };
        let empty = read(&format!("<mechanisms xmlns='{}'/>", ns::SASL));
        assert!(empty.offers_sasl && empty.mechanisms.is_empty());
        let none = read("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
        assert!(!none.offers_sasl);
        let other = parse("<features/>").expect("XML");
        assert_eq!(features(&other), None, "not in the streams' namespace");
    }

    #[test]
    fn an_error_has_its_condition_and_text() {
        let element = parse(
            "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
             <host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
             <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>This server does not serve x</text>\
             </stream:error>",
        )
        .expect("XML");
        let error = stream_error(&element).expect("an error");
        assert_eq!(error.to_string(), "host-unknown (This server does not serve x)");
        let bare = parse("<error xmlns='http://etherx.jabber.org/streams'/>").expect("XML");
        assert_eq!(stream_error(&bare).expect("an error").condition, "undefined-condition");
    }
}
