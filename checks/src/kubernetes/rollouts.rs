//! `kubernetes.rollouts`

use mxdoctor_model::Finding;
use mxdoctor_probes::manifest::Object;

use super::shared::{View, condition, field, is_stale, judge};
use crate::lint::view::{VolumeKind, Workload};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The last change of each Deployment has arrived: all of its pods are of the newest template.
    ///
    /// ## Why it matters
    /// A rollout that is stuck leaves the old pods serving. Everything looks well, and the change
    /// is not there; the next restart of a node ends what is left.
    ///
    /// ## What makes it fail
    /// `Progressing=False` with `ProgressDeadlineExceeded`. Where the strategy is RollingUpdate and
    /// the pods bind a port of their node or a volume that one node has, that is the reason: the
    /// new pod waits for what the old one holds, and the old one waits for the new one.
    ///
    /// ## How to fix it
    /// `strategy: {type: Recreate}` in the second case; else look at the new pods in
    /// `kubernetes.pods`.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "Deployments", "Failed Deployment" and "Strategy".
    "kubernetes.rollouts" at C: "the last change of each workload has arrived"
    causes ["rollout-stuck", "rollout-deadlock"]
    timeout 50
}

const NEEDS: &[&str] = &["Deployment", "ReplicaSet", "PersistentVolumeClaim"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    view.own("Deployment").filter_map(|object| look(view, object)).collect()
}

fn look(view: &View<'_>, object: &Object) -> Option<Finding> {
    let progressing = condition(object, "Progressing")?;
    let exceeded = progressing.reason == "ProgressDeadlineExceeded";
    if is_stale(object) || progressing.status != "False" || !exceeded {
        return None;
    }
    let sets = view.own("ReplicaSet").filter(|set| {
        let owners = set.node.list("metadata.ownerReferences").iter();
        let mut named = owners.filter_map(|owner| owner.str("name"));
        named.any(|name| name == object.name()) && set.node.i64("status.replicas").unwrap_or(0) > 0
    });
    let old_serves = sets.count() > 1;
    let holds = Workload::new(object).and_then(|workload| exclusive(view, &workload));
    let rolling = object.node.str("spec.strategy.type") != Some("Recreate");
    let finding = match holds.filter(|_| rolling && old_serves) {
        Some(what) => Finding::fail(
            "rollout-deadlock",
            format!("the new pod of {object} waits for {what}, which the old one holds"),
        )
        .remedy(format!("set strategy.type: Recreate on {object}")),
        None => {
            let state = if old_serves { "; the old pods still serve" } else { "" };
            Finding::fail("rollout-stuck", format!("the last change of {object} is stuck{state}"))
        }
    };
    let strategy = field(object, "spec.strategy.type");
    Some(finding.on(object.to_string()).actual(progressing.message).evidences([strategy]))
}

/// What no second pod of a workload can have beside the first.
fn exclusive(view: &View<'_>, workload: &Workload<'_>) -> Option<String> {
    let ports = workload.main().flat_map(|container| container.ports());
    for port in ports {
        let number = port
            .i64("hostPort")
            .or_else(|| workload.host_network().then(|| port.i64("containerPort")).flatten());
        if let Some(number) = number {
            return Some(format!("port {number} of its node"));
        }
    }
    workload.volumes().find_map(|volume| {
        let VolumeKind::Claim(name) = volume.kind else { return None };
        let claim = view.own("PersistentVolumeClaim").find(|claim| claim.name() == name)?;
        let modes = claim.node.list("spec.accessModes");
        let shared = modes.iter().filter_map(|mode| mode.as_str()).any(|m| m == "ReadWriteMany");
        (!shared).then(|| format!("volume {name}"))
    })
}
