//! Where a route leads.

use mxdoctor_probes::manifest::Node;

use super::super::secrets::near::is_near;
use crate::lint::view::{RouteKind, Service};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Traefik looks for the Service and for its port, by the Service's own number or name. Where
    /// one is missing it drops the router and answers 404. Of tunnels TUN-02 speaks.
    ///
    /// Silent about a Service that a chart or an operator may make, where such are here.
    ///
    /// Source: Traefik, Kubernetes CRD provider, "service port not found".
    NO_SUCH_SERVICE = "NET-04" Error: "a route leads to a Service that is there, by a port that it has"
    breaks "the ingress answers 404 for the host"
    remedy "use the name of the Service, and one of its ports"
    cause "ingress-route-missing"
    check "kubernetes.routes"
    look no_such_service
}

fn no_such_service(stack: &Stack<'_>, found: &mut Found) {
    // Without any Service the tree is a part of another.
    if stack.services.is_empty() {
        return;
    }
    let routes = stack.routes.iter().filter(|route| route.kind != RouteKind::TunnelBinding);
    for route in routes {
        let traefik =
            route.node.list("services").iter().any(|it| it.str("kind") == Some("TraefikService"));
        let Some(name) = route.service.filter(|_| !traefik && route.namespace.is_none()) else {
            continue;
        };
        let Some(service) = route.target(stack) else {
            let text = name.as_str().unwrap_or_default();
            if may_be_made(stack, text) {
                continue;
            }
            let message = format!("{} leads to Service {text}, which is not here", route.object);
            found.at(route.object, name, message);
            continue;
        };
        let Some(port) = route.port else { continue };
        let Some(wanted) = port.scalar() else { continue };
        if service.port(wanted).is_none() {
            let has: Vec<_> =
                service.ports().filter_map(|it| it.number()).map(|n| n.to_string()).collect();
            let message = format!(
                "Service {} has no port {wanted}; it has {}",
                service.object.name(),
                has.join(", ")
            );
            let place = service.object.at("spec.ports").map_or(service.object.place(), place_of);
            found.at(route.object, port, message).also_place(place, "the Service's ports");
        }
    }
}

/// Whether a Service that is not here may be made by what is: nothing is called nearly so.
pub(in crate::lint::rules) fn may_be_made(stack: &Stack<'_>, name: &str) -> bool {
    let near = |service: &Service<'_>| is_near(service.object.name(), name);
    stack.is_open() && !stack.services.iter().any(near)
}

fn place_of(node: &Node) -> &mxdoctor_probes::manifest::Place {
    &node.place
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    const ROUTE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: \
                         [{port: 80}]\n---\napiVersion: traefik.io/v1alpha1\nkind: IngressRoute\n\
                         metadata: {name: web}\nspec:\n  routes:\n  - match: Host(`a.example`)\n    \
                         services:\n    - name: web\n      port: 80\n";

    #[test]
    fn a_route_leads_somewhere() {
        assert_eq!(found("NET-04", ROUTE), [""; 0]);
        let port = ROUTE.replace("      port: 80", "      port: 8080");
        assert_eq!(found("NET-04", &port), ["15:13 Service web has no port 8080; it has 80"]);
        let name = ROUTE.replace("- name: web\n", "- name: site\n");
        let expected = "14:13 IngressRoute web leads to Service site, which is not here";
        assert_eq!(found("NET-04", &name), [expected]);
        let chart = "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: \
                     {name: site}\n";
        assert_eq!(found("NET-04", &(name + chart)), [""; 0]);
    }
}
