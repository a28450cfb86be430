//! `kubernetes.volumes`

use mxdoctor_model::Finding;
use mxdoctor_probes::manifest::{Node, Object};

use super::shared::{View, condition, judge, not_to_be_judged, unseen};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Each claim has its volume, and the volume can be attached.
    ///
    /// ## Why it matters
    /// The media and the database stand on them; a pod waits for ever for a claim without a class.
    ///
    /// ## What makes it fail
    /// `Pending` with a class that does not exist, or for more than a minute while a pod wants it;
    /// `Lost`; a resize that fails; an attachment with an error. A class that waits for its first
    /// consumer, with no consumer, is as it should be.
    ///
    /// ## How to fix it
    /// Create the StorageClass or correct its name; `kubectl describe pvc NAME` tells the rest.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "Persistent Volumes".
    "kubernetes.volumes" at C: "each claim has its volume"
    causes [
        "storage-class-missing",
        "volume-pending",
        "volume-lost",
        "volume-resize-failed",
        "volume-not-attached",
        "object-stuck-deleting",
    ]
    timeout 50
}

const NEEDS: &[&str] = &["PersistentVolumeClaim", "Pod"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let claims = view.own("PersistentVolumeClaim");
    let mut findings: Vec<Finding> = claims
        .filter_map(|claim| {
            let found = not_to_be_judged(view, claim).or_else(|| look(view, claim));
            found.map(|finding| finding.on(claim.to_string()))
        })
        .collect();
    let used: Vec<&str> = view
        .own("PersistentVolumeClaim")
        .filter_map(|claim| claim.node.str("spec.volumeName"))
        .collect();
    for attachment in view.all("VolumeAttachment") {
        let volume = attachment.node.str("spec.source.persistentVolumeName").unwrap_or_default();
        if let Some(error) = attachment.node.str("status.attachError.message")
            && used.contains(&volume)
        {
            let text = format!("volume {volume} is not attached: {error}");
            findings.push(
                Finding::fail("volume-not-attached", text).on(format!("PersistentVolume {volume}")),
            );
        }
    }
    findings
}

fn look(view: &View<'_>, claim: &Object) -> Option<Finding> {
    match claim.node.str("status.phase") {
        Some("Lost") => {
            let volume = claim.node.str("spec.volumeName").unwrap_or("its volume");
            Some(Finding::fail("volume-lost", format!("{claim} has lost {volume}")))
        }
        Some("Pending") => pending(view, claim),
        _ => ["ControllerResizeError", "NodeResizeError"].into_iter().find_map(|kind| {
            let error = condition(claim, kind).filter(|c| c.status == "True")?;
            let text = format!("{claim} is not made larger ({kind}): {}", error.message);
            Some(Finding::fail("volume-resize-failed", text))
        }),
    }
}

fn pending(view: &View<'_>, claim: &Object) -> Option<Finding> {
    let class = claim.node.str("spec.storageClassName");
    let classes_seen = unseen(view.snapshot, &["StorageClass"]).is_none();
    let found = class.and_then(|name| view.all("StorageClass").find(|one| one.name() == name));
    let warnings = view.warnings("PersistentVolumeClaim", claim.name());
    let refused = warnings.iter().find(|(reason, _)| *reason == "ProvisioningFailed");
    let not_found = refused
        .is_some_and(|(_, note)| note.contains("storageclass") && note.contains("not found"));
    if let Some(name) = class.filter(|name| !name.is_empty())
        && (not_found || (classes_seen && found.is_none() && !is_bound_by_hand(claim)))
    {
        let text = format!("{claim} asks for StorageClass {name}, which is not there");
        return Some(Finding::fail("storage-class-missing", text));
    }
    if let Some((_, note)) = refused {
        return Some(Finding::fail("volume-pending", format!("{claim} gets no volume: {note}")));
    }
    let waits =
        found.and_then(|one| one.node.str("volumeBindingMode")) == Some("WaitForFirstConsumer");
    let wanted = view.own("Pod").any(|pod| {
        let volumes = pod.node.list("spec.volumes").iter();
        volumes.filter_map(|v| v.str("persistentVolumeClaim.claimName")).any(|n| n == claim.name())
    });
    if (waits && !wanted) || !view.settled(claim) {
        return None;
    }
    Some(Finding::fail("volume-pending", format!("{claim} has no volume")).transient())
}

/// A claim that names its volume needs no class.
fn is_bound_by_hand(claim: &Object) -> bool {
    claim.at("spec.volumeName").and_then(Node::as_str).is_some_and(|name| !name.is_empty())
}
