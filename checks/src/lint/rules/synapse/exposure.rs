//! What the world sees of Synapse.

use mxdoctor_probes::manifest::Node;

use super::private::private;
use crate::lint::view::{Route, RouteKind};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A public route without a path leads `/_synapse/admin` to the internet as well: one stolen
    /// token of an administrator, or a known registration secret, and the server is another's.
    ///
    /// Source: Synapse documentation, "Using a reverse proxy with Synapse", which forwards
    /// `/_matrix` and `/_synapse/client` only.
    ADMIN = "SYN-29" Critical: "no public route leads to Synapse's admin API"
    breaks "the admin API answers the whole internet"
    remedy "narrow the route to ^/(_matrix|_synapse/client|\\.well-known|health)"
    cause "admin-api-public"
    check "kubernetes.tunnels"
    look admin
}

rule! {
    /// Where the server name is not Synapse's own public host, others ask the server name for
    /// `/.well-known/matrix/server`. A tunnel carries no port 8448, which they try otherwise.
    ///
    /// The name may be answered by a server that is no part of this tree, such as a company's
    /// site: then a comment says so.
    ///
    /// Source: Matrix server-server API, "Resolving server names".
    NO_DELEGATION = "SYN-31" Warning: "other servers are told where Synapse is"
    breaks "federation fails: others try port 8448 of the server name, where nothing is"
    remedy "serve {\"m.server\": \"HOST:443\"} at /.well-known/matrix/server of the server name"
    cause "well-known-server-missing"
    check "kubernetes.routes"
    look no_delegation
}

rule! {
    /// Two main processes on one database write over each other.
    ///
    /// Source: Synapse documentation, "Scaling synapse via workers".
    TWO_MAINS = "SYN-35" Warning: "one main process of Synapse runs"
    breaks "stream ids collide: messages are lost or sent twice"
    remedy "replicas: 1 with strategy Recreate; scale by workers"
    cause "two-main-processes"
    check "kubernetes.workloads"
    look two_mains
}

fn admin(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((workload, _)) = synapse.workload else { continue };
        let private = private(synapse);
        for route in stack.routes_to(&workload) {
            // The first port may be one of metrics, where no such API is.
            let first = route.target(stack).and_then(|service| service.ports().next());
            let number = first.and_then(|port| port.target_number(&workload));
            if number.is_some_and(|number| private.iter().any(|(port, _)| *port == number)) {
                continue;
            }
            if route.kind == RouteKind::TunnelBinding
                && route.node.at("spec.target").is_none()
                && lets_admin_through(route)
                && !is_taken_before(stack, route)
            {
                let host = route.host.unwrap_or("every name of the tunnel");
                let message = format!("{host}/_synapse/admin is reached from the internet");
                found.place(route.object, route.place.clone(), message);
            }
        }
    }
}

/// Whether a tunnel's rule takes the admin API. A rule that is no plain anchored list is not judged.
fn lets_admin_through(route: &Route<'_>) -> bool {
    match route.path.and_then(Node::as_str) {
        None | Some("" | "/" | "^/" | ".*" | "/.*" | "^/.*") => true,
        Some(path) => path.contains("_synapse/admin") || path.ends_with("_synapse"),
    }
}

/// Whether a subject above takes the admin API of the same name elsewhere.
fn is_taken_before(stack: &Stack<'_>, route: &Route<'_>) -> bool {
    let before = stack.routes.iter().take_while(|one| !std::ptr::eq(one.node, route.node));
    let mut before = before.filter(|one| std::ptr::eq(one.object, route.object));
    before.any(|one| {
        let path = one.path.and_then(Node::as_str).unwrap_or_default();
        let service = |route: &Route<'_>| route.service.and_then(Node::as_str).map(str::to_owned);
        let elsewhere = one.node.at("spec.target").is_some() || service(one) != service(route);
        one.host == route.host && path.contains("_synapse/admin") && elsewhere
    })
}

fn no_delegation(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let Some((file, node)) = synapse.option("server_name") else { continue };
        let Some(name) = node.as_str().filter(|name| !name.contains("${")) else { continue };
        let Some((workload, _)) = &synapse.workload else { continue };
        let hosts: Vec<&str> =
            stack.routes_to(workload).iter().filter_map(|route| route.host).collect();
        // A name with a port needs no delegation, and what answers for the name may serve it.
        if hosts.is_empty() || stack.may_answer(name) || name.contains(':') {
            continue;
        }
        let message = format!(
            "nothing here answers for {name}, where other servers ask for the way to {}",
            hosts[0]
        );
        found.at(file.object, node, message).remedy(format!(
            "serve {{\"m.server\": \"{}:443\"}} at https://{name}/.well-known/matrix/server",
            hosts[0]
        ));
    }
}

