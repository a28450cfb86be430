//! Where the bridge is, for itself and for people.

use std::net::IpAddr;

use mxdoctor_probes::manifest::Node;

use super::variable::{Variable, variable};
use crate::lint::{Change, Found, Stack};
use crate::rule;

rule! {
    /// A pod in the host's network uses the host's name server unless it says otherwise, and that
    /// one knows no Service. The pod is Ready, and never meets Prosody.
    ///
    /// Silent where `XMPP_SERVER` is an address or a name outside of the cluster.
    ///
    /// Source: Kubernetes, "DNS for Services and Pods", pod's DNS policy.
    DNS_POLICY = "JIT-01" Error: "a bridge in the host's network resolves Services"
    breaks "the bridge cannot resolve Prosody and never joins: no bridge available"
    remedy "set dnsPolicy: ClusterFirstWithHostNet beside hostNetwork"
    cause "jvb-dns-policy"
    check "kubernetes.jvb_network"
    look dns_policy
}

rule! {
    /// The bridge offers the addresses that it knows: those of its node, what it is told, and what
    /// a STUN server tells it at its start. Behind a NAT that is a private address unless
    /// `JVB_ADVERTISE_IPS` names the public one or STUN works.
    ///
    /// A bridge in the host's network of a node with a public address needs no other: a comment
    /// says so.
    ///
    /// Source: docker-jitsi-meet, `jvb/rootfs/defaults/jvb.conf`.
    NOT_ADVERTISED = "JIT-04" Warning: "the bridge is told the address that people reach"
    breaks "calls connect and stay silent for everybody outside the network"
    remedy "set JVB_ADVERTISE_IPS to the node's public address"
    cause "bridge-advertises-private-address"
    check "kubernetes.jvb_network"
    look not_advertised
}

rule! {
    /// `DOCKER_HOST_ADDRESS` is the old name, which the images still take.
    ///
    /// Source: docker-jitsi-meet, `jvb/rootfs/etc/cont-init.d/10-config`.
    OLD_NAME = "JIT-05" Warning: "the bridge's address is given by its present name"
    breaks "a later release passes over it, and calls stay silent"
    remedy "call it JVB_ADVERTISE_IPS"
    cause "bridge-advertises-private-address"
    check "kubernetes.jvb_network"
    look old_name
}

rule! {
    /// ICE candidates carry addresses, not names.
    ///
    /// Source: RFC 8839; docker-jitsi-meet, `JVB_ADVERTISE_IPS`.
    NO_ADDRESS = "JIT-06" Error: "the bridge advertises an address that people can reach"
    breaks "nobody outside can use the candidate: calls connect and stay silent"
    remedy "give the numeric public address of the node; no host name, no address of the tunnel"
    cause "bridge-advertises-wrong-address"
    check "kubernetes.jvb_network"
    look no_address
}

rule! {
    /// A port is TCP unless it says UDP.
    ///
    /// Source: Kubernetes, `ContainerPort.protocol`.
    NOT_UDP = "JIT-08" Error: "the bridge's media port is UDP"
    breaks "the port is opened for TCP, and media never arrive"
    remedy "set protocol: UDP on port 10000"
    cause "udp-blocked"
    check "kubernetes.jvb_network"
    look not_udp
}

const ADVERTISE: &str = "JVB_ADVERTISE_IPS";
const OLD: &str = "DOCKER_HOST_ADDRESS";

fn dns_policy(stack: &Stack<'_>, found: &mut Found) {
    for part in &stack.jitsi.jvb {
        let pod = part.workload.pod;
        let policy = pod.get("dnsPolicy");
        let text = policy.and_then(Node::as_str).unwrap_or("ClusterFirst");
        let Some(host) = pod.entry("hostNetwork") else { continue };
        // What the node's own name server knows needs no other.
        let outside = match variable(stack, part, "XMPP_SERVER") {
            Variable::Given(env) => env.known().is_some_and(|it| {
                it.contains(['.', ':']) && !it.ends_with(".svc") && !it.contains(".svc.")
            }),
            _ => false,
        };
        if outside {
            continue;
        }
        if !part.workload.host_network() || text != "ClusterFirst" {
            continue;
        }
        let message = format!("hostNetwork with dnsPolicy {text} resolves no Service");
        let problem = found.place(part.workload.object, host.place.clone(), message);
        if policy.is_none() && host.place.line > 0 {
            let indent = " ".repeat(usize::try_from(host.place.column).unwrap_or(1) - 1);
            let lines = format!("{indent}dnsPolicy: ClusterFirstWithHostNet");
            let change = Change::AddAfter { place: host.place.clone(), lines };
            problem.fix("add dnsPolicy: ClusterFirstWithHostNet", vec![change]);
        }
    }
}

