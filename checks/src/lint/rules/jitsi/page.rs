//! How people's browsers come to the web server.

use super::variable::{Variable, is_on, variable};
use crate::lint::view::{EnvValue, Route, RouteKind};
use crate::lint::{Change, Found, Stack};
use crate::rule;

rule! {
    /// Browsers are sent to `PUBLIC_URL` for BOSH, wherever their page came from, unless
    /// `BOSH_RELATIVE` is on.
    ///
    /// Source: docker-jitsi-meet, `web/rootfs/defaults/system-config.js`.
    TWO_NAMES = "JIT-16" Warning: "each name of the web server signals by itself"
    breaks "the internal name shows the page, and signals over the public one, or not at all"
    remedy "set BOSH_RELATIVE to \"1\", or drop one of the names"
    cause "jitsi-public-url-wrong"
    check "kubernetes.routes"
    look two_names
}

rule! {
    /// The proxies in front end TLS and speak HTTP to the web server. One that redirects to https
    /// sends browsers in a circle; one that asks Let's Encrypt for a certificate gets none there
    /// and ends.
    ///
    /// Source: docker-jitsi-meet, `default.conf`, `10-config` of web.
    OWN_TLS = "JIT-17" Warning: "the web server leaves TLS to its proxy"
    breaks "browsers are redirected without end, or the container ends at its start"
    remedy "set DISABLE_HTTPS to \"1\", and the other two to \"0\""
    cause "http-redirect-loop"
    check "kubernetes.workloads"
    look own_tls
}

rule! {
    /// With `ENABLE_COLIBRI_WEBSOCKET` browsers reach the bridge through the web server, which
    /// looks for the bridge by the names of `COLIBRI_WEBSOCKET_REGEX`: `jvb` alone unless it is
    /// given, and a bridge that names itself by its address does not fit. Off, the channel goes
    /// through SCTP, with the media.
    ///
    /// Source: docker-jitsi-meet, `web/rootfs/defaults/meet.conf`.
    CHANNEL = "JIT-18" Error: "the web server finds the bridge for its WebSocket"
    breaks "the bridge channel does not open: video stops, and nobody is seen speaking"
    remedy "set ENABLE_COLIBRI_WEBSOCKET to \"0\", or COLIBRI_WEBSOCKET_REGEX to the bridge's \
            addresses"
    cause "bridge-channel-unavailable"
    check "kubernetes.jvb_network"
    look channel
}

fn two_names(stack: &Stack<'_>, found: &mut Found) {
    let Some(part) = &stack.jitsi.web else { return };
    let Variable::Given(url) = variable(stack, part, "PUBLIC_URL") else { return };
    if is_on(stack, part, "BOSH_RELATIVE") != Some(false) {
        return;
    }
    let routes = stack.routes_to(&part.workload);
    let mut hosts: Vec<&str> = routes.iter().filter_map(|route| route.host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let public = url.known().unwrap_or_default();
    let others: Vec<&str> = hosts.into_iter().filter(|host| !public.contains(host)).collect();
    // A PUBLIC_URL that none of the names is has a rule of its own.
    let is_one = routes.iter().filter_map(|route| route.host).any(|host| public.contains(host));
    if !others.is_empty() && is_one {
        let message = format!("people who come by {} are sent to {public}", others.join(", "));
        found.place(part.workload.object, url.place, message);
    }
}

fn own_tls(stack: &Stack<'_>, found: &mut Found) {
    let Some(part) = &stack.jitsi.web else { return };
    let routes = stack.routes_to(&part.workload);
    // Where TLS goes on to the web server itself, a redirect meets nobody.
    let plain = |route: &&&Route<'_>| {
        let port = route.target(stack).and_then(|service| {
            let wanted = route.port.and_then(|node| node.scalar());
            wanted.map_or_else(|| service.ports().next(), |wanted| service.port(wanted))
        });
        let number = port.and_then(|port| port.target_number(&part.workload));
        !matches!(number, Some(443 | 8443))
    };
    let Some(route) = routes.iter().find(plain) else { return };
    for (name, what) in [
        ("ENABLE_HTTP_REDIRECT", "redirects what the proxy sends"),
        ("ENABLE_LETSENCRYPT", "asks for a certificate that the proxy's name has already"),
    ] {
        if is_on(stack, part, name) != Some(true) {
            continue;
        }
        let Variable::Given(env) = variable(stack, part, name) else { continue };
        let message = format!("{name} {what}");
        let problem = found.place(part.workload.object, env.place.clone(), message);
        problem.also_place(&route.place, "the proxy ends TLS here");
        if let EnvValue::Known(node) = env.value
            && node.place.line > 0
        {
            let change = Change::Replace { place: node.place.clone(), with: "\"0\"".to_owned() };
            problem.fix(format!("turn {name} off"), vec![change]);
        }
    }
}

