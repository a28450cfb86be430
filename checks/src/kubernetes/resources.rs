//! `kubernetes.resources`

use mxdoctor_model::Finding;
use mxdoctor_probes::manifest::Object;

use super::shared::{View, condition, judge};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The nodes that run the stack are ready and not short of anything, no quota is used up, and
    /// limits fit what the programs need.
    ///
    /// ## Why it matters
    /// A node that is not ready takes its pods and its local volumes with it.
    ///
    /// ## What makes it fail
    /// A node with a pod of the stack that is not ready; pressure on its disk, memory or processes
    /// and a quota that is used up are warnings; and what the rules of this check find.
    ///
    /// ## How to fix it
    /// `kubectl describe node NAME`; raise the quota.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "Node Status", "Resource Quotas".
    "kubernetes.resources" at C: "nodes and quotas have room for the stack"
    causes ["node-not-ready", "node-under-pressure", "quota-used-up"]
    timeout 50
}

const NEEDS: &[&str] = &["Pod", "Deployment", "StatefulSet", "DaemonSet", "ResourceQuota"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let used: Vec<&str> = view.own("Pod").filter_map(|pod| pod.node.str("spec.nodeName")).collect();
    let nodes = view.all("Node").filter(|node| used.contains(&node.name()));
    let mut findings: Vec<Finding> = nodes.filter_map(node).collect();
    for quota in view.own("ResourceQuota") {
        for hard in quota.node.map("status.hard") {
            let used = quota.at("status.used").and_then(|used| used.get(&hard.key));
            if used.and_then(|used| used.scalar()) == hard.node.scalar()
                && hard.node.scalar() != Some("0")
            {
                let text = format!(
                    "{quota} has no {} left: {} of them are used",
                    hard.key,
                    hard.node.scalar().unwrap_or_default()
                );
                findings
                    .push(Finding::warn("quota-used-up", text).on(format!("{quota} {}", hard.key)));
            }
        }
    }
    findings
}

fn node(node: &Object) -> Option<Finding> {
    let on = |finding: Finding| Some(finding.on(node.to_string()));
    if let Some(ready) = condition(node, "Ready").filter(|c| c.status != "True") {
        let text = format!("{node} is not ready ({}): {}", ready.reason, ready.message);
        let remedy = format!("`kubectl describe node {}`", node.name());
        return on(Finding::fail("node-not-ready", text).remedy(remedy));
    }
    let kinds = ["DiskPressure", "MemoryPressure", "PIDPressure", "NetworkUnavailable"];
    let pressed =
        kinds.into_iter().find(|kind| condition(node, kind).is_some_and(|c| c.status == "True"))?;
    on(Finding::warn("node-under-pressure", format!("{node} is under {pressed}")))
}
