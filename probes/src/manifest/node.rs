//! A value that knows where it stands.

use super::Place;

/// A value of YAML or JSON with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands: a scalar itself, the first key of a map, the first item of a list.
    pub place: Place,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A text.
    Text(Text),
    /// A list.
    List(Vec<Node>),
    /// A map, in its written order; a key that stands twice is there twice.
    Map(Vec<Entry>),
}

/// A text, and where its own lines stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub text: String,
    /// For a literal block: the line of the source where the text's first line stands, and how
    /// many characters stand before each line.
    pub block: Option<(u32, u32)>,
}

/// One key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// The value of a key; of the last one where it stands twice, as Kubernetes and Synapse take
    /// it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// A key with its value.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().rev().find(|entry| entry.key == key)
    }

    /// The value at a path of keys and positions: `spec.containers.0.image`. Keys that hold a dot
    /// are reached with [`get`](Self::get).
    pub fn at(&self, path: &str) -> Option<&Node> {
        path.split('.').try_fold(self, |node, step| match &node.value {
            Value::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => node.get(step),
        })
    }

    /// The keys of a map; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The items of the list at a path; none where there is no list.
    pub fn list(&self, path: &str) -> &[Node] {
        self.at(path).map_or(&[], Node::items)
    }

    /// The keys of the map at a path; none where there is no map.
    pub fn map(&self, path: &str) -> &[Entry] {
        self.at(path).map_or(&[], Node::entries)
    }

    /// The text, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// The text at a path.
    pub fn str(&self, path: &str) -> Option<&str> {
        self.at(path)?.as_str()
    }

    /// Any scalar as it is written: a text, a number, `true`; none of null, a list or a map.
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(&text.text),
            Value::Number(number) => Some(number),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// A whole number.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.value {
            Value::Number(number) => number.parse().ok(),
            _ => None,
        }
    }

    /// The whole number at a path.
    pub fn i64(&self, path: &str) -> Option<i64> {
        self.at(path)?.as_i64()
    }

    /// A boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The boolean at a path.
    pub fn bool(&self, path: &str) -> Option<bool> {
        self.at(path)?.as_bool()
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// What it is, in a word for a message.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// Calls `each` with every scalar below, with itself if it is one.
    pub fn scalars<'a>(&'a self, each: &mut impl FnMut(&'a Node)) {
        match &self.value {
            Value::List(items) => items.iter().for_each(|item| item.scalars(each)),
            Value::Map(entries) => entries.iter().for_each(|entry| entry.node.scalars(each)),
            _ => each(self),
        }
    }
}

impl Text {
    /// A text that stands in no block.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), block: None }
    }
}
