//! The bridge's ports.

use mxdoctor_probes::manifest::Node;

use super::spread::on_node;
use super::variable::{Variable, is_on, variable};
use crate::lint::view::{EnvValue, JitsiPart};
use crate::lint::{Change, Found, Stack};
use crate::rule;

rule! {
    /// The bridge offers the port `JVB_PORT`, 10000 unless told otherwise. It has to be the one
    /// that the container opens and the node passes on.
    ///
    /// Source: docker-jitsi-meet, `jvb.conf`; Kubernetes, `hostPort`.
    OTHER_PORT = "JIT-07" Error: "the bridge's media port is one number everywhere"
    breaks "people send media to a port where nobody listens: calls connect and stay silent"
    remedy "use one number in JVB_PORT, containerPort, hostPort and the firewall"
    cause "port-mismatch"
    check "kubernetes.jvb_network"
    look other_port
}

rule! {
    /// In the host's network every port of the bridge is one of the node: media, 8080 for its
    /// private interface, and 9090 for the bridge's WebSocket where that is on. The scheduler sees
    /// only what `ports` declares.
    ///
    /// Source: Kubernetes, `ContainerPort`; jitsi-videobridge, `http-servers`.
    UNDECLARED = "JIT-27" Warning: "a bridge in the host's network declares its ports"
    breaks "two programs land on one node and want the same port: address already in use"
    remedy "declare 10000/UDP, 8080 and 9090 in ports"
    cause "host-port-taken"
    check "kubernetes.jvb_network"
    look undeclared
}

rule! {
    /// The bridge's private interface listens on all addresses. In the host's network whoever
    /// reaches the node can make and end conferences with it, once it is on.
    ///
    /// Source: jitsi-videobridge, `doc/rest.md`; docker-jitsi-meet, `jvb.conf`.
    CONTROL = "JIT-28" Warning: "nobody controls the bridge over the node's network"
    breaks "whoever reaches port 8080 of the node can make and end conferences"
    remedy "set COLIBRI_REST_ENABLED and SHUTDOWN_REST_ENABLED to \"false\", or close the port"
    cause "bridge-api-public"
    check "kubernetes.jvb_network"
    look control
}

/// The media port, and where it is given; none where it is not known.
fn media(stack: &Stack<'_>, part: &JitsiPart<'_>) -> Option<i64> {
    match variable(stack, part, "JVB_PORT") {
        Variable::Missing => Some(10_000),
        Variable::Given(env) => env.known()?.parse().ok(),
        Variable::Unknown => None,
    }
}

fn other_port(stack: &Stack<'_>, found: &mut Found) {
    for part in &stack.jitsi.jvb {
        let Some(media) = media(stack, part) else { continue };
        let ports = part.container.ports().iter();
        let udp: Vec<&Node> = ports.filter(|it| it.str("protocol") == Some("UDP")).collect();
        let own = |port: &&Node| port.i64("containerPort") == Some(media);
        match (udp.first(), udp.iter().copied().find(|port| own(port))) {
            (Some(port), None) => {
                let node = port.get("containerPort").unwrap_or(port);
                let said = node.scalar().unwrap_or_default();
                let message = format!("the bridge offers port {media}, and this opens {said}");
                found.at(part.workload.object, node, message);
            }
            // The address may name a port of its own, `ADDRESS#PORT`.
            (_, Some(port)) if !names_port(stack, part) => {
                if let Some(node) = port.get("hostPort").filter(|it| it.as_i64() != Some(media)) {
                    let said = node.scalar().unwrap_or_default();
                    let message =
                        format!("the bridge offers port {media}, and the node passes {said} on");
                    found.at(part.workload.object, node, message);
                }
            }
            _ => {}
        }
    }
}

fn names_port(stack: &Stack<'_>, part: &JitsiPart<'_>) -> bool {
    match variable(stack, part, "JVB_ADVERTISE_IPS") {
        Variable::Given(env) => env.known().is_none_or(|text| text.contains('#')),
        Variable::Missing => false,
        Variable::Unknown => true,
    }
}

