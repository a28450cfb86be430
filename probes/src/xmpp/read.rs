//! A strict reader for the XML that XMPP permits (RFC 6120 section 11): no comments, processing
//! instructions, document types or entities of one's own; bounded in size, depth and number.

use quick_xml::XmlVersion;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use super::{Element, Node};

/// Bytes of one document.
const MAX_SIZE: usize = 256 * 1024;

/// Levels of elements.
const MAX_DEPTH: usize = 64;

/// Elements and attributes of one document.
const MAX_PARTS: usize = 20_000;

/// Why a text is not one element of XMPP.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Nothing there.
    #[error("there is no element")]
    Empty,
    /// Over a limit of the reader, named.
    #[error("too large: {0}")]
    TooLarge(&'static str),
    /// What RFC 6120 forbids in XMPP, named.
    #[error("XMPP permits no {0}")]
    Forbidden(&'static str),
    /// Text or a second element beside the first.
    #[error("something stands beside the element")]
    NotAlone,
    /// Not well-formed; how.
    #[error("not well-formed: {0}")]
    Malformed(String),
}

/// Reads a document of one element.
///
/// # Errors
/// [`XmlError`].
pub fn parse(text: &str) -> Result<Element, XmlError> {
    if text.len() > MAX_SIZE {
        return Err(XmlError::TooLarge("more than 256 KiB"));
    }
    if let Some(wrong) = text.chars().find(|c| !is_legal(*c)) {
        return Err(malformed(format!("the character U+{:04X}", u32::from(wrong))));
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut builder = Builder { open: Vec::new(), root: None, parts: 0 };
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(malformed)?;
        let namespace = match namespace {
            ResolveResult::Bound(name) => namespace_name(name.0)?,
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(prefix) => {
                return Err(malformed(format!("the prefix `{prefix}` is not declared")));
            }
        };
        match event {
            Event::Start(start) => builder.start(&start, namespace)?,
            Event::Empty(start) => {
                builder.start(&start, namespace)?;
                builder.end()?;
            }
            Event::End(_) => builder.end()?,
            Event::Text(text) => builder.text(&text.xml10_content())?,
            Event::CData(data) => builder.text(&data.xml10_content())?,
            Event::GeneralRef(reference) => builder.text(&resolve(&reference)?.to_string())?,
            Event::Comment(_) => return Err(XmlError::Forbidden("comments")),
            Event::PI(_) => return Err(XmlError::Forbidden("processing instructions")),
            Event::DocType(_) => return Err(XmlError::Forbidden("document types")),
            Event::Decl(_) if builder.is_fresh() => {}
            Event::Decl(_) => return Err(malformed("an XML declaration inside")),
            Event::Eof => return builder.finish(),
        }
    }
}

/// Legal characters of XML 1.0 (section 2.2).
fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn malformed(what: impl ToString) -> XmlError {
    XmlError::Malformed(what.to_string())
}

/// The name of a namespace, which is an attribute's value and may be escaped as one.
fn namespace_name(raw: &str) -> Result<String, XmlError> {
    if raw.contains('<') {
        return Err(malformed("`<` in the name of a namespace"));
    }
    let name = unescape(raw).map_err(malformed)?;
    if !name.chars().all(is_legal) {
        return Err(malformed("a reference to no character"));
    }
    Ok(name.into_owned())
}

fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Result<char, XmlError> {
    if let Some(c) = reference.resolve_char_ref().map_err(malformed)? {
        return if is_legal(c) { Ok(c) } else { Err(malformed("a reference to no character")) };
    }
    match &**reference {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => Err(XmlError::Forbidden("entities of one's own")),
    }
}

struct Builder {
    open: Vec<Element>,
    root: Option<Element>,
    parts: usize,
}

impl Builder {
    fn is_fresh(&self) -> bool {
        self.open.is_empty() && self.root.is_none() && self.parts == 0
    }

    fn count(&mut self) -> Result<(), XmlError> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(XmlError::TooLarge("more than 20000 elements and attributes"));
        }
        Ok(())
    }

    fn start(&mut self, start: &BytesStart<'_>, namespace: String) -> Result<(), XmlError> {
        self.count()?;
        if self.open.len() == MAX_DEPTH {
            return Err(XmlError::TooLarge("more than 64 levels"));
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(XmlError::NotAlone);
        }
        let local = start.local_name();
        let mut element = Element::new(name(local.as_ref())?, &namespace);
        for attribute in start.attributes() {
            self.count()?;
            let attribute = attribute.map_err(malformed)?;
            let key: &str = attribute.key.as_ref();
            if key == "xmlns" || key.starts_with("xmlns:") {
                continue;
            }
            key.split(':').try_for_each(|part| name(part).map(drop))?;
            if attribute.value.contains('<') {
                return Err(malformed("`<` in the value of an attribute"));
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(malformed)?;
            if !value.chars().all(is_legal) {
                return Err(malformed("a reference to no character"));
            }
            element.attributes.push((key.to_owned(), value.into_owned()));
        }
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) -> Result<(), XmlError> {
        let element = self.open.pop().ok_or_else(|| malformed("an end without a start"))?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(parent) => match parent.children.last_mut() {
                Some(Node::Text(before)) => before.push_str(text),
                _ => parent.children.push(Node::Text(text.to_owned())),
            },
            None if text.trim().is_empty() => {}
            None => return Err(XmlError::NotAlone),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        if !self.open.is_empty() {
            return Err(malformed("the element is not closed"));
        }
        self.root.ok_or(XmlError::Empty)
    }
}

