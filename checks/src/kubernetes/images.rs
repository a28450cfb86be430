//! `kubernetes.images`

use std::collections::BTreeMap;

use mxdoctor_model::Finding;
use mxdoctor_probes::manifest::Node;

use super::shared::{View, judge};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Pods run the images that their workloads name, and pods of one image run the same one.
    ///
    /// ## Why it matters
    /// A tag that moves gives each node another program: two pods of one Deployment differ, and the
    /// next restart is an upgrade that nobody made.
    ///
    /// ## What makes it fail
    /// What the rules of this check find; the same tag with different digests in the namespace is a
    /// warning.
    ///
    /// ## How to fix it
    /// Name images by a tag that does not move, or by digest, and restart the workload.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "Images".
    "kubernetes.images" at C: "pods run the images that are written down"
    causes ["image-differs"]
    timeout 50
}

const NEEDS: &[&str] = &["Pod", "Deployment", "StatefulSet", "DaemonSet"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let mut digests: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for pod in view.own("Pod") {
        for status in pod.node.list("status.containerStatuses") {
            let written = pod.node.list("spec.containers").iter();
            let image = written
                .filter(|one| one.str("name") == status.str("name"))
                .find_map(|one| one.str("image"));
            let digest = status.at("imageID").and_then(Node::as_str);
            let digest = digest.and_then(|id| id.rsplit_once('@')).map(|(_, digest)| digest);
            if let (Some(image), Some(digest)) = (image, digest) {
                let known = digests.entry(image.to_owned()).or_default();
                known.entry(digest.to_owned()).or_insert_with(|| pod.to_string());
            }
        }
    }
    let differing = digests.into_iter().filter(|(_, known)| known.len() > 1);
    differing
        .map(|(image, known)| {
            let pods: Vec<String> = known.into_values().collect();
            let text = format!("{image} is not the same program in {}", pods.join(" and "));
            Finding::warn("image-differs", text).on(image)
        })
        .collect()
}
