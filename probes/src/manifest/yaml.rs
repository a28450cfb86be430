//! YAML with places, bounded in size, depth and in what its aliases come to.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{Entry, Node, Place, Source, Text, Value, scalar};

/// The largest text that is read, in bytes. The API server takes objects of 3 MiB at most.
pub const MAX_BYTES: usize = 16 << 20;
/// The deepest nesting.
pub const MAX_DEPTH: usize = 100;
/// The most nodes that the anchors and aliases of one text may come to.
const MAX_ALIASED: usize = 100_000;
/// What the parser says where brackets are nested deeper than it goes.
const PARSER_TOO_DEEP: &str = "recursion limit exceeded";

/// Why a text is not YAML that can be worked with, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct NotYaml {
    /// Where it stops.
    pub place: Place,
    /// What is wrong there; lower case.
    pub why: String,
}

/// Why a text was not read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unread {
    /// It is not YAML.
    #[error(transparent)]
    Broken(NotYaml),
    /// It may be YAML, and is more of it than is read.
    #[error(transparent)]
    Limit(NotYaml),
}

impl From<Unread> for NotYaml {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Broken(error) | Unread::Limit(error) => error,
        }
    }
}

/// The documents of a text. Empty ones are left out.
///
/// # Errors
/// [`NotYaml`] when it is not YAML, or more of it than is read.
pub fn documents(source: &Arc<Source>) -> Result<Vec<Node>, NotYaml> {
    read(source).map_err(NotYaml::from)
}

/// As [`documents`], and tells what is broken from what is too much.
///
/// # Errors
/// [`Unread`], with the place where it stops.
pub fn read(source: &Arc<Source>) -> Result<Vec<Node>, Unread> {
    if source.text.len() > MAX_BYTES {
        let place = Place::start(source);
        let why = format!(
            "the text has {} MiB; more than {} are not read",
            source.text.len() >> 20,
            MAX_BYTES >> 20
        );
        return Err(Unread::Limit(NotYaml { place, why }));
    }
    parse(source, &source.text).or_else(|error| match &error {
        Unread::Limit(_) => Err(error),
        Unread::Broken(_) => match lenient(&source.text) {
            Some(text) => parse(source, &text).map_err(|_| error),
            None => Err(error),
        },
    })
}

/// The text with what Kubernetes reads and our parser does not put otherwise: a tab between a
/// key's colon and its value, and escapes of JSON that are half a character. No column moves.
fn lenient(text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    for at in 0..bytes.len() {
        match &bytes[at..] {
            [b':', b'\t', ..] => {
                let blank = |byte: &&mut u8| matches!(**byte, b' ' | b'\t');
                bytes[at + 1..].iter_mut().take_while(blank).for_each(|byte| *byte = b' ');
            }
            [b'\\', b'u', b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] => {
                if let Some(code) = bytes.get_mut(at + 2..at + 6) {
                    code.copy_from_slice(b"fffd");
                }
            }
            _ => {}
        }
    }
    String::from_utf8(bytes).ok().filter(|lenient| lenient != text)
}

