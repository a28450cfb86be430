//! `jitsi.versions`

use mxdoctor_model::Finding;

use crate::kubernetes::{View, judge};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Prosody, Jicofo, the bridges and the web server are of one release of Jitsi's images.
    ///
    /// ## Why it matters
    /// The parts speak a protocol of their own that changes from release to release, and so do the
    /// ports that they listen on.
    ///
    /// ## What makes it fail
    /// Tags that differ, as they stand in the workloads of the namespace. Images by digest alone,
    /// or of other registries with tags of their own, are not compared.
    ///
    /// ## How to fix it
    /// Set the tag in one place: `images:` of `kustomization.yaml`.
    ///
    /// ## Where it comes from
    /// docker-jitsi-meet, whose images are released together.
    "jitsi.versions" at C: "the four parts are of one release"
    causes ["jitsi-versions-differ"]
    timeout 50
}

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, &["Deployment", "StatefulSet", "DaemonSet"], opinion).await
}

pub(crate) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let mut tags: Vec<(&str, String)> = Vec::new();
    for (name, part) in view.stack.jitsi.parts() {
        let image = part.container.image();
        let tag = image.filter(|image| image.repository.starts_with("jitsi/"));
        if let Some(tag) = tag.and_then(|image| image.tag) {
            tags.push((name, tag.to_owned()));
        }
    }
    let Some((first, rest)) = tags.split_first() else {
        return vec![Finding::skip("no part of Jitsi is in the namespace by a tag")];
    };
    if rest.iter().all(|other| other.1 == first.1) {
        return vec![Finding::pass(format!("{} parts are of {}", tags.len(), first.1))];
    }
    let all: Vec<String> = tags.iter().map(|(name, tag)| format!("{name} {tag}")).collect();
    vec![Finding::fail(
        "jitsi-versions-differ",
        format!("Jitsi's parts differ: {}", all.join(", ")),
    )]
}
