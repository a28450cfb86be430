//! Claims of pods.

use mxdoctor_probes::manifest::{Node, Object};

use super::super::secrets::near::is_near;
use super::super::synapse::media::keeps_media;
use super::disk::{Disk, disk, is_for_one};
use crate::lint::view::{VolumeKind, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A volume for one node is held by the old pod while a rolling update waits for the new one.
    ///
    /// Silent where the new pod lands on the same node anyway: the workload is kept to one, or the
    /// volume is on a node's own disk; where the old pod ends first (`maxSurge: 0`); and, but for
    /// Synapse, where nothing tells the class of the volume.
    ///
    /// Source: Kubernetes, "Persistent Volumes", access modes; "Deployments", strategy.
    ROLLED = "STO-01" Error: "a workload with a volume for one node is replaced, not rolled"
    breaks "the next rollout waits for ever: Multi-Attach error"
    remedy "strategy: {type: Recreate}, and one replica"
    cause "rollout-deadlock"
    check "kubernetes.rollouts"
    look rolled
}

rule! {
    /// A claim that a pod names has to be there.
    ///
    /// One may be made by hand or by an operator. So this is said only where a claim is here that
    /// nothing mounts, or one of nearly the same name.
    ///
    /// Source: Kubernetes, "Persistent Volumes".
    NO_CLAIM = "STO-02" Error: "a pod's claim is there"
    breaks "the pod is never scheduled: persistentvolumeclaim not found"
    remedy "use the name of the claim, or add it"
    cause "claim-missing"
    check "kubernetes.volumes"
    look no_claim
}

rule! {
    /// Synapse's image runs as 991 and in `run` mode changes no owner. A fresh volume belongs to
    /// root; `fsGroup` gives it to the group.
    ///
    /// Silent about volumes on a node's own disk, which everybody may write to, about those of many
    /// nodes, where the server decides, and where nothing tells the class.
    ///
    /// Source: Synapse, `docker/start.py`; Kubernetes, "Configure volume permission".
    NO_GROUP = "STO-06" Error: "Synapse may write to its volume"
    breaks "uploads end in 500: permission denied for /data/media_store"
    remedy "set securityContext.fsGroup: 991 in the pod template"
    cause "volume-not-writable"
    check "kubernetes.volumes"
    look no_group
}

rule! {
    /// What is in `/data` has to outlive the pod: media, and often the signing key.
    ///
    /// Silent where the configuration is not all here, and where it keeps neither of them in
    /// `/data`, or the media elsewhere as well.
    ///
    /// Source: Synapse's image, `/data`.
    LOST = "STO-07" Critical: "Synapse's /data is on a claim"
    breaks "media, and the key if it is there, are gone with the next restart"
    remedy "mount a claim at /data"
    cause "media-not-kept"
    check "kubernetes.volumes"
    look lost
}

/// The claims of a workload, each with its place.
fn claims<'a>(workload: &Workload<'a>) -> Vec<(&'a str, &'a Node)> {
    let volumes = workload.volumes();
    volumes
        .filter_map(|volume| match volume.kind {
            VolumeKind::Claim(name) => {
                Some((name, volume.node.at("persistentVolumeClaim.claimName")?))
            }
            _ => None,
        })
        .collect()
}

fn rolled(stack: &Stack<'_>, found: &mut Found) {
    for workload in stack.workloads.iter().filter(|it| it.object.kind() == "Deployment") {
        let strategy = workload.object.at("spec.strategy.type").and_then(Node::as_str);
        let surge = workload.object.at("spec.strategy.rollingUpdate.maxSurge");
        let first = surge.and_then(Node::scalar).is_some_and(|it| matches!(it, "0" | "0%"));
        if strategy == Some("Recreate") || first || is_pinned(workload) {
            continue;
        }
        let mut synapse = stack.synapse.iter().filter_map(|synapse| synapse.workload);
        let of_synapse = synapse.any(|(one, _)| std::ptr::eq(one.object, workload.object));
        for (name, node) in claims(workload) {
            let Some(claim) =
                stack.inventory.beside(workload.object, "PersistentVolumeClaim", name)
            else {
                continue;
            };
            let moves = match disk(stack, claim) {
                Disk::Attached => true,
                Disk::Unknown => of_synapse,
                Disk::Local | Disk::Shared => false,
            };
            if is_for_one(claim) && moves {
                let message = format!("a rolling update needs volume {name} on two nodes at once");
                found.at(workload.object, node, message).also_place(claim.place(), "the claim");
            }
        }
    }
}