fn not_advertised(stack: &Stack<'_>, found: &mut Found) {
    for part in &stack.jitsi.jvb {
        let missing = |name| matches!(variable(stack, part, name), Variable::Missing);
        if missing(ADVERTISE) && missing(OLD) {
            let message = "the bridge is not told its public address";
            let node = part.container.node;
            let name = node.get("name").unwrap_or(node);
            found.at(part.workload.object, name, message);
        }
    }
}

fn old_name(stack: &Stack<'_>, found: &mut Found) {
    for part in &stack.jitsi.jvb {
        if let Variable::Given(env) = variable(stack, part, OLD) {
            let message = format!("{OLD} is the old name of {ADVERTISE}");
            found.place(part.workload.object, env.place, message);
        }
    }
}

fn no_address(stack: &Stack<'_>, found: &mut Found) {
    for part in &stack.jitsi.jvb {
        for name in [ADVERTISE, OLD] {
            let Variable::Given(env) = variable(stack, part, name) else { continue };
            let Some(text) = env.known() else { continue };
            for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
                // `ADDRESS#PORT` names a port as well.
                let address = one.split('#').next().unwrap_or(one);
                let wrong = match address.parse::<IpAddr>() {
                    Err(_) => "no address",
                    Ok(ip) if ip.is_loopback() || ip.is_unspecified() => "reached by nobody",
                    Ok(_) => continue,
                };
                let message = format!("{name} is {one}, which is {wrong}");
                found.place(part.workload.object, env.place.clone(), message);
            }
        }
    }
}

fn not_udp(stack: &Stack<'_>, found: &mut Found) {
    for part in &stack.jitsi.jvb {
        let media =
            |port: &&Node| port.i64("containerPort").or(port.i64("hostPort")) == Some(10_000);
        let ports: Vec<_> = part.container.ports().iter().filter(media).collect();
        let is_udp = |port: &&Node| port.str("protocol") == Some("UDP");
        if let Some(port) = ports.first()
            && !ports.iter().any(is_udp)
        {
            let node = port.get("protocol").unwrap_or(port);
            found.at(part.workload.object, node, "port 10000 is TCP here, and media are UDP");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    const GOOD: &str = "JVB_ADVERTISE_IPS: 203.0.113.10";
    const HOST: &str = "hostNetwork: true\n      dnsPolicy: ClusterFirstWithHostNet";

    #[test]
    fn a_bridge_as_the_reference_has_it_is_right() {
        let text = jitsi("jvb", GOOD, HOST);
        for rule in ["JIT-01", "JIT-04", "JIT-05", "JIT-06", "JIT-08"] {
            assert_eq!(found(rule, &text), [""; 0], "{rule}");
        }
    }

    #[test]
    fn each_mistake_is_found() {
        for (rule, variables, pod, expected) in [
            (
                "JIT-01",
                GOOD,
                "hostNetwork: true",
                "hostNetwork with dnsPolicy ClusterFirst resolves no Service",
            ),
            ("JIT-04", "TZ: UTC", HOST, "the bridge is not told its public address"),
            (
                "JIT-05",
                "DOCKER_HOST_ADDRESS: 203.0.113.10",
                HOST,
                "DOCKER_HOST_ADDRESS is the old name of JVB_ADVERTISE_IPS",
            ),
            (
                "JIT-06",
                "JVB_ADVERTISE_IPS: meet.a.example",
                HOST,
                "JVB_ADVERTISE_IPS is meet.a.example, which is no address",
            ),
        ] {
            let messages = found(rule, &jitsi("jvb", variables, pod));
            assert!(messages.len() == 1 && messages[0].ends_with(expected), "{messages:?}");
        }
        let tcp = jitsi("jvb", GOOD, HOST).replace("protocol: UDP", "protocol: TCP");
        assert_eq!(found("JIT-08", &tcp).len(), 1);
    }

    #[test]
    fn what_may_come_from_elsewhere_is_not_missed() {
        let text =
            jitsi("jvb", "TZ: UTC", HOST).replace("name: jitsi-config\ndata", "name: other\ndata");
        assert_eq!(found("JIT-04", &text), [""; 0]);
    }

    #[test]
    fn a_name_server_of_the_node_does_for_what_is_outside() {
        for (server, count) in [
            ("prosody", 1),
            ("prosody.meet.svc", 1),
            ("prosody.meet.svc.cluster.local", 1),
            ("10.61.0.5", 0),
            ("xmpp.a.example", 0),
        ] {
            let text = jitsi("jvb", &format!("XMPP_SERVER: {server}"), "hostNetwork: true");
            assert_eq!(found("JIT-01", &text).len(), count, "{server}");
        }
    }
}
