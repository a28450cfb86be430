//! Selectors of labels, over what is known of labels.

use mxdoctor_probes::manifest::{Entry, Node, Object};

use super::super::Workload;
use super::Truth;
use crate::lint::Stack;

/// What is known of something's labels.
#[derive(Debug, Clone, Copy)]
pub enum Labels<'a> {
    /// A pod template's.
    Template(&'a [Entry]),
    /// Those that CloudNativePG gives to the instances of a Cluster.
    Instances(&'a Object),
    /// A namespace's of this name, and the object where the inventory has it.
    Namespace(&'a str, Option<&'a Object>),
    /// Nothing is known of them.
    Hidden,
}

/// The label that every namespace has, with its name.
pub(super) const NAME: &str = "kubernetes.io/metadata.name";

/// Labels that controllers add to the pods of a template.
const ADDED: &[&str] = &[
    "pod-template-hash",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/",
    "statefulset.kubernetes.io/",
    "apps.kubernetes.io/",
];

impl<'a> Labels<'a> {
    /// The labels of a workload's pods.
    pub fn of(workload: &Workload<'a>) -> Self {
        Self::Template(workload.labels)
    }

    /// The labels of a namespace.
    pub fn of_namespace(stack: &Stack<'a>, name: &'a str) -> Self {
        Self::Namespace(name, stack.inventory.named("Namespace", name).next())
    }

    /// Whether a label has a value.
    fn is(&self, key: &str, value: &str) -> Truth {
        match self {
            Self::Hidden => Truth::Unknown,
            Self::Template(labels) => match get(labels, key) {
                Some(has) => (has == value).into(),
                None => unseen(ADDED.iter().any(|added| key.starts_with(added))),
            },
            Self::Namespace(name, _) if key == NAME => (*name == value).into(),
            Self::Namespace(_, None) => Truth::Unknown,
            Self::Namespace(_, Some(object)) => (get(object.labels(), key) == Some(value)).into(),
            Self::Instances(cluster) => instance_is(cluster, key, value),
        }
    }

    /// Whether there is a label.
    fn has(&self, key: &str) -> Truth {
        match self {
            Self::Hidden => Truth::Unknown,
            Self::Template(labels) if get(labels, key).is_some() => Truth::Yes,
            Self::Template(_) => unseen(ADDED.iter().any(|added| key.starts_with(added))),
            Self::Namespace(..) if key == NAME => Truth::Yes,
            Self::Namespace(_, None) => Truth::Unknown,
            Self::Namespace(_, Some(object)) => get(object.labels(), key).is_some().into(),
            Self::Instances(cluster) => match key {
                "cnpg.io/cluster" | "cnpg.io/instanceName" => Truth::Yes,
                _ if inherited(cluster, key).is_some() => Truth::Yes,
                _ => unseen(of_operator(key) || get(cluster.labels(), key).is_some()),
            },
        }
    }
}

/// A label that is not seen: it may be there, or it is not.
fn unseen(may_be: bool) -> Truth {
    if may_be { Truth::Unknown } else { Truth::No }
}

fn get<'a>(labels: &'a [Entry], key: &str) -> Option<&'a str> {
    labels.iter().rev().find(|entry| entry.key == key)?.node.scalar()
}

/// A label that a Cluster asks for on all that is made for it.
fn inherited<'a>(cluster: &'a Object, key: &str) -> Option<&'a str> {
    get(cluster.node.map("spec.inheritedMetadata.labels"), key)
}

/// Whether releases of CloudNativePG set a label by themselves.
fn of_operator(key: &str) -> bool {
    key == "role" || key.starts_with("cnpg.io/") || key.starts_with("app.kubernetes.io/")
}

/// Whether a label of an instance has a value. Of a Cluster's own labels the operator hands on
/// those that its configuration names.
fn instance_is(cluster: &Object, key: &str, value: &str) -> Truth {
    if let Some(has) = inherited(cluster, key) {
        return (has == value).into();
    }
    let name = cluster.name();
    let may_be = match key {
        "cnpg.io/cluster" => return (value == name).into(),
        "cnpg.io/instanceRole" | "role" => matches!(value, "primary" | "replica"),
        "cnpg.io/podRole" => value == "instance",
        "cnpg.io/instanceName" => value.starts_with(name),
        "app.kubernetes.io/name" => value == "postgresql",
        "app.kubernetes.io/component" => value == "database",
        "app.kubernetes.io/instance" => value == name,
        "app.kubernetes.io/managed-by" => value == "cloudnative-pg",
        _ => key.starts_with("cnpg.io/") || key == "app.kubernetes.io/version",
    };
    unseen(may_be || get(cluster.labels(), key) == Some(value))
}

/// Whether a selector (`matchLabels` and `matchExpressions`, all of them) fits labels. An empty
/// one fits everything.
pub fn fits(selector: &Node, labels: Labels<'_>) -> Truth {
    let equal = selector.map("matchLabels").iter();
    let equal = equal.map(|entry| match entry.node.scalar() {
        Some(value) => labels.is(&entry.key, value),
        None => Truth::Unknown,
    });
    let expressions = selector.list("matchExpressions").iter();
    Truth::all(equal.chain(expressions.map(|one| expression(one, labels))))
}

fn expression(node: &Node, labels: Labels<'_>) -> Truth {
    let key = node.str("key").unwrap_or_default();
    let values = node.list("values").iter().filter_map(Node::scalar);
    let one_of = || Truth::any(values.map(|value| labels.is(key, value)));
    match node.str("operator") {
        Some("In") => one_of(),
        // What lacks the label is not in either.
        Some("NotIn") => !one_of(),
        Some("Exists") => labels.has(key),
        Some("DoesNotExist") => !labels.has(key),
        _ => Truth::Unknown,
    }
}

/// Whether a selector is empty: it fits everything.
pub fn is_empty(selector: &Node) -> bool {
    selector.map("matchLabels").is_empty() && selector.list("matchExpressions").is_empty()
}

/// A selector in the words of a message: `app=synapse, tier in (a, b)`.
pub fn told(selector: &Node) -> String {
    let equal = selector.map("matchLabels").iter();
    let mut parts: Vec<String> = equal
        .map(|entry| format!("{}={}", entry.key, entry.node.scalar().unwrap_or_default()))
        .collect();
    parts.extend(selector.list("matchExpressions").iter().map(|one| {
        let key = one.str("key").unwrap_or_default();
        let values: Vec<_> = one.list("values").iter().filter_map(Node::scalar).collect();
        match one.str("operator") {
            Some("In") => format!("{key} in ({})", values.join(", ")),
            Some("NotIn") => format!("{key} not in ({})", values.join(", ")),
            Some("DoesNotExist") => format!("no {key}"),
            _ => key.to_owned(),
        }
    }));
    if parts.is_empty() { "everything".to_owned() } else { parts.join(", ") }
}
