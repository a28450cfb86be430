//! Paths of fields in replacements: `spec.template.spec.containers.[name=web].image`,
//! `metadata.annotations.[example.org/a]`, `spec.ports.0`, `spec.rules.*.host`.

use regex::RegexBuilder;

use crate::manifest::{Node, Value};

use super::edit;

/// The largest expression, compiled, in bytes.
const MAX_EXPRESSION: usize = 1 << 20;

/// One step of a path.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A key of a map.
    Key(String),
    /// A position in a list.
    At(usize),
    /// The items of a list whose field fits; of texts, those that fit themselves.
    Items { field: String, value: String, expression: regex::Regex },
    /// All items of a list.
    Every,
}

/// The words of a path, as they are written.
pub(super) fn split(path: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in path.trim_start_matches('.').split('.') {
        let open = words.last().is_some_and(|last| last.starts_with('[') && !last.ends_with(']'));
        match words.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('.');
                last.push_str(word);
            }
            Some(last) if open => {
                last.push('.');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words.retain(|word| !word.trim().is_empty());
    words.into_iter().map(bare).collect()
}

/// A key in brackets without them; what holds `=` is a condition and keeps them.
fn bare(word: String) -> String {
    match word.strip_prefix('[').and_then(|word| word.strip_suffix(']')) {
        Some(key) if !key.contains('=') => key.to_owned(),
        _ => word,
    }
}

/// The steps of a path.
pub(super) fn steps(path: &str) -> Result<Vec<Step>, String> {
    split(path).into_iter().map(step).collect()
}

fn step(word: String) -> Result<Step, String> {
    if word == "*" {
        return Ok(Step::Every);
    }
    if let Ok(at) = word.parse() {
        return Ok(Step::At(at));
    }
    let condition = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
    let Some((field, value)) = condition.and_then(|it| it.split_once('=')) else {
        return Ok(Step::Key(word));
    };
    let expression = RegexBuilder::new(value).size_limit(MAX_EXPRESSION).build();
    let expression = expression.map_err(|_| format!("{value} is no regular expression"))?;
    Ok(Step::Items { field: field.to_owned(), value: value.to_owned(), expression })
}

/// The value at the words of a path.
pub(super) fn look<'a>(node: &'a Node, words: &[String]) -> Option<&'a Node> {
    words.iter().try_fold(node, |node, word| {
        if let Ok(at) = word.parse::<usize>()
            && let Value::List(items) = &node.value
        {
            return items.get(at);
        }
        let condition = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
        match condition.and_then(|it| it.split_once('=')) {
            Some(("", value)) => node.items().iter().find(|item| item.scalar() == Some(value)),
            Some((field, value)) => {
                let fits = |item: &&Node| item.get(field).and_then(Node::scalar) == Some(value);
                node.items().iter().find(fits)
            }
            None if word == "-" => node.items().last(),
            None => node.get(word),
        }
    })
}

/// Calls `change` with every value at a path, which is made where `create` says of what shape it
/// is to be; how many there were.
pub(super) fn each(
    node: &mut Node,
    steps: &[Step],
    create: Option<&Node>,
    change: &mut dyn FnMut(&mut Node),
) -> usize {
    let Some((step, rest)) = steps.split_first() else {
        change(node);
        return 1;
    };
    match step {
        Step::Key(key) => {
            if node.get(key).is_none() {
                let Some(value) = create else { return 0 };
                let made = made(rest, value);
                edit::set(node, key, &value.place, made);
            }
            edit::get_mut(node, key).map_or(0, |below| each(below, rest, create, change))
        }
        Step::At(at) => {
            let Value::List(items) = &mut node.value else { return 0 };
            if let Some(value) = create.filter(|_| items.len() == *at) {
                items.push(made(rest, value));
            }
            items.get_mut(*at).map_or(0, |below| each(below, rest, create, change))
        }
        Step::Every => {
            let Value::List(items) = &mut node.value else { return 0 };
            items.iter_mut().map(|item| each(item, rest, create, change)).sum()
        }
        Step::Items { field, value, expression } => {
            let Value::List(items) = &mut node.value else { return 0 };
            let fits = |item: &Node| {
                let node = if field.is_empty() { Some(item) } else { item.get(field) };
                node.and_then(Node::scalar).is_some_and(|text| expression.is_match(text))
            };
            if let Some(shape) = create.filter(|_| !items.iter().any(fits)) {
                let mut item = edit::text(value.clone(), &shape.place);
                if !field.is_empty() {
                    let text = std::mem::replace(&mut item, edit::empty(&shape.place));
                    edit::set(&mut item, field, &shape.place, text);
                }
                items.push(item);
            }
            let chosen = items.iter_mut().filter(|item| fits(item));
            if field.is_empty() {
                return chosen.map(|item| each(item, &[], None, change)).sum();
            }
            chosen.map(|item| each(item, rest, create, change)).sum()
        }
    }
}

/// What is made for a step, by what comes after it: the value's shape at the end.
fn made(rest: &[Step], value: &Node) -> Node {
    let place = value.place.clone();
    let value = match (rest.first(), &value.value) {
        (Some(Step::At(_) | Step::Items { .. } | Step::Every), _) => Value::List(Vec::new()),
        (Some(Step::Key(_)), _) | (None, Value::Map(_)) => Value::Map(Vec::new()),
        (None, Value::List(_)) => Value::List(Vec::new()),
        (None, _) => Value::Null,
    };
    Node { value, place }
}
