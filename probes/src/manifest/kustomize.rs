//! The files that a `kustomization.yaml` brings together.
//!
//! What it names as resources, bases and components is read, each value with its own place. What it
//! would change about them (patches, generators, prefixes …) is not done here but said, so that
//! nobody takes the objects for what is deployed.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::{Deployment, Files, TroubleKind, shown};
use super::{Entry, Inventory, Node, Object, Origin, Place, Source};

/// The names that Kustomize looks for, in its order.
const NAMES: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Keys that bring objects in.
const RESOURCES: &[&str] = &["resources", "bases", "components"];

/// Keys that change nothing about the objects that rules look at.
const HARMLESS: &[&str] =
    &["apiVersion", "kind", "metadata", "generatorOptions", "sortOptions", "buildMetadata"];

/// The kustomization of a folder, where it has one.
pub(super) fn file(folder: &Path) -> Option<PathBuf> {
    NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// Those of these folders that none of the others brings in, as deployments.
pub(super) fn deployments(files: &mut Files, folders: &[PathBuf]) -> Vec<Deployment> {
    let mut found = Vec::new();
    let mut used = HashSet::new();
    for folder in folders {
        let mut reader = Reader { files, used: &mut used, open: Vec::new(), objects: Vec::new() };
        reader.folder(folder, None);
        let objects = reader.objects;
        found.push((folder, objects));
    }
    let top = found.into_iter().filter(|(folder, objects)| {
        !objects.is_empty() && !real(folder).is_ok_and(|real| used.contains(&real))
    });
    let deployment = |(folder, objects): (&PathBuf, Vec<Object>)| Deployment {
        name: shown(folder),
        by: None,
        inventory: Inventory::new(Origin::Files, objects),
    };
    top.map(deployment).collect()
}

fn real(path: &Path) -> std::io::Result<PathBuf> {
    fs::canonicalize(path)
}

struct Reader<'a> {
    files: &'a mut Files,
    /// The folders that another one brings in.
    used: &'a mut HashSet<PathBuf>,
    /// The folders that are being read, outermost first.
    open: Vec<PathBuf>,
    objects: Vec<Object>,
}

impl Reader<'_> {
    fn wrong(&mut self, place: &Place, why: impl Into<String>) {
        self.files.trouble(TroubleKind::Kustomization, place.clone(), why);
    }

    /// Reads a folder, for the line that names it.
    fn folder(&mut self, folder: &Path, from: Option<&Place>) {
        let start = Place::start(&Source::file(shown(folder), ""));
        let from = from.unwrap_or(&start);
        let Some(path) = file(folder) else {
            return self.wrong(from, format!("{} has no kustomization.yaml", shown(folder)));
        };
        let Ok(real) = real(folder) else { return };
        if self.open.contains(&real) {
            return self.wrong(from, format!("{} brings itself in: a cycle", shown(folder)));
        }
        self.open.push(real);
        if let Some(source) = self.files.source(&path) {
            for document in self.files.documents(&source) {
                self.document(folder, &document);
            }
        }
        self.open.pop();
    }

    fn document(&mut self, folder: &Path, document: &Node) {
        for entry in document.entries() {
            match entry.key.as_str() {
                key if RESOURCES.contains(&key) => {
                    entry.node.items().iter().for_each(|item| self.resource(folder, item));
                }
                key if HARMLESS.contains(&key) => {}
                _ => self.feature(folder, entry),
            }
        }
    }

    fn feature(&mut self, folder: &Path, entry: &Entry) {
        let why = format!(
            "`{}` is not applied here: run `kubectl kustomize {} | mxdoctor lint -`",
            entry.key,
            shown(folder)
        );
        self.files.trouble(TroubleKind::Feature, entry.place.clone(), why);
    }

    fn resource(&mut self, folder: &Path, item: &Node) {
        let Some(name) = item.as_str() else {
            return self.wrong(&item.place, format!("a path was expected, not {}", item.kind()));
        };
        let path = folder.join(name);
        if path.is_dir() {
            self.used.extend(real(&path));
            self.folder(&path, Some(&item.place));
        } else if path.is_file() {
            if let Some(source) = self.files.source(&path) {
                let objects = self.files.objects(&source);
                self.objects.extend(objects);
            }
        } else if is_remote(name) {
            let why = format!("{name} is elsewhere and was not read");
            self.files.trouble(TroubleKind::Feature, item.place.clone(), why);
        } else {
            self.wrong(&item.place, format!("{name} is not there"));
        }
    }
}

fn is_remote(name: &str) -> bool {
    name.contains("://")
        || name.contains("?ref=")
        || name.starts_with("git@")
        || name.starts_with("github.com/")
}

#[cfg(test)]
mod tests {
    use crate::manifest::files::{Input, Tree, read};

    fn tree(files: &[(&str, &str)]) -> (Tree, String) {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        let root = folder.path().display().to_string();
        (read(&[Input::Path(folder.path().to_owned())]), root)
    }

    fn troubles((tree, root): &(Tree, String)) -> Vec<String> {
        let said = |place: &dyn std::fmt::Display, why: &str| {
            format!("{place}: {why}").replace(&format!("{root}/"), "")
        };
        tree.troubles.iter().map(|trouble| said(&trouble.place, &trouble.why)).collect()
    }

    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

    #[test]
    fn only_what_is_brought_in_is_read() {
        let read = tree(&[
            ("base/kustomization.yaml", "resources:\n- a.yaml\n"),
            ("base/a.yaml", MAP),
            ("base/patch.yaml", MAP),
            ("over/kustomization.yaml", "resources:\n- ../base\n"),
        ]);
        assert_eq!(troubles(&read), [""; 0]);
        let names: Vec<_> = read.0.deployments.iter().map(|one| &one.name).collect();
        assert_eq!(names, [&format!("{}/over", read.1)]);
        assert_eq!(read.0.deployments[0].inventory.objects().len(), 1);
    }

    #[test]
    fn what_is_wrong_or_not_applied_is_said_with_its_line() {
        let read = tree(&[
            ("a/kustomization.yaml", "resources:\n- ../b\n- gone.yaml\nnamePrefix: x-\n"),
            ("b/kustomization.yaml", "resources:\n- ../a\n- https://example.org/c.yaml\n"),
        ]);
        let said = troubles(&read);
        for part in [
            "a/kustomization.yaml:3:3: gone.yaml is not there",
            "a/kustomization.yaml:4:1: `namePrefix` is not applied here",
            "b/kustomization.yaml:3:3: https://example.org/c.yaml is elsewhere",
            "b/kustomization.yaml:2:3: ",
        ] {
            assert!(said.iter().any(|line| line.starts_with(part)), "{part}: {said:?}");
        }
        assert!(said.iter().any(|line| line.ends_with("a cycle")), "{said:?}");
    }
}
