//! Whether what is stored stays, and can be brought back.

use mxdoctor_probes::manifest::{Node, Object};

use crate::lint::view::{VolumeKind, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A volume on a node's own disk can be mounted from that node alone; a claim for many
    /// (`ReadWriteMany`) is never bound there.
    ///
    /// Source: rancher/local-path-provisioner: "Only support ReadWriteOnce access mode".
    MODE = "STO-03" Warning: "a claim's access mode is one that its class has"
    breaks "the claim stays Pending, and with it the pod"
    remedy "accessModes: [ReadWriteOnce]"
    cause "claim-mode-unfit"
    check "kubernetes.volumes"
    look mode
}

rule! {
    /// Flux and Argo CD delete what is no longer in the repository, a claim with its data as
    /// well. A file that is moved or a merge that goes wrong is enough.
    ///
    /// Silent where nothing in the tree shows that one of them applies it, where what does so does
    /// not prune, and where the class of a claim keeps its volume (`reclaimPolicy: Retain`).
    ///
    /// Source: Flux, `kustomize.toolkit.fluxcd.io/prune: disabled`; Argo CD, `Prune=false`.
    PRUNED = "STO-05" Warning: "no data are deleted with their file"
    breaks "taking the file out of the repository deletes the media or the database"
    remedy "annotate it with `kustomize.toolkit.fluxcd.io/prune: disabled` (Argo CD: \
            `argocd.argoproj.io/sync-options: Prune=false,Delete=false`)"
    cause "data-may-be-pruned"
    check ""
    look_in_files pruned
}

rule! {
    /// A temporary volume without a limit takes the node's disk, or in memory the pod's limit and,
    /// where the pod has none, the node's.
    ///
    /// Source: Kubernetes, "Volumes", emptyDir, `sizeLimit`.
    UNLIMITED = "STO-08" Info: "a temporary volume has a limit"
    breaks "a full node disk evicts every pod of the node, the database as well"
    remedy "set emptyDir.sizeLimit"
    cause "volume-without-limit"
    check ""
    look_in_files unlimited
}

rule! {
    /// The media are in no dump of the database. Nothing in the tree copies them: neither a
    /// recurring job of Longhorn, nor a CronJob that mounts the claim, nor an object of a backup
    /// operator that names it or takes all of its namespace.
    ///
    /// Silent where Synapse keeps them elsewhere as well (`media_storage_providers`).
    NOT_COPIED = "STO-09" Warning: "Synapse's media are in a backup"
    breaks "after the loss of the volume every picture and file is gone"
    remedy "label the claim for Longhorn's recurring backup, or mount it in a backup CronJob"
    cause "media-not-backed-up"
    check "kubernetes.volumes"
    look not_copied
}

/// Provisioners of volumes on a node's own disk.
const LOCAL: &[&str] = &["rancher.io/local-path"];

fn mode(stack: &Stack<'_>, found: &mut Found) {
    for claim in stack.inventory.of_kind("PersistentVolumeClaim") {
        let Some(class) = claim.at("spec.storageClassName").and_then(Node::as_str) else {
            continue;
        };
        let known = stack.inventory.named("StorageClass", class).next();
        let local = match known.and_then(|class| class.at("provisioner")).and_then(Node::as_str) {
            Some(provisioner) => LOCAL.contains(&provisioner),
            // As k3s and RKE name it.
            None => class == "local-path",
        };
        let many = |mode: &&Node| matches!(mode.as_str(), Some("ReadWriteMany" | "ReadOnlyMany"));
        // A volume that it names was made by hand, and may have any mode.
        let by_hand = claim.at("spec.volumeName").is_some();
        if let (true, Some(node)) =
            (local && !by_hand, claim.node.list("spec.accessModes").iter().find(many))
        {
            let mode = node.as_str().unwrap_or_default();
            found.at(claim, node, format!("{class} has no volumes that are {mode}"));
        }
    }
}

