//! On which nodes bridges run.

use mxdoctor_probes::manifest::Node;

use super::variable::{Variable, variable};
use crate::lint::view::JitsiPart;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A port of the node is there once. Several bridges that are all kept to one node by its name
    /// cannot all have it.
    ///
    /// Source: Kubernetes, `hostPort`, "Assigning Pods to Nodes".
    NO_ROOM = "JIT-02" Error: "there are as many nodes as bridges with a port of the node"
    breaks "all bridges but one stay Pending: the node has no free ports"
    remedy "one bridge for each node: a DaemonSet, or replicas: 1"
    cause "host-port-taken"
    check "kubernetes.jvb_network"
    look no_room
}

rule! {
    /// A bridge that is told one public address is right on one node alone, the one that has the
    /// address and whose firewall lets UDP in. Nothing keeps it there but a selector.
    ///
    /// A cluster of one node needs none; a comment says so.
    ///
    /// Source: Kubernetes, "Assigning Pods to Nodes"; docker-jitsi-meet, `JVB_ADVERTISE_IPS`.
    NOT_PINNED = "JIT-26" Warning: "a bridge with a fixed address stays on its node"
    breaks "after a move to another node calls connect and stay silent"
    remedy "set nodeSelector: {kubernetes.io/hostname: NODE}"
    cause "bridge-on-another-node"
    check "kubernetes.jvb_network"
    look not_pinned
}

/// Whether a bridge takes ports of its node.
pub(super) fn on_node(part: &JitsiPart<'_>) -> bool {
    part.workload.host_network()
        || part.container.ports().iter().any(|port| port.get("hostPort").is_some())
}

const NODE: &str = "kubernetes.io/hostname";

/// The terms of a pod's required node affinity.
fn terms<'a>(part: &JitsiPart<'a>) -> &'a [Node] {
    let path = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    part.workload.pod.at(path).map_or(&[], |node| node.list("nodeSelectorTerms"))
}

/// How many nodes a bridge may run on, where it is kept to some by their names.
fn nodes(part: &JitsiPart<'_>) -> Option<usize> {
    let pod = part.workload.pod;
    if pod.get("nodeName").is_some()
        || pod.get("nodeSelector").is_some_and(|it| it.get(NODE).is_some())
    {
        return Some(1);
    }
    let [term] = terms(part) else { return None };
    let by_name = term
        .list("matchExpressions")
        .iter()
        .find(|it| it.str("key") == Some(NODE) && it.str("operator") == Some("In"))?;
    Some(by_name.list("values").len())
}

fn no_room(stack: &Stack<'_>, found: &mut Found) {
    for part in &stack.jitsi.jvb {
        let object = part.workload.object;
        let wanted = part.workload.replicas();
        let Some(nodes) = nodes(part).filter(|_| on_node(part) && object.kind() != "DaemonSet")
        else {
            continue;
        };
        if let Some(node) = object.at("spec.replicas")
            && usize::try_from(wanted).is_ok_and(|wanted| wanted > nodes)
        {
            let message = format!("{wanted} bridges want the same port of {nodes} node");
            found.at(object, node, message);
        }
    }
}

fn not_pinned(stack: &Stack<'_>, found: &mut Found) {
    for part in &stack.jitsi.jvb {
        let Variable::Given(env) = variable(stack, part, "JVB_ADVERTISE_IPS") else { continue };
        let pod = part.workload.pod;
        let kept = ["nodeSelector", "nodeName"].iter().any(|key| pod.get(key).is_some())
            || !terms(part).is_empty();
        let object = part.workload.object;
        if env.known().is_none() || kept || !on_node(part) || object.kind() == "DaemonSet" {
            continue;
        }
        let message = "the address is of one node, and the bridge may run on any";
        let node = part.container.node;
        let name = node.get("name").unwrap_or(node);
        found.at(object, name, message).also_place(&env.place, "the address");
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    const ADDRESS: &str = "JVB_ADVERTISE_IPS: 203.0.113.10";
    const HOST: &str = "hostNetwork: true";
    const NODE: &str = "nodeSelector: {kubernetes.io/hostname: node-a}";

    #[test]
    fn a_node_has_its_port_once() {
        let two = |pod: &str| {
            let text = jitsi("jvb", ADDRESS, pod);
            text.replacen("spec:\n  template", "spec:\n  replicas: 2\n  template", 1)
        };
        let pinned = format!("{HOST}\n      {NODE}");
        let expected = "13:13 2 bridges want the same port of 1 node";
        assert_eq!(found("JIT-02", &two(&pinned)), [expected]);
        assert_eq!(found("JIT-02", &two(HOST)), [""; 0]);
        assert_eq!(found("JIT-02", &jitsi("jvb", ADDRESS, &pinned)), [""; 0]);
    }

    #[test]
    fn an_address_belongs_to_a_node() {
        let expected = "19:15 the address is of one node, and the bridge may run on any";
        assert_eq!(found("JIT-26", &jitsi("jvb", ADDRESS, HOST)), [expected]);
        let pinned = format!("{HOST}\n      {NODE}");
        assert_eq!(found("JIT-26", &jitsi("jvb", ADDRESS, &pinned)), [""; 0]);
        assert_eq!(found("JIT-26", &jitsi("jvb", "TZ: UTC", HOST)), [""; 0]);
    }
}
