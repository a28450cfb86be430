//! Which objects a patch or a replacement means.

use regex::Regex;

use crate::manifest::{Entry, Node, Place};

use super::merge::Conflict;
use super::resource::{Id, Resource};

/// The largest expression, compiled, in bytes.
const MAX_EXPRESSION: usize = 1 << 20;

/// What objects have to fit; everything that is not said fits.
#[derive(Debug, Default)]
pub(super) struct Target {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Condition>,
    annotations: Vec<Condition>,
}

/// One condition of a selector for labels.
#[derive(Debug, PartialEq, Eq)]
enum Condition {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

impl Target {
    /// Reads the target of a patch, whose words are expressions.
    pub(super) fn read(node: &Node) -> Result<Self, Conflict> {
        let word = |key: &str| -> Result<Option<Regex>, Conflict> {
            let Some(node) = node.get(key) else { return Ok(None) };
            let Some(text) = node.scalar().filter(|text| !text.is_empty()) else {
                return Ok(None);
            };
            let expression = regex::RegexBuilder::new(&format!("^(?:{text})$"))
                .size_limit(MAX_EXPRESSION)
                .build();
            let error = |_| Conflict {
                place: node.place.clone(),
                why: format!("{text} is no regular expression"),
            };
            expression.map(Some).map_err(error)
        };
        Ok(Self {
            group: word("group")?,
            version: word("version")?,
            kind: word("kind")?,
            name: word("name")?,
            namespace: word("namespace")?,
            labels: conditions(node.get("labelSelector"))?,
            annotations: conditions(node.get("annotationSelector"))?,
        })
    }

    /// Whether an object is meant.
    pub(super) fn selects(&self, resource: &Resource) -> bool {
        let (now, first) = (resource.id(), resource.original());
        let fits = |expression: &Option<Regex>, word: &str| {
            expression.as_ref().is_none_or(|expression| expression.is_match(word))
        };
        let either = |expression: &Option<Regex>, one: &str, other: &str| {
            fits(expression, one) || fits(expression, other)
        };
        let namespace = |id: &Id| id.namespace.clone().unwrap_or("_non_namespaceable_".to_owned());
        either(&self.namespace, &namespace(&first), &namespace(&now))
            && either(&self.name, &first.name, &now.name)
            && fits(&self.group, &now.group)
            && fits(&self.version, &now.version)
            && fits(&self.kind, &now.kind)
            && all(&self.labels, resource.node.map("metadata.labels"))
            && all(&self.annotations, resource.node.map("metadata.annotations"))
    }
}

/// What a replacement means: the words themselves, or nothing for any.
#[derive(Debug)]
pub(super) struct Exact<'a> {
    node: &'a Node,
    labels: Vec<Condition>,
    annotations: Vec<Condition>,
}

impl<'a> Exact<'a> {
    pub(super) fn read(node: &'a Node) -> Result<Self, Conflict> {
        let labels = conditions(node.get("labelSelector"))?;
        let annotations = conditions(node.get("annotationSelector"))?;
        Ok(Self { node, labels, annotations })
    }

    fn word(&self, key: &str) -> &str {
        self.node.get(key).and_then(Node::scalar).unwrap_or_default()
    }

    /// Whether it says anything that names or kinds have to fit.
    pub(super) fn names_something(&self) -> bool {
        let keys = ["group", "version", "kind", "name", "namespace"];
        keys.iter().any(|key| !self.word(key).is_empty())
    }

    /// Whether it says anything about labels or annotations.
    pub(super) fn has_conditions(&self) -> bool {
        !self.labels.is_empty() || !self.annotations.is_empty()
    }

    /// Whether any name that an object has or had is meant.
    pub(super) fn names(&self, resource: &Resource) -> bool {
        let (name, namespace) = (self.word("name"), self.word("namespace"));
        resource.ids().iter().any(|id| {
            let own = id.namespace.as_deref().unwrap_or("default");
            (name.is_empty() || name == id.name)
                && (namespace.is_empty() || namespace == own)
                && id.is(self.word("group"), self.word("version"), self.word("kind"))
        })
    }

    /// Whether the labels and annotations of an object fit.
    pub(super) fn fits(&self, resource: &Resource) -> bool {
        all(&self.labels, resource.node.map("metadata.labels"))
            && all(&self.annotations, resource.node.map("metadata.annotations"))
    }
}

fn all(conditions: &[Condition], labels: &[Entry]) -> bool {
    let value = |key: &str| {
        labels.iter().find(|label| label.key == key).map(|l| l.node.scalar().unwrap_or_default())
    };
    conditions.iter().all(|condition| match condition {
        Condition::In(key, values) => value(key).is_some_and(|v| values.iter().any(|it| it == v)),
        Condition::NotIn(key, values) => value(key).is_none_or(|v| values.iter().all(|it| it != v)),
        Condition::Exists(key) => value(key).is_some(),
        Condition::Missing(key) => value(key).is_none(),
    })
}

/// The conditions of `app=a,tier in (b, c),!d`.
fn conditions(node: Option<&Node>) -> Result<Vec<Condition>, Conflict> {
    let Some(node) = node else { return Ok(Vec::new()) };
    let text = node.scalar().unwrap_or_default();
    let mut found = Vec::new();
    for part in parts(text) {
        let part = part.trim();
        if !part.is_empty() {
            found.push(condition(part).ok_or_else(|| unreadable(&node.place, part))?);
        }
    }
    Ok(found)
}

fn unreadable(place: &Place, part: &str) -> Conflict {
    Conflict { place: place.clone(), why: format!("`{part}` is no condition for labels") }
}

/// The pieces between commas that stand in no parentheses.
fn parts(text: &str) -> Vec<&str> {
    let (mut start, mut depth, mut found) = (0, 0_usize, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    found
}

fn condition(part: &str) -> Option<Condition> {
    let is_word = |word: &str| !word.is_empty() && !word.contains([' ', '(', ')', '=', '!', ',']);
    let word = |word: &str| is_word(word.trim()).then(|| word.trim().to_owned());
    let value = |text: &str| {
        let text = text.trim();
        (text.is_empty() || is_word(text)).then(|| vec![text.to_owned()])
    };
    if let Some(key) = part.strip_prefix('!') {
        return word(key).map(Condition::Missing);
    }
    if let Some((key, text)) = part.split_once("!=") {
        return Some(Condition::NotIn(word(key)?, value(text)?));
    }
    if let Some((key, text)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(Condition::In(word(key)?, value(text)?));
    }
    if let Some((head, values)) = part.strip_suffix(')').and_then(|it| it.split_once('(')) {
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = head.split_whitespace();
        return match (words.next(), words.next(), words.next()) {
            (Some(key), Some("in"), None) => Some(Condition::In(word(key)?, values)),
            (Some(key), Some("notin"), None) => Some(Condition::NotIn(word(key)?, values)),
            _ => None,
        };
    }
    word(part).map(Condition::Exists)
}

#[cfg(test)]
mod tests {
    use super::{Condition, condition, parts};

    #[test]
    fn conditions_are_read_as_kubernetes_does() {
        let all: Vec<_> = parts("a=b,c in (d, e),!f").into_iter().map(condition).collect();
        let values = vec!["d".to_owned(), "e".to_owned()];
        assert_eq!(all[0], Some(Condition::In("a".to_owned(), vec!["b".to_owned()])));
        assert_eq!(all[1], Some(Condition::In("c".to_owned(), values)));
        assert_eq!(all[2], Some(Condition::Missing("f".to_owned())));
        assert_eq!(condition("a b"), None);
    }
}
