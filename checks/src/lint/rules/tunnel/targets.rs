//! Where a tunnel's subjects lead, and by which tunnel.

use mxdoctor_probes::manifest::{Node, Object};

use super::super::network::routes::may_be_made;
use crate::lint::view::{Route, RouteKind, Service};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A binding looks for its subjects in its own namespace and nowhere else. In the place of one
    /// that it does not find it publishes `http_status:404`.
    ///
    /// Silent where the tree has no Services at all, as a part of another one, and about Services
    /// that a chart or an operator may make, where such are here.
    ///
    /// Source: cloudflare-operator, `TunnelBindingReconciler.getServiceForSubject`.
    ELSEWHERE = "TUN-02" Error: "a binding's Services are there, in its own namespace"
    breaks "the tunnel answers 404 for the name: the operator finds no Service"
    remedy "name a Service of the binding's namespace, or put the binding into the Service's"
    cause "tunnel-service-missing"
    check "kubernetes.tunnels"
    look elsewhere
}

rule! {
    /// `target` takes the place of the Service's address. What it names is asked as it stands.
    ///
    /// Source: cloudflare-operator, `spec.target` of a subject.
    TARGET = "TUN-04" Warning: "a subject's target is a Service that is there, by its port"
    breaks "the tunnel answers 502: nothing listens at the target"
    remedy "name the Service's port, or take target out"
    cause "tunnel-target-wrong"
    check "kubernetes.tunnels"
    look target
}

rule! {
    /// A binding names a Tunnel of its own namespace or a ClusterTunnel, and says which.
    ///
    /// Source: cloudflare-operator, `tunnelRef.kind`.
    REFERENCE = "TUN-05" Error: "a binding names the kind of tunnel that it means"
    breaks "the operator does not find the tunnel: the names are never published"
    remedy "kind: ClusterTunnel for one of the whole cluster, Tunnel for one of this namespace"
    cause "tunnel-reference-wrong"
    check "kubernetes.tunnels"
    look reference
}

rule! {
    /// The operator makes DNS records in the zone that the tunnel names.
    ///
    /// Silent where the tunnel is not in the tree.
    ///
    /// Source: cloudflare-operator, `spec.cloudflare.domain`.
    ZONE = "TUN-06" Warning: "a public name is in the zone of its tunnel"
    breaks "no DNS record is made, or one in the wrong zone: the name does not resolve"
    remedy "use a name of the tunnel's zone, or a tunnel of the name's zone"
    cause "tunnel-reference-wrong"
    check "kubernetes.tunnels"
    look zone
}

rule! {
    /// Rules are asked in the order in which they stand, and the first that fits answers. One
    /// without a path fits everything.
    ///
    /// Source: cloudflared, "Ingress rules".
    SHADOWED = "TUN-08" Warning: "a path stands before the rule that takes everything"
    breaks "the path's Service is never asked"
    remedy "move the subject with the path above the one without"
    cause "tunnel-path-shadowed"
    check "kubernetes.tunnels"
    look shadowed
}

rule! {
    /// A tunnel for everybody carries HTTP. Sound and picture come over UDP, straight to the
    /// bridge's node.
    ///
    /// Source: Cloudflare Tunnel, supported protocols: UDP only for enrolled devices.
    MEDIA = "TUN-12" Error: "no media is expected through the tunnel"
    breaks "conferences connect and stay silent: nobody's packets arrive"
    remedy "take the subject out, and open UDP 10000 to the node of the bridge"
    cause "tunnel-carries-no-media"
    check "kubernetes.tunnels"
    look media
}

/// The subjects of all bindings.
fn subjects<'s, 'a>(stack: &'s Stack<'a>) -> impl Iterator<Item = &'s Route<'a>> {
    stack.routes.iter().filter(|route| route.kind == RouteKind::TunnelBinding)
}

fn elsewhere(stack: &Stack<'_>, found: &mut Found) {
    for route in subjects(stack).filter(|route| route.target(stack).is_none()) {
        let Some(name) = route.service.filter(|_| !stack.services.is_empty()) else { continue };
        let said = name.as_str().unwrap_or_default();
        if let Some(other) = stack.inventory.named("Service", said).next() {
            let message = format!(
                "Service {} is in {}, and the binding in {}",
                other.name(),
                other.namespace().unwrap_or("another namespace"),
                route.object.namespace().unwrap_or("another"),
            );
            found.at(route.object, name, message).also_place(other.place(), "the Service");
        } else if !may_be_made(stack, said) {
            let message = format!("{} leads to Service {said}, which is not here", route.object);
            found.at(route.object, name, message);
        }
    }
}

