//! `kubernetes.network_policies`

use super::shared::judge;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// No NetworkPolicy cuts traffic that the stack needs: to its database, to DNS, between the
    /// parts of Jitsi, from the ingress and the tunnel.
    ///
    /// ## Why it matters
    /// A policy that selects a pod refuses everything that no policy allows. What is cut is not
    /// refused but swallowed, and shows as a time-out far away.
    ///
    /// ## What makes it fail
    /// What the rules of this check find. Whether the network enforces policies at all cannot be
    /// asked of the API server.
    ///
    /// ## How to fix it
    /// Allow what is named, by the namespace's and the pod's labels; a bridge on the host network
    /// is not selected by pod labels, so allow its nodes' addresses.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "Network Policies".
    "kubernetes.network_policies" at C: "NetworkPolicies let the stack's own traffic through"
    causes []
    timeout 50
}

const NEEDS: &[&str] =
    &["NetworkPolicy", "Pod", "Service", "Deployment", "StatefulSet", "DaemonSet"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, |_| Vec::new()).await
}