fn undeclared(stack: &Stack<'_>, found: &mut Found) {
    for part in stack.jitsi.jvb.iter().filter(|part| part.workload.host_network()) {
        let socket = is_on(stack, part, "ENABLE_COLIBRI_WEBSOCKET") == Some(true);
        let Some(media) = media(stack, part) else { continue };
        let ports = part.container.ports();
        // Another port for media has a rule of its own.
        let udp = ports.iter().any(|it| it.str("protocol") == Some("UDP"));
        let declared = |port: i64| {
            (port == media && udp) || ports.iter().any(|it| it.i64("containerPort") == Some(port))
        };
        let wanted = [media, 8080, 9090];
        let lacks: Vec<String> = wanted
            .into_iter()
            .filter(|port| !declared(*port) && (*port != 9090 || socket))
            .map(|port| port.to_string())
            .collect();
        if lacks.is_empty() {
            continue;
        }
        let message = format!("the bridge takes port {} of its node unsaid", lacks.join(" and "));
        let node = part.container.node;
        match node.entry("ports") {
            Some(entry) => found.place(part.workload.object, entry.place.clone(), message),
            None => found.at(part.workload.object, node.get("name").unwrap_or(node), message),
        };
    }
}

fn control(stack: &Stack<'_>, found: &mut Found) {
    for part in stack.jitsi.jvb.iter().filter(|part| on_node(part)) {
        let open = |port: &Node| port.i64("hostPort") == Some(8080);
        if !part.workload.host_network() && !part.container.ports().iter().any(open) {
            continue;
        }
        for name in ["COLIBRI_REST_ENABLED", "SHUTDOWN_REST_ENABLED"] {
            let Variable::Given(env) = variable(stack, part, name) else { continue };
            if is_on(stack, part, name) != Some(true) {
                continue;
            }
            let EnvValue::Known(node) = env.value else { continue };
            let message = format!("{name} lets whoever reaches the node control the bridge");
            let problem = found.at(part.workload.object, node, message);
            if node.place.line > 0 {
                let with = "\"false\"".to_owned();
                let change = Change::Replace { place: node.place.clone(), with };
                problem.fix(format!("turn {name} off"), vec![change]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    const HOST: &str = "hostNetwork: true";

    fn declared(variables: &str) -> String {
        let ports = "ports: [{containerPort: 10000, hostPort: 10000, protocol: UDP}, \
                     {containerPort: 8080}]";
        let bare = "ports: [{containerPort: 10000, protocol: UDP}]";
        jitsi("jvb", variables, HOST).replace(bare, ports)
    }

    #[test]
    fn ports_as_the_reference_has_them_are_right() {
        for rule in ["JIT-07", "JIT-27", "JIT-28"] {
            assert_eq!(found(rule, &declared("JVB_PORT: '10000'")), [""; 0], "{rule}");
        }
    }

    #[test]
    fn another_port_is_found() {
        let expected = "21:33 the bridge offers port 10001, and this opens 10000";
        assert_eq!(found("JIT-07", &declared("JVB_PORT: '10001'")), [expected]);
        let moved = declared("TZ: UTC").replace("hostPort: 10000", "hostPort: 20000");
        let expected = "21:50 the bridge offers port 10000, and the node passes 20000 on";
        assert_eq!(found("JIT-07", &moved), [expected]);
        let named = moved.replace("TZ: UTC", "JVB_ADVERTISE_IPS: 203.0.113.10#20000");
        assert_eq!(found("JIT-07", &named), [""; 0]);
    }

    #[test]
    fn what_is_taken_of_the_node_is_declared() {
        let expected = "21:9 the bridge takes port 8080 of its node unsaid";
        assert_eq!(found("JIT-27", &jitsi("jvb", "TZ: UTC", HOST)), [expected]);
        assert_eq!(found("JIT-27", &jitsi("jvb", "TZ: UTC", "hostNetwork: false")), [""; 0]);
        let socket = declared("ENABLE_COLIBRI_WEBSOCKET: '1'");
        assert_eq!(
            found("JIT-27", &socket),
            ["21:9 the bridge takes port 9090 of its node unsaid"]
        );
    }

    #[test]
    fn nobody_controls_the_bridge_from_outside() {
        let on = declared("COLIBRI_REST_ENABLED: 'true'");
        let expected = "6:25 COLIBRI_REST_ENABLED lets whoever reaches the node control the bridge";
        assert_eq!(found("JIT-28", &on), [expected]);
        let off = on.replace("'true'", "'false'");
        assert_eq!(found("JIT-28", &off), [""; 0]);
        let inside = jitsi("jvb", "COLIBRI_REST_ENABLED: 'true'", "hostNetwork: false");
        assert_eq!(found("JIT-28", &inside), [""; 0]);
    }
}
