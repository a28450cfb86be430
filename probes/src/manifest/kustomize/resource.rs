//! An object on its way through a build, with the names that it had.

use crate::manifest::{Node, Place, Value};

use super::edit;

/// An object that is being built.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub(super) node: Node,
    /// The names that it had before, the first one first.
    pub(super) previous: Vec<Id>,
    pub(super) prefixes: Vec<String>,
    pub(super) suffixes: Vec<String>,
    /// The lines that gave it another name.
    pub(super) renamed_by: Vec<Place>,
    /// Whether its name gets a hash of its content at the end.
    pub(super) hashed: bool,
}

/// What tells an object from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// The namespace that counts: `default` where it says none, nothing for what is in none.
    pub(super) namespace: Option<String>,
}

/// Kinds that kustomize knows to live in no namespace; any other one is taken to live in one.
const CLUSTER_SCOPED: &[(&str, &str)] = &[
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("", "ComponentStatus"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("networking.k8s.io", "IngressClass"),
    ("node.k8s.io", "RuntimeClass"),
    ("policy", "PodSecurityPolicy"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
];

/// Whether kustomize knows that a kind lives in no namespace.
pub(super) fn cluster_scoped(group: &str, kind: &str) -> bool {
    CLUSTER_SCOPED.contains(&(group, kind))
}

/// Group and version of `apps/v1`.
pub(super) fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// The namespace that counts, of one that is written.
pub(super) fn effective(group: &str, kind: &str, namespace: Option<&str>) -> Option<String> {
    if cluster_scoped(group, kind) {
        return None;
    }
    Some(namespace.filter(|name| !name.is_empty()).unwrap_or("default").to_owned())
}

impl Id {
    /// Whether group, version and kind are these, where they are said.
    pub(super) fn is(&self, group: &str, version: &str, kind: &str) -> bool {
        let fits = |wanted: &str, have: &str| wanted.is_empty() || wanted == have;
        fits(group, &self.group) && fits(version, &self.version) && fits(kind, &self.kind)
    }
}

impl std::fmt::Display for Id {
    /// `Deployment synapse in app-matrix`, for messages.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        match self.namespace.as_deref() {
            None | Some("default") => Ok(()),
            Some(namespace) => write!(f, " in {namespace}"),
        }
    }
}

impl Resource {
    pub(super) fn new(node: Node) -> Self {
        let (previous, renamed_by) = (Vec::new(), Vec::new());
        let (prefixes, suffixes) = (Vec::new(), Vec::new());
        Self { node, previous, prefixes, suffixes, renamed_by, hashed: false }
    }

    pub(super) fn kind(&self) -> &str {
        self.node.str("kind").unwrap_or_default()
    }

    pub(super) fn api_version(&self) -> &str {
        self.node.str("apiVersion").unwrap_or_default()
    }

    pub(super) fn group(&self) -> &str {
        group_version(self.api_version()).0
    }

    pub(super) fn name(&self) -> &str {
        self.node.at("metadata.name").and_then(Node::scalar).unwrap_or_default()
    }

    /// What it is now.
    pub(super) fn id(&self) -> Id {
        id(&self.node)
    }

    /// What it was at first.
    pub(super) fn original(&self) -> Id {
        self.previous.first().cloned().unwrap_or_else(|| self.id())
    }

    /// What it was, and what it is now.
    pub(super) fn ids(&self) -> Vec<Id> {
        let mut all = self.previous.clone();
        all.push(self.id());
        all
    }

    /// Remembers what it is now, before that changes.
    pub(super) fn remember(&mut self) {
        let id = self.id();
        self.previous.push(id);
    }

    /// Gives it another name, which stands where the old one did.
    pub(super) fn rename(&mut self, name: String) {
        if let Some(node) = edit::at_mut(&mut self.node, &["metadata", "name"]) {
            node.value = edit::text(name, &node.place).value;
        }
    }

    /// Whether nothing is left of it.
    pub(super) fn is_gone(&self) -> bool {
        match &self.node.value {
            Value::Map(entries) => entries.is_empty(),
            _ => true,
        }
    }
}

/// What an object is.
pub(super) fn id(node: &Node) -> Id {
    let (group, version) = group_version(node.str("apiVersion").unwrap_or_default());
    let kind = node.str("kind").unwrap_or_default();
    let name = node.at("metadata.name").and_then(Node::scalar).unwrap_or_default();
    let namespace = node.at("metadata.namespace").and_then(Node::scalar);
    Id {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: effective(group, kind, namespace),
    }
}
