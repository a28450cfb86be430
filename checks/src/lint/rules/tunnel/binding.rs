//! The shape of a TunnelBinding, and where it leads.

use crate::lint::view::{RouteKind, ServicePort};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A TunnelBinding has no `spec`: `subjects` and `tunnelRef` stand at the top.
    ///
    /// Source: cloudflare-operator, `api/v1alpha1/tunnelbinding_types.go`.
    WRAPPED = "TUN-01" Error: "a TunnelBinding has its subjects at the top"
    breaks "the API server refuses the object, or drops what is inside"
    remedy "move subjects and tunnelRef out of spec"
    cause "tunnel-binding-malformed"
    check "kubernetes.tunnels"
    look wrapped
}

rule! {
    /// The operator takes the first port of a Service, whatever its name.
    ///
    /// Source: cloudflare-operator, `tunnelbinding_controller.go`.
    FIRST_PORT = "TUN-03" Error: "the first port of a tunnel's Service is the one that is meant"
    breaks "the public name leads to metrics or to another port, after a change of order alone"
    remedy "put the web port first, or name it in the subject's target"
    cause "tunnel-port-wrong"
    check "kubernetes.tunnels"
    look first_port
}

rule! {
    /// The Service behind speaks plain HTTP, unless its port is 443. With `protocol: https` it has
    /// to speak TLS, which is doubted only of a port that is named or numbered as a plain one.
    ///
    /// Source: cloudflare-operator, `protocol`.
    TLS = "TUN-09" Warning: "the tunnel speaks to the Service as it is spoken to"
    breaks "the tunnel answers 502, or nobody verifies to whom it speaks"
    remedy "leave protocol and noTlsVerify out"
    cause "tunnel-protocol-wrong"
    check "kubernetes.tunnels"
    look tls
}

fn wrapped(stack: &Stack<'_>, found: &mut Found) {
    for binding in stack.inventory.of_kind("TunnelBinding") {
        if let Some(entry) = binding.node.entry("spec") {
            let message = "a TunnelBinding has no spec: its subjects stand at the top";
            found.place(binding, entry.place.clone(), message);
        }
    }
}

fn first_port(stack: &Stack<'_>, found: &mut Found) {
    for route in stack.routes.iter().filter(|route| route.kind == RouteKind::TunnelBinding) {
        if route.node.at("spec.target").is_some() {
            continue;
        }
        let Some(service) = route.target(stack) else { continue };
        let ports: Vec<_> = service.ports().collect();
        let (Some(first), true) = (ports.first(), ports.len() > 1) else { continue };
        let private = |name: &str| name.contains("metric") || name.contains("admin");
        // Who names the host so means it.
        let meant = route.host.is_some_and(private);
        if first.name().is_some_and(private) && !meant {
            let message = format!(
                "{} is led to port {} of Service {}, its first",
                route.host.unwrap_or_default(),
                first.name().unwrap_or_default(),
                service.object.name()
            );
            found.at(service.object, first.node, message).also_place(&route.place, "by this");
        }
    }
}

/// Whether a port is evidently one of plain HTTP.
fn is_plain(port: &ServicePort<'_>) -> bool {
    let said = port.name().or(port.node.str("appProtocol")).unwrap_or_default();
    let tls = said.contains("https") || said.contains("tls");
    !tls && (said.contains("http") || matches!(port.number(), Some(80 | 8008 | 8080)))
}

fn tls(stack: &Stack<'_>, found: &mut Found) {
    for route in stack.routes.iter().filter(|route| route.kind == RouteKind::TunnelBinding) {
        if let Some(node) = route.node.at("spec.protocol").filter(|it| it.as_str() == Some("https"))
            && let Some(service) = route.target(stack)
            && service.ports().next().is_some_and(|port| is_plain(&port))
        {
            let message =
                format!("https is spoken to Service {}, which is plain", service.object.name());
            found.at(route.object, node, message);
        }
        let first = route.target(stack).and_then(|service| service.ports().next());
        let by_tls = route.node.at("spec.protocol").and_then(|it| it.as_str()) == Some("https")
            || first.and_then(|port| port.number()) == Some(443);
        let skips = route.node.at("spec.noTlsVerify").filter(|it| it.as_bool() == Some(true));
        if let Some(node) = skips.filter(|_| by_tls) {
            found.at(route.object, node, "the certificate behind is not verified");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    const GOOD: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: \
                        [{name: http, port: 80}, {name: metrics, port: 9000}]\n---\napiVersion: \
                        networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\nmetadata: \
                        {name: t}\nsubjects:\n- name: web\n  spec: {fqdn: a.example}\n";

    #[test]
    fn a_binding_as_the_reference_has_it_is_right() {
        for rule in ["TUN-01", "TUN-03", "TUN-07", "TUN-09", "TUN-10"] {
            assert_eq!(found(rule, GOOD), [""; 0], "{rule}");
        }
    }

    #[test]
    fn each_mistake_is_found() {
        let wrapped = GOOD.replace("subjects:\n", "spec:\n  subjects: []\nsubjects:\n");
        assert_eq!(found("TUN-01", &wrapped).len(), 1);
        let order = GOOD.replace(
            "[{name: http, port: 80}, {name: metrics, port: 9000}]",
            "[{name: metrics, port: 9000}, {name: http, port: 80}]",
        );
        let expected = "5:11 a.example is led to port metrics of Service web, its first";
        assert_eq!(found("TUN-03", &order), [expected]);
        let https = GOOD.replace("a.example}", "a.example, protocol: https, noTlsVerify: true}");
        assert_eq!(found("TUN-09", &https).len(), 2);
        let own = https.replace("{name: http, port: 80}", "{name: https, port: 8443}");
        let expected = "the certificate behind is not verified";
        let problems = found("TUN-09", &own);
        assert!(problems.len() == 1 && problems[0].ends_with(expected), "{problems:?}");
    }

    #[test]
    fn a_host_may_be_meant_for_metrics() {
        let order = GOOD.replace(
            "[{name: http, port: 80}, {name: metrics, port: 9000}]",
            "[{name: metrics, port: 9000}, {name: http, port: 80}]",
        );
        assert_eq!(found("TUN-03", &order).len(), 1);
        assert_eq!(found("TUN-03", &order.replace("a.example", "metrics.a.example")), [""; 0]);
    }
}
