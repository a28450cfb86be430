//! What an ingress adds to Element's answers.

use mxdoctor_probes::manifest::{Node, Object};

use crate::lint::view::{Route, RouteKind, VolumeKind};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Who frames Element can lay something over it and make people click what they do not see.
    /// The image sends no header against that; upstream asks the ingress to. This looks at
    /// Traefik's IngressRoutes: what an edge adds in front of a tunnel stands in no file. Silent
    /// where a middleware is not here, and where nginx's own configuration has the header.
    ///
    /// Source: Element Web, README, "Important Security Notes".
    FRAMED = "ELE-10" Warning: "the ingress forbids other pages to frame Element"
    breaks "a page of somebody else can show Element and steal clicks"
    remedy "add a headers Middleware with contentSecurityPolicy: frame-ancestors 'self'"
    cause "element-headers-missing"
    check "kubernetes.routes"
    look framed
}

rule! {
    /// `config.json` and the page itself change with each release, under the same names. The image
    /// says `no-cache` for them, and a Middleware that says otherwise takes its place.
    ///
    /// Source: Element Web, README, "Caching requirements".
    KEPT = "ELE-12" Warning: "no ingress lets browsers keep Element's configuration"
    breaks "people see the old configuration, or an empty page, hours after a change"
    remedy "leave Cache-Control to the image, or say no-cache for / and /config.json"
    cause "element-cached"
    check "kubernetes.routes"
    look kept
}

/// Traefik's routes to Element.
fn routes<'s, 'a>(stack: &'s Stack<'a>) -> Vec<&'s Route<'a>> {
    let workloads = stack.element.iter().filter_map(|element| element.workload);
    let all = workloads.flat_map(|(workload, _)| stack.routes_to(&workload));
    all.filter(|route| route.kind == RouteKind::IngressRoute).collect()
}

/// The value of a header that a Middleware sends, whatever the case of its name.
fn sent<'a>(middleware: &'a Object, name: &str) -> Option<&'a Node> {
    let headers = middleware.node.map("spec.headers.customResponseHeaders");
    headers.iter().find(|it| it.key.eq_ignore_ascii_case(name)).map(|it| &it.node)
}

/// Whether a Middleware forbids frames.
fn forbids(middleware: &Object) -> bool {
    let headers = middleware.at("spec.headers");
    let has = |key: &str| headers.is_some_and(|it| it.get(key).is_some());
    let policy = |node: &Node| node.as_str().is_some_and(|it| it.contains("frame-ancestors"));
    has("customFrameOptionsValue")
        || headers.and_then(|it| it.bool("frameDeny")) == Some(true)
        || headers.and_then(|it| it.get("contentSecurityPolicy")).is_some_and(policy)
        || sent(middleware, "content-security-policy").is_some_and(policy)
        || sent(middleware, "x-frame-options").is_some()
}

/// Whether a file that Element's workload mounts sends the header.
fn is_said_by_nginx(stack: &Stack<'_>) -> bool {
    let workloads = stack.element.iter().filter_map(|element| element.workload);
    workloads.into_iter().any(|(workload, _)| {
        workload.volumes().any(|volume| {
            let VolumeKind::ConfigMap(name) = volume.kind else { return false };
            let map = stack.inventory.beside(workload.object, "ConfigMap", name);
            map.is_some_and(|map| {
                let texts = map.node.map("data").iter().filter_map(|it| it.node.as_str());
                let mut texts = texts.map(str::to_lowercase);
                texts.any(|it| it.contains("frame-ancestors") || it.contains("x-frame-options"))
            })
        })
    })
}

