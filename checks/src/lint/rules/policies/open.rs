//! Doors that policies leave open.

use mxdoctor_probes::manifest::{Node, Origin};

use crate::lint::view::policy::{Block, Direction, End, Policy, Truth, policies};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Without a policy that selects it, a pod takes connections from every other pod of the
    /// cluster: whoever breaks into any of them can try passwords at the database, and the admin
    /// API of Synapse.
    ///
    /// In files it is said only beside other policies of the same namespace: a tree without any
    /// leaves them to another. Silent where Cilium, Calico or Antrea have policies of their own.
    ///
    /// Source: Kubernetes, "Network Policies", "The two sorts of pod isolation".
    UNGUARDED = "NP-05" Warning: "policies guard the database and Synapse"
    breaks "every pod of the cluster can try the database, and Synapse's admin API"
    remedy "add a policy of ingress for these pods, with the ones that need them as peers"
    cause "network-policy-too-wide"
    check "kubernetes.network_policies"
    look unguarded
}

rule! {
    /// The listener with the resource `client` serves `/_synapse/admin` as well. An `ipBlock` of
    /// all addresses lets everybody to it who finds a way to the pod: past Traefik, its
    /// middlewares and the paths of the tunnel.
    ///
    /// Source: Synapse documentation, "Using a reverse proxy with Synapse"; Kubernetes, "Network
    /// Policies".
    WORLD = "NP-09" Critical: "Synapse's port is not open to every address"
    breaks "the admin API answers whoever reaches the pod, past the ingress and its restrictions"
    remedy "name the ingress and the tunnel by namespaceSelector in the place of the ipBlock"
    cause "network-policy-too-wide"
    check "kubernetes.network_policies"
    look world
}

/// Groups of policies other than Kubernetes' own.
const OTHERS: &[&str] =
    &["cilium.io", "projectcalico.org", "antrea.io", "policy.networking.k8s.io"];

/// Whether there may be policies that the inventory does not show.
fn may_have_others(stack: &Stack<'_>) -> bool {
    let theirs = |group: &str| OTHERS.iter().any(|other| group.ends_with(other));
    let live = stack.inventory.origin == Origin::Live;
    let mut kinds = stack.inventory.of_kind("CustomResourceDefinition").peekable();
    let none_seen = live && kinds.peek().is_none();
    let kind = kinds.any(|kind| kind.node.str("spec.group").is_some_and(theirs));
    none_seen || kind || stack.inventory.objects().iter().any(|object| theirs(object.group()))
}

fn unguarded(stack: &Stack<'_>, found: &mut Found) {
    let all = policies(stack);
    if may_have_others(stack) || (all.is_empty() && stack.inventory.origin == Origin::Files) {
        return;
    }
    let clusters = stack.inventory.of_kind("Cluster");
    let clusters = clusters.filter(|object| object.group() == "postgresql.cnpg.io");
    let databases = clusters.map(|object| (object, End::Instances(object), vec![5432]));
    let synapse = stack.synapse.iter().filter_map(|synapse| {
        let (workload, _) = synapse.workload?;
        Some((workload.object, End::Pods(workload), ports(synapse)))
    });
    for (object, end, ports) in databases.chain(synapse) {
        let beside = |policy: &Policy<'_>| end.is_beside(policy) == Truth::Yes;
        let files = stack.inventory.origin == Origin::Files;
        if !end.has_policies() || (files && !all.iter().any(beside)) {
            continue;
        }
        let guards = |policy: &&Policy<'_>| {
            policy.holds(Direction::Ingress) && policy.selects(&end) != Truth::No
        };
        let guarding: Vec<_> = all.iter().filter(guards).collect();
        if guarding.is_empty() {
            let message =
                format!("no policy guards {object}: every pod of the cluster can connect to it");
            found.on(object, message);
        }
        for policy in guarding.into_iter().filter(|policy| policy.selects(&end) == Truth::Yes) {
            let open = policy.rules(Direction::Ingress).find(|rule| {
                let has = |port: &i64| rule.has_port(&end, *port, "TCP") == Truth::Yes;
                rule.peers().is_empty() && ports.iter().any(has)
            });
            if let Some(rule) = open {
                let message = format!("{} lets every pod to {object}", policy.object);
                found.at(policy.object, rule.node, message);
            }
        }
    }
}

/// The ports on which Synapse serves clients, and with them its admin API.
fn ports(synapse: &crate::lint::view::Synapse<'_>) -> Vec<i64> {
    let Some((_, list)) = synapse.option("listeners") else { return Vec::new() };
    let serves = |listener: &&Node| {
        let mut names = listener.list("resources").iter().flat_map(|it| it.list("names"));
        names.any(|name| name.as_str() == Some("client"))
    };
    list.items().iter().filter(serves).filter_map(|listener| listener.i64("port")).collect()
}

fn world(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((workload, _)) = synapse.workload else { continue };
        let end = End::Pods(workload);
        let selecting = policies(stack).into_iter();
        for policy in selecting.filter(|policy| policy.selects(&end) == Truth::Yes) {
            for rule in policy.rules(Direction::Ingress) {
                let has = |port: &i64| rule.has_port(&end, *port, "TCP") == Truth::Yes;
                let Some(port) = ports(synapse).into_iter().find(has) else { continue };
                let blocks = rule.peers().iter().filter_map(|peer| peer.get("ipBlock"));
                for block in blocks.filter(|it| Block::new(it).is_some_and(|it| it.is_world())) {
                    let cidr = block.get("cidr").unwrap_or(block);
                    let message = format!(
                        "{} lets {} to port {port}, where {} serves its admin API",
                        policy.object,
                        cidr.as_str().unwrap_or_default(),
                        workload.object
                    );
                    found.at(policy.object, cidr, message);
                }
            }
        }
    }
}
