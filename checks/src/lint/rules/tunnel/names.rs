//! The names that a tunnel serves.

use std::collections::HashMap;

use crate::lint::view::{Route, RouteKind};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Where two bindings claim a name, the first by the alphabet has it.
    ///
    /// Source: cloudflare-operator, `configureCloudflareDaemon`.
    TWICE = "TUN-07" Error: "a name belongs to one binding"
    breaks "one of the two is never asked"
    remedy "take the name out of one of them"
    cause "tunnel-name-twice"
    check "kubernetes.tunnels"
    look twice
}

rule! {
    /// Cloudflare's universal certificate has the zone and one label below it. A name two labels
    /// below fails in the handshake, unless an advanced certificate is ordered: then a comment says
    /// so. The zone is the one that the tunnel names, where it is in the tree.
    ///
    /// Source: Cloudflare documentation, "Universal SSL", limitations.
    TOO_DEEP = "TUN-10" Error: "a public name is at most one label below its zone"
    breaks "browsers end in a TLS error before anything is asked: the edge has no certificate"
    remedy "use a name one label below the zone, or order an advanced certificate for it"
    cause "edge-has-no-certificate"
    check "kubernetes.tunnels"
    look_in_files too_deep
}

fn twice(stack: &Stack<'_>, found: &mut Found) {
    let mut seen: HashMap<_, &Route<'_>> = HashMap::new();
    for route in stack.routes.iter().filter(|route| route.kind == RouteKind::TunnelBinding) {
        let path = route.path.and_then(|node| node.as_str());
        let Some(host) = route.host else { continue };
        match seen.get(&(host, path)) {
            Some(first) => {
                let message = format!("{host} is claimed twice");
                found
                    .place(route.object, route.place.clone(), message)
                    .also_place(&first.place, "and here");
            }
            None => {
                seen.insert((host, path), route);
            }
        }
    }
}

/// Second labels below the end of a country under which names are given out: `co.uk`, `com.tr`.
const SHARED: &[&str] = &[
    "ac", "asn", "asso", "biz", "co", "com", "edu", "firm", "gen", "go", "gob", "gouv", "gov",
    "id", "in", "ind", "inf", "info", "k12", "lg", "ltd", "me", "mil", "muni", "name", "ne", "net",
    "nhs", "nom", "nt", "or", "org", "plc", "pp", "priv", "pro", "sch", "tm", "web",
];

/// How many labels the zone of a name has, where no tunnel says it.
fn zone_of(host: &str) -> usize {
    let mut labels = host.rsplit('.');
    let (end, second) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    let shared = end.len() == 2 && SHARED.contains(&second) || host.ends_with(".eu.org");
    if shared { 3 } else { 2 }
}

/// The zone that the tunnel of a binding names, where the tunnel is here.
fn named_zone<'a>(stack: &Stack<'a>, route: &Route<'a>) -> Option<&'a str> {
    let (kind, name) =
        (route.object.node.str("tunnelRef.kind")?, route.object.node.str("tunnelRef.name")?);
    let tunnel = stack.inventory.beside(route.object, kind, name)?;
    tunnel.node.str("spec.cloudflare.domain")
}

fn too_deep(stack: &Stack<'_>, found: &mut Found) {
    for route in stack.routes.iter().filter(|route| route.kind == RouteKind::TunnelBinding) {
        let Some(host) = route.host.filter(|host| !host.contains("${")) else { continue };
        let labels = host.split('.').count();
        let named = named_zone(stack, route).filter(|zone| host.ends_with(zone));
        let zone = named.map_or_else(|| zone_of(host), |zone| zone.split('.').count());
        if labels > zone + 1 {
            let name: Vec<_> = host.splitn(labels - zone + 1, '.').collect();
            let below = labels - zone;
            let message = format!(
                "{host} is {below} labels below {}",
                name.last().copied().unwrap_or_default()
            );
            found.place(route.object, route.place.clone(), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    fn binding(hosts: &[&str]) -> String {
        let subjects: String =
            hosts.iter().map(|host| format!("- {{name: web, spec: {{fqdn: {host}}}}}\n")).collect();
        format!(
            "apiVersion: networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\nmetadata: \
             {{name: t}}\nsubjects:\n{subjects}"
        )
    }

    #[test]
    fn a_name_is_one_label_below_its_zone() {
        let expected = "5:28 matrix.chat.a.example is 2 labels below a.example";
        assert_eq!(found("TUN-10", &binding(&["matrix.chat.a.example"])), [expected]);
        for good in ["a.example", "matrix.a.example", "matrix.a.co.uk", "matrix.a.com.tr"] {
            assert_eq!(found("TUN-10", &binding(&[good])), [""; 0], "{good}");
        }
        // The tunnel says which zone it is of.
        let zone = binding(&["matrix.chat.a.example"])
            + "tunnelRef: {kind: ClusterTunnel, name: c}\n---\napiVersion: \
               networking.cfargotunnel.com/v1alpha2\nkind: ClusterTunnel\nmetadata: {name: c}\n\
               spec: {cloudflare: {domain: chat.a.example}}\n";
        assert_eq!(found("TUN-10", &zone), [""; 0]);
    }

    #[test]
    fn a_name_is_claimed_once() {
        assert_eq!(found("TUN-07", &binding(&["a.example", "a.example"])).len(), 1);
        assert_eq!(found("TUN-07", &binding(&["a.example", "b.example"])), [""; 0]);
    }
}
