//! Strategic merge: a patch into an object, lists by their keys where Kubernetes' own kinds say so.
//!
//! Source: `kyaml/yaml/merge2` and `kyaml/yaml/walk` of kustomize, which it follows in its order
//! and its oddities too.

use crate::manifest::schema::{self, Shape, Type};
use crate::manifest::{Entry, Node, Place, Value};

use super::edit;
use super::lists;

/// What a patch says about itself.
const DIRECTIVE: &str = "$patch";

/// Why a patch cannot be merged, and where.
#[derive(Debug)]
pub struct Conflict {
    /// What of the patch it is.
    pub place: Place,
    /// What does not fit; lower case.
    pub why: String,
}

/// What is known about a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    Nothing,
    /// A map of these fields.
    Fields(&'static Type),
    /// A value of this field.
    Field(&'static schema::Field),
}

/// Whether a patch is put in, put in the place of, or takes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// An object with a patch merged into it; none where the patch deletes it.
pub(super) fn merge(object: Node, patch: Node) -> Result<Option<Node>, Conflict> {
    walk(Some(object), Some(patch), Known::Nothing)
}

pub(super) fn walk(
    node: Option<Node>,
    patch: Option<Node>,
    known: Known,
) -> Result<Option<Node>, Conflict> {
    if let (Some(node), Some(patch)) = (&node, &patch)
        && !node.is_null()
        && !patch.is_null()
        && shape(node) != shape(patch)
    {
        let why = format!("the patch has {}, the object {}", patch.kind(), node.kind());
        return Err(Conflict { place: patch.place.clone(), why });
    }
    let known = known.of(node.as_ref()).of(patch.as_ref());
    let some = [&node, &patch].into_iter().flatten().find(|node| !node.is_null());
    match some.map(|node| &node.value) {
        None | Some(Value::Map(_)) => map(node, patch, known),
        Some(Value::List(_)) => match known.merge() {
            Some((keys, below)) => list(node, patch, keys, below),
            None => Ok(patch.or(node)),
        },
        Some(_) => Ok(patch.or(node)),
    }
}

fn map(node: Option<Node>, patch: Option<Node>, known: Known) -> Result<Option<Node>, Conflict> {
    let Some(mut patch) = patch else {
        let Some(node) = node else { return Ok(None) };
        return fields(node, Vec::new(), known).map(Some);
    };
    if patch.is_null() {
        return Ok(None);
    }
    let directive = directive(&mut patch)?;
    match node.filter(|node| !node.is_null()) {
        _ if directive == Directive::Delete => Ok(None),
        Some(mut node) if directive == Directive::Merge => {
            edit::remove(&mut node, DIRECTIVE);
            fields(node, entries(patch), known).map(Some)
        }
        // What is new goes through the same steps, against itself.
        _ => fields(patch.clone(), entries(patch), known).map(Some),
    }
}

fn fields(mut node: Node, mut patch: Vec<Entry>, known: Known) -> Result<Node, Conflict> {
    let Value::Map(old) = std::mem::replace(&mut node.value, Value::Null) else { return Ok(node) };
    let mut new = Vec::with_capacity(old.len() + patch.len());
    for mut entry in old {
        let mut change = None;
        while let Some(found) = patch.iter().position(|other| other.key == entry.key) {
            change = Some(patch.remove(found));
        }
        let below = known.below(&entry.key);
        let (place, change) = match change {
            Some(change) => (Some(change.place), Some(change.node)),
            None => (None, None),
        };
        let deleted = change.as_ref().is_some_and(Node::is_null);
        let whole = change.as_ref().is_some_and(|change| change.scalar().is_some());
        let Some(value) = walk(Some(entry.node), change, below)? else { continue };
        if deleted {
            continue;
        }
        if let Some(place) = place.filter(|_| whole) {
            entry.place = place;
        }
        new.push(Entry { key: entry.key, place: entry.place, node: value });
    }
    patch.sort_by(|one, other| one.key.cmp(&other.key));
    for entry in patch {
        if let Some(value) = walk(None, Some(entry.node), known.below(&entry.key))?
            && !value.is_null()
        {
            new.push(Entry { key: entry.key, place: entry.place, node: value });
        }
    }
    node.value = Value::Map(new);
    Ok(node)
}

fn list(
    node: Option<Node>,
    patch: Option<Node>,
    keys: &[&str],
    below: Known,
) -> Result<Option<Node>, Conflict> {
    let node = node.filter(|node| !node.is_null());
    let Some(mut patch) = patch else {
        let Some(node) = node else { return Ok(None) };
        return lists::merge(node, None, keys, below).map(Some);
    };
    if patch.is_null() {
        return Ok(None);
    }
    let directive = directive_of_list(&mut patch)?;
    match node {
        _ if directive == Directive::Delete => Ok(None),
        Some(node) if directive == Directive::Merge => {
            lists::merge(node, Some(patch), keys, below).map(Some)
        }
        _ => lists::merge(patch.clone(), Some(patch), keys, below).map(Some),
    }
}

/// Takes what a patch says about itself out of it.
fn directive(patch: &mut Node) -> Result<Directive, Conflict> {
    match edit::remove(patch, DIRECTIVE) {
        None => Ok(Directive::Merge),
        Some(word) => meaning(&word),
    }
}

/// The same of a list, where an item of nothing else says it.
fn directive_of_list(patch: &mut Node) -> Result<Directive, Conflict> {
    let Value::List(items) = &mut patch.value else { return Ok(Directive::Merge) };
    let says = |item: &Node| item.entries().len() == 1 && item.get(DIRECTIVE).is_some();
    let Some(found) = items.iter().position(says) else { return Ok(Directive::Merge) };
    directive(&mut items.remove(found))
}

fn meaning(word: &Node) -> Result<Directive, Conflict> {
    match word.scalar() {
        Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        other => {
            let other = other.unwrap_or("nothing");
            let why = format!("`$patch` is merge, replace or delete, not {other}");
            Err(Conflict { place: word.place.clone(), why })
        }
    }
}

fn entries(node: Node) -> Vec<Entry> {
    match node.value {
        Value::Map(entries) => entries,
        _ => Vec::new(),
    }
}

fn shape(node: &Node) -> u8 {
    match node.value {
        Value::Map(_) => 0,
        Value::List(_) => 1,
        _ => 2,
    }
}

impl Known {
    /// What is known where nothing was: a map that says its kind may be one of Kubernetes.
    fn of(self, node: Option<&Node>) -> Self {
        let (Self::Nothing, Some(node)) = (self, node) else { return self };
        let (Some(version), Some(kind)) = (node.str("apiVersion"), node.str("kind")) else {
            return self;
        };
        schema::kind(version, kind).map_or(Self::Nothing, Self::Fields)
    }

    fn below(self, key: &str) -> Self {
        let fields = match self {
            Self::Fields(fields) => Some(fields),
            Self::Field(field) if field.shape == Shape::One => field.below(),
            Self::Field(field) if field.shape == Shape::Map => {
                return field.below().map_or(Self::Nothing, Self::Fields);
            }
            Self::Field(_) | Self::Nothing => None,
        };
        fields.and_then(|fields| fields.field(key)).map_or(Self::Nothing, Self::Field)
    }

    /// The keys by which a list is merged, and what is known about its items.
    fn merge(self) -> Option<(&'static [&'static str], Self)> {
        let Self::Field(field) = self else { return None };
        let keys = field.merge.as_deref()?;
        let items = field.below().filter(|_| field.shape == Shape::List);
        Some((keys, items.map_or(Self::Nothing, Self::Fields)))
    }
}