fn framed(stack: &Stack<'_>, found: &mut Found) {
    let mut seen = Vec::new();
    for route in routes(stack) {
        let named = route.node.list("middlewares").len();
        let known = route.middlewares(stack);
        // A middleware that is not here, or a chain of others, may add the header.
        let chain = known.iter().any(|it| it.at("spec.chain").is_some());
        // One that redirects shows nothing.
        let redirects = |it: &&Object| {
            ["spec.redirectScheme", "spec.redirectRegex"].iter().any(|path| it.at(path).is_some())
        };
        if known.iter().any(redirects) {
            continue;
        }
        let by_nginx = is_said_by_nginx(stack);
        if known.len() < named || chain || by_nginx || known.iter().any(|it| forbids(it)) {
            continue;
        }
        let place = route.place.to_string();
        if seen.contains(&place) {
            continue;
        }
        seen.push(place);
        let host = route.host.unwrap_or("this route");
        let message = format!("{host} lets every page frame Element");
        found.place(route.object, route.place.clone(), message);
    }
}

fn kept(stack: &Stack<'_>, found: &mut Found) {
    let mut seen: Vec<&Object> = Vec::new();
    for route in routes(stack) {
        for middleware in route.middlewares(stack) {
            let Some(node) = sent(middleware, "cache-control") else { continue };
            let text = node.as_str().unwrap_or_default().to_lowercase();
            let keeps = ["no-cache", "no-store", "max-age=0", "must-revalidate"];
            if keeps.iter().any(|word| text.contains(word)) || !text.contains("max-age") {
                continue;
            }
            if seen.iter().any(|it| std::ptr::eq(*it, middleware)) {
                continue;
            }
            seen.push(middleware);
            let message = format!("browsers keep all of Element by `{text}`");
            found.at(middleware, node, message).also_place(&route.place, "for this route");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{element, found};

    fn with(headers: &str) -> String {
        element("{}")
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: element}\nspec:\n  selector: \
               {app: element}\n  ports: [{port: 80}]\n---\napiVersion: \
               traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: r}\nspec:\n  routes:\n  - \
               match: Host(`a.example`)\n    middlewares: [{name: h}]\n    services: [{name: \
               element, port: 80}]\n---\napiVersion: traefik.io/v1alpha1\nkind: \
               Middleware\nmetadata: {name: h}\nspec:\n"
            + headers
    }

    #[test]
    fn nobody_frames_element() {
        for good in [
            "  headers: {customFrameOptionsValue: SAMEORIGIN}",
            "  headers: {contentSecurityPolicy: \"frame-ancestors 'self'\"}",
            "  headers: {customResponseHeaders: {X-Frame-Options: DENY}}",
            "  chain: {middlewares: [{name: other}]}",
        ] {
            assert_eq!(found("ELE-10", &with(good)), [""; 0], "{good}");
        }
        let expected = "39:12 a.example lets every page frame Element";
        assert_eq!(found("ELE-10", &with("  headers: {stsSeconds: 1}")), [expected]);
        let elsewhere = with("  headers: {}").replace("[{name: h}]", "[{name: other}]");
        assert_eq!(found("ELE-10", &elsewhere), [""; 0]);
    }

    #[test]
    fn nobody_keeps_the_configuration() {
        let with = |value: &str| {
            with(&format!("  headers: {{customResponseHeaders: {{Cache-Control: '{value}'}}}}"))
        };
        let expected = "47:52 browsers keep all of Element by `public, max-age=3600`";
        assert_eq!(found("ELE-12", &with("public, max-age=3600")), [expected]);
        assert_eq!(found("ELE-12", &with("no-cache")), [""; 0]);
    }

    #[test]
    fn a_redirect_shows_nothing_and_nginx_may_forbid_it() {
        assert_eq!(found("ELE-10", &with("  redirectScheme: {scheme: https}")), [""; 0]);
        let nginx = "\ndata:\n  site.conf: add_header X-Frame-Options SAMEORIGIN;\n";
        let text = with("  headers: {stsSeconds: 1}").replacen("\ndata:\n", nginx, 1);
        assert_eq!(found("ELE-10", &text), [""; 0]);
    }
}
