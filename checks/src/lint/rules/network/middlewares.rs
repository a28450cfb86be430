//! What stands between a route and its Service.

use mxdoctor_probes::manifest::{Entry, Node, Object};

use super::grammar::is_version_2;
use crate::lint::view::{Route, RouteKind};
use crate::lint::{Change, Found, Stack};
use crate::rule;

rule! {
    /// Traefik takes a router out of service when one of its middlewares is not there. A name
    /// without a namespace is looked for in the route's own.
    ///
    /// Silent where the tree has no middleware at all, or charts that may make some.
    ///
    /// Source: Traefik, Kubernetes CRD provider: "middleware … does not exist"; other namespaces
    /// need `allowCrossNamespace`.
    NOT_THERE = "NET-05" Error: "a route's middlewares are in its namespace"
    breaks "the ingress answers 404 for the host: the whole router is in error"
    remedy "make the middleware in the route's namespace, or take its name out of the route"
    cause "route-middleware-missing"
    check "kubernetes.routes"
    look not_there
}

rule! {
    /// Version 3 calls it `ipAllowList`; the old name goes away with the next one, and a list that
    /// is not read lets everybody in or nobody.
    ///
    /// Source: Traefik, "Migration: v2 to v3", IPWhiteList.
    OLD_NAME = "NET-11" Warning: "a list of allowed addresses has its present name"
    breaks "after an upgrade of Traefik the list is not read"
    remedy "call it ipAllowList"
    cause "configuration-deprecated"
    check "kubernetes.routes"
    look old_name
}

rule! {
    /// A proxy that takes smaller bodies than Synapse says to clients (`max_upload_size`) refuses
    /// uploads that the client was allowed to send.
    ///
    /// Looks at routes that uploads (`/_matrix/media`) can come by.
    ///
    /// Source: Traefik, Buffering `maxRequestBodyBytes`; ingress-nginx, `proxy-body-size`, whose
    /// default is 1 MiB; Synapse, `max_upload_size`, whose default is 50 MiB.
    SMALLER = "NET-12" Warning: "the ingress takes what Synapse takes"
    breaks "uploads above the smaller limit end in 413, which clients cannot explain"
    remedy "make the ingress's limit as big as max_upload_size"
    cause "ingress-upload-limit"
    check "kubernetes.routes"
    look smaller
}

rule! {
    /// Servers sign the path of each request, and Synapse verifies the path that arrives. What
    /// the ingress took away or added is missing in that.
    ///
    /// Silent about routes for other paths, and about prefixes that no path of Matrix has.
    ///
    /// Source: Matrix Server-Server API, "Request Authentication".
    REWRITTEN = "NET-13" Warning: "no middleware changes the path of Matrix requests"
    breaks "federation fails with 401: the signature does not fit the path that arrived"
    remedy "take the middleware off this route"
    cause "request-altered-on-the-way"
    check "kubernetes.routes"
    look rewritten
}

/// The middlewares that a route names in its own namespace: the name's place, and the object.
fn middlewares<'a>(
    stack: &Stack<'a>,
    object: &'a Object,
    route: &'a Node,
) -> Vec<(&'a Node, Option<&'a Object>)> {
    let mut all = Vec::new();
    for item in route.list("middlewares") {
        let Some(name) = item.get("name") else { continue };
        let text = name.as_str().unwrap_or_default();
        // `name@file` and names in other namespaces are not of this tree.
        let elsewhere = item.str("namespace").is_some_and(|one| Some(one) != object.namespace());
        if !text.contains('@') && !elsewhere {
            all.push((name, stack.inventory.beside(object, "Middleware", text)));
        }
    }
    all
}

fn not_there(stack: &Stack<'_>, found: &mut Found) {
    // Without workloads the tree is a part of another, and without a middleware of its own, or
    // beside charts, it leaves them to another.
    let own = stack.inventory.of_kind("Middleware").next().is_some();
    if stack.workloads.is_empty() || !own || stack.is_open() {
        return;
    }
    for object in stack.inventory.of_kind("IngressRoute") {
        for route in object.node.list("spec.routes") {
            for (name, middleware) in middlewares(stack, object, route) {
                if middleware.is_some() {
                    continue;
                }
                let text = name.as_str().unwrap_or_default();
                let message = format!("there is no Middleware {text} in the route's namespace");
                let problem = found.at(object, name, message);
                if let Some(other) = stack.inventory.named("Middleware", text).next() {
                    problem.also_place(other.place(), "one of this name, in another namespace");
                }
            }
        }
    }
}