fn channel(stack: &Stack<'_>, found: &mut Found) {
    let Some(part) = &stack.jitsi.web else { return };
    if is_on(stack, part, "ENABLE_COLIBRI_WEBSOCKET") != Some(true) {
        return;
    }
    let Variable::Given(env) = variable(stack, part, "ENABLE_COLIBRI_WEBSOCKET") else { return };
    // In the host's network the bridge's address is its node's, which no Service named jvb has.
    let bridge = stack.jitsi.jvb.iter().find(|jvb| jvb.workload.host_network());
    let named = variable(stack, part, "COLIBRI_WEBSOCKET_REGEX");
    if let (Some(bridge), Variable::Missing) = (bridge, named) {
        let message = "the web server looks for a bridge named jvb, and this one has an address";
        found
            .place(part.workload.object, env.place, message)
            .also_place(bridge.workload.object.place(), "the bridge, in the host's network");
    }
}

/// Whether people on the internet come to the web server.
pub(super) fn is_public(stack: &Stack<'_>) -> bool {
    let Some(part) = &stack.jitsi.web else { return false };
    let inside = [".arpa", ".local", ".internal", ".lan", ".home", ".svc", ".test", ".localhost"];
    stack.routes_to(&part.workload).iter().any(|route| {
        route.kind == RouteKind::TunnelBinding
            || route.host.is_some_and(|host| {
                host.contains('.') && !inside.iter().any(|end| host.ends_with(end))
            })
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    fn routed(variables: &str, hosts: &[&str]) -> String {
        let subjects =
            hosts.iter().map(|host| format!("- {{name: web, spec: {{fqdn: {host}}}}}\n"));
        let subjects: String = subjects.collect();
        jitsi("web", variables, "hostNetwork: false")
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: \
               web}, ports: [{port: 80}]}\n---\napiVersion: \
               networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\nmetadata: {name: \
               t}\nsubjects:\n"
            + &subjects
    }

    #[test]
    fn a_second_name_signals_by_itself() {
        let url = "PUBLIC_URL: https://meet.a.example";
        let both = ["meet.a.example", "meet.home.arpa"];
        let expected = "6:3 people who come by meet.home.arpa are sent to https://meet.a.example";
        assert_eq!(found("JIT-16", &routed(url, &both)), [expected]);
        let relative = format!("{url}\n  BOSH_RELATIVE: '1'");
        assert_eq!(found("JIT-16", &routed(&relative, &both)), [""; 0]);
        assert_eq!(found("JIT-16", &routed(url, &both[..1])), [""; 0]);
    }

    #[test]
    fn tls_is_the_proxys() {
        let on = "ENABLE_HTTP_REDIRECT: '1'";
        let expected = "6:3 ENABLE_HTTP_REDIRECT redirects what the proxy sends";
        assert_eq!(found("JIT-17", &routed(on, &["meet.a.example"])), [expected]);
        assert_eq!(found("JIT-17", &jitsi("web", on, "hostNetwork: false")), [""; 0]);
        let off = on.replace('1', "0");
        assert_eq!(found("JIT-17", &routed(&off, &["meet.a.example"])), [""; 0]);
    }

    #[test]
    fn the_bridge_is_found_for_its_channel() {
        let with = |variables: &str, host: &str| {
            jitsi("web", variables, "hostNetwork: false") + "---\n" + &jitsi("jvb", "TZ: UTC", host)
        };
        let on = "ENABLE_COLIBRI_WEBSOCKET: '1'";
        let expected = "6:3 the web server looks for a bridge named jvb, and this one has an \
                        address";
        assert_eq!(found("JIT-18", &with(on, "hostNetwork: true")), [expected]);
        assert_eq!(found("JIT-18", &with(on, "hostNetwork: false")), [""; 0]);
        let named = format!("{on}\n  COLIBRI_WEBSOCKET_REGEX: '[0-9.]+'");
        assert_eq!(found("JIT-18", &with(&named, "hostNetwork: true")), [""; 0]);
        assert_eq!(found("JIT-18", &with("TZ: UTC", "hostNetwork: true")), [""; 0]);
    }

    #[test]
    fn tls_that_goes_on_to_the_web_server_is_its_own() {
        let text = routed("ENABLE_HTTP_REDIRECT: '1'", &["meet.a.example"]);
        let tls = text.replace("ports: [{port: 80}]", "ports: [{port: 443}]");
        assert_eq!(found("JIT-17", &tls), [""; 0]);
    }
}
