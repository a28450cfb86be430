//! Who can reach what, and who can read along.

use mxdoctor_probes::manifest::Node;

use crate::lint::view::{Route, RouteKind};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A route on Traefik's entry point `web` alone speaks HTTP: passwords and access tokens
    /// cross the network in clear.
    ///
    /// Silent where the route has TLS, or a middleware that redirects; where a tunnel ends TLS in
    /// front of Traefik; and where the configuration names the host with https, which says that
    /// somebody does.
    CLEAR = "NET-09" Warning: "the stack is reached by HTTPS"
    breaks "passwords and access tokens can be read on the way, and browsers give no camera"
    remedy "use the entry point websecure with tls.secretName"
    cause "route-not-encrypted"
    check "kubernetes.routes"
    look clear
}

rule! {
    /// The database and the XMPP server are for the stack's own pods. A Service of the type
    /// NodePort or LoadBalancer opens them to everybody who reaches a node.
    ///
    /// Silent where the Service says for whom (`loadBalancerSourceRanges`) or is of another class
    /// of load balancers, and about the ports of others in Prosody's pod.
    ///
    /// Source: Kubernetes, "Service", publishing Services.
    PUBLISHED = "NET-14" Warning: "the database and Prosody are inside the cluster only"
    breaks "whoever reaches a node can try passwords at the database or at XMPP"
    remedy "type: ClusterIP"
    cause "service-exposed"
    check "kubernetes.services"
    look published
}

/// Prosody's ports: clients, servers, BOSH and WebSocket, components.
const XMPP: &[i64] = &[5222, 5269, 5280, 5347];

fn clear(stack: &Stack<'_>, found: &mut Found) {
    let routes = |route: &&Route<'_>| route.kind == RouteKind::IngressRoute;
    let mut told: Vec<*const _> = Vec::new();
    for route in stack.routes.iter().filter(routes) {
        let object = route.object;
        let points = object.node.list("spec.entryPoints");
        let [only] = points else { continue };
        if only.as_str() != Some("web") || object.at("spec.tls").is_some() {
            continue;
        }
        let redirects = route.node.list("middlewares").iter().any(|item| {
            let name = item.str("name").unwrap_or_default();
            // One that is elsewhere may well redirect.
            stack.inventory.beside(object, "Middleware", name).is_none_or(|middleware| {
                let redirecting = ["redirectScheme", "redirectRegex", "chain"];
                redirecting
                    .iter()
                    .any(|it| middleware.at("spec").is_some_and(|s| s.get(it).is_some()))
            })
        });
        let elsewhere = item_elsewhere(route) || stack.has_tunnel() || is_https(stack, route);
        if redirects || !serves(stack, route) || elsewhere {
            continue;
        }
        if !told.contains(&std::ptr::from_ref(object)) {
            told.push(std::ptr::from_ref(object));
            found.at(object, only, "is reached on the entry point web alone, without TLS");
        }
    }
}

/// Whether a route names a middleware of another namespace, which may well redirect.
fn item_elsewhere(route: &Route<'_>) -> bool {
    let own = route.object.namespace();
    let mut items = route.node.list("middlewares").iter();
    items.any(|it| it.str("namespace").is_some_and(|one| Some(one) != own))
}

/// Whether the stack's own configuration names the host of a route with https.
fn is_https(stack: &Stack<'_>, route: &Route<'_>) -> bool {
    let Some(host) = route.host else { return false };
    let named = |text: &str| {
        let rest = text.split_once("https://").map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split(['/', ':', '"']).next()) == Some(host)
    };
    let mut said = false;
    let mut look = |node: &Node| said |= node.as_str().is_some_and(named);
    for synapse in &stack.synapse {
        synapse.configuration.iter().for_each(|file| file.node.scalars(&mut look));
    }
    for file in stack.element.iter().filter_map(|element| element.configuration.as_ref()) {
        file.node.scalars(&mut look);
    }
    if let Some(part) = &stack.jitsi.web {
        for env in part.container.env(stack, &part.workload) {
            said |= env.known().is_some_and(named);
        }
    }
    said
}

