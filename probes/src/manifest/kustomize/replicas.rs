//! `replicas`.

use super::build::Build;
use super::document::Document;
use super::edit;
use super::resource::Resource;

const KINDS: &[&str] = &["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"];

/// Sets how many pods of a name there are.
pub(super) fn set(build: &mut Build<'_>, document: &Document, all: &mut [Resource]) {
    for item in document.list("replicas") {
        let Some(name) = item.get("name").and_then(|name| name.as_str()) else {
            build.wrong(&item.place, "expected a `name` and a `count`");
            continue;
        };
        // kustomize takes a count that is not said for 0.
        let count = item.get("count").cloned().unwrap_or_else(|| {
            let value = crate::manifest::Value::Number("0".to_owned());
            crate::manifest::Node { value, place: item.place.clone() }
        });
        let place = count.place.clone();
        if count.as_i64().is_none() {
            build.wrong(&place, format!("a number was expected, not {}", count.kind()));
            continue;
        }
        let mut found = false;
        if !build.look(all, &place) {
            return;
        }
        for resource in all.iter_mut() {
            let fits = |kind: &str, other: &str| KINDS.contains(&kind) && other == name;
            if !resource.ids().iter().any(|id| fits(&id.kind, &id.name)) {
                continue;
            }
            found = true;
            if let Some(spec) = edit::map_mut(&mut resource.node, "spec", &place) {
                edit::set(spec, "replicas", &place, count.clone());
            }
        }
        if !found {
            let why = format!("there is no {} {name}", KINDS.join(" or "));
            build.missing(&item.get("name").unwrap_or(item).place.clone(), why);
        }
    }
}
