//! JSON patches (RFC 6902): add, remove, replace, move, copy, test.

use crate::manifest::{Entry, Node, Value};

use super::edit;
use super::merge::Conflict;

/// The deepest nesting that operations may come to.
const MAX_DEPTH: usize = 200;
/// The most bytes that a patch may copy.
const MAX_COPIED: usize = 4 << 20;

/// An object with the operations of a patch done to it, one after the other.
pub(super) fn apply(object: &mut Node, patch: &[Node]) -> Result<(), Conflict> {
    let mut copied = 0;
    for operation in patch {
        one(object, operation, &mut copied)?;
    }
    Ok(())
}

fn one(object: &mut Node, operation: &Node, copied: &mut usize) -> Result<(), Conflict> {
    let path_node = operation.get("path").unwrap_or(operation);
    let conflict = |why: String| Conflict { place: path_node.place.clone(), why };
    let pointer = |key: &str| -> Result<Vec<String>, Conflict> {
        let text = operation.get(key).and_then(Node::scalar);
        let text = text.ok_or_else(|| conflict(format!("the operation lacks `{key}`")))?;
        parse(text).ok_or_else(|| conflict(format!("{text} is no path: it begins with `/`")))
    };
    let value = || operation.get("value").cloned();
    let missing = || conflict("the operation lacks `value`".to_owned());
    let large = || conflict("the operation makes the object larger than is read".to_owned());
    let path = pointer("path")?;
    let fits = |value: &Node| path.len() + edit::depth(value) <= MAX_DEPTH;
    let shown = operation.str("path").unwrap_or_default().to_owned();
    let nothing = || conflict(format!("there is no {shown} in the object"));
    match operation.get("op").and_then(Node::scalar).unwrap_or_default() {
        "add" => {
            let value = value().filter(fits).ok_or_else(missing)?;
            add(object, &path, value).ok_or_else(nothing)?;
        }
        "remove" => drop(take(object, &path).ok_or_else(nothing)?),
        "replace" => {
            let value = value().ok_or_else(missing)?;
            *find(object, &path).ok_or_else(nothing)? = value;
        }
        "move" => {
            let value = take(object, &pointer("from")?).ok_or_else(nothing)?;
            if !fits(&value) {
                return Err(large());
            }
            add(object, &path, value).ok_or_else(nothing)?;
        }
        "copy" => {
            let value = find(object, &pointer("from")?).ok_or_else(nothing)?.clone();
            *copied += edit::weight(&value);
            if *copied > MAX_COPIED || !fits(&value) {
                return Err(large());
            }
            add(object, &path, value).ok_or_else(nothing)?;
        }
        "test" => {
            let wanted = value();
            let there = find(object, &path);
            let same = match (&there, &wanted) {
                (Some(there), Some(wanted)) => equal(there, wanted),
                (None, wanted) => wanted.as_ref().is_none_or(Node::is_null),
                (Some(there), None) => there.is_null(),
            };
            if !same {
                return Err(conflict(format!("the test of {shown} fails")));
            }
        }
        other => return Err(conflict(format!("`{other}` is no operation of a JSON patch"))),
    }
    Ok(())
}

/// The steps of `/spec/ports/0`.
fn parse(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let steps = text.strip_prefix('/')?.split('/');
    Some(steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

fn find<'a>(node: &'a mut Node, path: &[String]) -> Option<&'a mut Node> {
    path.iter().try_fold(node, |node, step| match node.value {
        Value::List(_) => item(node, step),
        _ => edit::get_mut(node, step),
    })
}

fn item<'a>(node: &'a mut Node, step: &str) -> Option<&'a mut Node> {
    let Value::List(items) = &mut node.value else { return None };
    let at = index(step, items.len())?;
    items.get_mut(at)
}

/// A position in a list; from its end where it is negative.
fn index(step: &str, length: usize) -> Option<usize> {
    match step.strip_prefix('-') {
        Some(back) => length.checked_sub(back.parse().ok()?),
        None => step.parse().ok(),
    }
}

fn add(object: &mut Node, path: &[String], value: Node) -> Option<()> {
    let (last, above) = path.split_last()?;
    let parent = find(object, above)?;
    match &mut parent.value {
        Value::List(items) => {
            let at = if last == "-" { items.len() } else { index(last, items.len())? };
            if at > items.len() {
                return None;
            }
            items.insert(at, value);
        }
        Value::Map(entries) => {
            let place = value.place.clone();
            match entries.iter_mut().rev().find(|entry| entry.key == *last) {
                Some(entry) => (entry.place, entry.node) = (place, value),
                None => entries.push(Entry { key: last.clone(), place, node: value }),
            }
        }
        _ => return None,
    }
    Some(())
}

fn take(object: &mut Node, path: &[String]) -> Option<Node> {
    let (last, above) = path.split_last()?;
    let parent = find(object, above)?;
    match &mut parent.value {
        Value::List(items) => {
            let at = index(last, items.len())?;
            (at < items.len()).then(|| items.remove(at))
        }
        _ => edit::remove(parent, last),
    }
}

/// Whether two values are the same, wherever they stand.
fn equal(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::Map(one), Value::Map(other)) => {
            let in_other = |entry: &Entry| {
                let same = other.iter().find(|there| there.key == entry.key);
                same.is_some_and(|there| equal(&entry.node, &there.node))
            };
            one.len() == other.len() && one.iter().all(in_other)
        }
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Text(one), Value::Text(other)) => one.text == other.text,
        (Value::Number(one), Value::Number(other)) => {
            one == other
                || matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(one), Ok(other)) if one == other)
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::apply;
    use crate::manifest::{Node, Source, yaml};

    fn read(text: &str) -> Node {
        yaml::documents(&Source::file("t.yaml", text)).expect("YAML").remove(0)
    }

    fn done(patch: &str) -> Result<Node, String> {
        let mut object = read("{a: {b: [1, 2]}, c~d: {e/f: x}}");
        let patch = read(patch);
        apply(&mut object, patch.items()).map_err(|conflict| conflict.why).map(|()| object)
    }

    #[test]
    fn operations_do_what_the_standard_says() {
        let added = done("[{op: add, path: /a/b/-, value: 3}, {op: add, path: /a/b/0, value: 0}]");
        assert_eq!(added.expect("added").list("a.b").len(), 4);
        let deep = done("[{op: replace, path: /c~0d/e~1f, value: y}]").expect("replaced");
        assert_eq!(deep.get("c~d").and_then(|it| it.get("e/f")?.as_str()), Some("y"));
        assert!(done("[{op: test, path: /a/b/0, value: 1}]").is_ok());
        assert!(done("[{op: test, path: /a/b/0, value: 2}]").is_err());
        assert!(done("[{op: remove, path: /a/x}]").is_err());
        let moved = done("[{op: move, from: /a/b, path: /g}]").expect("moved");
        assert_eq!((moved.list("g").len(), moved.map("a").len()), (2, 0));
    }

    #[test]
    fn copies_of_copies_end() {
        let patch: String =
            (0..60).map(|n| format!("- {{op: copy, from: '', path: /x{n}}}\n")).collect();
        assert!(done(&patch).expect_err("refused").contains("larger"));
    }
}
