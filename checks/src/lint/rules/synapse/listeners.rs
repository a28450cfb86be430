//! Where Synapse listens, and for whom.

use mxdoctor_probes::manifest::Node;

use crate::lint::view::{Container, Payload, Synapse, Workload};
use crate::lint::{Change, Found, Stack};
use crate::rule;

rule! {
    /// The Service's target has to be a port on which Synapse listens. A port that another
    /// container of the pod may have is not judged.
    ///
    /// Source: Synapse, `listeners`; Kubernetes, "Service".
    PORTS_DIFFER = "SYN-13" Error: "Synapse listens where its Service sends requests"
    breaks "the Service's endpoints refuse every connection: 502 from the ingress and the tunnel"
    remedy "use one port in the listener, the container and the Service"
    cause "port-mismatch"
    check "kubernetes.services"
    look ports_differ
}

rule! {
    /// A listener on loopback answers inside its pod only. Silent where a neighbour in the pod may
    /// be the proxy for it, and where no Service sends to it.
    ///
    /// Source: Synapse, `listeners[].bind_addresses`.
    LOOPBACK = "SYN-14" Error: "Synapse listens on the pod's address"
    breaks "requests by the Service are refused, while curl inside the pod works"
    remedy "bind_addresses: ['0.0.0.0'] or ['::']"
    cause "listens-on-loopback"
    check "kubernetes.services"
    look loopback
}

rule! {
    /// Every request comes from a proxy. Without `x_forwarded` they all share its address: one
    /// rate limit for everybody, and lists of devices that say nothing. A listener that ends TLS
    /// itself has no proxy in front, and of several only those are judged to which a route leads.
    ///
    /// Source: Synapse documentation, "Using a reverse proxy with Synapse".
    NOT_FORWARDED = "SYN-15" Warning: "Synapse takes people's addresses from its proxy"
    breaks "all people share the proxy's address: one of them uses up everybody's rate limit"
    remedy "set x_forwarded: true on the listener"
    cause "client-address-lost"
    check "kubernetes.configmaps"
    look not_forwarded
}

rule! {
    /// The proxies in front speak plain HTTP to the Service. Silent where a certificate is given,
    /// as for federation straight to port 8448.
    ///
    /// Source: Synapse, `listeners[].tls`.
    TLS = "SYN-16" Error: "Synapse leaves TLS to its proxy"
    breaks "Synapse does not start without certificates, or answers plain requests with an error"
    remedy "set tls: false on the listener"
    cause "listener-speaks-tls"
    check "kubernetes.configmaps"
    look tls
}

rule! {
    /// A listener without the resource `federation` answers 404 to other servers. Silent where the
    /// server is closed by decision: with an empty `federation_domain_whitelist`, or with the
    /// resource `openid`, which is for servers without federation.
    ///
    /// Source: Synapse, `listeners[].resources`.
    RESOURCES = "SYN-17" Error: "Synapse serves clients and federation"
    breaks "people log in, and nobody on other servers is reached"
    remedy "resources: [{names: [client, federation]}]"
    cause "federation-not-served"
    check "kubernetes.configmaps"
    look resources
}

/// The listeners of HTTP that serve clients or federation.
fn listeners<'s>(synapse: &'s Synapse<'_>) -> Vec<(&'s Payload<'s>, &'s Node)> {
    let Some((file, list)) = synapse.option("listeners") else { return Vec::new() };
    let serves = |listener: &&Node| {
        listener.str("type").is_none_or(|kind| kind == "http") && !is_private(listener)
    };
    list.items().iter().filter(serves).map(|listener| (file, listener)).collect()
}

/// A listener for metrics, replication or the like.
fn is_private(listener: &Node) -> bool {
    let names = names(listener);
    !names.is_empty()
        && names.iter().all(|name| !matches!(*name, "client" | "federation" | "media" | "openid"))
}

fn names(listener: &Node) -> Vec<&str> {
    let resources = listener.list("resources").iter();
    let names = resources.flat_map(|resource| resource.list("names"));
    names.filter_map(Node::as_str).collect()
}

/// Whether another container of Synapse's pod may listen on a port: one that declares it, or one
/// that declares none.
fn is_neighbours(workload: &Workload<'_>, container: &Container<'_>, port: i64) -> bool {
    workload.main().filter(|it| it.name() != container.name()).any(|other| {
        let ports = other.ports();
        ports.is_empty() || ports.iter().any(|it| it.i64("containerPort") == Some(port))
    })
}

