//! Lists that are merged by keys of their items: containers by `name`, ports by `containerPort` and
//! `protocol`, finalizers by themselves.
//!
//! Source: `kyaml/yaml/walk/associative_sequence.go` and `ElementSetter` of kustomize.

use crate::manifest::{Node, Value};

use super::edit;
use super::merge::{Conflict, Known, walk};

/// A list with another one merged into it; what is in the patch comes first.
pub(super) fn merge(
    node: Node,
    patch: Option<Node>,
    keys: &[&str],
    below: Known,
) -> Result<Node, Conflict> {
    let place = node.place.clone();
    let old = items(Some(node));
    let new = items(patch);
    let merged = if keys.is_empty() { texts(old, new) } else { maps(old, new, keys, below)? };
    Ok(Node { value: Value::List(merged), place })
}

fn items(node: Option<Node>) -> Vec<Node> {
    match node.map(|node| node.value) {
        Some(Value::List(items)) => items,
        _ => Vec::new(),
    }
}

fn texts(old: Vec<Node>, new: Vec<Node>) -> Vec<Node> {
    let mut all: Vec<Node> = Vec::new();
    for item in new.into_iter().chain(old) {
        match all.iter_mut().find(|other| word(other) == word(&item)) {
            Some(there) => *there = item,
            None => all.push(item),
        }
    }
    all
}

fn maps(
    mut old: Vec<Node>,
    new: Vec<Node>,
    keys: &[&str],
    below: Known,
) -> Result<Vec<Node>, Conflict> {
    let mut wanted: Vec<Vec<String>> = Vec::new();
    for item in new.iter().chain(&old) {
        let values: Vec<String> = keys.iter().map(|key| value(item, key)).collect();
        if !wanted.contains(&values) {
            wanted.push(values);
        }
    }
    if keys.len() > 1 {
        unite(&mut wanted);
    }
    let some = |at: usize| wanted.iter().any(|values| !values[at].is_empty());
    let said: Vec<usize> = (0..keys.len()).filter(|at| some(*at)).collect();
    let said = if said.is_empty() { (0..keys.len()).collect() } else { said };
    let keys: Vec<&str> = said.iter().map(|at| keys[*at]).collect();
    let mut merged: Vec<Node> = Vec::new();
    for values in &wanted {
        let values: Vec<&str> = said.iter().map(|at| values[*at].as_str()).collect();
        let here = find(&old, &keys, &values);
        let there = find(&new, &keys, &values);
        let kept = |at: usize| old.get(at).cloned();
        let change = there.and_then(|at| new.get(at).cloned());
        let replaces = change.as_ref().is_some_and(|item| item.str("$patch") == Some("replace"));
        let result = walk(here.and_then(kept), change, below)?;
        let Some(mut result) = result.filter(|node| !is_empty(node)) else {
            put(&mut old, &keys, &values, None);
            continue;
        };
        for (key, text) in keys.iter().zip(&values) {
            if result.get(key).is_none() && !text.is_empty() {
                let place = result.place.clone();
                edit::set(&mut result, key, &place, edit::text(*text, &place));
            }
        }
        // What was there is changed where it stands, unless another takes its place.
        if let Some(item) = here.and_then(|at| old.get_mut(at))
            && !replaces
        {
            *item = result.clone();
        }
        put(&mut merged, &keys, &values, Some(result));
    }
    for item in old {
        append(&mut merged, item, &keys);
    }
    Ok(merged)
}

/// An item of what was there, into what has been merged: in the place of the same one.
fn append(list: &mut Vec<Node>, item: Node, keys: &[&str]) {
    let mut values = Vec::new();
    for key in keys {
        match item.get(key) {
            Some(node) => values.push(word(node).to_owned()),
            None => list.push(item.clone()),
        }
    }
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    if keys.len() > 1 {
        put(list, keys, &values, None);
    }
    put(list, keys, &values, Some(item));
}

/// Puts an item in the place of those with these values, or at the end; nothing takes them out.
fn put(list: &mut Vec<Node>, keys: &[&str], values: &[&str], item: Option<Node>) {
    let by_value = values.first().is_some_and(|value| !value.is_empty());
    let mut found = false;
    let mut new = Vec::with_capacity(list.len() + 1);
    for old in std::mem::take(list) {
        let is_map = matches!(old.value, Value::Map(_));
        if is_empty(&old) {
            continue;
        }
        if !is_map && by_value {
            new.push(old);
            continue;
        }
        if !same(&old, keys, values) {
            if !values.is_empty() {
                new.push(old);
            }
            continue;
        }
        found = true;
        new.extend(item.clone());
    }
    if !found {
        new.extend(item);
    }
    *list = new;
}

fn same(item: &Node, keys: &[&str], values: &[&str]) -> bool {
    let fits = |(key, value): (&&str, &&str)| {
        item.get(key).is_some_and(|node| value.is_empty() || word(node) == *value)
    };
    // An item that lacks one of the keys is compared by the others, as far as there are values.
    !values.is_empty() && keys.iter().zip(values).all(fits)
}

/// The first item with these values, of the keys for which there is one.
fn find(list: &[Node], keys: &[&str], values: &[&str]) -> Option<usize> {
    let given = || keys.iter().zip(values).filter(|(_, value)| !value.is_empty());
    let any = given().next().is_some();
    let fits =
        |item: &Node, key: &str, value: &str| item.get(key).is_some_and(|node| word(node) == value);
    list.iter().position(|item| {
        if any {
            given().all(|(key, value)| fits(item, key, value))
        } else {
            keys.iter().zip(values).all(|(key, value)| fits(item, key, value))
        }
    })
}

/// Makes one of two that differ only in what one of them does not say: `8301` and `8301 TCP`.
fn unite(all: &mut [Vec<String>]) {
    for one in 0..all.len() {
        let values = all[one].clone();
        for other in 0..all.len() {
            if let Some(both) = united(&values, &all[other]) {
                all[one].clone_from(&both);
                all[other] = both;
            }
        }
    }
}

fn united(one: &[String], other: &[String]) -> Option<Vec<String>> {
    let pairs = || one.iter().zip(other);
    let common = pairs().any(|(one, other)| one == other);
    let differ = pairs().any(|(one, other)| one != other && !one.is_empty() && !other.is_empty());
    let longer = |(one, other): (&String, &String)| {
        if one.is_empty() { other.clone() } else { one.clone() }
    };
    (common && !differ).then(|| pairs().map(longer).collect())
}

fn value(item: &Node, key: &str) -> String {
    item.get(key).map(|node| word(node).to_owned()).unwrap_or_default()
}

fn word(node: &Node) -> &str {
    node.scalar().unwrap_or_default()
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Map(entries) => entries.is_empty(),
        _ => false,
    }
}
