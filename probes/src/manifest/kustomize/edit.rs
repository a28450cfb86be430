//! Changes of values.

use crate::manifest::{Entry, Node, Place, Text, Value};

/// A text at a place.
pub(super) fn text(text: impl Into<String>, place: &Place) -> Node {
    Node { value: Value::Text(Text::plain(text)), place: place.clone() }
}

/// A map without keys.
pub(super) fn empty(place: &Place) -> Node {
    Node { value: Value::Map(Vec::new()), place: place.clone() }
}

/// The value of a key, to be changed.
pub(super) fn get_mut<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    let Value::Map(entries) = &mut node.value else { return None };
    entries.iter_mut().rev().find(|entry| entry.key == key).map(|entry| &mut entry.node)
}

/// The value at a path of keys, to be changed.
pub(super) fn at_mut<'a>(node: &'a mut Node, path: &[&str]) -> Option<&'a mut Node> {
    path.iter().try_fold(node, |node, key| get_mut(node, key))
}

/// Gives a key a value; what is nothing becomes a map with it, and other values stay as they are.
pub(super) fn set(node: &mut Node, key: &str, place: &Place, value: Node) {
    if node.is_null() {
        node.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut node.value else { return };
    match entries.iter_mut().rev().find(|entry| entry.key == key) {
        Some(entry) => {
            entry.place = place.clone();
            entry.node = value;
        }
        None => {
            entries.push(Entry { key: key.to_owned(), place: place.clone(), node: value });
        }
    }
}

/// The value of a key, which it has as a map from now on.
pub(super) fn map_mut<'a>(node: &'a mut Node, key: &str, place: &Place) -> Option<&'a mut Node> {
    if node.get(key).is_none_or(Node::is_null) {
        set(node, key, place, empty(place));
    }
    get_mut(node, key)
}

/// Takes a key out.
pub(super) fn remove(node: &mut Node, key: &str) -> Option<Node> {
    let Value::Map(entries) = &mut node.value else { return None };
    let found = entries.iter().rposition(|entry| entry.key == key)?;
    let taken = entries.remove(found).node;
    entries.retain(|entry| entry.key != key);
    Some(taken)
}

/// How many bytes a value takes, roughly: what is written many times is counted.
pub(super) fn weight(node: &Node) -> usize {
    64 + match &node.value {
        Value::Text(text) => text.text.len(),
        Value::Number(number) => number.len(),
        Value::List(items) => items.iter().map(weight).sum(),
        Value::Map(entries) => {
            entries.iter().map(|entry| 64 + entry.key.len() + weight(&entry.node)).sum()
        }
        Value::Null | Value::Bool(_) => 0,
    }
}

/// How deep a value is nested.
pub(super) fn depth(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Map(entries) => entries.iter().map(|entry| depth(&entry.node)).max().unwrap_or(0),
        _ => 0,
    }
}
