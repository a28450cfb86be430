//! Selectors that meet nobody.

use mxdoctor_probes::manifest::{Node, Object, Place};

use super::cuts::{Missed, missed};
use super::items::{Item, items};
use crate::lint::view::policy::{
    Connection, End, Labels, Policy, Truth, fits, is_empty, policies, told,
};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A selector that fits no pod makes its policy, or that peer of it, a dead letter.
    ///
    /// Selectors of pods are compared with the pods of the policy's own namespace, and only where
    /// the tree has pods there. A `namespaceSelector` is compared with the Namespaces of the tree:
    /// one that is called as the selector says, and lacks the label. Every namespace bears
    /// `kubernetes.io/metadata.name` by itself; `name: traefik` somebody has to put there.
    ///
    /// Silent about pods that operators make, and where the connection that is lost by it is
    /// reported already.
    ///
    /// Source: Kubernetes, "Network Policies"; "Automatic labelling" of namespaces.
    NOBODY = "NP-03" Warning: "every selector of a policy fits something"
    breaks "the policy, or that peer of it, has no effect"
    remedy "use the labels of the pod template; for a namespace kubernetes.io/metadata.name"
    cause "network-policy-without-effect"
    check "kubernetes.network_policies"
    look nobody
}

rule! {
    /// A pod on its node's network has its node's address. Most networks see nothing else of it:
    /// no policy holds for it, and no `podSelector` means it.
    ///
    /// Source: Kubernetes, "Network Policies", "NetworkPolicy and hostNetwork pods".
    NODE = "NP-08" Warning: "no policy counts on the labels of a pod on the host's network"
    breaks "the bridge never meets Prosody, or ports of the node are open that look closed"
    remedy "as a peer give its node's address by ipBlock; close its ports in the node's firewall"
    cause "network-policy-without-effect"
    check "kubernetes.network_policies"
    look node
}

/// Whether a selector of pods fits none of those in the policy's namespace.
pub(super) fn fits_nobody(stack: &Stack<'_>, policy: &Policy<'_>, selector: &Node) -> bool {
    let ends = End::beside(stack, policy);
    let pods = ends.iter().any(|end| matches!(end, End::Pods(_)));
    pods && !is_empty(selector)
        && !of_operators(&ends, selector)
        && ends.iter().all(|end| fits(selector, end.labels()) == Truth::No)
}

/// Whether a selector is for pods that operators make, and no tree has.
fn of_operators(ends: &[End<'_>], selector: &Node) -> bool {
    let clusters = ends.iter().any(|end| matches!(end, End::Instances(_)));
    let equal = selector.map("matchLabels").iter();
    let equal = equal.map(|entry| (&*entry.key, entry.node.scalar().unwrap_or_default()));
    let others = selector.list("matchExpressions").iter();
    let mut all = equal.chain(others.filter_map(|one| Some((one.str("key")?, ""))));
    all.any(|(key, value)| {
        (key.starts_with("cnpg.io/") && !clusters)
            || key.contains("acme")
            || key.contains("cfargotunnel")
            || value.contains("cloudflared")
    })
}

/// Where to point in a selector: at its label, if it has just one.
pub(super) fn line(selector: &Node) -> &Place {
    match selector.map("matchLabels") {
        [only] if selector.list("matchExpressions").is_empty() => &only.place,
        _ => &selector.place,
    }
}

fn nobody(stack: &Stack<'_>, found: &mut Found) {
    let lost = missed(stack, |_| true);
    for policy in policies(stack) {
        // What the peer was to allow is missed, and told with the connection.
        let told_already = |item: &Item<'_>| {
            lost.iter().any(|Missed { flow, cut, .. }| {
                let Connection { to, port, protocol, .. } = &flow.connection;
                std::ptr::eq(cut.policy.object, policy.object)
                    && cut.direction == item.direction
                    && item.rule.has_port(to, *port, protocol) != Truth::No
            })
        };
        if let Some(entry) = policy.selector()
            && fits_nobody(stack, &policy, &entry.node)
        {
            let what = told(&entry.node);
            let message = format!("{} selects {what}, which no pod here has", policy.object);
            found.place(policy.object, line(&entry.node).clone(), message);
        }
        for item in items(&policy).iter().filter(|item| !told_already(item)) {
            if let Some(selector) = item.pods()
                && item.is_beside(stack)
                && !item.is_half(stack)
                && fits_nobody(stack, &policy, selector)
            {
                let message = format!("the peer {} is no pod here", told(selector));
                found.place(policy.object, line(selector).clone(), message);
            }
            if let Some(selector) = item.node.get("namespaceSelector")
                && let Some((label, namespace)) = unlabelled(stack, selector)
            {
                let message = format!("{namespace} has no label {label}");
                let problem = found.place(policy.object, line(selector).clone(), message);
                problem.remedy(format!("use kubernetes.io/metadata.name: {}", namespace.name()));
                problem.also_place(namespace.place(), "the namespace");
            }
        }
    }
}

/// A namespace of the inventory that a selector names by a label that it does not have.
fn unlabelled<'a>(stack: &Stack<'a>, selector: &Node) -> Option<(String, &'a Object)> {
    let equal = selector.map("matchLabels").iter();
    let mut named = equal.filter_map(|entry| {
        let name = entry.node.scalar()?;
        let object = stack.inventory.named("Namespace", name).next()?;
        let labels = Labels::of_namespace(stack, object.name());
        (fits(selector, labels) == Truth::No).then(|| (format!("{}={name}", entry.key), object))
    });
    named.next()
}

fn node(stack: &Stack<'_>, found: &mut Found) {
    for policy in policies(stack) {
        let ends = End::beside(stack, &policy);
        let only_nodes = |selector: &Node| {
            let fit = |end: &&End<'_>| fits(selector, end.labels()) != Truth::No;
            let all: Vec<_> = ends.iter().filter(fit).collect();
            let first = all.first().filter(|_| all.iter().all(|end| end.is_node()));
            first.map(|end| end.to_string())
        };
        if let Some(entry) = policy.selector().filter(|entry| !is_empty(&entry.node))
            && let Some(who) = only_nodes(&entry.node)
        {
            let object = policy.object;
            let message = format!("{object} selects {who}, which is on the host's network");
            found.place(object, line(&entry.node).clone(), message);
        }
        for item in items(&policy) {
            if let Some(selector) = item.pods().filter(|_| item.is_beside(stack))
                && let Some(who) = only_nodes(selector)
            {
                let message =
                    format!("the peer {} is {who}, on the host's network", told(selector));
                found.place(policy.object, line(selector).clone(), message);
            }
        }
    }
}
