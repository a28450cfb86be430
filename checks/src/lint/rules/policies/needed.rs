//! What the stack needs, and no policy may cut.

use super::cuts::tell;
use super::flows::Purpose;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A pod that a policy selects gets what policies allow, and nothing else. What is cut is not
    /// refused but swallowed: connections hang, and the mistake shows as a time-out far away from
    /// it.
    ///
    /// Looked at are the connections that the tree itself shows to be needed: to the database, to
    /// Prosody, from Traefik and cloudflared along their routes, to other servers where Synapse
    /// federates with everybody. Ports are those of the pods, not of their Services. A bridge on
    /// the host's network comes with its node's address, so that only an `ipBlock` means it (its
    /// own node is always let in).
    ///
    /// Silent where it cannot be told: a selector of labels of a namespace that is not in the
    /// tree, addresses of pods in an `ipBlock`, a network that enforces no policies.
    ///
    /// Source: Kubernetes, "Network Policies".
    CUT = "NP-02" Error: "no policy cuts what the stack needs"
    breaks "connections hang until they time out: a part of the stack never meets another"
    remedy "allow the connection at both of its ends"
    cause "network-policy-blocks"
    check "kubernetes.network_policies"
    look cut
}

rule! {
    /// The operator asks each instance for its state on port 8000, and connects to 5432. Without
    /// an answer it leaves the Cluster as it was: no failover, no backup, never Ready.
    ///
    /// Its namespace is known where its Deployment is in the tree; otherwise a rule for any other
    /// namespace may be for it.
    ///
    /// Source: CloudNativePG, "Networking".
    OPERATOR = "NP-06" Error: "the operator reaches the instances of the database"
    breaks "the Cluster never becomes Ready: Instance Status Extraction Error"
    remedy "allow ingress on TCP 8000 and 5432 from the operator's namespace"
    cause "network-policy-blocks"
    check "kubernetes.network_policies"
    look operator
}

rule! {
    /// The manager inside each instance's pod reads its Cluster from the API server, and writes
    /// which instance is the primary. No label names that server: it takes an `ipBlock`.
    ///
    /// Silent where some rule may mean the server: its address and port are in no manifest.
    ///
    /// Source: CloudNativePG, "Networking".
    API = "NP-07" Warning: "the instances of the database reach the API server"
    breaks "instances do not start, and no primary is elected after a failure"
    remedy "allow egress on TCP 443 and 6443 to the API server by ipBlock"
    cause "network-policy-blocks"
    check "kubernetes.network_policies"
    look api
}

fn cut(stack: &Stack<'_>, found: &mut Found) {
    tell(stack, Purpose::Work, found);
}

fn operator(stack: &Stack<'_>, found: &mut Found) {
    tell(stack, Purpose::Operator, found);
}

fn api(stack: &Stack<'_>, found: &mut Found) {
    tell(stack, Purpose::Api, found);
}
