//! One build: from a folder to objects, through the folders below it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::manifest::files::{Files, TroubleKind, shown};
use crate::manifest::{Node, Object, Place, Source};

use super::document::{Document, real};
use super::resource::Resource;
use super::{Kustomization, hash, order, references, transform};

/// The most folders that a build goes into, the most objects, and the most bytes that patches and
/// the like write, so that a few lines that name each other do not fill the memory.
const MAX_FOLDERS: usize = 1_000;
const MAX_OBJECTS: usize = 20_000;
const MAX_WRITTEN: usize = 256 << 20;
/// What a look at an object counts for.
const LOOK: usize = 16;

/// A build that is under way.
pub(super) struct Build<'a> {
    pub(super) files: &'a mut Files,
    /// The folders that are open, outermost first.
    open: Vec<PathBuf>,
    folders: usize,
    objects: usize,
    written: usize,
    full: bool,
    /// Whether something was not read, so that what seems to lack may be there.
    partial: bool,
    /// Whether it is of a component by itself, which has nothing to change.
    pub(super) alone: bool,
    /// What was read on the way.
    pub(super) kustomizations: Vec<Kustomization>,
}

impl<'a> Build<'a> {
    pub(super) fn new(files: &'a mut Files, alone: bool) -> Self {
        Self {
            files,
            open: Vec::new(),
            folders: 0,
            objects: 0,
            written: 0,
            full: false,
            partial: false,
            alone,
            kustomizations: Vec::new(),
        }
    }

    /// Builds a folder.
    pub(super) fn top(&mut self, document: &Document) -> Vec<Resource> {
        let mut all = Vec::new();
        self.document(document, &mut all);
        hash::names(&mut all);
        references::update(self, &mut all);
        order::drop_local(&mut all);
        order::sort(self, document, &mut all);
        all
    }

    /// Says what nobody can build.
    pub(super) fn wrong(&mut self, place: &Place, why: impl Into<String>) {
        self.files.trouble(TroubleKind::Kustomization, place.clone(), why);
    }

    /// Says that something is not there, where all there is was read.
    pub(super) fn missing(&mut self, place: &Place, why: impl Into<String>) {
        if !self.partial {
            self.wrong(place, why);
        }
    }

    /// Says what is not read here.
    fn unread(&mut self, place: &Place, why: String) {
        self.partial = true;
        self.files.trouble(TroubleKind::Feature, place.clone(), why);
    }

    /// Whether so much more may be written; said once where not.
    pub(super) fn spend(&mut self, bytes: usize, place: &Place) -> bool {
        self.written = self.written.saturating_add(bytes);
        self.within(self.written <= MAX_WRITTEN, place)
    }

    /// The same for a look at all objects.
    pub(super) fn look(&mut self, all: &[Resource], place: &Place) -> bool {
        self.spend(LOOK.saturating_mul(all.len()), place)
    }

    fn within(&mut self, fits: bool, place: &Place) -> bool {
        if !fits && !std::mem::replace(&mut self.full, true) {
            let why = "the kustomization comes to more than is read";
            self.files.trouble(TroubleKind::Limit, place.clone(), why);
        }
        fits
    }

    fn document(&mut self, document: &Document, all: &mut Vec<Resource>) {
        let Some(real) = real(&document.folder) else { return };
        self.open.push(real);
        for entry in document.unread() {
            let why = format!(
                "`{}` is not applied here: run `kubectl kustomize {} | mxdoctor lint -`",
                entry.key,
                shown(&document.folder)
            );
            self.unread(&entry.place, why);
        }
        self.kustomizations.push(Kustomization::new(document));
        for item in document.resources() {
            self.resource(document, item, all);
        }
        self.generate(document, all);
        for item in document.list("components") {
            if let Some(below) = self.folder(document, item, true) {
                self.document(&below, all);
            }
        }
        transform::all(self, document, all);
        self.open.pop();
    }

    fn resource(&mut self, document: &Document, item: &Node, all: &mut Vec<Resource>) {
        let Some(name) = item.as_str() else {
            return self.wrong(&item.place, format!("a path was expected, not {}", item.kind()));
        };
        let path = document.folder.join(name);
        let mut new = Vec::new();
        if path.is_file() {
            let Some(source) = self.files.source(&path) else { return };
            new = self.file(&source);
        } else if path.is_dir() {
            let Some(below) = self.folder(document, item, false) else { return };
            self.document(&below, &mut new);
        } else if is_remote(name) {
            let why = format!("{name} is elsewhere and was not read");
            self.unread(&item.place, why);
        } else {
            self.wrong(&item.place, format!("{name} is not there"));
        }
        self.add(item, new, all);
    }