fn parse(source: &Arc<Source>, text: &str) -> Result<Vec<Node>, Unread> {
    let mut reader =
        Reader { source, events: Parser::new_from_str(text), anchors: HashMap::new(), aliased: 0 };
    let mut documents = Vec::new();
    while let Some((event, span)) = reader.next()? {
        match event {
            Event::DocumentStart(_) => reader.anchors.clear(),
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing => {}
            event => {
                let node = reader.node(event, span, 0)?;
                if !node.is_null() {
                    documents.push(node);
                }
            }
        }
    }
    Ok(documents)
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: HashMap<usize, (Node, usize)>,
    aliased: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Unread> {
        self.events.next().transpose().map_err(|error| {
            let mark = error.marker();
            let place = Place::new(self.source, count(mark.line()), count(mark.col()) + 1, 1);
            match error.info() {
                PARSER_TOO_DEEP => too_deep(place),
                why => broken(place, why),
            }
        })
    }

    fn inside(&mut self) -> Result<(Event<'a>, Span), Unread> {
        let end = Place::start(self.source);
        self.next()?.ok_or_else(|| broken(end, "the text ends in the middle"))
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Unread> {
        let place = self.place(span);
        if depth > MAX_DEPTH {
            return Err(too_deep(place));
        }
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(&text, style, tag.as_deref(), span);
                (Node { value, place }, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.inside()? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
                (Node { value: Value::List(items), place }, anchor)
            }
            Event::MappingStart(anchor, _) => {
                let entries = self.entries(depth)?;
                (Node { value: Value::Map(entries), place }, anchor)
            }
            Event::Alias(anchor) => return self.alias(anchor, place),
            other => {
                return Err(broken(place, format!("a value was expected here, not {other:?}")));
            }
        };
        if anchor != 0 {
            let size = size(&node);
            self.aliased += size;
            within(self.aliased, &node.place)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Unread> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged: Vec<Entry> = Vec::new();
        loop {
            let (key, span) = match self.inside()? {
                (Event::MappingEnd, _) => return Ok(with_merged(merged, entries)),
                (Event::Scalar(text, ..), span) => (text.into_owned(), span),
                (_, span) => {
                    return Err(broken(self.place(span), "a key that is not a text"));
                }
            };
            let place = self.place(span);
            let (event, span) = self.inside()?;
            let node = self.node(event, span, depth + 1)?;
            match (key.as_str(), node.value) {
                ("<<", Value::Map(more)) => merged.extend(more),
                ("<<", Value::List(maps)) if maps.iter().all(is_map) => {
                    merged.extend(maps.into_iter().flat_map(|map| match map.value {
                        Value::Map(more) => more,
                        _ => Vec::new(),
                    }));
                }
                (_, value) => {
                    entries.push(Entry { key, place, node: Node { value, place: node.place } });
                }
            }
        }
    }

    /// What an alias stands for. Ten lines of aliases can come to more than any memory holds
    /// ("billion laughs"), so what they come to is counted.
    fn alias(&mut self, anchor: usize, place: Place) -> Result<Node, Unread> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(broken(place, "an alias without its anchor, or inside it"));
        };
        self.aliased += size;
        within(self.aliased, &place)?;
        Ok(node.clone())
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Value {
        let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
        match style {
            ScalarStyle::Plain if !is_text => scalar::plain(text),
            ScalarStyle::Literal => {
                let blank = text.chars().take_while(|c| *c == '\n').count();
                let line = count(span.start.line().saturating_sub(blank));
                let block = Some((line, count(span.start.col())));
                Value::Text(Text { text: text.to_owned(), block })
            }
            _ => Value::Text(Text::plain(text)),
        }
    }

    fn place(&self, span: Span) -> Place {
        let (start, end) = (span.start, span.end);
        let length = if start.line() == end.line() { end.col() - start.col() } else { 1 };
        Place::new(self.source, count(start.line()), count(start.col()) + 1, count(length))
    }
}

fn within(aliased: usize, place: &Place) -> Result<(), Unread> {
    if aliased <= MAX_ALIASED {
        return Ok(());
    }
    let why = format!("aliases that come to more than {MAX_ALIASED} values are not read");
    Err(Unread::Limit(NotYaml { place: place.clone(), why }))
}

fn broken(place: Place, why: impl Into<String>) -> Unread {
    Unread::Broken(NotYaml { place, why: why.into() })
}

fn too_deep(place: Place) -> Unread {
    let why = format!("what is nested deeper than {MAX_DEPTH} is not read");
    Unread::Limit(NotYaml { place, why })
}

fn is_map(node: &Node) -> bool {
    matches!(node.value, Value::Map(_))
}

/// A map's own keys, behind those that `<<` brings in and it has not itself. Of these the first
/// wins where two maps have it.
fn with_merged(mut merged: Vec<Entry>, mut own: Vec<Entry>) -> Vec<Entry> {
    if merged.is_empty() {
        return own;
    }
    let mut known: HashSet<String> = own.iter().map(|entry| entry.key.clone()).collect();
    merged.retain(|entry| known.insert(entry.key.clone()));
    merged.append(&mut own);
    merged
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|entry| size(&entry.node)).sum(),
        _ => 0,
    }
}

/// Lines and columns of at most [`MAX_BYTES`].
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