/// Whether something shows that a controller prunes what is not in the repository.
fn is_pruned(stack: &Stack<'_>) -> bool {
    let all = stack.inventory.objects().iter();
    let prunes = |object: &Object| match object.kind() {
        "Kustomization" => object.node.bool("spec.prune"),
        "Application" => object.node.bool("spec.syncPolicy.automated.prune").or(Some(false)),
        _ => None,
    };
    let told: Vec<bool> = all
        .filter(|it| it.group() == "argoproj.io" || it.group() == "kustomize.toolkit.fluxcd.io")
        .filter_map(prunes)
        .collect();
    if !told.is_empty() {
        return told.contains(&true);
    }
    stack.inventory.objects().iter().any(|object| {
        object.group() == "kustomize.toolkit.fluxcd.io"
            || object.group() == "argoproj.io"
            || object.annotations().iter().chain(object.labels()).any(|entry| {
                entry.key.contains("toolkit.fluxcd.io/") || entry.key.contains("argoproj.io/")
            })
    })
}

fn pruned(stack: &Stack<'_>, found: &mut Found) {
    if !is_pruned(stack) {
        return;
    }
    for object in stack.inventory.objects() {
        let data = match object.kind() {
            "PersistentVolumeClaim" => true,
            "Cluster" => object.group() == "postgresql.cnpg.io",
            _ => false,
        };
        let kept = |entry: &mxdoctor_probes::manifest::Entry| {
            let value = entry.node.scalar().unwrap_or_default().to_ascii_lowercase();
            match entry.key.as_str() {
                "kustomize.toolkit.fluxcd.io/prune" => value == "disabled",
                "kustomize.toolkit.fluxcd.io/reconcile" => value == "disabled",
                "helm.sh/resource-policy" => value == "keep",
                "argocd.argoproj.io/sync-options" => value.contains("prune=false"),
                _ => false,
            }
        };
        let class = object.at("spec.storageClassName").and_then(Node::as_str);
        let class = class.and_then(|class| stack.inventory.named("StorageClass", class).next());
        let retained = class.is_some_and(|it| it.node.str("reclaimPolicy") == Some("Retain"));
        if data && !retained && !object.annotations().iter().chain(object.labels()).any(kept) {
            found.on(object, "is deleted with its data when its file leaves the repository");
        }
    }
}

fn unlimited(stack: &Stack<'_>, found: &mut Found) {
    for workload in &stack.workloads {
        for volume in workload.volumes().filter(|volume| volume.kind == VolumeKind::Empty) {
            let Some(empty) = volume.node.get("emptyDir") else { continue };
            if empty.get("sizeLimit").is_none() {
                let message =
                    format!("volume {} may take the whole disk of the node", volume.name());
                found.at(workload.object, empty, message);
            }
        }
    }
}

fn not_copied(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((workload, container)) = synapse.workload else { continue };
        let elsewhere = synapse.option("media_storage_providers");
        if elsewhere.is_some_and(|(_, node)| !node.items().is_empty()) {
            continue;
        }
        let path = synapse.option("media_store_path").and_then(|(_, node)| node.as_str());
        let mounts = workload.mounts(&container);
        let path = path.unwrap_or("/data/media_store");
        let holds = mounts.iter().filter(|mount| mount.rest(path).is_some());
        let Some(mount) = holds.max_by_key(|mount| mount.path().len()) else { continue };
        let Some(VolumeKind::Claim(name)) = mount.volume.map(|volume| volume.kind) else {
            continue;
        };
        let claim = stack.inventory.beside(workload.object, "PersistentVolumeClaim", name);
        let Some(claim) = claim else { continue };
        if !is_copied(stack, claim, &workload) {
            found.on(claim, "holds the media, and nothing here copies them");
        }
    }
}

fn is_copied(stack: &Stack<'_>, claim: &Object, owner: &Workload<'_>) -> bool {
    let marks = claim.labels().iter().chain(claim.annotations());
    let on_owner = ["spec.template.metadata.annotations", "metadata.annotations"];
    let marks = marks.chain(on_owner.iter().flat_map(|path| owner.object.node.map(path)));
    let marked = marks.into_iter().any(|entry| {
        ["recurring-job", "velero.io/backup", "k8up", "backup", "volsync"]
            .iter()
            .any(|word| entry.key.contains(word))
    });
    let by_job = stack.workloads.iter().filter(|workload| workload.runs_once()).any(|workload| {
        workload.volumes().any(|volume| volume.kind == VolumeKind::Claim(claim.name()))
    });
    let by_operator = stack.inventory.objects().iter().any(|object| {
        let mut names = false;
        let of_backup = matches!(
            object.kind(),
            "ReplicationSource" | "Schedule" | "Backup" | "RecurringJob" | "VolumeSnapshot"
        );
        if of_backup && object.group() != "postgresql.cnpg.io" {
            object.node.scalars(&mut |value| names |= value.as_str() == Some(claim.name()));
        }
        names
    });
    marked || by_job || by_operator || is_copied_with_all(stack, claim)
}