fn name(text: &str) -> Result<&str, XmlError> {
    let start = |c: char| c.is_alphabetic() || c == '_';
    let rest = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '\u{b7}');
    let mut chars = text.chars();
    let valid = chars.next().is_some_and(start) && chars.all(rest);
    if valid { Ok(text) } else { Err(malformed(format!("the name `{text}`"))) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::xmpp::ns;

    #[test]
    fn features_as_a_real_prosody_sends_them() {
        let features = parse(
            "<stream:features xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams'><mechanisms \
             xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism>\
             </mechanisms></stream:features>",
        )
        .expect("valid");
        assert!(features.is("features", ns::STREAMS));
        let mechanisms = features.get("mechanisms", ns::SASL).expect("there");
        assert_eq!(
            mechanisms.get("mechanism", ns::SASL).map(Element::get_text).as_deref(),
            Some("ANONYMOUS")
        );
    }

    #[test]
    fn text_and_attributes_are_resolved() {
        let element = parse(
            "<?xml version='1.0'?>\n<a xml:lang='en' b='x &amp;&#65; \ty'>1 &lt;<c/>&#x42;\
             <![CDATA[<&]]></a>\n",
        )
        .expect("valid");
        assert_eq!(element.get_attr("xml:lang"), Some("en"));
        assert_eq!(element.get_attr("b"), Some("x &A  y"));
        assert_eq!(element.get_text(), "1 <B<&");
        assert_eq!(element.children.len(), 3);
        let named = parse("<a xmlns='b&amp;c'><d xmlns='&lt;'/></a>").expect("valid");
        assert!(named.is("a", "b&c") && named.get("d", "<").is_some());
        assert_eq!(parse(&named.to_string()), Ok(named));
    }

    #[test]
    fn what_xmpp_forbids_is_refused() {
        for (text, what) in [
            ("<a><!-- --></a>", "comments"),
            ("<a><?x y?></a>", "processing instructions"),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document types"),
            ("<a>&b;</a>", "entities of one's own"),
        ] {
            assert_eq!(parse(text), Err(XmlError::Forbidden(what)), "{text}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for text in [
            "<a",
            "<a>",
            "<a></b>",
            "</a>",
            "<a b=c/>",
            "<a b='1' b='2'/>",
            "<p:a/>",
            "<a>\u{1}</a>",
            "<a>&#1;</a>",
            "<a b='&#1;'/>",
            "<a b='<'/>",
            "<a xmlns='urn:<x'/>",
            "<a xmlns='&b;'/>",
            "<a xmlns='&#1;'/>",
            "<a>&#xD800;</a>",
            "<a b='&c;'/>",
            "<a>&</a>",
            "<1a/>",
            "<a><b/></a",
            "<a p:b='1' 2='3'/>",
            "<a><?xml version='1.0'?></a>",
        ] {
            assert!(
                matches!(parse(text), Err(XmlError::Malformed(_))),
                "{text}: {:?}",
                parse(text)
            );
        }
        assert_eq!(parse(" "), Err(XmlError::Empty));
        assert_eq!(parse("<a/><b/>"), Err(XmlError::NotAlone));
        assert_eq!(parse("<a/>b"), Err(XmlError::NotAlone));
    }

    #[test]
    fn limits_hold() {
        let deep = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(parse(&deep(64)).is_ok());
        assert!(matches!(parse(&deep(65)), Err(XmlError::TooLarge(_))));
        assert!(matches!(parse(&deep(40_000)), Err(XmlError::TooLarge(_))));
        let wide = format!("<a>{}</a>", "<b/>".repeat(30_000));
        assert!(matches!(parse(&wide), Err(XmlError::TooLarge(_))));
        assert!(matches!(parse(&" ".repeat(MAX_SIZE + 1)), Err(XmlError::TooLarge(_))));
    }

    fn element() -> impl Strategy<Value = Element> {
        let name = "[a-z_][a-z0-9._-]{0,6}";
        let text = "[ -~\t\n\ré日𝄞]{1,12}";
        let attributes = prop::collection::btree_map(name, text, 0..4);
        let leaf = (name, "[a-z:]{0,6}", attributes).prop_map(|(name, ns, attributes)| Element {
            name,
            ns,
            attributes: attributes
                .into_iter()
                .filter(|(name, _)| !name.starts_with("xmlns"))
                .collect(),
            children: Vec::new(),
        });
        leaf.prop_recursive(4, 30, 4, move |inner| {
            (inner.clone(), prop::collection::vec((inner, prop::option::of(text)), 0..4)).prop_map(
                |(mut parent, children)| {
                    for (child, text) in children {
                        parent.children.push(Node::Element(child));
                        parent.children.extend(text.map(Node::Text));
                    }
                    parent
                },
            )
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(element in element()) {
            prop_assert_eq!(parse(&element.to_string()), Ok(element));
        }

        #[test]
        fn any_text_is_judged(text in ".{0,300}") {
            let _ = parse(&text);
        }

        #[test]
        fn any_soup_is_judged(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "<", ">", "/", "a", "b:", "=", "'", "\"", "&", ";", "#", "x", "1", " ", "xmlns",
                    ":", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "<a>", "</a>", "<a/>", "\n",
                ]),
                0..60,
            )
        ) {
            let _ = parse(&parts.concat());
        }
    }
}
