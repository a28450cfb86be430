//! What is known of the disk behind a claim.

use mxdoctor_probes::manifest::{Node, Object};

use crate::lint::Stack;

/// Where a claim's volume is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lint::rules) enum Disk {
    /// On a disk of one node: what mounts it is scheduled there, and everybody may write to it.
    Local,
    /// A file system of many nodes, such as NFS, which knows no owner by the pod.
    Shared,
    /// A disk that is attached to one node after the other.
    Attached,
    /// Nothing tells: the cluster's default class, or a volume that was made by hand.
    Unknown,
}

/// Parts of the names of classes and provisioners. Longhorn's classes may well be called local.
const LOCAL: &[&str] = &["local", "hostpath", "host-path", "topolvm", "lvm", "directpv", "zfs"];
const SHARED: &[&str] = &["nfs", "smb", "cifs", "efs", "azurefile", "file.csi", "filestore"];
/// Names of classes that are another in each distribution.
const DEFAULTS: &[&str] = &["standard", "default"];

/// Where the volume of a claim is, by its class.
pub(in crate::lint::rules) fn disk(stack: &Stack<'_>, claim: &Object) -> Disk {
    let class = claim.at("spec.storageClassName").and_then(Node::as_str).unwrap_or_default();
    if class.is_empty() || claim.at("spec.volumeName").is_some() || DEFAULTS.contains(&class) {
        return Disk::Unknown;
    }
    let known = stack.inventory.named("StorageClass", class).next();
    let provisioner = known.and_then(|it| it.at("provisioner")).and_then(Node::as_str);
    let text = provisioner.unwrap_or(class).to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match provisioner {
        // Volumes of any kind, made by hand.
        Some("kubernetes.io/no-provisioner") => Disk::Unknown,
        _ if text.contains("longhorn") => Disk::Attached,
        _ if has(LOCAL) => Disk::Local,
        _ if has(SHARED) => Disk::Shared,
        _ => Disk::Attached,
    }
}

/// Whether a claim is for one node at a time.
pub(in crate::lint::rules) fn is_for_one(claim: &Object) -> bool {
    let modes = claim.node.list("spec.accessModes");
    let one = |mode: &Node| matches!(mode.as_str(), Some("ReadWriteOnce" | "ReadWriteOncePod"));
    !modes.is_empty() && modes.iter().all(one)
}

#[cfg(test)]
mod tests {
    use super::{Disk, disk};
    use crate::lint::Stack;
    use crate::lint::testing::inventory;

    #[test]
    fn classes_are_known_by_their_provisioner_or_name() {
        for (class, more, expected) in [
            ("local-path", "", Disk::Local),
            ("microk8s-hostpath", "", Disk::Local),
            ("longhorn-local", "", Disk::Attached),
            ("nfs-csi", "", Disk::Shared),
            ("fast", "", Disk::Attached),
            ("standard", "", Disk::Unknown),
            ("''", "", Disk::Unknown),
            ("fast", "rancher.io/local-path", Disk::Local),
            ("local", "driver.longhorn.io", Disk::Attached),
            ("manual", "kubernetes.io/no-provisioner", Disk::Unknown),
        ] {
            let mut text = format!(
                "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: c}}\nspec: \
                 {{storageClassName: {class}}}\n"
            );
            if !more.is_empty() {
                text += &format!(
                    "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {{name: \
                     {class}}}\nprovisioner: {more}\n"
                );
            }
            let inventory = inventory(&text);
            let stack = Stack::new(&inventory);
            assert_eq!(disk(&stack, &inventory.objects()[0]), expected, "{class} {more}");
        }
    }
}
