//! `kubernetes.workloads`

use mxdoctor_model::Finding;
use mxdoctor_probes::manifest::Object;

use super::shared::{View, condition, field, judge, not_to_be_judged};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Each Deployment, StatefulSet and DaemonSet wants pods, may make them, and has as many
    /// available as it wants.
    ///
    /// ## Why it matters
    /// A workload that was scaled to nothing, or whose pods are refused, looks from outside like a
    /// wrong route.
    ///
    /// ## What makes it fail
    /// `replicas: 0`; `ReplicaFailure` (a quota, Pod Security, a webhook); `Available=False`; an
    /// object that is being deleted and is held. A paused rollout is a warning.
    ///
    /// ## How to fix it
    /// `kubectl -n app-matrix describe deploy NAME`; where pods are there and do not start, see
    /// `kubernetes.pods`.
    ///
    /// ## Where it comes from
    /// Kubernetes API reference, DeploymentStatus, StatefulSetStatus, DaemonSetStatus.
    "kubernetes.workloads" at C: "each workload has the pods that it wants"
    causes [
        "workload-scaled-to-zero",
        "workload-unavailable",
        "pods-refused",
        "pod-security-refuses",
        "quota-exceeded",
        "rollout-paused",
        "object-stuck-deleting",
        "status-not-observed",
    ]
    timeout 50
}

/// What is looked at.
const NEEDS: &[&str] = &["Deployment", "StatefulSet", "DaemonSet", "Pod"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let kinds = ["Deployment", "StatefulSet", "DaemonSet"];
    let objects = kinds.into_iter().flat_map(|kind| view.own(kind));
    objects
        .filter_map(|object| not_to_be_judged(view, object).or_else(|| look(view, object)))
        .collect()
}

fn look(view: &View<'_>, object: &Object) -> Option<Finding> {
    let node = &object.node;
    let on = |finding: Finding| Some(finding.on(object.to_string()));
    if node.i64("spec.replicas") == Some(0) {
        let text = format!("{object} is scaled to 0: nothing of it runs");
        let finding = Finding::fail("workload-scaled-to-zero", text);
        let finding = finding.remedy(scale(view, object));
        return on(finding.evidences([field(object, "spec.replicas")]));
    }
    if let Some(failure) = condition(object, "ReplicaFailure").filter(|c| c.status == "True") {
        let text = format!("pods of {object} are refused: {}", failure.message);
        return on(Finding::fail(refused(failure.message), text));
    }
    let wanted = node.i64("spec.replicas").or_else(|| node.i64("status.desiredNumberScheduled"));
    let ready = match object.kind() {
        "Deployment" => node.i64("status.availableReplicas"),
        "StatefulSet" => node.i64("status.readyReplicas"),
        _ => node.i64("status.numberAvailable"),
    };
    let (wanted, ready) = (wanted.unwrap_or(1), ready.unwrap_or(0));
    let available = condition(object, "Available");
    let lacks = available.as_ref().is_some_and(|c| c.status == "False") || ready == 0;
    if wanted > 0 && lacks && view.settled(object) {
        let text = format!("{object} has {ready} of {wanted} pods available");
        let finding = Finding::fail("workload-unavailable", text);
        return on(finding.evidences([field(object, "status.unavailableReplicas")]).transient());
    }
    if node.bool("spec.paused") == Some(true) {
        let text = format!("the rollout of {object} is paused: changes do not arrive");
        return on(Finding::warn("rollout-paused", text));
    }
    if ready < wanted && view.settled(object) {
        let text = format!("{object} has {ready} of {wanted} pods available");
        return on(Finding::warn("workload-unavailable", text).transient());
    }
    None
}

/// How to have one pod of a workload again.
pub(super) fn scale(view: &View<'_>, object: &Object) -> String {
    let (namespace, kind) = (&view.snapshot.namespace, object.kind().to_lowercase());
    format!("`kubectl -n {namespace} scale {kind}/{} --replicas=1`", object.name())
}

/// What refuses pods, by the API server's words.
pub(super) fn refused(message: &str) -> &'static str {
    if message.contains("violates PodSecurity") {
        "pod-security-refuses"
    } else if message.contains("exceeded quota") {
        "quota-exceeded"
    } else {
        "pods-refused"
    }
}