/// Whether a backup operator takes every claim of the namespace: Velero unless told otherwise, k8up,
/// and Longhorn's recurring jobs of the default group.
fn is_copied_with_all(stack: &Stack<'_>, claim: &Object) -> bool {
    let own = claim.namespace();
    let beside = |object: &Object| object.namespace().is_none() || object.namespace() == own;
    stack.inventory.objects().iter().any(|object| match (object.group(), object.kind()) {
        ("velero.io", "Schedule" | "Backup") => {
            let path = if object.kind() == "Schedule" { "spec.template" } else { "spec" };
            let names = object.at(path).map_or(&[][..], |it| it.list("includedNamespaces"));
            let mut names = names.iter().filter_map(Node::as_str).peekable();
            names.peek().is_none() || names.any(|name| name == "*" || Some(name) == own)
        }
        ("k8up.io", "Schedule" | "Backup") => beside(object),
        ("longhorn.io", "RecurringJob") => {
            let mut groups = object.node.list("spec.groups").iter().filter_map(Node::as_str);
            object.node.str("spec.task") == Some("backup") && groups.any(|it| it == "default")
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    fn claim(more: &str, spec: &str) -> String {
        format!(
            "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: media{more}}}\n\
             spec: {{{spec}}}\n"
        )
    }

    #[test]
    fn a_local_disk_is_for_one_node() {
        let text = claim("", "storageClassName: local-path, accessModes: [ReadWriteMany]");
        assert_eq!(found("STO-03", &text).len(), 1);
        assert_eq!(found("STO-03", &text.replace("Many", "Once")), [""; 0]);
        assert_eq!(found("STO-03", &text.replace("local-path", "nfs")), [""; 0]);
    }

    #[test]
    fn data_outlive_their_file() {
        let other = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, annotations: \
                     {kustomize.toolkit.fluxcd.io/prune: disabled}}\n";
        assert_eq!(found("STO-05", &claim("", "")), [""; 0]);
        assert_eq!(found("STO-05", &(claim("", "") + other)).len(), 1);
        let kept = ", annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}";
        assert_eq!(found("STO-05", &(claim(kept, "") + other)), [""; 0]);
        let flux = "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: \
                    {name: a}\nspec: {prune: false}\n";
        assert_eq!(found("STO-05", &(claim("", "") + other + flux)), [""; 0]);
        let class = "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: \
                     k}\nreclaimPolicy: Retain\n";
        assert_eq!(found("STO-05", &(claim("", "storageClassName: k") + other + class)), [""; 0]);
    }

    fn with_media(claim: &str) -> String {
        synapse("server_name: a")
            .replace("          mountPath: /config\n", "          mountPath: /config\n        - {name: d, mountPath: /data}\n")
            .replace("      volumes:\n", "      volumes:\n      - name: d\n        persistentVolumeClaim: {claimName: media}\n      - {name: t, emptyDir: {}}\n")
            + claim
    }

    #[test]
    fn media_are_copied_somewhere() {
        let bad = with_media(&claim("", ""));
        assert_eq!(found("STO-09", &bad).len(), 1, "{bad}");
        let label = ", labels: {recurring-job-group.longhorn.io/default: enabled}";
        assert_eq!(found("STO-09", &with_media(&claim(label, ""))), [""; 0]);
        let volsync = "---\napiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\n\
                       metadata: {name: r}\nspec: {sourcePVC: media}\n";
        assert_eq!(found("STO-09", &(bad.clone() + volsync)), [""; 0]);
        let velero = "---\napiVersion: velero.io/v1\nkind: Schedule\nmetadata: {name: s}\nspec: \
                      {template: {includedNamespaces: ['*']}}\n";
        assert_eq!(found("STO-09", &(bad.clone() + velero)), [""; 0]);
        let s3 = bad.replace("server_name: a", "media_storage_providers: [{module: s3}]");
        assert_eq!(found("STO-09", &s3), [""; 0]);
    }

    #[test]
    fn a_temporary_volume_has_a_limit() {
        let bad = with_media("");
        assert_eq!(found("STO-08", &bad).len(), 1);
        let good = bad.replace("emptyDir: {}", "emptyDir: {sizeLimit: 1Gi}");
        assert_eq!(found("STO-08", &good), [""; 0]);
    }
}
