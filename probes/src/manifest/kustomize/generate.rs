//! `configMapGenerator` and `secretGenerator`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::manifest::files;
use crate::manifest::{Entry, Node, Place, Source, Text, Value};

use super::build::Build;
use super::document::Document;
use super::edit;
use super::resource::Resource;

/// One key of what is generated.
struct Pair {
    key: String,
    place: Place,
    content: Content,
}

/// Its value: the text of a file, a part of a line, or bytes that are no text.
enum Content {
    File(String, Place),
    Line(String, Place),
    Bytes(Vec<u8>, Place),
}

impl Build<'_> {
    /// Makes the ConfigMaps and Secrets of a kustomization.
    pub(super) fn generate(&mut self, document: &Document, all: &mut Vec<Resource>) {
        let common = document.entry("generatorOptions").map(|entry| &entry.node);
        for (key, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
            for item in document.list(key) {
                if let Some(resource) = self.make(document, item, kind, common) {
                    self.absorb(item, resource, all);
                }
            }
        }
    }

    fn make(
        &mut self,
        document: &Document,
        item: &Node,
        kind: &str,
        common: Option<&Node>,
    ) -> Option<Resource> {
        let place = &item.place;
        let Some(name) = item.get("name").filter(|name| name.as_str().is_some_and(is_said)) else {
            self.wrong(place, "a generated object needs a `name`");
            return None;
        };
        let mut metadata = edit::empty(place);
        edit::set(&mut metadata, "name", &name.place, name.clone());
        if let Some(namespace) = item.get("namespace").filter(|it| it.as_str().is_some_and(is_said))
        {
            edit::set(&mut metadata, "namespace", &namespace.place, namespace.clone());
        }
        let own = item.get("options");
        for what in ["labels", "annotations"] {
            // Those of one generator win over those of all.
            for options in [common, own].into_iter().flatten() {
                for entry in options.map(what) {
                    let values = edit::map_mut(&mut metadata, what, &entry.place)?;
                    edit::set(values, &entry.key, &entry.place, entry.node.clone());
                }
            }
        }
        let mut node = edit::empty(place);
        edit::set(&mut node, "apiVersion", place, edit::text("v1", place));
        edit::set(&mut node, "kind", place, edit::text(kind, place));
        edit::set(&mut node, "metadata", place, metadata);
        if kind == "Secret" {
            let said = item.get("type").filter(|it| it.as_str().is_some_and(is_said)).cloned();
            let value = said.unwrap_or_else(|| edit::text("Opaque", place));
            edit::set(&mut node, "type", &value.place.clone(), value);
            edit::set(&mut node, "data", place, edit::empty(place));
        }
        let mut known: Vec<String> = Vec::new();
        for pair in self.pairs(document, item) {
            if known.contains(&pair.key) {
                self.wrong(&pair.place, format!("the key {} is there twice", pair.key));
                continue;
            }
            known.push(pair.key.clone());
            let (part, value) = pair.content.value(kind == "Secret");
            let values = edit::map_mut(&mut node, part, place)?;
            edit::set(values, &pair.key, &pair.place, value);
        }
        let options = [common, own].into_iter().flatten();
        let says = |key: &str| options.clone().any(|it| it.bool(key) == Some(true));
        if says("immutable") {
            let value = Node { value: Value::Bool(true), place: place.clone() };
            edit::set(&mut node, "immutable", place, value);
        }
        let mut resource = Resource::new(node);
        resource.hashed = !says("disableNameSuffixHash");
        Some(resource)
    }

    /// Adds what was generated, or puts it into or in place of what there is, as it says.
    fn absorb(&mut self, item: &Node, mut new: Resource, all: &mut Vec<Resource>) {
        let id = new.id();
        let behavior = item.get("behavior").and_then(Node::scalar).unwrap_or("create");
        let place = item.get("behavior").map_or(&item.place, |node| &node.place);
        if !self.look(all, place) {
            return;
        }
        let found = all.iter().position(|other| other.ids().contains(&id));
        let (Some(at), true) = (found, matches!(behavior, "merge" | "replace")) else {
            return match (found, behavior) {
                (None, "merge" | "replace") => {
                    self.missing(place, format!("there is no {id} to {behavior}"));
                }
                (Some(_), _) => {
                    let why = format!("{id} is there already: `behavior` says merge or replace");
                    self.wrong(&item.place, why);
                }
                (None, _) => all.push(new),
            };
        };
        let Some(old) = all.get_mut(at) else { return };
        let start = new.node.place.clone();
        if let Some(metadata) = edit::map_mut(&mut new.node, "metadata", &start) {
            for key in ["name", "namespace"] {
                edit::remove(metadata, key);
                if let Some(entry) = old.node.get("metadata").and_then(|it| it.entry(key)) {
                    edit::set(metadata, key, &entry.place, entry.node.clone());
                }
            }
            for what in ["labels", "annotations"] {
                under(metadata, what, old.node.at(&format!("metadata.{what}")));
            }
        }
        if behavior == "merge" {
            for part in ["data", "binaryData"] {
                under(&mut new.node, part, old.node.get(part));
            }
        }
        new.previous.clone_from(&old.previous);
        new.prefixes.clone_from(&old.prefixes);
        new.suffixes.clone_from(&old.suffixes);
        new.renamed_by.clone_from(&old.renamed_by);
        new.hashed &= old.hashed;
        *old = new;
    }

    fn pairs(&mut self, document: &Document, item: &Node) -> Vec<Pair> {
        let mut all = Vec::new();
        let single = item.get("env").filter(|node| node.as_str().is_some());
        for path in item.list("envs").iter().chain(single) {
            self.lines(document, path, &mut all);
        }
        for literal in item.list("literals") {
            match literal.as_str().and_then(|text| text.split_once('=')) {
                Some((key, value)) if !key.is_empty() => {
                    let place = literal.place.clone();
                    let content = Content::Line(unquoted(value).to_owned(), place.clone());
                    all.push(Pair { key: key.to_owned(), place, content });
                }
                _ => self.wrong(&literal.place, "a literal is `key=value`"),
            }
        }
        for file in item.list("files") {
            all.extend(self.file_pair(document, file));
        }
        all
    }

    fn file_pair(&mut self, document: &Document, file: &Node) -> Option<Pair> {
        let text = file.as_str().unwrap_or_default();
        let (key, path) = match text.split('=').collect::<Vec<_>>().as_slice() {
            [path] => (path.rsplit('/').next().unwrap_or(path).to_owned(), (*path).to_owned()),
            [key, path] if !key.is_empty() && !path.is_empty() => {
                ((*key).to_owned(), (*path).to_owned())
            }
            _ => {
                self.wrong(&file.place, "a file is `path` or `key=path`");
                return None;
            }
        };
        let whole = document.folder.join(&path);
        if !whole.is_file() {
            let why = format!("{path} is not there");
            self.wrong(&file.place, why);
            return None;
        }
        let content = match self.files.content(&whole)? {
            files::Content::Text(source, text) => Content::File(text, Place::start(&source)),
            files::Content::Bytes(name, bytes) => {
                Content::Bytes(bytes, Place::start(&Source::file(name, "")))
            }
        };
        Some(Pair { key, place: file.place.clone(), content })
    }

    /// The lines `key=value` of a file.
    fn lines(&mut self, document: &Document, path: &Node, all: &mut Vec<Pair>) {
        let Some(source) = self.named(document, path) else { return };
        for (number, line) in (1..).zip(source.text.lines()) {
            let trimmed = line.trim_start();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let (key, value) = trimmed.split_once('=').unwrap_or((trimmed, ""));
            let before = line.chars().count() - value.chars().count();
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let length = count(value.chars().count());
            let place = Place::new(&source, number, count(before) + 1, length);
            let start = count(line.chars().count() - trimmed.chars().count()) + 1;
            let own = Place::new(&source, number, start, count(key.chars().count()));
            let content = Content::Line(value.to_owned(), place);
            all.push(Pair { key: key.to_owned(), place: own, content });
        }
    }
}

