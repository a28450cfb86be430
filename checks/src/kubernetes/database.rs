//! `kubernetes.database`

use mxdoctor_model::{Evidence, Finding};
use mxdoctor_probes::manifest::{Node, Object};

use super::shared::{View, condition, field, judge, not_to_be_judged};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// CloudNativePG calls its cluster healthy, all instances are ready, and nothing that an
    /// operator of the past left behind keeps it from working.
    ///
    /// ## Why it matters
    /// Synapse does nothing without it, and CloudNativePG says in words what is wrong.
    ///
    /// ## What makes it fail
    /// A phase that is known to be bad, instances that are not ready, a primary that fails, volumes
    /// that cannot be used, the annotations of hibernation and fencing. A phase that passes by is a
    /// warning after a while; a phase that is not known is told and not judged.
    ///
    /// ## How to fix it
    /// `kubectl cnpg -n app-matrix status matrix-db`.
    ///
    /// ## Where it comes from
    /// The sources of CloudNativePG 1.30, `api/v1/cluster_types.go` and `internal/controller`.
    "kubernetes.database" at C: "CloudNativePG's cluster is healthy"
    causes [
        "database-cluster-broken",
        "database-cluster-degraded",
        "database-cluster-stopped",
        "database-disk-full",
        "database-instances-not-reached",
        "object-stuck-deleting",
        "status-not-observed",
    ]
    timeout 50
}

const NEEDS: &[&str] = &["Cluster"];
/// Phases that pass.
const PASSING: &[&str] = &[
    "Setting up primary",
    "Creating a new replica",
    "Waiting for the instances to become active",
    "Switchover in progress",
    "Upgrading cluster",
    "Upgrading Postgres major version",
    "Online upgrade in progress",
    "Applying configuration",
    "Primary instance is being restarted in-place",
    "Primary instance is being restarted without a switchover",
    "Promoting to primary cluster",
    "Failing over",
];
/// Phases that stay until somebody does something.
const BROKEN: &[&str] = &[
    "Cluster is unrecoverable and needs manual intervention",
    "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
    "Cluster has incomplete or invalid image catalog",
    "Cluster cannot execute instance online upgrade due to missing architecture binary",
    "Unable to create required cluster objects",
    "Invalid cluster definition",
    "Waiting for user action",
    "Cluster upgrade delayed",
];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let clusters = view.own("Cluster").filter(|one| one.group() == "postgresql.cnpg.io");
    clusters.filter_map(|one| not_to_be_judged(view, one).or_else(|| look(view, one))).collect()
}

fn look(view: &View<'_>, cluster: &Object) -> Option<Finding> {
    let on = |finding: Finding| {
        let phase = [field(cluster, "status.phase"), field(cluster, "status.phaseReason")];
        Some(finding.on(cluster.to_string()).evidences(phase))
    };
    let annotation = |key: &str| cluster.annotation(key).and_then(Node::scalar);
    if annotation("cnpg.io/hibernation") == Some("on") {
        let text = format!("{cluster} hibernates: cnpg.io/hibernation is on");
        return on(Finding::fail("database-cluster-stopped", text));
    }
    if let Some(fenced) = annotation("cnpg.io/fencedInstances").filter(|f| !["", "[]"].contains(f))
    {
        let text = format!("instances of {cluster} are fenced: {fenced}");
        return on(Finding::fail("database-cluster-stopped", text));
    }
    let phase = cluster.node.str("status.phase").unwrap_or_default();
    if phase == "Not enough disk space" {
        return on(Finding::fail("database-disk-full", format!("a volume of {cluster} is full")));
    }
    if phase.starts_with("Instance Status Extraction Error") {
        let text = format!("the operator cannot ask the instances of {cluster}");
        let note = "a NetworkPolicy without the operator's namespace on port 8000 looks like this";
        let finding = Finding::fail("database-instances-not-reached", text);
        return on(finding.evidences([Evidence::note(note)]).likely());
    }
    if BROKEN.contains(&phase) || phase.contains("error while interacting with plugins") {
        let text = format!("{cluster}: {phase}");
        return on(Finding::fail("database-cluster-broken", text));
    }
    let unusable = cluster.node.list("status.unusablePVC");
    if !unusable.is_empty() {
        let names: Vec<&str> = unusable.iter().filter_map(Node::as_str).collect();
        let text = format!("volumes of {cluster} cannot be used: {}", names.join(", "));
        return on(Finding::fail("database-cluster-broken", text));
    }
    counts(view, cluster, phase).and_then(on)
}

/// Instances that are not ready, and a phase that does not pass.
fn counts(view: &View<'_>, cluster: &Object, phase: &str) -> Option<Finding> {
    let wanted = cluster.node.i64("spec.instances").unwrap_or(1);
    let ready = cluster.node.i64("status.readyInstances").unwrap_or(0);
    if cluster.at("status").is_none() {
        let text = format!("the operator has said nothing of {cluster}");
        return view
            .settled(cluster)
            .then(|| Finding::fail("database-cluster-degraded", text).likely());
    }
    let state = format!("{cluster} has {ready} of {wanted} instances ready ({phase})");
    if ready == 0 {
        return view
            .settled(cluster)
            .then(|| Finding::fail("database-cluster-degraded", state).transient());
    }
    let failing = cluster.node.str("status.currentPrimaryFailingSinceTimestamp");
    if view.ago(failing).is_some_and(|age| age > 60) {
        let text = format!("the primary of {cluster} has been failing for more than a minute");
        return Some(Finding::fail("database-cluster-degraded", text).transient());
    }
    if ready < wanted {
        return Some(Finding::warn("database-cluster-degraded", state).transient());
    }
    if PASSING.contains(&phase) {
        let since = view.ago(condition(cluster, "Ready").and_then(|c| c.since));
        let text = format!("{cluster} is under way: {phase}");
        return since
            .is_some_and(|age| age > 600)
            .then(|| Finding::warn("database-cluster-degraded", text));
    }
    let switch =
        [cluster.node.str("status.currentPrimary"), cluster.node.str("status.targetPrimary")];
    if switch[0] != switch[1] {
        let text = format!("{cluster} is changing its primary");
        return Some(Finding::warn("database-cluster-degraded", text).transient());
    }
    (phase != "Cluster in healthy state").then(|| {
        Finding::pass(format!("{cluster} is in a phase that is not known here: `{phase}`; {ready} of {wanted} instances are ready"))
    })
}
