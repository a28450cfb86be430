//! Records of the names that a tunnel serves.

use mxdoctor_probes::manifest::Node;

use crate::lint::view::{Route, RouteKind};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// With `disableDNSUpdates` the operator makes no record, so that somebody else has to: a
    /// CNAME of the name to `TUNNEL-ID.cfargotunnel.com`.
    ///
    /// Found where the tree keeps records of the same domain (`DNSEndpoint` of external-dns) and
    /// has none of this name. Silent without any: records that are made by hand are in no tree.
    ///
    /// Source: cloudflare-operator, `tunnelRef.disableDNSUpdates`; external-dns, `DNSEndpoint`.
    UNRECORDED = "TUN-11" Warning: "a name that the operator makes no record of has one"
    breaks "the name does not resolve, and nobody comes to the tunnel"
    remedy "add a CNAME of the name to TUNNEL-ID.cfargotunnel.com, or take disableDNSUpdates out"
    cause "tunnel-name-without-record"
    check "kubernetes.tunnels"
    look unrecorded
}

/// What external-dns takes names from on other objects.
const ANNOTATION: &str = "external-dns.alpha.kubernetes.io/hostname";

fn disabled<'a>(route: &Route<'a>) -> Option<&'a Node> {
    let node = route.object.at("tunnelRef.disableDNSUpdates")?;
    (node.as_bool() == Some(true)).then_some(node)
}

fn unrecorded(stack: &Stack<'_>, found: &mut Found) {
    let kept = stack.inventory.of_kind("DNSEndpoint");
    let kept = kept.flat_map(|object| object.node.list("spec.endpoints"));
    let kept: Vec<&str> = kept.filter_map(|it| it.str("dnsName")).collect();
    let tunnels = || stack.routes.iter().filter(|it| it.kind == RouteKind::TunnelBinding);
    let annotated = stack.inventory.objects().iter().filter_map(|it| it.annotation(ANNOTATION));
    let mut made: Vec<&str> = tunnels()
        .filter(|route| disabled(route).is_none())
        .filter_map(|route| route.host)
        .chain(annotated.filter_map(Node::as_str).flat_map(|names| names.split(',').map(str::trim)))
        .collect();
    made.extend(&kept);
    for route in tunnels() {
        let (Some(node), Some(host)) = (disabled(route), route.host) else { continue };
        let Some((_, domain)) = host.split_once('.') else { continue };
        let of_domain = |name: &&str| {
            name.strip_suffix(domain).is_some_and(|head| head.is_empty() || head.ends_with('.'))
        };
        let is = |name: &&str| {
            let all = name.strip_prefix("*.");
            *name == host || all.is_some_and(|zone| host.ends_with(&format!(".{zone}")))
        };
        if kept.iter().any(of_domain) && !made.iter().any(is) {
            let message = format!(
                "disableDNSUpdates leaves {host} without a record: no DNSEndpoint here has it"
            );
            found.at(route.object, node, message).also_place(&route.place, "the name");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    fn with(reference: &str, record: &str) -> String {
        format!(
            "apiVersion: networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\nmetadata: \
             {{name: t}}\nsubjects:\n- {{name: web, spec: {{fqdn: meet.a.example}}}}\ntunnelRef: \
             {{kind: ClusterTunnel, name: c{reference}}}\n---\napiVersion: \
             externaldns.k8s.io/v1alpha1\nkind: DNSEndpoint\nmetadata: {{name: d}}\nspec: \
             {{endpoints: [{{dnsName: '{record}', recordType: CNAME}}]}}\n"
        )
    }

    const DISABLED: &str = ", disableDNSUpdates: true";

    #[test]
    fn a_name_without_a_record_is_found_where_records_are_kept() {
        let expected = "6:62 disableDNSUpdates leaves meet.a.example without a record: no \
                        DNSEndpoint here has it";
        assert_eq!(found("TUN-11", &with(DISABLED, "chat.a.example")), [expected]);
        for record in ["meet.a.example", "*.a.example", "*.example", "x.other.example"] {
            assert_eq!(found("TUN-11", &with(DISABLED, record)), [""; 0], "{record}");
        }
        assert_eq!(found("TUN-11", &with("", "chat.a.example")), [""; 0]);
        let alone = with(DISABLED, "chat.a.example").replace("DNSEndpoint", "Other");
        assert_eq!(found("TUN-11", &alone), [""; 0]);
    }
}
