//! Whether a changed configuration reaches the pods.

use crate::lint::view::{VolumeKind, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A file that is mounted by `subPath` and a variable are never refreshed in a running pod,
    /// and nothing restarts it: the configuration that was applied and the one that runs differ
    /// until somebody restarts the pod for another reason.
    ///
    /// Silent where the name has a hash (a generator of Kustomize), the ConfigMap is immutable, so
    /// that each edit makes another, the pod template carries an annotation with a checksum, or
    /// Reloader or Wave watches the workload.
    ///
    /// Source: Kubernetes, "ConfigMaps", "Mounted ConfigMaps are updated automatically".
    STALE = "KUS-06" Warning: "a changed ConfigMap restarts the pods that read it only once"
    breaks "after an edit the pods run on with the old configuration"
    remedy "use a configMapGenerator, or an annotation on the pod template with the file's checksum"
    cause "configuration-not-refreshed"
    check ""
    look_in_files stale
}

fn stale(stack: &Stack<'_>, found: &mut Found) {
    for workload in stack.workloads.iter().filter(|workload| !workload.runs_once()) {
        if watched(workload) {
            continue;
        }
        for (name, how) in read_once(workload) {
            let Some(map) = stack.inventory.beside(workload.object, "ConfigMap", &name) else {
                continue;
            };
            if map.node.bool("immutable") == Some(true) {
                continue;
            }
            let message = format!("ConfigMap {name} is read {how}, and no change restarts the pod");
            found.on(workload.object, message).also_place(map.place(), "the ConfigMap");
        }
    }
}

/// The ConfigMaps that a workload reads once, each with how.
fn read_once(workload: &Workload<'_>) -> Vec<(String, &'static str)> {
    let mut all: Vec<(String, &'static str)> = Vec::new();
    let mut add = |name: &str, how| {
        if !hashed(name) && !all.iter().any(|(known, _)| known == name) {
            all.push((name.to_owned(), how));
        }
    };
    for container in workload.containers() {
        for mount in workload.mounts(&container) {
            let by_path = mount.node.str("subPath").is_some();
            if let (true, Some(VolumeKind::ConfigMap(name))) =
                (by_path, mount.volume.map(|v| v.kind))
            {
                add(name, "by subPath");
            }
        }
        for from in container.node.list("envFrom") {
            if let Some(name) = from.str("configMapRef.name") {
                add(name, "as variables");
            }
        }
        for env in container.node.list("env") {
            if let Some(name) = env.str("valueFrom.configMapKeyRef.name") {
                add(name, "as variables");
            }
        }
    }
    all
}

/// Whether something restarts the pods when the configuration changes.
fn watched(workload: &Workload<'_>) -> bool {
    let template = ["spec.template", "spec.jobTemplate.spec.template"];
    let of_template = template.iter().filter_map(|path| workload.object.at(path));
    let annotations = of_template
        .flat_map(|template| template.map("metadata.annotations"))
        .chain(workload.object.annotations());
    let mut keys = annotations.map(|entry| entry.key.to_ascii_lowercase());
    keys.any(|key| {
        ["checksum", "hash", "reloader.stakater.com", "update-on-config-change"]
            .iter()
            .any(|word| key.contains(word))
    })
}

/// Whether a name ends in the ten characters of Kustomize's hash.
fn hashed(name: &str) -> bool {
    // Source: kustomize/api/hasher: the characters of a hash, encoded so that they form no words.
    let of_hash = |c: char| "bcdfghkmt2456789".contains(c);
    name.rsplit_once('-').is_some_and(|(_, end)| end.len() == 10 && end.chars().all(of_hash))
}

#[cfg(test)]
mod tests {
    use super::hashed;
    use crate::lint::testing::{element, found};

    #[test]
    fn a_mount_by_path_without_a_checksum_is_found() {
        let text = element("{}");
        let message = "ConfigMap element-config is read by subPath, and no change restarts the pod";
        let problems = found("KUS-06", &text);
        assert!(problems[0].ends_with(message), "{problems:?}");
        let good = "  template:\n    metadata:\n      annotations: {checksum/config: a1}\n";
        let good = text.replace("  template:\n    metadata:\n", good);
        assert_eq!(found("KUS-06", &good), [""; 0]);
        let immutable = text.replacen("\ndata:\n", "\nimmutable: true\ndata:\n", 1);
        assert_eq!(found("KUS-06", &immutable), [""; 0]);
        // A mounted folder is refreshed by the kubelet.
        assert_eq!(found("KUS-06", &text.replace(", subPath: config.json", "")), [""; 0]);
    }

    #[test]
    fn the_hash_of_a_generator_is_known() {
        assert!(hashed("element-config-m2g9t4k5hd"));
        assert!(!hashed("element-configured"));
    }
}