fn target(stack: &Stack<'_>, found: &mut Found) {
    for route in subjects(stack) {
        let Some(node) = route.node.at("spec.target") else { continue };
        let Some((name, namespace, port)) = node.as_str().and_then(in_cluster) else { continue };
        let own = route.object.namespace();
        let here = |object: &&Object| {
            namespace.or(own).is_none_or(|one| object.namespace().is_none_or(|own| own == one))
        };
        let service = stack.inventory.named("Service", name).find(here);
        match (service, port) {
            (Some(object), Some(port)) if (Service { object }).port(port).is_none() => {
                let message = format!("Service {name} has no port {port}");
                found.at(route.object, node, message).also_place(object.place(), "the Service");
            }
            // A chart or an operator may make it.
            (None, _) if (namespace.is_none() || namespace == own) && !stack.is_open() => {
                found.at(route.object, node, format!("there is no Service {name}"));
            }
            _ => {}
        }
    }
}

/// The Service, namespace and port of an address inside the cluster.
fn in_cluster(target: &str) -> Option<(&str, Option<&str>, Option<&str>)> {
    let (_, rest) = target.split_once("://")?;
    let authority = rest.split('/').next()?;
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let mut labels = host.split('.');
    let (name, namespace, svc) = (labels.next()?, labels.next(), labels.next());
    match (namespace, svc) {
        (None, _) if name != "localhost" && name.parse::<u8>().is_err() => Some((name, None, port)),
        (Some(namespace), Some("svc")) => Some((name, Some(namespace), port)),
        _ => None,
    }
}

fn reference(stack: &Stack<'_>, found: &mut Found) {
    for object in stack.inventory.of_kind("TunnelBinding") {
        let Some(reference) = object.at("tunnelRef") else { continue };
        let name = reference.str("name").unwrap_or_default();
        let named = |kind: &str| stack.inventory.named(kind, name).next();
        let kind = reference.get("kind");
        let place = kind.or(reference.get("name")).unwrap_or(reference);
        let wrong = match kind.and_then(Node::as_str) {
            Some("ClusterTunnel") => (named("ClusterTunnel").is_none())
                .then(|| named("Tunnel"))
                .flatten()
                .map(|_| format!("{name} is a Tunnel, no ClusterTunnel")),
            Some("Tunnel") => {
                let here = stack.inventory.beside(object, "Tunnel", name).is_some();
                let other = named("ClusterTunnel").or_else(|| named("Tunnel"));
                match other.filter(|_| !here) {
                    Some(other) if other.kind() == "Tunnel" => {
                        Some(format!("Tunnel {name} is in another namespace"))
                    }
                    Some(_) => Some(format!("{name} is a ClusterTunnel, no Tunnel")),
                    None => None,
                }
            }
            Some(other) => Some(format!("{other} is no kind of tunnel")),
            None => Some("the kind of tunnel is not said".to_owned()),
        };
        if let Some(message) = wrong {
            found.at(object, place, message);
        }
    }
}

fn zone(stack: &Stack<'_>, found: &mut Found) {
    for route in subjects(stack) {
        let reference = route.object.at("tunnelRef");
        let Some((kind, name)) = reference.and_then(|it| Some((it.str("kind")?, it.str("name")?)))
        else {
            continue;
        };
        let tunnel = match kind {
            "Tunnel" => stack.inventory.beside(route.object, kind, name),
            _ => stack.inventory.named(kind, name).next(),
        };
        let Some(tunnel) = tunnel else { continue };
        let Some(domain) = tunnel.at("spec.cloudflare.domain") else { continue };
        let (Some(zone), Some(host)) = (domain.as_str(), route.host) else { continue };
        let below = host.strip_suffix(zone);
        if below.is_none_or(|head| !head.is_empty() && !head.ends_with('.')) {
            let message = format!("{host} is not in {zone}, the zone of {name}");
            found.place(route.object, route.place.clone(), message).also(domain, "the zone");
        }
    }
}

fn shadowed(stack: &Stack<'_>, found: &mut Found) {
    let mut open: Vec<&Route<'_>> = Vec::new();
    for route in subjects(stack) {
        let path = route.path.and_then(Node::as_str).unwrap_or_default();
        if path.is_empty() {
            open.push(route);
            continue;
        }
        // Of several bindings it is not the order in the tree that decides.
        let before = open
            .iter()
            .find(|one| one.host == route.host && std::ptr::eq(one.object, route.object));
        if let (Some(first), Some(node)) = (before, route.path) {
            let message = format!("{path} is never asked: the rule above takes everything");
            found.at(route.object, node, message).also_place(&first.place, "the one above");
        }
    }
}