fn old_name(stack: &Stack<'_>, found: &mut Found) {
    // Version 2 knew the new name only in its last releases.
    if is_version_2(stack) {
        return;
    }
    for object in stack.inventory.of_kind("Middleware") {
        let Some(entry) = object.at("spec").and_then(|spec| spec.entry("ipWhiteList")) else {
            continue;
        };
        let place = entry.place.clone();
        let with = "ipAllowList".to_owned();
        found
            .place(object, place.clone(), "ipWhiteList is the name of version 2")
            .fix("call it ipAllowList", vec![Change::Replace { place, with }]);
    }
}

/// The routes that lead to a Synapse, each with that Synapse's own limit in bytes and its place.
fn to_synapse<'s, 'a>(stack: &'s Stack<'a>) -> Vec<(&'s Route<'a>, u64, Option<&'s Node>)> {
    let mut all = Vec::new();
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let Some((workload, _)) = &synapse.workload else { continue };
        let option = synapse.option("max_upload_size").map(|(_, node)| node);
        let limit = option.and_then(Node::scalar).map_or(Some(50 << 20), bytes);
        for route in stack.routes_to(workload) {
            all.extend(limit.map(|limit| (route, limit, option)));
        }
    }
    all
}

/// A size as Synapse and nginx write it: `50M`, `1024K`, bytes.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, factor) = match text.to_ascii_uppercase().as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 1 << 10),
        b'M' => (&text[..text.len() - 1], 1 << 20),
        b'G' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    number.trim().parse::<u64>().ok()?.checked_mul(factor)
}

/// Whether a route takes requests below a path of Matrix, as far as its own path tells.
fn takes_path(route: &Route<'_>, path: &str) -> bool {
    let Some(said) = route.path.and_then(Node::as_str) else { return true };
    if route.kind != RouteKind::IngressRoute {
        return path.starts_with(said.trim_end_matches('/')) || said.starts_with(path);
    }
    let paths = said.split("Path").skip(1).filter_map(|rest| rest.split(['`', '"']).nth(1));
    let mut paths = paths.peekable();
    paths.peek().is_none() || paths.any(|one| path.starts_with(one) || one.starts_with(path))
}

