//! `patches`, `patchesStrategicMerge`, `patchesJson6902`.

use crate::manifest::files::TroubleKind;
use crate::manifest::{Entry, Node, Place, Value, payload};

use super::build::Build;
use super::document::Document;
use super::edit;
use super::merge::{self, Conflict};
use super::operations;
use super::resource::{Resource, id};
use super::select::Target;

/// What may not be changed by a patch unless it says so.
#[derive(Clone, Copy, Default)]
struct Options {
    name: bool,
    kind: bool,
}

impl Build<'_> {
    /// `patchesStrategicMerge`: files, or the texts themselves.
    pub(super) fn strategic(&mut self, document: &Document, all: &mut Vec<Resource>) {
        for item in document.list("patchesStrategicMerge") {
            let text = item.as_str().unwrap_or_default();
            let patches = match text.contains('\n') {
                true => self.inline(item),
                false => self.documents_of(document, item),
            };
            for patch in patches.unwrap_or_default() {
                self.by_name(document, patch, Options::default(), all);
            }
        }
    }

    /// `patches`: either kind, with a target or by name.
    pub(super) fn patches(&mut self, document: &Document, all: &mut Vec<Resource>) {
        for item in document.list("patches") {
            if !self.look(all, &item.place) {
                return;
            }
            self.patch(document, item, all);
        }
    }

    /// `patchesJson6902`: operations, with a target.
    pub(super) fn json_patches(&mut self, document: &Document, all: &mut Vec<Resource>) {
        for item in document.list("patchesJson6902") {
            if !self.look(all, &item.place) {
                return;
            }
            self.patch(document, item, all);
        }
    }

    fn patch(&mut self, document: &Document, item: &Node, all: &mut Vec<Resource>) {
        let said = |key: &str| item.get(key).filter(|node| node.as_str().is_some_and(is_said));
        let read = match (said("patch"), said("path")) {
            (Some(text), None) => self.inline(text),
            (None, Some(path)) => self.documents_of(document, path),
            (Some(_), Some(path)) => return self.wrong(&path.place, "both `path` and `patch`"),
            (None, None) => return self.wrong(&item.place, "neither `path` nor `patch`"),
        };
        let Some(patches) = read else { return };
        let target = match item.get("target").filter(|node| !node.is_null()).map(Target::read) {
            Some(Err(conflict)) => return self.conflict(&conflict),
            Some(Ok(target)) => Some(target),
            None => None,
        };
        let options = Options {
            name: item.bool("options.allowNameChange") == Some(true),
            kind: item.bool("options.allowKindChange") == Some(true),
        };
        let operations = patches.first().filter(|first| first.kind() == "a list");
        match (operations, target) {
            (Some(_), None) => self.wrong(&item.place, "a JSON patch needs a target"),
            (Some(list), Some(target)) => self.operate(document, item, list, &target, all),
            (None, None) => {
                for patch in patches {
                    self.by_name(document, patch, options, all);
                }
            }
            (None, Some(target)) => match <[Node; 1]>::try_from(patches) {
                Ok([patch]) => self.by_target(document, item, patch, (&target, options), all),
                Err(several) if several.is_empty() => self.wrong(&item.place, "an empty patch"),
                Err(_) => self.wrong(&item.place, "several patches at once with a target"),
            },
        }
    }

    /// The documents of a text in the kustomization.
    fn inline(&mut self, text: &Node) -> Option<Vec<Node>> {
        match payload::documents(text) {
            Ok(documents) => Some(documents),
            Err(error) => {
                self.files.trouble(TroubleKind::Kustomization, error.place, error.why);
                None
            }
        }
    }

    /// The documents of a file that the kustomization names.
    fn documents_of(&mut self, document: &Document, path: &Node) -> Option<Vec<Node>> {
        let source = self.named(document, path)?;
        if source.text.trim().is_empty() {
            self.wrong(&path.place, "the patch is empty");
            return None;
        }
        let documents = self.files.documents(&source);
        (!documents.is_empty()).then_some(documents)
    }

    fn conflict(&mut self, conflict: &Conflict) {
        self.wrong(&conflict.place, conflict.why.clone());
    }

    fn operate(
        &mut self,
        document: &Document,
        item: &Node,
        operations: &Node,
        target: &Target,
        all: &mut [Resource],
    ) {
        self.written(document, operations);
        let mut found = false;
        for resource in all.iter_mut().filter(|resource| target.selects(resource)) {
            found = true;
            if !self.spend(edit::weight(operations), &item.place) {
                return;
            }
            resource.remember();
            if let Err(conflict) = operations::apply(&mut resource.node, operations.items()) {
                let what = resource.original().to_string();
                return self.missing(&conflict.place, format!("{}: {what}", conflict.why));
            }
        }
        if !found {
            self.unmatched(document, item);
        }
    }

    /// A patch of the object that has its kind, name and namespace.
    fn by_name(
        &mut self,
        document: &Document,
        patch: Node,
        options: Options,
        all: &mut Vec<Resource>,
    ) {
        let Some(place) = self.is_object(&patch) else { return };
        if !self.look(all, &place) {
            return;
        }
        let wanted = id(&patch);
        let found: Vec<usize> =
            (0..all.len()).filter(|at| all[*at].ids().contains(&wanted)).collect();
        if found.is_empty() {
            if document.component && self.alone {
                return;
            }
            let mut near = all.iter().map(Resource::original);
            let near = near.find(|id| id.kind == wanted.kind && id.name == wanted.name);
            let why = match near {
                Some(near) if near.namespace != wanted.namespace => {
                    let said = |id: Option<&str>| match id {
                        None | Some("default") => "no namespace".to_owned(),
                        Some(name) => format!("the namespace {name}"),
                    };
                    let own = said(wanted.namespace.as_deref());
                    let other = said(near.namespace.as_deref());
                    format!("the patch says {own}, {} {} has {other}", near.kind, near.name)
                }
                Some(near) => format!(
                    "the patch is of {}, {} {} of {}",
                    version(&wanted.group, &wanted.version),
                    near.kind,
                    near.name,
                    version(&near.group, &near.version)
                ),
                None => format!("there is no {wanted} for this patch"),
            };
            return self.missing(&place, why);
        }
        for at in found {
            self.merge_into(&mut all[at], &patch, options);
        }
        all.retain(|resource| !resource.is_gone());
    }

    fn by_target(
        &mut self,
        document: &Document,
        item: &Node,
        patch: Node,
        (target, options): (&Target, Options),
        all: &mut Vec<Resource>,
    ) {
        if self.is_object(&patch).is_none() {
            return;
        }
        let patch = with_words(patch);
        let mut found = false;
        for resource in all.iter_mut().filter(|resource| target.selects(resource)) {
            found = true;
            self.merge_into(resource, &patch, options);
        }
        all.retain(|resource| !resource.is_gone());
        if !found {
            self.unmatched(document, item);
        }
    }

    /// Merges a patch, which changes neither kind nor name nor namespace of an object.
    fn merge_into(&mut self, resource: &mut Resource, patch: &Node, options: Options) {
        if !self.spend(edit::weight(patch), &patch.place) {
            return;
        }
        if options.name || options.kind {
            resource.remember();
        }
        let kept = |key: &str| resource.node.entry(key).cloned();
        let (version, kind) = (kept("apiVersion"), kept("kind"));
        let of = |key: &str| resource.node.get("metadata")?.entry(key).cloned();
        let (name, namespace) = (of("name"), of("namespace"));
        let mut patch = patch.clone();
        // The object's own version, so that the fields of its kind are known.
        edit::remove(&mut patch, "apiVersion");
        let merged = match merge::merge(resource.node.clone(), patch) {
            Ok(merged) => merged,
            Err(conflict) => return self.conflict(&conflict),
        };
        let Some(mut node) = merged else {
            resource.node = edit::empty(&resource.node.place);
            return;
        };
        restore(&mut node, "apiVersion", version);
        if !options.kind {
            restore(&mut node, "kind", kind);
        }
        let place = node.place.clone();
        if let Some(metadata) = edit::map_mut(&mut node, "metadata", &place) {
            if !options.name {
                restore(metadata, "name", name);
            }
            restore(metadata, "namespace", namespace);
        }
        resource.node = node;
    }

    /// Where a patch says its name; it says that and its kind, or nobody can apply it.
    fn is_object(&mut self, patch: &Node) -> Option<Place> {
        let name = patch.at("metadata.name").filter(|name| name.scalar().is_some());
        if let (Some(_), Some(name)) = (patch.str("kind"), name) {
            return Some(name.place.clone());
        }
        self.wrong(&patch.place, "a patch says its `kind` and `metadata.name`, with a target too");
        None
    }
}

/// A patch with a target has texts in the place of labels and annotations that are null: kustomize
/// copies them as words before it merges.
fn with_words(mut patch: Node) -> Node {
    for what in ["labels", "annotations"] {
        let Some(map) = edit::at_mut(&mut patch, &["metadata", what]) else { continue };
        let Value::Map(entries) = &mut map.value else { continue };
        for entry in entries.iter_mut().filter(|entry| entry.node.is_null()) {
            let place = &entry.node.place;
            let line = place.source.line(place.line).unwrap_or_default();
            let start = usize::try_from(place.column.saturating_sub(1)).unwrap_or_default();
            let word: String =
                line.chars().skip(start).take_while(|c| "nulNUL~".contains(*c)).collect();
            entry.node = edit::text(word, place);
        }
    }
    patch
}

fn is_said(text: &str) -> bool {
    !text.trim().is_empty()
}

fn version(group: &str, version: &str) -> String {
    let text = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    if text.is_empty() { "no version".to_owned() } else { text }
}

/// Gives a key the value that it had, or none.
fn restore(node: &mut Node, key: &str, old: Option<Entry>) {
    match old {
        Some(old) => edit::set(node, key, &old.place, old.node),
        None => {
            edit::remove(node, key);
        }
    }
}
