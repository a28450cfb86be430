//! The order of what is built, and what is left out of it.

use crate::manifest::Node;

use super::build::Build;
use super::document::Document;
use super::resource::{Id, Resource};

/// Kinds that come first, in this order.
const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come last.
const LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Leaves out what is marked as meant for tools alone.
pub(super) fn drop_local(all: &mut Vec<Resource>) {
    all.retain(|resource| {
        let annotations = resource.node.at("metadata.annotations");
        let mark = annotations.and_then(|it| it.get("config.kubernetes.io/local-config"));
        mark.is_none_or(|mark| mark.scalar() == Some("false"))
    });
}

/// Puts the objects into kustomize's order, or leaves them in that of the files where the
/// kustomization says so.
pub(super) fn sort(build: &mut Build<'_>, document: &Document, all: &mut [Resource]) {
    let options = document.entry("sortOptions").map(|entry| &entry.node);
    let (mut first, mut last) = (words(FIRST), words(LAST));
    match options.and_then(|options| options.get("order")).and_then(Node::scalar) {
        Some("fifo") => return,
        Some("legacy") | None => {}
        Some(other) => {
            let place = options.map_or(&document.node.place, |options| &options.place);
            return build.wrong(place, format!("`{other}` is no order: expected legacy or fifo"));
        }
    }
    if let Some(own) = options.and_then(|options| options.get("legacySortOptions")) {
        let list = |key: &str| -> Vec<String> {
            own.list(key).iter().filter_map(Node::as_str).map(str::to_owned).collect()
        };
        (first, last) = (list("orderFirst"), list("orderLast"));
    }
    let rank = |id: &Id| {
        let at = |list: &[String]| list.iter().rposition(|kind| *kind == id.kind);
        match (at(&last), at(&first)) {
            (Some(at), _) => (2, at),
            (None, Some(at)) => (0, at),
            (None, None) => (1, 0),
        }
    };
    all.sort_by_cached_key(|resource| {
        let id = resource.id();
        (rank(&id), group(&id), names(resource))
    });
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

/// Group, version and kind as the order compares them: no group comes after all others.
fn group(id: &Id) -> String {
    let group = if id.group.is_empty() { "~G" } else { &id.group };
    let version = if id.version.is_empty() { "~V" } else { &id.version };
    format!("{group}_{version}_{}", id.kind)
}

fn names(resource: &Resource) -> String {
    let namespace = resource.node.str("metadata.namespace").filter(|name| !name.is_empty());
    format!("{}|{}", namespace.unwrap_or("~X"), resource.name())
}
