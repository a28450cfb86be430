//! Where Traefik takes a route's requests.

use mxdoctor_probes::manifest::{Node, Object};

use crate::lint::view::{Container, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A route names entry points as Traefik's own options call them. One that Traefik does not
    /// have takes no requests, and the route is never asked there.
    ///
    /// Looked at only where a Traefik is in the tree and says its entry points in its arguments;
    /// silent about one that reads a file, and without any.
    ///
    /// Source: Traefik, "EntryPoints"; `IngressRoute.spec.entryPoints`.
    UNKNOWN = "NET-08" Warning: "a route's entry points are those of Traefik"
    breaks "Traefik drops the router: 404 for the host"
    remedy "use the name of one of Traefik's entry points"
    cause "route-entry-point-unknown"
    check "kubernetes.routes"
    look unknown
}

/// What an Ingress says its entry points in.
const ANNOTATION: &str = "traefik.ingress.kubernetes.io/router.entrypoints";

fn unknown(stack: &Stack<'_>, found: &mut Found) {
    let traefiks = stack.running(&["traefik"]);
    let mut known: Vec<String> = Vec::new();
    for (workload, container) in &traefiks {
        let Some(points) = entry_points(stack, workload, container) else { return };
        known.extend(points);
    }
    let Some((traefik, _)) = traefiks.first() else { return };
    let mut tell = |object: &Object, node: &Node, point: &str| {
        // Flags are read in any case. The one called `traefik` is there by itself.
        let is = |own: &String| own.eq_ignore_ascii_case(point);
        if point.eq_ignore_ascii_case("traefik") || known.iter().any(is) {
            return;
        }
        let message = format!("Traefik has no entry point {point}; it has {}", known.join(", "));
        found.at(object, node, message).also_place(traefik.object.place(), "Traefik");
    };
    for kind in ["IngressRoute", "IngressRouteTCP", "IngressRouteUDP"] {
        for object in stack.inventory.of_kind(kind) {
            for node in object.node.list("spec.entryPoints") {
                tell(object, node, node.as_str().unwrap_or("traefik"));
            }
        }
    }
    for object in stack.inventory.of_kind("Ingress") {
        let Some(node) = object.annotation(ANNOTATION) else { continue };
        for point in node.as_str().unwrap_or_default().split(',').map(str::trim) {
            tell(object, node, point);
        }
    }
}

/// The entry points that a Traefik's arguments name; none where something else may name some.
fn entry_points(
    stack: &Stack<'_>,
    workload: &Workload<'_>,
    container: &Container<'_>,
) -> Option<Vec<String>> {
    let mounts = workload.mounts(container);
    // A file in one of the usual places comes before all arguments.
    let file = |path: &str| path == "/etc/traefik" || path.contains("/traefik.");
    if mounts.iter().any(|mount| file(mount.path())) || container.env_is_open(stack, workload) {
        return None;
    }
    let env = container.env(stack, workload);
    let words = ["command", "args"].iter().flat_map(|part| container.node.list(part));
    let words: Vec<String> = words
        .filter_map(Node::scalar)
        .flat_map(str::split_whitespace)
        .map(str::to_ascii_lowercase)
        .collect();
    let told =
        |word: &String| word.starts_with("--configfile") || word.starts_with("--entrypoints=");
    if words.iter().any(told) || env.iter().any(|env| env.name.starts_with("TRAEFIK_")) {
        return None;
    }
    let mut points: Vec<String> = Vec::new();
    for rest in words.iter().filter_map(|word| word.strip_prefix("--entrypoints.")) {
        let name = rest.split(['.', '=']).next().unwrap_or_default().to_owned();
        if !points.contains(&name) {
            points.push(name);
        }
    }
    (!points.is_empty()).then_some(points)
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    fn with(traefik: &str, points: &str) -> String {
        format!(
            "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {{name: \
             r}}\nspec:\n  entryPoints: {points}\n---\napiVersion: networking.k8s.io/v1\nkind: \
             Ingress\nmetadata:\n  name: i\n  annotations:\n    \
             traefik.ingress.kubernetes.io/router.entrypoints: web\n---\napiVersion: \
             apps/v1\nkind: Deployment\nmetadata: {{name: traefik}}\nspec:\n  template:\n    \
             spec:\n      containers:\n      - {{name: t, image: 'traefik:v3.7', {traefik}}}\n"
        )
    }

    const ARGUMENTS: &str =
        "args: ['--entryPoints.web.address=:80', '--entrypoints.websecure.address=:443']";

    #[test]
    fn a_route_is_where_traefik_listens() {
        assert_eq!(found("NET-08", &with(ARGUMENTS, "[web, websecure, traefik]")), [""; 0]);
        let expected = "5:17 Traefik has no entry point https; it has web, websecure";
        assert_eq!(found("NET-08", &with(ARGUMENTS, "[https, web]")), [expected]);
        let other = with("args: ['--entrypoints.https.address=:443']", "[https]");
        let expected = "12:55 Traefik has no entry point web; it has https";
        assert_eq!(found("NET-08", &other), [expected]);
    }

    #[test]
    fn what_traefik_may_read_elsewhere_is_not_missed() {
        for traefik in [
            "args: ['--api']",
            "args: ['--configfile=/x.yml', '--entrypoints.web.address=:80']",
            "args: ['--entrypoints.web.address=:80'], env: [{name: \
             TRAEFIK_ENTRYPOINTS_HTTPS_ADDRESS, value: ':443'}]",
            "args: ['--entrypoints.web.address=:80'], volumeMounts: [{name: c, mountPath: \
             /etc/traefik}]",
        ] {
            assert_eq!(found("NET-08", &with(traefik, "[https]")), [""; 0], "{traefik}");
        }
        let none = with(ARGUMENTS, "[https]").replace("image: 'traefik:", "image: 'other:");
        assert_eq!(found("NET-08", &none), [""; 0]);
    }
}