impl Content {
    /// Under which key of the object it stands, and as what.
    fn value(self, secret: bool) -> (&'static str, Node) {
        if secret {
            let (bytes, place) = match self {
                Self::File(text, place) | Self::Line(text, place) => (text.into_bytes(), place),
                Self::Bytes(bytes, place) => (bytes, place),
            };
            return ("data", edit::text(STANDARD.encode(bytes), &place));
        }
        match self {
            Self::File(text, place) => {
                let value = Value::Text(Text { text, block: Some((1, 0)) });
                ("data", Node { value, place })
            }
            Self::Line(text, place) => ("data", edit::text(text, &place)),
            Self::Bytes(bytes, place) => ("binaryData", edit::text(STANDARD.encode(bytes), &place)),
        }
    }
}

/// Puts the keys of an older map under those of a newer one, which win.
fn under(node: &mut Node, key: &str, old: Option<&Node>) {
    let Some(old) = old.filter(|old| !old.entries().is_empty()) else { return };
    let new: Vec<Entry> = node.map(key).to_vec();
    let mut both = old.clone();
    for entry in new {
        edit::set(&mut both, &entry.key, &entry.place, entry.node);
    }
    edit::set(node, key, &old.place, both);
}

fn is_said(text: &str) -> bool {
    !text.is_empty()
}

/// A value without the quotes around it, where both are there.
fn unquoted(text: &str) -> &str {
    let inside = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}
