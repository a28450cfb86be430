//! `config.json`, and where it is mounted.

use crate::lint::view::{MountedFile, VolumeKind};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Element shows an error in place of the login where its configuration is no JSON. The web
    /// server's probes stay green.
    ///
    /// Source: Element Web, `docs/config.md`.
    BROKEN = "ELE-01" Error: "config.json is JSON"
    breaks "Element shows \"misconfigured\" to everybody, while its pod is Ready"
    remedy "correct the JSON at the place that is named"
    cause "element-config-invalid"
    check "kubernetes.configmaps"
    look broken
}

rule! {
    /// A mount by `subPath` of a key that the ConfigMap lacks becomes an empty directory.
    ///
    /// Source: Kubernetes, "Volumes", "Using subPath"; the image reads `/app/config.json`.
    OTHER_KEY = "ELE-02" Error: "the mount of config.json names a key of its ConfigMap"
    breaks "the container does not start, or Element runs with the configuration of its makers"
    remedy "use the ConfigMap's own key in subPath"
    cause "configuration-not-found"
    check "kubernetes.configmaps"
    look other_key
}

fn broken(stack: &Stack<'_>, found: &mut Found) {
    for file in stack.element.iter().filter_map(|element| element.configuration.as_ref()) {
        if let Some((place, why)) = &file.error {
            let message = format!("{} is no JSON: {why}", file.key);
            found.place(file.object, place.clone(), message);
        }
    }
}

fn other_key(stack: &Stack<'_>, found: &mut Found) {
    for element in &stack.element {
        let Some((workload, container)) = element.workload else { continue };
        let file = workload.file(stack, &container, "/app/config.json");
        let Some(MountedFile::Missing { name, key }) = file else { continue };
        let Some(map) = stack.inventory.beside(workload.object, "ConfigMap", name) else {
            continue;
        };
        let of_it = |mount: &&crate::lint::view::Mount<'_>| {
            mount.volume.is_some_and(|volume| volume.kind == VolumeKind::ConfigMap(name))
        };
        let mounts = workload.mounts(&container);
        let Some(mount) = mounts.iter().find(of_it) else { continue };
        let keys: Vec<&str> = map.node.map("data").iter().map(|it| it.key.as_str()).collect();
        let node = mount.node.get("subPath").unwrap_or(mount.node);
        let message = format!("ConfigMap {name} has no key {key}; it has {}", keys.join(", "));
        found.at(workload.object, node, message).also_place(map.place(), "the ConfigMap");
    }
}