fn two_mains(stack: &Stack<'_>, found: &mut Found) {
    for (workload, _) in stack.synapse.iter().filter_map(|synapse| synapse.workload) {
        if let Some(node) = workload.object.at("spec.replicas")
            && workload.replicas() > 1
        {
            let message = format!("{} main processes would share a database", workload.replicas());
            found.at(workload.object, node, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    fn routed(homeserver: &str, subjects: &str) -> String {
        synapse(homeserver)
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: synapse}\nspec:\n  selector: \
               {app: synapse}\n  ports: [{port: 8008}]\n---\napiVersion: \
               networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\nmetadata: {name: t}\n\
               subjects:\n"
            + subjects
    }

    #[test]
    fn a_tunnel_without_a_path_leads_to_the_admin_api() {
        let open = "- {name: synapse, spec: {fqdn: matrix.a.example}}\n";
        let message = &found("SYN-29", &routed("server_name: a.example", open))[0];
        let expected = "matrix.a.example/_synapse/admin is reached from the internet";
        assert!(message.ends_with(expected), "{message}");
        let closed = "- {name: synapse, spec: {fqdn: matrix.a.example, path: '^/_matrix'}}\n";
        assert_eq!(found("SYN-29", &routed("server_name: a.example", closed)), [""; 0]);
    }

    #[test]
    fn a_server_name_that_nothing_answers_for_is_found() {
        let one = "- {name: synapse, spec: {fqdn: matrix.a.example, path: '^/_matrix'}}\n";
        let message = &found("SYN-31", &routed("server_name: a.example", one))[0];
        let expected = "7:18 nothing here answers for a.example, where other servers ask for the \
                        way to matrix.a.example";
        assert_eq!(message, expected);
        let both = format!("{one}- {{name: web, spec: {{fqdn: a.example}}}}\n");
        assert_eq!(found("SYN-31", &routed("server_name: a.example", &both)), [""; 0]);
        assert_eq!(found("SYN-31", &routed("server_name: matrix.a.example", one)), [""; 0]);
    }

    #[test]
    fn one_main_process_runs() {
        let two = synapse("server_name: a").replacen(
            "spec:\n  template",
            "spec:\n  replicas: 2\n  template",
            1,
        );
        assert_eq!(found("SYN-35", &two).len(), 1);
        for worker in [
            "name: SYNAPSE_WORKER\n          value: synapse.app.generic_worker\n        - name: A",
            "name: A\n        args: [run, -m, synapse.app.generic_worker]\n        env:\n        - name: A",
        ] {
            let text = two.replacen("name: SYNAPSE_CONFIG_PATH", worker, 1);
            assert_ne!(text, two);
            assert_eq!(found("SYN-35", &text), [""; 0], "{worker}");
        }
    }

    #[test]
    fn a_subject_above_may_take_the_admin_api() {
        let open = "- {name: synapse, spec: {fqdn: matrix.a.example}}\n";
        let closed = "- {name: none, spec: {fqdn: matrix.a.example, path: '^/_synapse/admin', \
                      target: 'http_status:403'}}\n";
        let text = routed("server_name: a.example", &format!("{closed}{open}"));
        assert_eq!(found("SYN-29", &text), [""; 0]);
        let late = routed("server_name: a.example", &format!("{open}{closed}"));
        assert_eq!(found("SYN-29", &late).len(), 1);
        let metrics = "listeners: [{port: 8008, type: metrics}]";
        assert_eq!(found("SYN-29", &routed(metrics, open)), [""; 0]);
    }

    #[test]
    fn a_name_may_be_answered_by_what_is_no_route() {
        let one = "- {name: synapse, spec: {fqdn: matrix.a.example, path: '^/_matrix'}}\n";
        let text = routed("server_name: a.example", one);
        assert_eq!(found("SYN-31", &text).len(), 1);
        for more in [
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {Caddyfile: 'a.example { \
             respond /.well-known/matrix/server x }'}\n",
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: h}\nspec: \
             {hostnames: [a.example], rules: [{filters: [{type: RequestRedirect}]}]}\n",
        ] {
            assert_eq!(found("SYN-31", &format!("{text}---\n{more}")), [""; 0], "{more}");
        }
    }
}
