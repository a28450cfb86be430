//! Files beside a kustomization that nothing brings in.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::manifest::files::{Deployment, Files, shown};
use crate::manifest::{Node, Object, Source, yaml};

use super::document::real;
use super::{Kustomization, file};

/// The most files that are looked at beside one kustomization.
const MAX_FILES: usize = 1_000;
/// How many folders above it are looked at for another one, and how long a path is.
const MAX_ABOVE: usize = 8;
const MAX_PATH: usize = 1_000;

/// Tells each kustomization which objects lie beside it in files that nothing has read. It looks
/// into its own folder, and into those below from which it brings in files one by one.
pub(super) fn find(files: &mut Files, deployments: &mut [Deployment]) {
    let read: BTreeSet<String> = files.sources.iter().map(|source| source.name.clone()).collect();
    let named = names(deployments);
    for deployment in deployments {
        for kustomization in &mut deployment.inventory.kustomizations {
            kustomization.unlisted = beside(files, kustomization, &read, &named);
        }
    }
}

/// The paths that the kustomizations name, and those above them, by which a file may be used in a
/// way that is not read here.
fn names(deployments: &[Deployment]) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for kustomization in deployments.iter().flat_map(|one| &one.inventory.kustomizations) {
        let folder = Path::new(&kustomization.folder);
        add(folder, &kustomization.node, &mut paths);
        let whole = real(folder).unwrap_or_default();
        for above in whole.ancestors().skip(1).take(MAX_ABOVE) {
            let text = file(above).and_then(|path| fs::read_to_string(path).ok());
            let source = Source::file("", text.unwrap_or_default());
            for document in yaml::documents(&source).unwrap_or_default() {
                add(above, &document, &mut paths);
            }
        }
    }
    paths
}

/// The paths of the texts in a kustomization; `key=path` among them.
fn add(folder: &Path, node: &Node, paths: &mut BTreeSet<String>) {
    node.scalars(&mut |scalar| {
        let text = scalar.as_str().filter(|text| text.len() < MAX_PATH && !text.contains('\n'));
        let Some(text) = text else { return };
        let path = text.rsplit('=').next().unwrap_or(text);
        paths.insert(shown(&folder.join(path)));
    });
}

fn beside(
    files: &mut Files,
    kustomization: &Kustomization,
    read: &BTreeSet<String>,
    named: &BTreeSet<String>,
) -> Vec<Object> {
    let root = PathBuf::from(&kustomization.folder);
    let mut folders = BTreeSet::from([root.clone()]);
    for item in kustomization.node.list("resources").iter().filter_map(Node::as_str) {
        let path = root.join(item);
        if let Some(parent) = path.parent().filter(|_| path.is_file() && !item.contains("..")) {
            folders.insert(parent.to_owned());
        }
    }
    let mut found = Vec::new();
    for folder in folders.iter().filter(|folder| **folder == root || file(folder).is_none()) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.take(MAX_FILES).map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
            let whole = real(&path).map(|whole| shown(&whole)).unwrap_or_default();
            let own = shown(&path);
            let known = read.contains(&own) || named.contains(&own) || named.contains(&whole);
            if yaml && !known && !name.starts_with('.') && path.is_file() {
                found.extend(objects(files, &path));
            }
        }
    }
    found
}

/// The objects of a file that may be anything: what is wrong with it is nobody's business.
fn objects(files: &mut Files, path: &Path) -> Vec<Object> {
    let (troubles, sources) = (files.troubles.len(), files.sources.len());
    let documents = files.source(path).and_then(|source| yaml::documents(&source).ok());
    files.troubles.truncate(troubles);
    let mut found: Vec<Object> = Vec::new();
    for document in documents.unwrap_or_default() {
        files.open(document, &mut found);
    }
    files.troubles.truncate(troubles);
    found.retain(|object| !object.name().is_empty());
    if found.is_empty() {
        files.sources.truncate(sources);
    }
    found
}