    /// The objects of a file; kustomize takes nothing else.
    fn file(&mut self, source: &Arc<Source>) -> Vec<Resource> {
        let mut found = Vec::new();
        for document in self.files.documents(source) {
            if document.get("kind").is_none() && document.at("metadata.name").is_none() {
                self.wrong(&document.place, "an object was expected: it says no kind");
                continue;
            }
            let mut objects: Vec<Object> = Vec::new();
            self.files.open(document, &mut objects);
            for object in objects {
                if object.name().is_empty() {
                    let why = "an object without a name, which kustomize does not take";
                    self.wrong(&object.node.place, why);
                }
                found.push(Resource::new(object.node));
            }
        }
        found
    }

    /// Adds what one line brings in. What an earlier line has brought in already is not there
    /// twice, but brought in twice.
    fn add(&mut self, item: &Node, new: Vec<Resource>, all: &mut Vec<Resource>) {
        let mut again: Option<Resource> = None;
        for resource in new {
            self.objects += 1;
            if !self.within(self.objects <= MAX_OBJECTS, &item.place) {
                return;
            }
            let id = resource.id();
            let same =
                |other: &&Resource| other.node.place == resource.node.place && other.id() == id;
            match all.iter().find(same) {
                Some(_) => again = again.or(Some(resource)),
                None => all.push(resource),
            }
        }
        if let Some(again) = again {
            let name = item.as_str().unwrap_or_default();
            let why = format!("{name} brings in {} for the second time", again.id());
            self.wrong(&item.place, why);
        }
    }

    /// The kustomization of a folder that a line names.
    fn folder(&mut self, document: &Document, item: &Node, component: bool) -> Option<Document> {
        let name = item.as_str().unwrap_or_default();
        let path = document.folder.join(name);
        let Some(real) = real(&path).filter(|real| real.is_dir()) else {
            if is_remote(name) {
                let why = format!("{name} is elsewhere and was not read");
                self.unread(&item.place, why);
            } else {
                self.wrong(&item.place, format!("{name} is not there"));
            }
            return None;
        };
        if self.open.contains(&real) {
            self.wrong(&item.place, format!("{} brings itself in: a cycle", shown(&path)));
            return None;
        }
        if self.open.iter().any(|open| open.starts_with(&real)) {
            let why = format!("{} is above this folder: kustomize takes it for a cycle", name);
            self.wrong(&item.place, why);
            return None;
        }
        self.folders += 1;
        if !self.within(self.folders <= MAX_FOLDERS, &item.place) {
            return None;
        }
        let below = Document::read(self.files, &path, &item.place)?;
        if below.component != component {
            let (list, kind) = match component {
                true => ("components", "no Component"),
                false => ("resources", "a Component"),
            };
            self.wrong(&item.place, format!("{name} is {kind}, which `{list}` does not take"));
            return None;
        }
        Some(below)
    }

    /// The file that a value of a kustomization names.
    pub(super) fn named(&mut self, document: &Document, path: &Node) -> Option<Arc<Source>> {
        let name = path.as_str().unwrap_or_default();
        let whole = document.folder.join(name);
        if whole.is_file() {
            return self.files.source(&whole);
        }
        if is_remote(name) {
            let why = format!("{name} is elsewhere and was not read");
            self.unread(&path.place, why);
        } else {
            self.wrong(&path.place, format!("{name} is not there"));
        }
        None
    }

    /// Remembers a patch whose target is nothing.
    pub(super) fn unmatched(&mut self, document: &Document, item: &Node) {
        if self.partial {
            return;
        }
        let target = item.entry("target").map_or(&item.place, |target| &target.place);
        let name = shown(&document.folder);
        if let Some(known) = self.kustomizations.iter_mut().rfind(|it| it.folder == name) {
            known.unmatched.push((target.clone(), item.clone()));
        }
    }

    /// Remembers a file whose text is no manifest, though values stand in it.
    pub(super) fn written(&mut self, document: &Document, node: &Node) {
        let name = shown(&document.folder);
        if let Some(known) = self.kustomizations.iter_mut().rfind(|it| it.folder == name) {
            known.inputs.insert(node.place.source.name.clone());
        }
    }
}

pub(super) fn is_remote(name: &str) -> bool {
    name.contains("://")
        || name.contains("?ref=")
        || name.starts_with("git@")
        || name.starts_with("github.com/")
}