/// Whether all of a workload's pods are on one node, by its name.
fn is_pinned(workload: &Workload<'_>) -> bool {
    let node = workload.pod.get("nodeSelector");
    workload.pod.get("nodeName").is_some()
        || node.is_some_and(|it| it.get("kubernetes.io/hostname").is_some())
}

fn no_claim(stack: &Stack<'_>, found: &mut Found) {
    for workload in &stack.workloads {
        for (name, node) in claims(workload) {
            if stack.inventory.beside(workload.object, "PersistentVolumeClaim", name).is_some() {
                continue;
            }
            let spare = stack.inventory.of_kind("PersistentVolumeClaim").find(|claim| {
                let own = workload.object.namespace();
                let here = own.is_none() || claim.namespace().is_none_or(|it| Some(it) == own);
                here && (is_near(claim.name(), name) || !is_mounted(stack, claim))
            });
            if let Some(spare) = spare.filter(|_| !is_of_template(stack, name)) {
                let message = format!("there is no claim {name}");
                found.at(workload.object, node, message).also_place(spare.place(), "is here");
            }
        }
    }
}

fn is_mounted(stack: &Stack<'_>, claim: &Object) -> bool {
    let mut all = stack.workloads.iter().flat_map(claims);
    all.any(|(name, _)| name == claim.name())
}

/// Whether a claim is one of a StatefulSet's template: `TEMPLATE-SET-NUMBER`.
fn is_of_template(stack: &Stack<'_>, name: &str) -> bool {
    stack.inventory.of_kind("StatefulSet").any(|set| {
        set.node.list("spec.volumeClaimTemplates").iter().any(|template| {
            let start = template.str("metadata.name").map(|it| format!("{it}-{}-", set.name()));
            start.is_some_and(|start| name.starts_with(&start))
        })
    })
}

fn no_group(stack: &Stack<'_>, found: &mut Found) {
    for (workload, container) in stack.synapse.iter().filter_map(|synapse| synapse.workload) {
        let group = workload.pod.at("securityContext.fsGroup");
        let helper = workload.containers().iter().any(|container| container.init);
        if group.is_some() || helper {
            continue;
        }
        let mounts = workload.mounts(&container);
        let mounted = |name: &str| {
            mounts.iter().any(|mount| {
                mount.volume.is_some_and(|volume| volume.kind == VolumeKind::Claim(name))
            })
        };
        let attached = |name: &str| {
            let claim = stack.inventory.beside(workload.object, "PersistentVolumeClaim", name);
            claim.is_some_and(|it| is_for_one(it) && disk(stack, it) == Disk::Attached)
        };
        let claims = claims(&workload);
        if let Some((name, node)) = claims.iter().find(|(name, _)| mounted(name) && attached(name))
        {
            let message = format!("volume {name} belongs to root, and Synapse runs as 991");
            found.at(workload.object, node, message);
        }
    }
}

