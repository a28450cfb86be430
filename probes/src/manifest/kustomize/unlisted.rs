//! Files beside a kustomization that nothing brings in.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::manifest::files::{Deployment, Files, shown};
use crate::manifest::{Node, Object, yaml};

use super::{Kustomization, file};

/// The most files that are looked at beside one kustomization.
const MAX_FILES: usize = 1_000;

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

/// All that the kustomizations name, and those above them, by which a file may be used in a way
/// that is not read here.
fn names(deployments: &[Deployment]) -> String {
    let mut text = String::new();
    let all = deployments.iter().flat_map(|one| &one.inventory.kustomizations);
    for kustomization in all {
        text.push_str(&kustomization.node.place.source.text);
        for above in Path::new(&kustomization.folder).ancestors().skip(1).take(8) {
            let other = file(above).and_then(|path| fs::read_to_string(path).ok());
            text.push_str(&other.unwrap_or_default());
        }
    }
    text
}

fn beside(
    files: &mut Files,
    kustomization: &Kustomization,
    read: &BTreeSet<String>,
    named: &str,
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
            let known = read.contains(&shown(&path)) || named.contains(&name);
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
