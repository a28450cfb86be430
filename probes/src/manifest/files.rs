//! Manifests from folders, files and standard input.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::kustomize::{self, Tool};
use super::text::{self, Decoded};
use super::walk::Walk;
use super::yaml::{self, MAX_BYTES, Unread};
use super::{Inventory, Node, Object, Origin, Place, Source};

/// The most files that are read.
pub const MAX_FILES: usize = 10_000;
/// The most bytes that are read of all files together.
pub const MAX_ALL: usize = 64 << 20;
/// The most objects that are read, so that no tree takes long.
pub const MAX_OBJECTS: usize = 20_000;

/// Something that is to be read.
#[derive(Debug, Clone)]
pub enum Input {
    /// A file, or a folder with what is below it.
    Path(PathBuf),
    /// A text that came otherwise, and what to call it.
    Text(String, Vec<u8>),
}

/// What was read.
#[derive(Debug, Default)]
pub struct Tree {
    /// What is deployed as one: the loose files, and each kustomization that none of the others
    /// uses.
    pub deployments: Vec<Deployment>,
    /// Every file that was read.
    pub sources: Vec<Arc<Source>>,
    /// What could not be read, and why.
    pub troubles: Vec<Trouble>,
}

/// Objects that are deployed as one.
#[derive(Debug)]
pub struct Deployment {
    /// The folder of a kustomization; empty for loose files.
    pub name: String,
    /// Who built it: `kubectl kustomize`; none for our own reading.
    pub by: Option<String>,
    /// The objects.
    pub inventory: Inventory,
}

/// Something that could not be read.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// What kind of thing.
    pub kind: TroubleKind,
    /// Where.
    pub place: Place,
    /// What is wrong there, lower case.
    pub why: String,
    /// Places that prove it.
    pub also: Vec<(Place, String)>,
}

/// What kind of thing a [`Trouble`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TroubleKind {
    /// No YAML, no UTF-8, no object: nobody can read it.
    Broken,
    /// A key that stands twice in one map.
    Twice,
    /// A template that was not rendered.
    Template,
    /// A feature of Kustomize that is not read here.
    Feature,
    /// A kustomization that nobody can build.
    Kustomization,
    /// More than is read, or not to be opened.
    Limit,
}

impl Trouble {
    /// A trouble at a place.
    pub fn new(kind: TroubleKind, place: Place, why: impl Into<String>) -> Self {
        Self { kind, place, why: why.into(), also: Vec::new() }
    }
}

/// Reads manifests. Nothing is an error: what cannot be read is said in [`Tree::troubles`].
pub fn read(inputs: &[Input]) -> Tree {
    read_with(inputs, None)
}

/// Reads manifests, and has a tool build the kustomizations that use what is not read here.
pub fn read_with(inputs: &[Input], tool: Option<&Tool>) -> Tree {
    let mut files = Files::default();
    let mut walk = Walk::default();
    for input in inputs {
        match input {
            Input::Text(name, bytes) => {
                let source = files.take(name, bytes.clone());
                walk.loose.extend(source.map(|source| files.objects(&source)).unwrap_or_default());
            }
            Input::Path(path) if path.is_dir() => walk.folder(&mut files, path, 0, false),
            Input::Path(path) => walk.file(&mut files, path, true),
        }
    }
    let Walk { loose, folders, .. } = walk;
    let built = kustomize::deployments(&mut files, &folders, tool);
    // Two overlays come upon what is wrong with a base that they share.
    let mut said = HashSet::new();
    files.troubles.retain(|trouble| said.insert((trouble.place.to_string(), trouble.why.clone())));
    let mut tree = Tree { sources: files.sources, troubles: files.troubles, ..Tree::default() };
    if !loose.is_empty() {
        let inventory = Inventory::new(Origin::Files, loose);
        tree.deployments.push(Deployment { name: String::new(), by: None, inventory });
    }
    tree.deployments.extend(built);
    tree
}

/// What reads files, and remembers which.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) sources: Vec<Arc<Source>>,
    pub(super) troubles: Vec<Trouble>,
    /// The sources by their names.
    known: HashMap<String, Arc<Source>>,
    bytes: usize,
    objects: usize,
    full: bool,
}

/// What a file holds.
pub(super) enum Content {
    Text(Arc<Source>, String),
    Bytes(String, Vec<u8>),
}

impl Files {
    /// Says what is wrong.
    pub(super) fn trouble(&mut self, kind: TroubleKind, place: Place, why: impl Into<String>) {
        self.troubles.push(Trouble::new(kind, place, why));
    }

