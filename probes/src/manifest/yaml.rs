//! YAML with places, bounded in size, depth and in what its aliases come to.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{Entry, Node, Place, Source, Text, Value, scalar};

/// The largest text that is read, in bytes. The API server takes objects of 3 MiB at most.
pub const MAX_BYTES: usize = 16 << 20;
/// The deepest nesting.
pub const MAX_DEPTH: usize = 100;
/// The most nodes that the aliases of one text may come to.
const MAX_ALIASED: usize = 100_000;

/// Why a text is not YAML that can be worked with, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct NotYaml {
    /// Where it stops.
    pub place: Place,
    /// What is wrong there; lower case.
    pub why: String,
}

/// The documents of a text. Empty ones are left out.
///
/// # Errors
/// [`NotYaml`] when it is not YAML, or more of it than is read.
pub fn documents(source: &Arc<Source>) -> Result<Vec<Node>, NotYaml> {
    if source.text.len() > MAX_BYTES {
        let place = Place::start(source);
        let why = format!(
            "the text has {} MiB; more than {} are not read",
            source.text.len() >> 20,
            MAX_BYTES >> 20
        );
        return Err(NotYaml { place, why });
    }
    let mut reader = Reader {
        source,
        events: Parser::new_from_str(&source.text),
        anchors: HashMap::new(),
        aliased: 0,
    };
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
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, NotYaml> {
        self.events.next().transpose().map_err(|error| {
            let mark = error.marker();
            NotYaml {
                place: Place::new(self.source, count(mark.line()), count(mark.col()) + 1, 1),
                why: error.info().to_owned(),
            }
        })
    }

    fn inside(&mut self) -> Result<(Event<'a>, Span), NotYaml> {
        let end = Place::start(self.source);
        self.next()?.ok_or(NotYaml { place: end, why: "the text ends in the middle".to_owned() })
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, NotYaml> {
        let place = self.place(span);
        if depth > MAX_DEPTH {
            let why = format!("nested deeper than {MAX_DEPTH}");
            return Err(NotYaml { place, why });
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
                let why = format!("a value was expected here, not {other:?}");
                return Err(NotYaml { place, why });
            }
        };
        if anchor != 0 {
            let size = size(&node);
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, NotYaml> {
        let mut entries = Vec::new();
        loop {
            let (key, span) = match self.inside()? {
                (Event::MappingEnd, _) => return Ok(entries),
                (Event::Scalar(text, ..), span) => (text.into_owned(), span),
                (_, span) => {
                    let place = self.place(span);
                    return Err(NotYaml { place, why: "a key that is not a text".to_owned() });
                }
            };
            let place = self.place(span);
            let (event, span) = self.inside()?;
            let node = self.node(event, span, depth + 1)?;
            match (key.as_str(), node.value) {
                // What `<<` brings in stands before the map's own keys, so that they win.
                ("<<", Value::Map(merged)) => {
                    entries.splice(0..0, merged);
                }
                (_, value) => {
                    entries.push(Entry { key, place, node: Node { value, place: node.place } });
                }
            }
        }
    }

    /// What an alias stands for. Ten lines of aliases can come to more than any memory holds
    /// ("billion laughs"), so what they come to is counted.
    fn alias(&mut self, anchor: usize, place: Place) -> Result<Node, NotYaml> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            let why = "an alias without its anchor, or inside it".to_owned();
            return Err(NotYaml { place, why });
        };
        self.aliased += size;
        if self.aliased > MAX_ALIASED {
            let why = format!("aliases that come to more than {MAX_ALIASED} values");
            return Err(NotYaml { place, why });
        }
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
