//! Fields of objects by kustomize's paths: `spec/template/metadata/labels`, through all items of
//! the lists on the way.

use crate::manifest::{Node, Place, Value};

use super::edit;
use super::resource::group_version;

/// A field of some kinds of objects.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) group: &'a str,
    pub(super) version: &'a str,
    /// The kind; any where empty, as with group and version.
    pub(super) kind: &'a str,
    pub(super) path: &'a str,
    /// Whether it is made where it is not there.
    pub(super) create: bool,
}

impl Field<'_> {
    /// Calls `change` with each value at the field, of an object that has it or is given it.
    pub(super) fn each(&self, object: &mut Node, place: &Place, change: &mut dyn FnMut(&mut Node)) {
        let (group, version) = group_version(object.str("apiVersion").unwrap_or_default());
        let kind = object.str("kind").unwrap_or_default();
        let fits = |wanted: &str, have: &str| wanted.is_empty() || wanted == have;
        if fits(self.group, group) && fits(self.version, version) && fits(self.kind, kind) {
            walk(object, &split(self.path), self.create, place, change);
        }
    }
}

fn walk(
    node: &mut Node,
    path: &[String],
    create: bool,
    place: &Place,
    change: &mut dyn FnMut(&mut Node),
) {
    let Some((name, rest)) = path.split_first() else { return change(node) };
    if let Value::List(items) = &mut node.value {
        items.iter_mut().for_each(|item| walk(item, path, create, place, change));
        return;
    }
    if !matches!(node.value, Value::Map(_)) {
        return;
    }
    let (name, in_list) = match name.strip_suffix("[]") {
        Some(name) => (name, true),
        None => (name.as_str(), false),
    };
    let make = create && !in_list;
    if node.get(name).is_none() {
        if !make {
            return;
        }
        let nothing = Node { value: Value::Null, place: place.clone() };
        edit::set(node, name, place, nothing);
    }
    let Some(below) = edit::get_mut(node, name) else { return };
    if below.is_null() && make && !rest.is_empty() {
        *below = edit::empty(place);
    }
    walk(below, rest, create, place, change);
}

/// The parts of a path; `\/` is a slash inside of one.
fn split(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in path.trim_start_matches('/').split('/') {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('/');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    parts
}
