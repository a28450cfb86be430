//! `namespace`.

use crate::manifest::Place;

use super::build::Build;
use super::document::Document;
use super::edit;
use super::fields::Field;
use super::resource::{Resource, cluster_scoped};

/// Fields with a namespace, besides the object's own.
const FIELDS: &[Field<'_>] = &[
    Field { group: "", version: "v1", kind: "Namespace", path: "metadata/name", create: true },
    Field {
        group: "apiregistration.k8s.io",
        version: "",
        kind: "APIService",
        path: "spec/service/namespace",
        create: true,
    },
    Field {
        group: "apiextensions.k8s.io",
        version: "",
        kind: "CustomResourceDefinition",
        path: "spec/conversion/webhook/clientConfig/service/namespace",
        create: false,
    },
];

/// Puts all objects into the namespace, those of kinds that kustomize does not know among them.
pub(super) fn set(build: &mut Build<'_>, document: &Document, all: &mut [Resource]) {
    let Some((namespace, place)) = build.word(document, "namespace") else { return };
    for resource in all {
        resource.remember();
        one(resource, namespace, place);
    }
}

fn one(resource: &mut Resource, namespace: &str, place: &Place) {
    let value = || edit::text(namespace, place);
    if !cluster_scoped(resource.group(), resource.kind())
        && let Some(metadata) = edit::map_mut(&mut resource.node, "metadata", place)
    {
        edit::set(metadata, "namespace", place, value());
    }
    let kind = resource.kind().to_owned();
    for field in FIELDS.iter().filter(|field| field.kind == kind) {
        field.each(&mut resource.node, place, &mut |node| *node = value());
    }
    if matches!(kind.as_str(), "RoleBinding" | "ClusterRoleBinding") {
        // Only the account that every namespace has is one of the namespace for sure.
        let subjects = Field { group: "", version: "", kind: "", path: "subjects", create: false };
        subjects.each(&mut resource.node, place, &mut |node| {
            let crate::manifest::Value::List(items) = &mut node.value else { return };
            for item in items.iter_mut().filter(|item| item.str("name") == Some("default")) {
                edit::set(item, "namespace", place, value());
            }
        });
    }
}