fn smaller(stack: &Stack<'_>, found: &mut Found) {
    let uploads =
        |(route, ..): &(&Route<'_>, u64, Option<&Node>)| takes_path(route, "/_matrix/media");
    for (route, limit, option) in to_synapse(stack).into_iter().filter(uploads) {
        let mut tell = |object: &Object, node: &Node, most: u64| {
            if most > 0 && most < limit {
                let message = format!("takes {most} bytes at most, and Synapse {limit}");
                let problem = found.at(object, node, message);
                if let Some(option) = option {
                    problem.also(option, "what clients are told");
                }
            }
        };
        if route.kind == RouteKind::Ingress {
            let key = "nginx.ingress.kubernetes.io/proxy-body-size";
            let node = route.object.annotation(key);
            if let Some((node, most)) = node.and_then(|node| Some((node, bytes(node.scalar()?)?))) {
                tell(route.object, node, most);
            }
        }
        for (_, middleware) in middlewares(stack, route.object, route.node) {
            let Some(middleware) = middleware else { continue };
            let node = middleware.at("spec.buffering.maxRequestBodyBytes");
            if let Some((node, most)) = node.and_then(|node| Some((node, bytes(node.scalar()?)?))) {
                tell(middleware, node, most);
            }
        }
    }
}

const REWRITING: &[&str] =
    &["stripPrefix", "stripPrefixRegex", "replacePath", "replacePathRegex", "addPrefix"];

/// Whether a rewriting changes paths of Matrix: one that takes prefixes away only where it names
/// one of theirs.
fn changes(entry: &Entry) -> bool {
    let prefixes = entry.node.list("prefixes");
    let theirs = |it: &Node| it.as_str().is_some_and(|it| "/_matrix/federation".starts_with(it));
    entry.key != "stripPrefix" || prefixes.iter().any(theirs)
}

fn rewritten(stack: &Stack<'_>, found: &mut Found) {
    let federation =
        |(route, ..): &(&Route<'_>, u64, Option<&Node>)| takes_path(route, "/_matrix/federation");
    for (route, ..) in to_synapse(stack).into_iter().filter(federation) {
        for (name, middleware) in middlewares(stack, route.object, route.node) {
            let spec = middleware.and_then(|middleware| middleware.at("spec"));
            let entry = spec.and_then(|spec| REWRITING.iter().find_map(|one| spec.entry(one)));
            if let Some(entry) = entry.filter(|entry| changes(entry)) {
                let message = format!("{} changes the path of requests to Synapse", entry.key);
                found.at(route.object, name, message).also_place(&entry.place, "what it does");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;
    use crate::lint::testing::{found, synapse};

    fn with(middleware: &str, homeserver: &str) -> String {
        synapse(homeserver)
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: synapse}\nspec:\n  selector: \
               {app: synapse}\n  ports: [{port: 8008}]\n---\napiVersion: traefik.io/v1alpha1\nkind: \
               IngressRoute\nmetadata: {name: s}\nspec:\n  routes:\n  - match: \
               Host(`a.example`)\n    services: [{name: synapse, port: 8008}]\n    middlewares: \
               [{name: m}]\n---\napiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: \
               {name: m}\nspec:\n  "
            + middleware
            + "\n"
    }

    #[test]
    fn a_middleware_is_beside_its_route() {
        let good = with("compress: {}", "server_name: a");
        for rule in ["NET-05", "NET-11", "NET-12", "NET-13"] {
            assert_eq!(found(rule, &good), [""; 0], "{rule}");
        }
        let bad = good.replace("[{name: m}]", "[{name: default-headers}]");
        let problems = found("NET-05", &bad);
        let expected = "there is no Middleware default-headers in the route's namespace";
        assert!(problems.len() == 1 && problems[0].ends_with(expected), "{problems:?}");
        let other = good.replace("[{name: m}]", "[{name: x@file}]");
        assert_eq!(found("NET-05", &other), [""; 0]);
    }

    #[test]
    fn the_old_name_of_a_list_is_found() {
        let text = with("ipWhiteList: {sourceRange: [10.0.0.0/8]}", "server_name: a");
        let problems = found("NET-11", &text);
        assert!(problems[0].ends_with(":3 ipWhiteList is the name of version 2"), "{problems:?}");
    }

    #[test]
    fn a_smaller_limit_is_found() {
        let middleware = "buffering: {maxRequestBodyBytes: 10485760}";
        let text = with(middleware, "server_name: a");
        let expected = "takes 10485760 bytes at most, and Synapse 52428800";
        assert!(found("NET-12", &text)[0].ends_with(expected));
        let only = "Host(`a.example`) && PathPrefix(`/_matrix/client`)";
        assert_eq!(found("NET-12", &text.replace("Host(`a.example`)", only)), [""; 0]);
        let fits = with(middleware, "server_name: a\nmax_upload_size: 10M");
        assert_eq!(found("NET-12", &fits), [""; 0]);
        assert_eq!((bytes("50M"), bytes("8 k"), bytes("x")), (Some(52_428_800), Some(8192), None));
    }

    #[test]
    fn a_changed_path_is_found() {
        let text = with("stripPrefix: {prefixes: [/_matrix]}", "server_name: a");
        assert!(
            found("NET-13", &text)[0]
                .ends_with("stripPrefix changes the path of requests to Synapse")
        );
        // What no request of Matrix begins with is taken away from none.
        assert_eq!(found("NET-13", &text.replace("[/_matrix]", "[/chat]")), [""; 0]);
        let panel = text.replace("Host(`a.example`)", "Host(`a.example`) && PathPrefix(`/panel`)");
        assert_eq!(found("NET-13", &panel), [""; 0]);
    }
}