    /// The text of a file; none, with the reason said, where it cannot be had.
    pub(super) fn source(&mut self, path: &Path) -> Option<Arc<Source>> {
        if let Some(known) = self.known.get(&shown(path)) {
            return Some(Arc::clone(known));
        }
        // To open a pipe is to wait for whoever writes into it, and a device has no end.
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            let place = Place::start(&Source::file(shown(path), ""));
            self.trouble(TroubleKind::Limit, place, "it is no file: a pipe, a socket or a device");
            return None;
        }
        self.opened(path)
    }

    /// The text of a file that nobody has named: of what is no manifest by its name, only what says
    /// that it is one.
    pub(super) fn met(&mut self, path: &Path) -> Option<Arc<Source>> {
        let other = |bytes: Vec<u8>| !says_that_it_is_an_object(&bytes);
        if is_json(path) && path.is_file() && content_of(path).is_ok_and(other) {
            return None;
        }
        self.source(path)
    }

    /// As [`source`](Self::source), whatever it is that the path leads to.
    pub(super) fn opened(&mut self, path: &Path) -> Option<Arc<Source>> {
        let name = shown(path);
        if self.sources.len() >= MAX_FILES {
            let why = format!("this and more files were not read: {MAX_FILES} are enough");
            self.no_more(Place::start(&Source::file(name, "")), why);
            return None;
        }
        match content_of(path) {
            Ok(bytes) => self.take(&name, bytes),
            Err(error) => {
                let place = Place::start(&Source::file(name, ""));
                self.trouble(TroubleKind::Limit, place, unopened(&error));
                None
            }
        }
    }

    /// The content of a file that need not be a text: a source and the whole text, or its name and
    /// its bytes.
    pub(super) fn content(&mut self, path: &Path) -> Option<Content> {
        let found = fs::metadata(path);
        let small = found.is_ok_and(|it| it.is_file() && it.len() <= MAX_BYTES as u64);
        let bytes = if small { fs::read(path).unwrap_or_default() } else { Vec::new() };
        match String::from_utf8(bytes) {
            Ok(text) => Some(Content::Text(self.source(path)?, text)),
            Err(error) => Some(Content::Bytes(shown(path), error.into_bytes())),
        }
    }

    /// Says once that there is more than is read.
    pub(super) fn no_more(&mut self, place: Place, why: impl Into<String>) {
        if !std::mem::replace(&mut self.full, true) {
            self.trouble(TroubleKind::Limit, place, why);
        }
    }

    /// The source of what was read, where it is a text of a size that is read.
    fn take(&mut self, name: &str, bytes: Vec<u8>) -> Option<Arc<Source>> {
        let start = || Place::start(&Source::file(name, ""));
        if bytes.len() > MAX_BYTES {
            let why = format!("the file has more than {} MiB: it was not read", MAX_BYTES >> 20);
            self.trouble(TroubleKind::Limit, start(), why);
            return None;
        }
        self.bytes += bytes.len();
        if self.bytes > MAX_ALL {
            let why =
                format!("this and more files were not read: {} MiB are enough", MAX_ALL >> 20);
            self.no_more(start(), why);
            return None;
        }
        match text::decode(bytes) {
            Decoded::Text(text) => {
                let source = Source::file(name, text);
                self.sources.push(Arc::clone(&source));
                self.known.insert(name.to_owned(), Arc::clone(&source));
                Some(source)
            }
            Decoded::Broken { text, good, why } => {
                let (line, column) = position(&text.as_bytes()[..good]);
                let place = Place::new(&Source::file(name, text), line, column, 1);
                self.trouble(TroubleKind::Broken, place, why);
                None
            }
        }
    }

    /// The documents of a file; none, with the reason said, where it is not YAML.
    pub(super) fn documents(&mut self, source: &Arc<Source>) -> Vec<Node> {
        if let Some(at) = text::forbidden(&source.text) {
            let (line, column) = position(&source.text.as_bytes()[..at]);
            let char = source.text[at..].chars().next().unwrap_or_default();
            let why = format!("the control character U+{:04X} may not stand here", u32::from(char));
            self.trouble(TroubleKind::Broken, Place::new(source, line, column, 1), why);
            return Vec::new();
        }
        match yaml::read(source) {
            Ok(_) if is_template(&source.text) => {
                self.template(source);
                Vec::new()
            }
            Ok(documents) => documents,
            Err(Unread::Broken(_)) if is_template(&source.text) || is_directed(&source.text) => {
                self.template(source);
                Vec::new()
            }
            Err(Unread::Broken(error)) => {
                self.trouble(TroubleKind::Broken, error.place, error.why);
                Vec::new()
            }
            Err(Unread::Limit(error)) => {
                self.trouble(TroubleKind::Limit, error.place, error.why);
                Vec::new()
            }
        }
    }

    fn template(&mut self, source: &Arc<Source>) {
        let at = source.text.find("{{").unwrap_or_default();
        let (line, column) = position(&source.text.as_bytes()[..at]);
        let place = Place::new(source, line, column, 2);
        self.trouble(
            TroubleKind::Template,
            place,
            "a template of Helm: render it first, as with `helm template`",
        );
    }

    /// The objects of a file, those of lists among them.
    pub(super) fn objects(&mut self, source: &Arc<Source>) -> Vec<Object> {
        let mut objects = Vec::new();
        for document in self.documents(source) {
            self.open(document, &mut objects);
        }
        objects
    }

    pub(super) fn open(&mut self, node: Node, objects: &mut Vec<Object>) {
        let kind = node.str("kind").unwrap_or_default();
        if kind.ends_with("List") && node.get("items").is_some_and(|items| items.kind() == "a list")
        {
            node.list("items").iter().for_each(|item| self.open(item.clone(), objects));
            return;
        }
        // Values of a chart and other YAML lie beside manifests, and are none.
        let meant = node.get("metadata").is_some_and(|metadata| metadata.get("name").is_some());
        let (has_kind, has_version) =
            (node.get("kind").is_some(), node.get("apiVersion").is_some());
        if meant && has_kind != has_version {
            let missing = if has_kind { "apiVersion" } else { "kind" };
            let place = node.at("metadata.name").map_or(&node.place, |name| &name.place).clone();
            self.trouble(TroubleKind::Broken, place, format!("an object without `{missing}`"));
        }
        if has_kind && has_version {
            self.twice(&node);
        }
        self.objects += usize::from(has_kind && has_version);
        if self.objects > MAX_OBJECTS {
            let why = format!("this and more objects were not read: {MAX_OBJECTS} are enough");
            return self.no_more(node.place, why);
        }
        objects.extend(Object::new(node));
    }

    /// The keys that stand twice in one map: the API server is shown the last one only.
    fn twice(&mut self, node: &Node) {
        let mut seen: HashMap<&str, &Place> = HashMap::new();
        for entry in node.entries() {
            if let Some(first) = seen.insert(&entry.key, &entry.place) {
                let why = format!("`{}` stands twice in one map", entry.key);
                let mut trouble = Trouble::new(TroubleKind::Twice, entry.place.clone(), why);
                trouble.also.push((first.clone(), "the first one".to_owned()));
                self.troubles.push(trouble);
            }
            self.twice(&entry.node);
        }
        node.items().iter().for_each(|item| self.twice(item));
    }
}

