//! `replacements`: values that are copied from one field to others.

use crate::manifest::scalar;
use crate::manifest::{Node, Place, Value};

use super::build::Build;
use super::document::Document;
use super::edit;
use super::merge::Conflict;
use super::paths::{self, Step};
use super::resource::Resource;
use super::select::Exact;

/// The deepest nesting that copies may come to.
const MAX_DEPTH: usize = 200;

/// Copies values, one replacement after the other.
pub(super) fn make(build: &mut Build<'_>, document: &Document, all: &mut [Resource]) {
    for item in document.list("replacements") {
        let loaded = match item.get("path") {
            None => vec![item.clone()],
            Some(path) => {
                let Some(source) = build.named(document, path) else { continue };
                let documents = build.files.documents(&source).into_iter();
                documents
                    .flat_map(
                        |it| if it.items().is_empty() { vec![it] } else { it.items().to_vec() },
                    )
                    .collect()
            }
        };
        for item in loaded {
            if let Err(conflict) = one(build, &item, all) {
                build.missing(&conflict.place, conflict.why);
            }
        }
    }
}

fn conflict(place: &Place, why: impl Into<String>) -> Conflict {
    Conflict { place: place.clone(), why: why.into() }
}

fn one(build: &mut Build<'_>, item: &Node, all: &mut [Resource]) -> Result<(), Conflict> {
    let value = match (item.get("source"), item.get("sourceValue")) {
        (Some(source), None) => value(source, all)?,
        (None, Some(value)) => value.clone(),
        _ => return Err(conflict(&item.place, "expected either `source` or `sourceValue`")),
    };
    for target in item.list("targets") {
        if !build.look(all, &target.place) {
            return Ok(());
        }
        let select = target.get("select").filter(|select| !select.is_null());
        let select = select.ok_or_else(|| conflict(&target.place, "a target needs `select`"))?;
        let select = Exact::read(select)?;
        let reject: Vec<Exact<'_>> =
            target.list("reject").iter().map(Exact::read).collect::<Result<_, _>>()?;
        for resource in all.iter_mut() {
            let rejected = reject.iter().any(|it| {
                (it.has_conditions() && it.fits(resource))
                    || (it.names_something() && it.names(resource))
            });
            if !select.fits(resource) || !select.names(resource) || rejected {
                continue;
            }
            if !build.spend(edit::weight(&value), &target.place) {
                return Ok(());
            }
            copy(target, resource, &value)?;
        }
    }
    Ok(())
}

/// The value that is copied.
fn value(source: &Node, all: &[Resource]) -> Result<Node, Conflict> {
    let exact = Exact::read(source)?;
    let mut found = all.iter().filter(|resource| exact.names(resource));
    let resource =
        found.next().ok_or_else(|| conflict(&source.place, "the source is not there"))?;
    if let Some(other) = found.next() {
        let why = format!("the source may be {} or {}", resource.id(), other.id());
        return Err(conflict(&source.place, why));
    }
    let path = source.get("fieldPath").filter(|node| !node.is_null());
    let text = path.and_then(Node::scalar).unwrap_or("metadata.name");
    let place = path.map_or(&source.place, |path| &path.place);
    let node = paths::look(&resource.node, &paths::split(text));
    let node = node.filter(|node| !is_empty(node));
    let node = node.ok_or_else(|| conflict(place, format!("{} has no {text}", resource.id())))?;
    let mut value = node.clone();
    let options = source.get("options");
    if let Some((mark, at)) = delimiter(options) {
        let Some(text) = value.scalar() else {
            return Err(conflict(place, "only texts can be split"));
        };
        let part = usize::try_from(at).ok().and_then(|at| text.split(mark).nth(at));
        let part = part.ok_or_else(|| conflict(place, format!("{text} has no part {at}")))?;
        value = edit::text(part, &value.place);
    }
    Ok(value)
}

/// Where a text is split, and which part of it is meant.
fn delimiter(options: Option<&Node>) -> Option<(&str, i64)> {
    let mark = options?.get("delimiter").and_then(Node::scalar).filter(|mark| !mark.is_empty())?;
    Some((mark, options?.i64("index").unwrap_or(0)))
}

fn copy(target: &Node, resource: &mut Resource, value: &Node) -> Result<(), Conflict> {
    let options = target.get("options");
    let create = options.and_then(|options| options.bool("create")) == Some(true);
    let usual = [edit::text("metadata.name", &target.place)];
    let all = match target.list("fieldPaths") {
        [] => &usual,
        all => all,
    };
    let id = resource.id();
    for path in all {
        let text = path.scalar().unwrap_or_default();
        let steps: Vec<Step> = paths::steps(text).map_err(|why| conflict(&path.place, why))?;
        if steps.len() + edit::depth(value) > MAX_DEPTH {
            return Err(conflict(&path.place, "deeper than is read"));
        }
        let mut wrong = None;
        let count = paths::each(&mut resource.node, &steps, create.then_some(value), &mut |node| {
            if let Err(why) = write(node, value, options) {
                wrong = Some(why);
            }
        });
        if let Some(why) = wrong {
            return Err(conflict(&path.place, why));
        }
        if count == 0 {
            return Err(conflict(&path.place, format!("{id} has no {text}")));
        }
    }
    Ok(())
}

fn write(node: &mut Node, value: &Node, options: Option<&Node>) -> Result<(), &'static str> {
    let mut value = value.clone();
    if let Some((mark, at)) = delimiter(options) {
        let (Some(old), Some(new)) = (node.scalar(), value.scalar()) else {
            return Err("only texts can be split");
        };
        let mut parts: Vec<&str> = old.split(mark).collect();
        match usize::try_from(at) {
            Err(_) => parts.insert(0, new),
            Ok(at) => match parts.get_mut(at) {
                Some(part) => *part = new,
                None => parts.push(new),
            },
        }
        value = edit::text(parts.join(mark), &value.place);
    }
    // A scalar keeps its own type: a number stays one, a text does not become one.
    *node = match (&node.value, value.scalar()) {
        (Value::Number(_) | Value::Bool(_), Some(text)) => {
            Node { value: scalar::plain(text), place: value.place.clone() }
        }
        (Value::Text(_), Some(text)) => edit::text(text, &value.place),
        _ => value,
    };
    Ok(())
}

fn is_empty(node: &Node) -> bool {
    node.is_null()
        || node.as_str() == Some("")
        || (node.scalar().is_none() && node.items().is_empty() && node.entries().is_empty())
}
