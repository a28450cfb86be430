//! `kubernetes.services`

use mxdoctor_model::Finding;

use super::shared::{View, judge, not_to_be_judged};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Each Service is what its readers take it for: ports that its pods have, and an address
    /// where it asks for one outside.
    ///
    /// ## Why it matters
    /// Routes, tunnels and the parts of Jitsi name each other by Service and port alone.
    ///
    /// ## What makes it fail
    /// What the rules of this check find, and a Service of type LoadBalancer that has had no
    /// address for a minute.
    ///
    /// ## How to fix it
    /// Where there is nothing that gives addresses to load balancers, use ClusterIP with a route
    /// or a tunnel.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "Service".
    "kubernetes.services" at C: "each Service has its ports and its address"
    causes ["load-balancer-pending", "object-stuck-deleting"]
    timeout 50
}

const NEEDS: &[&str] = &["Service", "Deployment", "StatefulSet", "DaemonSet", "Pod"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let look = |service| {
        not_to_be_judged(view, service).or_else(|| {
            let node = &service.node;
            let asks = node.str("spec.type") == Some("LoadBalancer");
            let has = !node.list("status.loadBalancer.ingress").is_empty();
            (asks && !has && view.settled(service)).then(|| {
                let text = format!("{service} of type LoadBalancer has no address");
                Finding::fail("load-balancer-pending", text).on(service.to_string())
            })
        })
    };
    view.own("Service").filter_map(look).collect()
}
