//! The objects of one deployment.

use std::collections::HashMap;
use std::fmt;

use super::{Entry, Kustomization, Node, Place, Renamed};

/// An object of Kubernetes, with the place of each of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The whole object.
    pub node: Node,
}

/// Where an [`Inventory`] came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Files: nothing has a status, and what is not there may come from elsewhere.
    Files,
    /// An API server: objects have what controllers wrote.
    Live,
}

/// The objects of one deployment, from files or from an API server.
#[derive(Debug, Clone)]
pub struct Inventory {
    objects: Vec<Object>,
    /// Where the objects came from.
    pub origin: Origin,
    /// The kustomizations that they were built with.
    pub kustomizations: Vec<Kustomization>,
    /// Those whose names a kustomization has changed.
    pub renamed: Vec<Renamed>,
    by_kind: HashMap<String, Vec<usize>>,
    by_name: HashMap<(String, String), Vec<usize>>,
}

impl Object {
    /// An object, where the value has the shape of one: a kind and a version.
    pub fn new(node: Node) -> Option<Self> {
        node.str("kind")?;
        node.str("apiVersion")?;
        Some(Self { node })
    }

    /// `apps/v1`.
    pub fn api_version(&self) -> &str {
        self.node.str("apiVersion").unwrap_or_default()
    }

    /// The API group; empty for the core.
    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// `Deployment`.
    pub fn kind(&self) -> &str {
        self.node.str("kind").unwrap_or_default()
    }

    /// The name; empty where it has none.
    pub fn name(&self) -> &str {
        self.node.at("metadata.name").and_then(Node::scalar).unwrap_or_default()
    }

    /// The namespace, where it says one.
    pub fn namespace(&self) -> Option<&str> {
        self.node.str("metadata.namespace")
    }

    /// The labels.
    pub fn labels(&self) -> &[Entry] {
        self.node.map("metadata.labels")
    }

    /// The annotations.
    pub fn annotations(&self) -> &[Entry] {
        self.node.map("metadata.annotations")
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&Node> {
        self.node.at("metadata.annotations")?.get(key)
    }

    /// The value at a path of keys and positions.
    pub fn at(&self, path: &str) -> Option<&Node> {
        self.node.at(path)
    }

    /// Where to point when something that should be there is not: its name, or its start.
    pub fn place(&self) -> &Place {
        self.node.at("metadata.name").map_or(&self.node.place, |name| &name.place)
    }
}

impl fmt::Display for Object {
    /// `Deployment synapse`, as messages name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())
    }
}

impl Inventory {
    /// An inventory of these objects, in this order.
    pub fn new(origin: Origin, objects: Vec<Object>) -> Self {
        let mut by_kind: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_name: HashMap<(String, String), Vec<usize>> = HashMap::new();
        for (index, object) in objects.iter().enumerate() {
            by_kind.entry(object.kind().to_owned()).or_default().push(index);
            let key = (object.kind().to_owned(), object.name().to_owned());
            by_name.entry(key).or_default().push(index);
        }
        let (kustomizations, renamed) = (Vec::new(), Vec::new());
        Self { objects, origin, kustomizations, renamed, by_kind, by_name }
    }

    /// An inventory of some of the objects, by their positions in [`objects`](Self::objects), and
    /// built with the same kustomizations.
    pub fn only(&self, indices: &[usize]) -> Self {
        let objects = indices.iter().filter_map(|index| self.objects.get(*index)).cloned();
        let mut some = Self::new(self.origin, objects.collect());
        some.kustomizations.clone_from(&self.kustomizations);
        some.renamed.clone_from(&self.renamed);
        some
    }

    /// All objects, in the order of the source.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The objects of a kind.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Object> {
        self.pick(self.by_kind.get(kind))
    }

    /// The objects of a kind and name, in any namespace.
    pub fn named(&self, kind: &str, name: &str) -> impl Iterator<Item = &Object> {
        self.pick(self.by_name.get(&(kind.to_owned(), name.to_owned())))
    }

    /// The object of a kind and name that `from` means: the one in its own namespace. An object
    /// that says no namespace is in whichever it is applied to, so it is in every one.
    pub fn beside(&self, from: &Object, kind: &str, name: &str) -> Option<&Object> {
        self.named(kind, name).find(|found| shares(found.namespace(), from.namespace()))
    }

    fn pick<'a>(&'a self, found: Option<&'a Vec<usize>>) -> impl Iterator<Item = &'a Object> {
        found.into_iter().flatten().filter_map(|index| self.objects.get(*index))
    }
}

/// Whether two namespaces may be one: an object that says none is in whichever it is applied to.
pub fn shares(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}
