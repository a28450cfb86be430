//! What the web server tells browsers, and where it sends them.

use super::variable::{Variable, is_named, variable};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Without `XMPP_BOSH_URL_BASE` the web server looks for `xmpp.meet.jitsi`.
    ///
    /// Source: docker-jitsi-meet, `web/rootfs/defaults/meet.conf`.
    NO_BOSH_BASE = "JIT-12" Error: "the web server is told where Prosody is"
    breaks "nginx does not start, or /http-bind and /xmpp-websocket end in 502"
    remedy "set XMPP_BOSH_URL_BASE to http:// and Prosody's Service with port 5280"
    cause "xmpp-server-unset"
    check "kubernetes.workloads"
    look no_bosh_base
}

rule! {
    /// Browsers are sent to `PUBLIC_URL` for everything; its default is `https://localhost:8443`.
    ///
    /// Source: docker-jitsi-meet, `system-config.js`.
    NO_PUBLIC_URL = "JIT-15" Error: "the web server knows its public address"
    breaks "browsers look for the conference at localhost, or at another host"
    remedy "set PUBLIC_URL to https:// and the host by which people come"
    cause "jitsi-public-url-unset"
    check "kubernetes.routes"
    look no_public_url
}

fn no_bosh_base(stack: &Stack<'_>, found: &mut Found) {
    let Some(part) = &stack.jitsi.web else { return };
    let named = is_named(&part.workload);
    if !named && matches!(variable(stack, part, "XMPP_BOSH_URL_BASE"), Variable::Missing) {
        let node = part.container.node;
        let place = node.get("name").unwrap_or(node);
        found.at(part.workload.object, place, "the web server is not told where Prosody is");
    }
}

fn no_public_url(stack: &Stack<'_>, found: &mut Found) {
    let Some(part) = &stack.jitsi.web else { return };
    let node = part.container.node;
    match variable(stack, part, "PUBLIC_URL") {
        Variable::Unknown => {}
        Variable::Missing => {
            let place = node.get("name").unwrap_or(node);
            let message = "PUBLIC_URL is not given, so that browsers are sent to localhost:8443";
            found.at(part.workload.object, place, message);
        }
        Variable::Given(env) => {
            let Some(text) = env.known() else { return };
            let after = text.split_once("://").map_or(text, |(_, rest)| rest);
            let host = after.split(['/', ':']).next().unwrap_or_default();
            let routes = stack.routes_to(&part.workload);
            let hosts: Vec<&str> = routes.iter().filter_map(|route| route.host).collect();
            let may = routes.iter().any(|route| route.takes(host))
                || stack.has_other_ways(&part.workload);
            if !hosts.is_empty() && !may {
                let message =
                    format!("PUBLIC_URL is {text}, and people come by {}", hosts.join(", "));
                found.place(part.workload.object, env.place, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    #[test]
    fn a_web_server_knows_where_it_is_and_where_prosody_is() {
        let bare = jitsi("web", "TZ: UTC", "hostNetwork: false");
        assert_eq!(found("JIT-12", &bare).len(), 1);
        assert_eq!(found("JIT-15", &bare).len(), 1);
        let both = "PUBLIC_URL: https://meet.a.example\n  XMPP_BOSH_URL_BASE: http://prosody:5280";
        let told = jitsi("web", both, "hostNetwork: false");
        assert_eq!(found("JIT-12", &told), [""; 0]);
        assert_eq!(found("JIT-15", &told), [""; 0]);
        let route = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: \
                     {app: web}, ports: [{port: 80}]}\n---\napiVersion: \
                     networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\nmetadata: {name: \
                     t}\nsubjects: [{name: web, spec: {fqdn: calls.a.example}}]\n";
        let message = &found("JIT-15", &(told + route))[0];
        let expected = "PUBLIC_URL is https://meet.a.example, and people come by calls.a.example";
        assert!(message.ends_with(expected), "{message}");
    }

    #[test]
    fn people_may_come_by_a_star_or_by_no_route() {
        let told = jitsi("web", "PUBLIC_URL: https://meet.a.example", "hostNetwork: false");
        let with = |kind: &str, host: &str| {
            format!(
                "{told}---\napiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec: {{type: \
                 {kind}, selector: {{app: web}}, ports: [{{port: 80}}]}}\n---\napiVersion: \
                 networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: w}}\nspec: {{rules: [{{host: \
                 '{host}', http: {{paths: [{{path: /, backend: {{service: {{name: web, port: \
                 {{number: 80}}}}}}}}]}}}}]}}\n"
            )
        };
        assert_eq!(found("JIT-15", &with("ClusterIP", "meet.lan")).len(), 1);
        assert_eq!(found("JIT-15", &with("ClusterIP", "*.a.example")), [""; 0]);
        assert_eq!(found("JIT-15", &with("NodePort", "meet.lan")), [""; 0]);
    }
}
