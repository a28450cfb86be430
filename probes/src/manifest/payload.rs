//! Files inside ConfigMaps: YAML and JSON with the lines of the file around them.

use std::sync::Arc;

use super::yaml::{self, NotYaml};
use super::{Node, Place, Source, Value};

/// The YAML (or JSON, which is YAML) that a text holds, with places in the file around it. JSON is
/// read more strictly by [`json`].
///
/// # Errors
/// [`NotYaml`] with the place in the file around it.
pub fn yaml(text: &Node) -> Result<Option<Node>, NotYaml> {
    Ok(documents(text)?.into_iter().next())
}

/// All documents of YAML that a text holds, with places in the file around it.
///
/// # Errors
/// [`NotYaml`] with the place in the file around it.
pub fn documents(text: &Node) -> Result<Vec<Node>, NotYaml> {
    let inner = text.as_str().unwrap_or_default();
    let source = Arc::new(Source { name: String::new(), text: inner.to_owned() });
    let outer = Outer::of(text);
    match yaml::documents(&source) {
        Ok(documents) => Ok(documents.into_iter().map(|node| outer.node(node)).collect()),
        Err(error) => Err(NotYaml { place: outer.place(&error.place), why: error.why }),
    }
}

/// The JSON that a text holds, with places in the file around it.
///
/// # Errors
/// [`NotYaml`] with the place where a browser stops reading, in the file around it.
pub fn json(text: &Node) -> Result<Node, NotYaml> {
    let inner = text.as_str().unwrap_or_default();
    if let Err(error) = serde_json::from_str::<serde_json::Value>(inner) {
        let source = Arc::new(Source { name: String::new(), text: String::new() });
        let line = u32::try_from(error.line().max(1)).unwrap_or(u32::MAX);
        let column = u32::try_from(error.column().max(1)).unwrap_or(u32::MAX);
        let place = Outer::of(text).place(&Place::new(&source, line, column, 1));
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or_default().to_owned();
        return Err(NotYaml { place, why });
    }
    let empty = || NotYaml { place: text.place.clone(), why: "the text is empty".to_owned() };
    yaml(text)?.ok_or_else(empty)
}

/// A stretch of a line inside a text, from 1, in the file around it.
pub fn place(text: &Node, line: u32, column: u32, length: u32) -> Place {
    let inner = Arc::new(Source { name: String::new(), text: String::new() });
    Outer::of(text).place(&Place::new(&inner, line, column, length))
}

/// How places inside a text come to places around it.
struct Outer<'a> {
    text: &'a Node,
    block: Option<(u32, u32)>,
}

impl<'a> Outer<'a> {
    fn of(text: &'a Node) -> Self {
        let block = match &text.value {
            Value::Text(text) => text.block,
            _ => None,
        };
        Self { text, block }
    }

    fn place(&self, inner: &Place) -> Place {
        let around = &self.text.place;
        match (self.block, &around.field) {
            (Some((first, indent)), _) => Place::new(
                &around.source,
                first + inner.line.saturating_sub(1),
                indent + inner.column,
                inner.length,
            ),
            // An object of the API server: the field, and the line inside it.
            (None, Some(_)) => Place { line: inner.line, column: inner.column, ..around.clone() },
            (None, None) => around.clone(),
        }
    }

    fn node(&self, mut node: Node) -> Node {
        self.move_out(&mut node);
        node
    }

    fn move_out(&self, node: &mut Node) {
        node.place = self.place(&node.place);
        match &mut node.value {
            Value::List(items) => items.iter_mut().for_each(|item| self.move_out(item)),
            Value::Map(entries) => {
                for entry in entries {
                    entry.place = self.place(&entry.place);
                    self.move_out(&mut entry.node);
                }
            }
            Value::Text(text) => {
                text.block = match (text.block, self.block) {
                    (Some((line, indent)), Some((first, around))) => {
                        Some((first + line.saturating_sub(1), around + indent))
                    }
                    _ => None,
                };
            }
            _ => {}
        }
    }
}
