//! A kustomization as it is written.

use std::fs;
use std::path::{Path, PathBuf};

use crate::manifest::files::{Files, TroubleKind, shown};
use crate::manifest::{Entry, Node, Place, Source};

/// The names that kustomize looks for, in its order.
const NAMES: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Keys that are read here.
const READ: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "resources",
    "bases",
    "components",
    "namespace",
    "namePrefix",
    "nameSuffix",
    "labels",
    "commonLabels",
    "commonAnnotations",
    "images",
    "imageTags",
    "replicas",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "replacements",
    "sortOptions",
    "buildMetadata",
];

/// Keys that are not read here: programs, charts, other schemas, and what is out of use.
const UNREAD: &[&str] = &[
    "openapi",
    "crds",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "helmCharts",
    "helmGlobals",
    "helmChartInflationGenerator",
    "vars",
];

/// A kustomization, with the folder that it stands in.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) folder: PathBuf,
    pub(super) node: Node,
    pub(super) component: bool,
}

/// The kustomization of a folder, where it has one.
pub(in crate::manifest) fn file(folder: &Path) -> Option<PathBuf> {
    let mut paths = NAMES.iter().map(|name| folder.join(name));
    paths.find(|path| path.is_file() && !is_flux(path))
}

/// A folder's real path, by which it is known however it is named.
pub(super) fn real(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

impl Document {
    /// Reads the kustomization of a folder, for the line that names it; says what is wrong with it.
    pub(super) fn read(files: &mut Files, folder: &Path, from: &Place) -> Option<Self> {
        let wrong = |files: &mut Files, place: &Place, why: String| {
            files.trouble(TroubleKind::Kustomization, place.clone(), why);
        };
        let there: Vec<_> = NAMES.iter().filter(|name| folder.join(name).is_file()).collect();
        let Some(path) = there.first().map(|name| folder.join(name)) else {
            wrong(files, from, format!("{} has no kustomization.yaml", shown(folder)));
            return None;
        };
        if let [first, second, ..] = there.as_slice() {
            let why = format!("{} has both {first} and {second}", shown(folder));
            wrong(files, &Place::start(&Source::file(shown(&path), "")), why);
        }
        let source = files.source(&path)?;
        let start = Place::start(&source);
        let node = files.documents(&source).into_iter().next();
        let says = |entry: &Entry| {
            !matches!(entry.key.as_str(), "apiVersion" | "kind") && !is_empty(&entry.node)
        };
        let Some(node) = node.filter(|node| node.entries().iter().any(says)) else {
            wrong(files, &start, "the kustomization is empty".to_owned());
            return None;
        };
        let document = Self { folder: folder.to_owned(), component: component(&node), node };
        document.check(files);
        Some(document)
    }

    fn check(&self, files: &mut Files) {
        for entry in self.node.entries() {
            let known = |key: &str| key.eq_ignore_ascii_case(&entry.key);
            if !READ.iter().any(|key| known(key)) && !UNREAD.iter().any(|key| known(key)) {
                let why = format!("`{}` is no field of a kustomization", entry.key);
                files.trouble(TroubleKind::Kustomization, entry.place.clone(), why);
            }
        }
        let kind = self.node.get("kind");
        let expected = if self.component { "v1alpha1" } else { "v1beta1" };
        let expected = format!("kustomize.config.k8s.io/{expected}");
        let pairs = [
            (kind, if self.component { "Component" } else { "Kustomization" }),
            (self.node.get("apiVersion"), expected.as_str()),
        ];
        for (value, expected) in pairs {
            let Some(value) = value.filter(|value| value.as_str() != Some(expected)) else {
                continue;
            };
            let there = value.scalar().unwrap_or("nothing");
            let why = format!("{expected} was expected, not {there}");
            files.trouble(TroubleKind::Kustomization, value.place.clone(), why);
        }
    }

    /// A key with its value, where it says something; kustomize takes keys in any case.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        let mut found = self.node.entries().iter().rev();
        found.find(|entry| entry.key.eq_ignore_ascii_case(key) && !is_empty(&entry.node))
    }

    /// The items of a list.
    pub(super) fn list(&self, key: &str) -> &[Node] {
        self.entry(key).map_or(&[], |entry| entry.node.items())
    }

    /// The keys of a map.
    pub(super) fn map(&self, key: &str) -> &[Entry] {
        self.entry(key).map_or(&[], |entry| entry.node.entries())
    }

    /// What it uses that is not read here.
    pub(super) fn unread(&self) -> impl Iterator<Item = &Entry> {
        UNREAD.iter().filter_map(|key| self.entry(key))
    }

    /// The folders and files that it brings in, in kustomize's order.
    pub(super) fn resources(&self) -> impl Iterator<Item = &Node> {
        self.list("resources").iter().chain(self.list("bases"))
    }
}

fn component(node: &Node) -> bool {
    node.str("kind") == Some("Component")
}

fn is_empty(node: &Node) -> bool {
    node.is_null()
        || node.as_str() == Some("")
        || (node.scalar().is_none() && node.items().is_empty() && node.entries().is_empty())
}

/// Whether a file of that name is an object of Flux, which has a kind of the same name.
fn is_flux(path: &Path) -> bool {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().any(|line| {
        let version = line.strip_prefix("apiVersion:").map(|rest| rest.trim_matches([' ', '"']));
        version.is_some_and(|version| version.contains("kustomize.toolkit.fluxcd.io/"))
    })
}