/// A path as a reader knows it, without `.` and with `..` taken back.
pub(super) fn shown(path: &Path) -> String {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(clean.components().next_back(), Some(Component::Normal(_))) =>
            {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    if clean.as_os_str().is_empty() { ".".to_owned() } else { clean.display().to_string() }
}

/// The endings that `kubectl apply -f FOLDER` takes.
/// What a file holds, up to a little more than is taken.
fn content_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn is_manifest(path: &Path) -> bool {
    is_json(path) || path.extension().is_some_and(|end| end == "yaml" || end == "yml")
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "json")
}

fn says_that_it_is_an_object(bytes: &[u8]) -> bool {
    let holds = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
    holds(b"\"apiVersion\"") && holds(b"\"kind\"")
}

/// Whether a text that is YAML all the same is a template of Helm.
fn is_template(text: &str) -> bool {
    text.split("{{").skip(1).any(|rest| {
        let inside = rest.split("}}").next().unwrap_or_default();
        inside.contains(".Values.") || inside.contains(".Release.") || inside.contains("include \"")
    })
}

/// Whether a line of a text that is no YAML is one of a template's own.
fn is_directed(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with("{{"))
}

pub(super) fn unopened(error: &io::Error) -> String {
    format!("it cannot be opened: {error}")
}

/// Line and column, from 1, of the end of a text.
fn position(text: &[u8]) -> (u32, u32) {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let line = text.iter().filter(|byte| **byte == b'\n').count();
    let start = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&text[start..]).chars().count();
    (count(line + 1), count(column + 1))
}