/// Whether a route leads to what people log in to.
fn serves(stack: &Stack<'_>, route: &Route<'_>) -> bool {
    let Some(target) = route.target(stack) else { return false };
    let selected = target.selects(stack);
    let synapse = stack.synapse.iter().filter_map(|one| one.workload);
    let element = stack.element.iter().filter_map(|one| one.workload);
    let web = stack.jitsi.web.iter().map(|part| (part.workload, part.container));
    let mut of_stack = synapse.chain(element).chain(web);
    of_stack.any(|(one, _)| selected.iter().any(|it| std::ptr::eq(it.object, one.object)))
}

fn published(stack: &Stack<'_>, found: &mut Found) {
    for service in &stack.services {
        let Some(kind) = service.object.at("spec.type") else { continue };
        let narrowed = !service.object.node.list("spec.loadBalancerSourceRanges").is_empty()
            || service.object.at("spec.loadBalancerClass").is_some();
        if !matches!(kind.as_str(), Some("NodePort" | "LoadBalancer")) || narrowed {
            continue;
        }
        let selector = service.object.node.map("spec.selector");
        let database = selector.iter().any(|label| label.key.starts_with("cnpg.io/"));
        let selected = service.selects(stack);
        let prosody = stack.jitsi.prosody.is_some_and(|part| {
            let ports = || service.ports().filter_map(|it| it.target_number(&part.workload));
            selected.iter().any(|it| std::ptr::eq(it.object, part.workload.object))
                && ports().any(|port| XMPP.contains(&port))
        });
        let what = match (database, prosody) {
            (true, _) => "the database",
            (_, true) => "Prosody",
            _ => continue,
        };
        let message =
            format!("{what} can be reached from outside: {}", kind.as_str().unwrap_or_default());
        found.at(service.object, kind, message);
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi, synapse};

    #[test]
    fn a_route_without_tls_is_found() {
        let text = synapse("server_name: a")
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: synapse}\nspec:\n  selector: \
               {app: synapse}\n  ports: [{port: 8008}]\n---\napiVersion: \
               traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: s}\nspec:\n  \
               entryPoints: [web]\n  routes:\n  - match: Host(`a.example`)\n    services: [{name: \
               synapse, port: 8008}]\n";
        let problems = found("NET-09", &text);
        let expected = "is reached on the entry point web alone, without TLS";
        assert!(problems.len() == 1 && problems[0].ends_with(expected), "{problems:?}");
        let secure = text.replace("[web]", "[websecure]");
        assert_eq!(found("NET-09", &secure), [""; 0]);
        let redirect = text.replace("    services:", "    middlewares: [{name: r}]\n    services:")
            + "---\napiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {name: \
               r}\nspec: {redirectScheme: {scheme: https}}\n";
        assert_eq!(found("NET-09", &redirect), [""; 0]);
        let regex =
            redirect.replace("redirectScheme: {scheme: https}", "redirectRegex: {regex: a}");
        assert_eq!(found("NET-09", &regex), [""; 0]);
        // TLS ends in front of Traefik.
        let said = text.replace("server_name: a\n", "public_baseurl: https://a.example/\n");
        assert_eq!(found("NET-09", &said), [""; 0]);
    }

    #[test]
    fn a_published_prosody_is_found() {
        let text = jitsi("prosody", "A: b", "restartPolicy: Always")
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: xmpp}\nspec:\n  type: \
               NodePort\n  selector: {app: prosody}\n  ports: [{port: 5222}]\n";
        let problems = found("NET-14", &text);
        assert!(problems[0].ends_with("Prosody can be reached from outside: NodePort"));
        assert_eq!(found("NET-14", &text.replace("NodePort", "ClusterIP")), [""; 0]);
        assert_eq!(found("NET-14", &text.replace("port: 5222", "port: 30300")), [""; 0]);
        let narrow = text.replace(
            "type: NodePort",
            "loadBalancerSourceRanges: [10.0.0.0/8]\n  type: LoadBalancer",
        );
        assert_eq!(found("NET-14", &narrow), [""; 0]);
        let database = "apiVersion: v1\nkind: Service\nmetadata: {name: d}\nspec:\n  type: \
                        LoadBalancer\n  selector: {cnpg.io/cluster: matrix-db}\n";
        assert_eq!(found("NET-14", database).len(), 1);
    }
}
