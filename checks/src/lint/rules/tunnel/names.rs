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
    /// below fails in the handshake, unless an advanced certificate is ordered.
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

/// Ends under which names are given out to others below one more label.
const SHARED_ENDS: &[&str] = &["co.uk", "org.uk", "com.au", "co.nz", "co.jp", "com.br", "co.za"];

fn too_deep(stack: &Stack<'_>, found: &mut Found) {
    for route in stack.routes.iter().filter(|route| route.kind == RouteKind::TunnelBinding) {
        let Some(host) = route.host else { continue };
        let labels = host.split('.').count();
        let zone = if SHARED_ENDS.iter().any(|end| host.ends_with(end)) { 3 } else { 2 };
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
        for good in ["a.example", "matrix.a.example", "matrix.a.co.uk"] {
            assert_eq!(found("TUN-10", &binding(&[good])), [""; 0], "{good}");
        }
    }

    #[test]
    fn a_name_is_claimed_once() {
        assert_eq!(found("TUN-07", &binding(&["a.example", "a.example"])).len(), 1);
        assert_eq!(found("TUN-07", &binding(&["a.example", "b.example"])), [""; 0]);
    }
}