fn media(stack: &Stack<'_>, found: &mut Found) {
    for route in subjects(stack) {
        let protocol = route.node.at("spec.protocol");
        if let Some(node) = protocol.filter(|node| node.as_str() == Some("udp")) {
            found.at(
                route.object,
                node,
                "a tunnel carries no UDP for people without a device \
                enrolled at Cloudflare",
            );
            continue;
        }
        let first = route.target(stack).and_then(|service| service.ports().next());
        let udp = first.filter(|port| port.protocol() == "UDP");
        if let (Some(port), Some(name)) = (udp, route.service) {
            let message = format!(
                "{} is a Service of UDP, which no tunnel carries",
                name.as_str().unwrap_or_default()
            );
            found.at(route.object, name, message).also(port.node, "its port");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::in_cluster;
    use crate::lint::testing::found;

    const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: m}\n\
                           spec:\n  ports: [{port: 80}]\n---\n";

    fn binding(subjects: &str, reference: &str) -> String {
        format!(
            "{SERVICE}apiVersion: networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\n\
             metadata: {{name: t, namespace: m}}\nsubjects:\n{subjects}\ntunnelRef: {{{reference}}}\n"
        )
    }

    const REFERENCE: &str = "kind: ClusterTunnel, name: c";

    #[test]
    fn a_binding_is_beside_its_service() {
        let text = binding("- {name: web, spec: {fqdn: a.b}}", REFERENCE);
        for rule in ["TUN-02", "TUN-04", "TUN-05", "TUN-06", "TUN-08", "TUN-12", "NET-04"] {
            assert_eq!(found(rule, &text), [""; 0], "{rule}");
        }
        let other = text.replace("{name: t, namespace: m}", "{name: t, namespace: n}");
        let expected = "11:10 Service web is in m, and the binding in n";
        assert_eq!(found("TUN-02", &other), [expected]);
        assert_eq!(found("NET-04", &other), [""; 0]);
    }

    #[test]
    fn a_target_is_a_service_s_port() {
        let of = |target: &str| {
            let subject = format!("- {{name: web, spec: {{fqdn: a.b, target: '{target}'}}}}");
            found("TUN-04", &binding(&subject, REFERENCE))
        };
        assert_eq!(of("http://web.m.svc:80"), [""; 0]);
        assert_eq!(of("http://web.m.svc:8080").len(), 1);
        assert_eq!(of("http://wbe.m.svc:80").len(), 1);
        assert_eq!(of("http://other.elsewhere.svc:80"), [""; 0]);
        assert_eq!(of("https://a.example"), [""; 0]);
        assert_eq!(in_cluster("http://127.0.0.1:80"), None);
    }

    #[test]
    fn a_tunnel_is_of_its_kind_and_zone() {
        let subject = "- {name: web, spec: {fqdn: a.example}}";
        let tunnel = "---\napiVersion: networking.cfargotunnel.com/v1alpha2\nkind: \
                      ClusterTunnel\nmetadata: {name: c}\nspec: {cloudflare: {domain: example}}\n";
        let good = binding(subject, REFERENCE) + tunnel;
        assert_eq!(found("TUN-05", &good), [""; 0]);
        assert_eq!(found("TUN-06", &good), [""; 0]);
        let kind = binding(subject, "kind: Tunnel, name: c") + tunnel;
        assert_eq!(found("TUN-05", &kind), ["12:19 c is a ClusterTunnel, no Tunnel"]);
        assert_eq!(found("TUN-05", &binding(subject, "name: c")).len(), 1);
        let zone = good.replace("domain: example", "domain: other");
        assert_eq!(found("TUN-06", &zone), ["11:28 a.example is not in other, the zone of c"]);
    }

    #[test]
    fn a_path_stands_first() {
        let all = "- {name: web, spec: {fqdn: a.b}}";
        let path = "- {name: web, spec: {fqdn: a.b, path: ^/x}}";
        let bad = binding(&format!("{all}\n{path}"), REFERENCE);
        let expected = "12:39 ^/x is never asked: the rule above takes everything";
        assert_eq!(found("TUN-08", &bad), [expected]);
        assert_eq!(found("TUN-08", &binding(&format!("{path}\n{all}"), REFERENCE)), [""; 0]);
    }

    #[test]
    fn media_takes_no_tunnel() {
        let text = binding("- {name: web, spec: {fqdn: a.b}}", REFERENCE);
        let udp = text.replace("{port: 80}", "{port: 10000, protocol: UDP}");
        assert_eq!(
            found("TUN-12", &udp),
            ["11:10 web is a Service of UDP, which no tunnel carries"]
        );
        let said = binding("- {name: web, spec: {fqdn: a.b, protocol: udp}}", REFERENCE);
        assert_eq!(found("TUN-12", &said).len(), 1);
    }
}