/// The ports of Synapse's pod to which routes lead; none where no route is known.
fn routed(stack: &Stack<'_>, synapse: &Synapse<'_>) -> Option<Vec<i64>> {
    let (workload, _) = synapse.workload.as_ref()?;
    let routes = stack.routes_to(workload);
    let mut all = Vec::new();
    for route in &routes {
        let service = route.target(stack)?;
        let port = match route.port.and_then(Node::scalar) {
            Some(wanted) => service.port(wanted),
            None => service.ports().next(),
        };
        all.extend(port.and_then(|port| port.target_number(workload)));
    }
    (!routes.is_empty()).then_some(all)
}

fn ports_differ(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let Some((workload, container)) = &synapse.workload else { continue };
        let Some((file, list)) = synapse.option("listeners") else { continue };
        let listens: Vec<i64> = list.items().iter().filter_map(|it| it.i64("port")).collect();
        for service in stack.services_of(workload) {
            for port in service.ports() {
                let Some(number) = port.target_number(workload) else { continue };
                let Some(target) = port.target() else { continue };
                if listens.is_empty()
                    || listens.contains(&number)
                    || is_neighbours(workload, container, number)
                {
                    continue;
                }
                let heard: Vec<_> = listens.iter().map(i64::to_string).collect();
                let message = format!(
                    "Service {} sends to port {number}, and Synapse listens on {}",
                    service.object.name(),
                    heard.join(", ")
                );
                found
                    .at(service.object, target, message)
                    .also_place(&list.place, format!("the listeners in {}", file.key));
            }
        }
    }
}

fn loopback(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((workload, container)) = &synapse.workload else { continue };
        let alone = workload.main().all(|it| it.name() == container.name());
        let services = stack.services_of(workload);
        let sent = |port: i64| {
            let mut ports = services.iter().flat_map(|service| service.ports());
            services.is_empty() || ports.any(|it| it.target_number(workload) == Some(port))
        };
        for (file, listener) in listeners(synapse) {
            if !alone || !listener.i64("port").is_some_and(sent) {
                continue;
            }
            let addresses = listener.list("bind_addresses");
            let is_loopback =
                |node: &Node| matches!(node.as_str(), Some("127.0.0.1" | "::1" | "localhost"));
            if !addresses.is_empty() && addresses.iter().all(is_loopback) {
                let message = "this listener answers inside its pod only";
                found.at(file.object, &addresses[0], message);
            }
        }
    }
}

fn not_forwarded(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.workload.is_some()) {
        let all = listeners(synapse);
        let routed = routed(stack, synapse);
        let led = |listener: &Node| match &routed {
            Some(ports) => listener.i64("port").is_some_and(|port| ports.contains(&port)),
            None => all.len() == 1,
        };
        for (file, listener) in &all {
            let node = listener.get("x_forwarded");
            let is = |node: Option<&Node>| node.and_then(Node::as_bool) == Some(true);
            if is(node) || is(listener.get("tls")) || !led(listener) {
                continue;
            }
            let message = "x_forwarded is off: people's addresses are the proxy's";
            let problem = found.at(file.object, node.unwrap_or(listener), message);
            if let Some(node) = node.filter(|node| node.place.field.is_none()) {
                let change = Change::Replace { place: node.place.clone(), with: "true".into() };
                problem.fix("set x_forwarded to true", vec![change]);
            }
        }
    }
}

fn tls(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.workload.is_some()) {
        let certified = synapse.option("tls_certificate_path").is_some() || synapse.reads_more;
        for (file, listener) in listeners(synapse) {
            if certified {
                continue;
            }
            if let Some(node) = listener.get("tls").filter(|node| node.as_bool() == Some(true)) {
                found.at(file.object, node, "this listener speaks TLS, and its proxy does not");
            }
        }
    }
}

