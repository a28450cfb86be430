//! Claims of pods.

use mxdoctor_probes::manifest::Node;

use crate::lint::view::VolumeKind;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A volume for one node is held by the old pod while a rolling update waits for the new one.
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
    /// Source: Synapse's image, `/data`.
    LOST = "STO-07" Critical: "Synapse's /data is on a claim"
    breaks "media, and the key if it is there, are gone with the next restart"
    remedy "mount a claim at /data"
    cause "media-not-kept"
    check "kubernetes.volumes"
    look lost
}

/// The claims of a workload, each with its place.
fn claims<'a>(workload: &crate::lint::view::Workload<'a>) -> Vec<(&'a str, &'a Node)> {
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
        if strategy == Some("Recreate") {
            continue;
        }
        for (name, node) in claims(workload) {
            let Some(claim) =
                stack.inventory.beside(workload.object, "PersistentVolumeClaim", name)
            else {
                continue;
            };
            let modes = claim.node.list("spec.accessModes");
            let single = modes
                .iter()
                .all(|mode| matches!(mode.as_str(), Some("ReadWriteOnce" | "ReadWriteOncePod")));
            if single && !modes.is_empty() {
                let message = format!("a rolling update needs volume {name} on two nodes at once");
                found.at(workload.object, node, message).also_place(claim.place(), "the claim");
            }
        }
    }
}

fn no_claim(stack: &Stack<'_>, found: &mut Found) {
    // Without any claim the tree leaves them to another.
    if stack.inventory.of_kind("PersistentVolumeClaim").next().is_none() {
        return;
    }
    for workload in &stack.workloads {
        for (name, node) in claims(workload) {
            if stack.inventory.beside(workload.object, "PersistentVolumeClaim", name).is_none() {
                let message = format!("there is no claim {name}");
                found.at(workload.object, node, message);
            }
        }
    }
}

fn no_group(stack: &Stack<'_>, found: &mut Found) {
    for (workload, _) in stack.synapse.iter().filter_map(|synapse| synapse.workload) {
        let group = workload.pod.at("securityContext.fsGroup");
        let helper = workload.containers().iter().any(|container| container.init);
        if let (Some((name, node)), None, false) = (claims(&workload).first(), group, helper) {
            let message = format!("volume {name} belongs to root, and Synapse runs as 991");
            found.at(workload.object, node, message);
        }
    }
}

fn lost(stack: &Stack<'_>, found: &mut Found) {
    for (workload, container) in stack.synapse.iter().filter_map(|synapse| synapse.workload) {
        let mounts = workload.mounts(&container);
        let Some(mount) = mounts.iter().find(|mount| mount.path() == "/data") else { continue };
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
               {accessModes: [ReadWriteOnce]}\n"
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
}
