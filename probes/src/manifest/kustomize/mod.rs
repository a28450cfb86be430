//! What a `kustomization.yaml` builds, each value with the place where it is written.
//!
//! A value that a patch writes has its place in the patch, one of a transformer in the
//! kustomization, one of a generator in the file that it comes from. What is not read here
//! (programs, charts, remote folders) is said, so that nobody takes the objects for what is
//! deployed; where there is a [`Tool`], it is asked instead.
//!
//! Source: `sigs.k8s.io/kustomize/api`, whose order and oddities are followed; the tests hold it
//! against the real one.

mod build;
mod document;
mod edit;
mod fields;
mod generate;
mod hash;
mod images;
mod labels;
mod lists;
mod merge;
mod names;
mod namespace;
mod operations;
mod order;
mod patches;
mod paths;
mod references;
mod replacements;
mod replicas;
mod resource;
mod select;
mod targets;
#[cfg(test)]
mod tests;
mod tool;
mod transform;
mod unlisted;

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use super::files::{Deployment, Files, TroubleKind, shown};
use super::{Inventory, Node, Object, Origin, Place, Source};
use build::Build;
pub(super) use document::file;
use document::{Document, real};
pub use merge::Conflict;
use resource::Resource;
pub use tool::Tool;

/// A kustomization that a deployment was built with.
#[derive(Debug, Clone)]
pub struct Kustomization {
    /// Its folder, as a reader knows it.
    pub folder: String,
    /// The whole of it.
    pub node: Node,
    /// Whether it is a component, which changes whatever it is used with.
    pub component: bool,
    /// Its patches whose target is no object: where the target stands, and the patch.
    pub unmatched: Vec<(Place, Node)>,
    /// Objects in files beside it that nothing brings in.
    pub unlisted: Vec<Object>,
    /// Sources that are no manifests, though values of objects stand in them.
    pub inputs: BTreeSet<String>,
}

/// An object whose name a kustomization has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// `Secret`.
    pub kind: String,
    /// The name that its file has.
    pub from: String,
    /// The name that it has now.
    pub to: String,
    /// Its namespace, where it says one.
    pub namespace: Option<String>,
    /// The lines that change names: `namePrefix` and `nameSuffix`; none where only a hash was added.
    pub by: Vec<Place>,
}

impl Kustomization {
    fn new(document: &Document) -> Self {
        Self {
            folder: shown(&document.folder),
            node: document.node.clone(),
            component: document.component,
            unmatched: Vec::new(),
            unlisted: Vec::new(),
            inputs: BTreeSet::from([document.node.place.source.name.clone()]),
        }
    }
}

/// An object with a patch done to it: operations of a JSON patch where it is a list, otherwise a
/// strategic merge. None where the patch deletes the object.
///
/// # Errors
/// [`Conflict`] where the patch does not fit the object.
pub fn patch(mut object: Node, patch: Node) -> Result<Option<Node>, Conflict> {
    if patch.kind() == "a list" {
        operations::apply(&mut object, patch.items())?;
        return Ok(Some(object));
    }
    merge::merge(object, patch)
}

/// Those of these folders that none of the others brings in, built; with the tool, where there is
/// one, what is not read here.
pub(super) fn deployments(
    files: &mut Files,
    folders: &[PathBuf],
    tool: Option<&Tool>,
) -> Vec<Deployment> {
    let mut documents = Vec::new();
    let mut used = HashSet::new();
    for folder in folders {
        let start = Place::start(&Source::file(shown(folder), ""));
        let Some(document) = Document::read(files, folder, &start) else { continue };
        let mut open = Vec::new();
        uses(files, &document, &mut open, &mut used);
        documents.push(document);
    }
    // A component that nothing uses is not deployed, unless it is all that was asked about.
    let alone = documents.iter().all(|document| document.component);
    let top = documents.iter().filter(|document| {
        let used = real(&document.folder).is_none_or(|real| used.contains(&real));
        !used && (alone || !document.component)
    });
    let mut all: Vec<Deployment> =
        top.filter_map(|document| deployment(files, document, alone, tool)).collect();
    unlisted::find(files, &mut all);
    all
}

fn deployment(
    files: &mut Files,
    document: &Document,
    alone: bool,
    tool: Option<&Tool>,
) -> Option<Deployment> {
    let before = files.troubles.len();
    let mut build = Build::new(files, alone);
    let resources = build.top(document);
    let kustomizations = build.kustomizations;
    let renamed = resources.iter().filter_map(renamed).collect();
    let mut objects: Vec<Object> =
        resources.into_iter().filter_map(|resource| Object::new(resource.node)).collect();
    let mut by = None;
    let feature = files.troubles[before..].iter().find(|it| it.kind == TroubleKind::Feature);
    if let (Some(tool), Some(feature)) = (tool, feature) {
        let place = feature.place.clone();
        match tool.build(&document.folder) {
            Ok(text) => {
                objects = tool::placed(&text, &objects, &place);
                // What is not read here was read there, and what is wrong would be wrong there.
                files.troubles.truncate(before);
                by = Some(tool.to_string());
            }
            Err(why) => {
                for trouble in &mut files.troubles[before..] {
                    if trouble.kind == TroubleKind::Feature {
                        trouble.also.push((trouble.place.clone(), format!("{tool}: {why}")));
                    }
                }
            }
        }
    }
    if objects.is_empty() {
        return None;
    }
    let mut inventory = Inventory::new(Origin::Files, objects);
    inventory.kustomizations = kustomizations;
    inventory.renamed = renamed;
    Some(Deployment { name: shown(&document.folder), by, inventory })
}

fn renamed(resource: &Resource) -> Option<Renamed> {
    let from = resource.original().name;
    let to = resource.name().to_owned();
    (from != to).then(|| Renamed {
        kind: resource.kind().to_owned(),
        from,
        to,
        namespace: resource.node.str("metadata.namespace").map(str::to_owned),
        by: resource.renamed_by.clone(),
    })
}

/// The folders that one brings in, and those below; says where they come back to themselves.
fn uses(
    files: &mut Files,
    document: &Document,
    open: &mut Vec<PathBuf>,
    used: &mut HashSet<PathBuf>,
) {
    let Some(own) = real(&document.folder) else { return };
    open.push(own);
    let items = document.resources().chain(document.list("components"));
    for item in items.filter(|item| item.as_str().is_some()) {
        let path = document.folder.join(item.as_str().unwrap_or_default());
        let Some(below) = real(&path).filter(|below| below.is_dir()) else { continue };
        if open.contains(&below) {
            let why = format!("{} brings itself in: a cycle", shown(&path));
            files.trouble(TroubleKind::Kustomization, item.place.clone(), why);
            used.insert(below);
        } else if used.insert(below)
            && file(&path).is_some()
            && let Some(document) = Document::read(files, &path, &item.place)
        {
            uses(files, &document, open, used);
        }
    }
    open.pop();
}