fn resources(stack: &Stack<'_>, found: &mut Found) {
    // Where there are workers, one of them may serve what the main process does not.
    if stack.running(&["synapse"]).len() > stack.synapse.len() {
        return;
    }
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let Some((file, list)) = synapse.option("listeners") else { continue };
        let all: Vec<&str> = list.items().iter().flat_map(names).collect();
        let whitelist = synapse.option("federation_domain_whitelist");
        let closed =
            all.contains(&"openid") || whitelist.is_some_and(|(_, it)| it.items().is_empty());
        if all.is_empty() || closed {
            continue;
        }
        for (name, what) in [("client", "clients"), ("federation", "other servers")] {
            if !all.contains(&name) {
                let message = format!("no listener has the resource {name}: {what} get 404");
                found.at(file.object, list, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    const GOOD: &str = "listeners:\n- port: 8008\n  type: http\n  tls: false\n  x_forwarded: true\n  \
                        bind_addresses: ['0.0.0.0']\n  resources: [{names: [client, federation]}]";
    const SERVICE: &str = "---\napiVersion: v1\nkind: Service\nmetadata: {name: synapse}\nspec:\n  \
                           selector: {app: synapse}\n  ports:\n  - port: 80\n    targetPort: 8008\n";

    #[test]
    fn a_listener_as_the_reference_has_it_is_right() {
        let text = synapse(GOOD) + SERVICE;
        for rule in ["SYN-13", "SYN-14", "SYN-15", "SYN-16", "SYN-17"] {
            assert_eq!(found(rule, &text), [""; 0], "{rule}");
        }
    }

    #[test]
    fn each_mistake_is_found_with_its_place() {
        for (rule, from, to, expected) in [
            ("SYN-14", "'0.0.0.0'", "127.0.0.1", "12:24 this listener answers inside its pod only"),
            (
                "SYN-15",
                "x_forwarded: true",
                "x_forwarded: false",
                "11:20 x_forwarded is off: people's addresses are the proxy's",
            ),
            (
                "SYN-16",
                "tls: false",
                "tls: true",
                "10:12 this listener speaks TLS, and its proxy does not",
            ),
            (
                "SYN-17",
                "client, federation",
                "client",
                "8:7 no listener has the resource federation: other servers get 404",
            ),
        ] {
            let text = synapse(&GOOD.replace(from, to)) + SERVICE;
            assert_eq!(found(rule, &text), [expected]);
        }
        let text = synapse(&GOOD.replace("8008", "8080")) + SERVICE;
        let message = &found("SYN-13", &text)[0];
        let expected = "Service synapse sends to port 8008, and Synapse listens on 8080";
        assert!(message.ends_with(expected), "{message}");
    }

    #[test]
    fn metrics_have_a_listener_of_their_own() {
        let more = "\n- port: 9000\n  type: metrics\n  bind_addresses: ['127.0.0.1']";
        let text = synapse(&format!("{GOOD}{more}")) + SERVICE;
        for rule in ["SYN-13", "SYN-14", "SYN-15"] {
            assert_eq!(found(rule, &text), [""; 0], "{rule}");
        }
    }

    #[test]
    fn a_neighbour_in_the_pod_may_be_the_proxy() {
        let neighbour = "      containers:\n      - {name: proxy, image: a/b:1, ports: \
                         [{containerPort: 8443}]}\n";
        let beside = |text: String| text.replacen("      containers:\n", neighbour, 1);
        let other = synapse(GOOD) + &SERVICE.replace("8008", "8443");
        assert_eq!(found("SYN-13", &other).len(), 1);
        assert_eq!(found("SYN-13", &beside(other)), [""; 0]);
        let inside = synapse(&GOOD.replace("'0.0.0.0'", "127.0.0.1")) + SERVICE;
        assert_eq!(found("SYN-14", &beside(inside)), [""; 0]);
    }

    #[test]
    fn a_listener_that_no_route_leads_to_is_left_alone() {
        let more = "- port: 8448\n  type: http\n  tls: true\n  bind_addresses: ['127.0.0.1']\n  \
                    resources: [{names: [federation]}]\ntls_certificate_path: /tls/tls.crt";
        let text = synapse(&format!("{GOOD}\n{more}")) + SERVICE;
        for rule in ["SYN-14", "SYN-15", "SYN-16"] {
            assert_eq!(found(rule, &text), [""; 0], "{rule}");
        }
    }

    #[test]
    fn a_server_may_be_closed() {
        let alone = GOOD.replace("client, federation", "client");
        let closed = format!("{alone}\nfederation_domain_whitelist: []");
        assert_eq!(found("SYN-17", &synapse(&closed)), [""; 0]);
        let openid = GOOD.replace("client, federation", "client, openid");
        assert_eq!(found("SYN-17", &synapse(&openid)), [""; 0]);
    }
}