fn lost(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let Some((workload, container)) = synapse.workload else { continue };
        let stored = synapse.option("media_storage_providers");
        let stored = stored.is_some_and(|(_, node)| !node.items().is_empty());
        let in_data = |option: &str, default: &str| {
            let path = synapse.option(option).and_then(|(_, node)| node.as_str());
            let path = path.unwrap_or(default);
            let mount = workload.above(&container, path);
            mount.filter(|mount| mount.path() == "/data")
        };
        let media = keeps_media(synapse) && !stored;
        let media = in_data("media_store_path", "/data/media_store").filter(|_| media);
        // Its name is made of the server's.
        let Some(mount) = media.or_else(|| in_data("signing_key_path", "/data/signing.key")) else {
            continue;
        };
        if mount.volume.is_some_and(|volume| volume.kind == VolumeKind::Empty) {
            found.at(workload.object, mount.node, "/data ends with the pod");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    fn with(pod: &str, volume: &str) -> String {
        let text = synapse("server_name: a.example");
        let text = text.replacen("      containers:\n", &format!("{pod}      containers:\n"), 1);
        let mount = "        volumeMounts:\n        - {name: media, mountPath: /data}\n";
        let text = text.replacen("        volumeMounts:\n", mount, 1);
        let volume = format!("      volumes:\n      - {{name: media, {volume}}}\n");
        text.replacen("      volumes:\n", &volume, 1)
            + "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: media}\nspec: \
               {accessModes: [ReadWriteOnce], storageClassName: fast}\n"
    }

    const CLAIM: &str = "persistentVolumeClaim: {claimName: media}";
    const GROUP: &str = "      securityContext: {fsGroup: 991}\n";

    #[test]
    fn a_volume_as_the_reference_has_it_is_right() {
        let text = with(GROUP, CLAIM)
            .replace("spec:\n  template", "spec:\n  strategy: {type: Recreate}\n  template");
        for rule in ["STO-01", "STO-02", "STO-06", "STO-07"] {
            assert_eq!(found(rule, &text), [""; 0], "{rule}");
        }
    }

    #[test]
    fn each_mistake_is_found() {
        for (rule, text, expected) in [
            (
                "STO-01",
                with(GROUP, CLAIM),
                "a rolling update needs volume media on two nodes at once",
            ),
            ("STO-02", with(GROUP, "persistentVolumeClaim: {claimName: m}"), "there is no claim m"),
            ("STO-06", with("", CLAIM), "volume media belongs to root, and Synapse runs as 991"),
            ("STO-07", with(GROUP, "emptyDir: {}"), "/data ends with the pod"),
        ] {
            let messages = found(rule, &text);
            assert!(messages.len() == 1 && messages[0].ends_with(expected), "{rule}: {messages:?}");
        }
    }

    #[test]
    fn a_disk_of_one_node_needs_neither() {
        let text = with("", CLAIM);
        for (rule, class) in [("STO-01", "local-path"), ("STO-06", "local-path"), ("STO-06", "nfs")]
        {
            let other =
                text.replace("storageClassName: fast", &format!("storageClassName: {class}"));
            assert_eq!(found(rule, &other), [""; 0], "{rule} {class}");
        }
        // The cluster's default may be either.
        assert_eq!(found("STO-06", &text.replace(", storageClassName: fast", "")), [""; 0]);
        let pinned = with("      nodeSelector: {kubernetes.io/hostname: a}\n", CLAIM);
        assert_eq!(found("STO-01", &pinned), [""; 0]);
        let first = text.replace(
            "spec:\n  template",
            "spec:\n  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}\n  template",
        );
        assert_eq!(found("STO-01", &first), [""; 0]);
    }

    #[test]
    fn a_claim_may_be_made_elsewhere() {
        let mounts = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {volumes: [{name: v, \
                      persistentVolumeClaim: {claimName: media}}]}\n";
        let other = with(GROUP, "persistentVolumeClaim: {claimName: by-hand}");
        assert_eq!(found("STO-02", &other).len(), 1, "the claim here is mounted by nothing");
        assert_eq!(found("STO-02", &(other.clone() + mounts)), [""; 0]);
        let set = "---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: \
                   {volumeClaimTemplates: [{metadata: {name: data}}]}\n";
        let of_set = other.replace("by-hand", "data-db-0") + set;
        assert_eq!(found("STO-02", &of_set), [""; 0]);
    }

    #[test]
    fn data_that_holds_nothing_may_go() {
        let text = with(GROUP, "emptyDir: {}");
        let media = "server_name: a.example\nmedia_store_path: /media\nsigning_key_path: /keys/a";
        let elsewhere = text.replace(
            "    server_name: a.example\n",
            &format!("    {}\n", media.replace('\n', "\n    ")),
        );
        assert_eq!(found("STO-07", &elsewhere), [""; 0]);
    }
}
