//! Manifests from folders, files and standard input.

use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::kustomize::{self, Tool};
use super::yaml::{self, MAX_BYTES};
use super::{Inventory, Node, Object, Origin, Place, Source};

/// The most files that are read.
pub const MAX_FILES: usize = 10_000;
/// The deepest folder below the one that was given.
const MAX_FOLDERS: usize = 32;

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
    let mut loose = Vec::new();
    let mut folders = Vec::new();
    for input in inputs {
        match input {
            Input::Text(name, bytes) => {
                let source = files.decode(name, bytes.clone());
                loose.extend(source.map(|source| files.objects(&source)).unwrap_or_default());
            }
            Input::Path(path) if path.is_dir() => {
                let mut walk =
                    Walk { seen: HashSet::new(), loose: &mut loose, folders: &mut folders };
                files.walk(path, 0, false, &mut walk);
            }
            Input::Path(path) => {
                let source = files.source(path);
                loose.extend(source.map(|source| files.objects(&source)).unwrap_or_default());
            }
        }
    }
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

/// What a walk through folders comes upon.
struct Walk<'a> {
    seen: HashSet<PathBuf>,
    loose: &'a mut Vec<Object>,
    /// The folders with a kustomization.
    folders: &'a mut Vec<PathBuf>,
}

/// What reads files, and remembers which.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) sources: Vec<Arc<Source>>,
    pub(super) troubles: Vec<Trouble>,
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

    /// Looks through a folder; `below` a kustomization only for others of them, because files there
    /// are brought in by it, or by nobody.
    fn walk(&mut self, folder: &Path, depth: usize, below: bool, walk: &mut Walk<'_>) {
        let here = Place::start(&Source::file(shown(folder), ""));
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        if depth > MAX_FOLDERS || !walk.seen.insert(real) {
            return;
        }
        let built = kustomize::file(folder).is_some();
        if built {
            walk.folders.push(folder.to_owned());
            // What was asked about is this one.
            if depth == 0 {
                return;
            }
        }
        let below = below || built;
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.trouble(TroubleKind::Limit, here, unopened(&error)),
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                self.walk(&path, depth + 1, below, walk);
            } else if !below
                && is_yaml(&path)
                && let Some(source) = self.source(&path)
            {
                walk.loose.extend(self.objects(&source));
            }
        }
    }

    /// The text of a file; none, with the reason said, where it cannot be had.
    pub(super) fn source(&mut self, path: &Path) -> Option<Arc<Source>> {
        let name = shown(path);
        if let Some(known) = self.sources.iter().find(|source| source.name == name) {
            return Some(Arc::clone(known));
        }
        let place = || Place::start(&Source::file(name.clone(), ""));
        if self.sources.len() >= MAX_FILES {
            if !std::mem::replace(&mut self.full, true) {
                let why = format!("this and more files were not read: {MAX_FILES} are enough");
                self.trouble(TroubleKind::Limit, place(), why);
            }
            return None;
        }
        let size = fs::metadata(path).map_or(0, |found| found.len());
        if size > MAX_BYTES as u64 {
            let why = format!("the file has {} MiB; {} are read", size >> 20, MAX_BYTES >> 20);
            self.trouble(TroubleKind::Limit, place(), why);
            return None;
        }
        match fs::read(path) {
            Ok(bytes) => self.decode(&name, bytes),
            Err(error) => {
                self.trouble(TroubleKind::Limit, place(), unopened(&error));
                None
            }
        }
    }

    /// The content of a file that need not be a text: a source and the whole text, or its name and
    /// its bytes.
    pub(super) fn content(&mut self, path: &Path) -> Option<Content> {
        let small = fs::metadata(path).is_ok_and(|found| found.len() <= MAX_BYTES as u64);
        let bytes = if small { fs::read(path).unwrap_or_default() } else { Vec::new() };
        match String::from_utf8(bytes) {
            Ok(text) => Some(Content::Text(self.source(path)?, text)),
            Err(error) => Some(Content::Bytes(shown(path), error.into_bytes())),
        }
    }

    fn decode(&mut self, name: &str, bytes: Vec<u8>) -> Option<Arc<Source>> {
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
                let source = Source::file(name, text);
                self.sources.push(Arc::clone(&source));
                Some(source)
            }
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let (line, column) = position(&error.as_bytes()[..good]);
                let byte = error.as_bytes().get(good).copied().unwrap_or_default();
                let place = Place::new(&Source::file(name, text), line, column, 1);
                let why = format!("the byte 0x{byte:02x} is not UTF-8");
                self.trouble(TroubleKind::Broken, place, why);
                None
            }
        }
    }

    /// The documents of a file; none, with the reason said, where it is not YAML.
    pub(super) fn documents(&mut self, source: &Arc<Source>) -> Vec<Node> {
        match yaml::documents(source) {
            Ok(_) if is_template(&source.text) => {
                self.template(source);
                Vec::new()
            }
            Ok(documents) => documents,
            Err(_) if source.text.contains("{{") => {
                self.template(source);
                Vec::new()
            }
            Err(error) => {
                self.trouble(TroubleKind::Broken, error.place, error.why);
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
        objects.extend(Object::new(node));
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

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "yaml" || end == "yml")
}

/// Whether a text that is YAML all the same is a template of Helm.
fn is_template(text: &str) -> bool {
    text.split("{{").skip(1).any(|rest| {
        let inside = rest.split("}}").next().unwrap_or_default();
        inside.contains(".Values.") || inside.contains(".Release.") || inside.contains("include \"")
    })
}

fn unopened(error: &std::io::Error) -> String {
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
