//! What the inventory cannot show: ways that are no routes here, and objects that others make.

use mxdoctor_probes::manifest::{Node, Object};

use super::{Service, Workload};
use crate::lint::Stack;

/// Kinds that lead people to Services, and are not read as routes.
const UNREAD: &[&str] = &[
    "VirtualService",
    "HTTPProxy",
    "Route",
    "ApisixRoute",
    "Mapping",
    "TLSRoute",
    "TCPRoute",
    "IngressRouteTCP",
];

/// Programs that bring people in by a tunnel, by the last part of their image.
const TUNNELS: &[&str] =
    &["cloudflared", "tailscale", "frpc", "ngrok", "newt", "inlets-client", "rathole", "zrok"];

/// Words by which a text shows itself as a proxy's configuration: nginx, Caddy, Apache, HAProxy,
/// Envoy, Traefik, cloudflared.
const PROXIES: &[&str] = &[
    "proxy_pass",
    "reverse_proxy",
    "ProxyPass",
    "server-template",
    "backend ",
    "cluster:",
    "loadBalancer",
    "hostname:",
];

/// Groups whose objects make no Services and no pods but those that are known here.
const SILENT: &[&str] = &[
    "bitnami.com",
    "cert-manager.io",
    "acme.cert-manager.io",
    "external-secrets.io",
    "k8up.io",
    "kustomize.toolkit.fluxcd.io",
    "longhorn.io",
    "metallb.io",
    "monitoring.coreos.com",
    "networking.cfargotunnel.com",
    "barmancloud.cnpg.io",
    "postgresql.cnpg.io",
    "source.toolkit.fluxcd.io",
    "traefik.containo.us",
    "traefik.io",
    "velero.io",
];

impl<'a> Stack<'a> {
    /// Whether something here makes objects that no file shows: a chart that is yet to be rendered,
    /// or an object of an operator that is not known.
    pub fn is_open(&self) -> bool {
        self.inventory.objects().iter().any(|object| {
            let group = object.group();
            group.contains('.') && !group.ends_with("k8s.io") && !SILENT.contains(&group)
        })
    }

    /// Whether people may come to a workload by a way that is no route here: a Service that is
    /// open by itself, a proxy or a tunnel with a configuration of its own, a route of a kind that
    /// is not read.
    pub fn has_other_ways(&self, workload: &Workload<'a>) -> bool {
        let services = self.services_of(workload);
        let open = |service: &Service<'_>| {
            let kind = service.object.node.str("spec.type");
            matches!(kind, Some("LoadBalancer" | "NodePort"))
                || !service.object.node.list("spec.externalIPs").is_empty()
        };
        services.iter().any(open)
            || self.has_tunnel()
            || services.iter().any(|service| self.is_led_to_unread(service.object))
            || services.iter().any(|service| self.is_proxied(service.object))
    }

    /// Whether a name may be answered by something that is here: a route, or a way that is none.
    pub fn may_answer(&self, name: &str) -> bool {
        let served = |text: &str| text.contains("well-known") && has_word(text, name);
        self.routes.iter().any(|route| route.takes(name))
            || self.has_tunnel()
            || UNREAD.iter().any(|kind| self.inventory.of_kind(kind).next().is_some())
            || self.texts().any(served)
    }

    /// The files of ConfigMaps but for Synapse's and Element's own.
    fn texts(&self) -> impl Iterator<Item = &'a str> {
        let synapse = self.synapse.iter().flat_map(|synapse| &synapse.configuration);
        let element = self.element.iter().filter_map(|element| element.configuration.as_ref());
        let own: Vec<&Node> = synapse.chain(element).map(|file| file.text).collect();
        let all = self.inventory.of_kind("ConfigMap").flat_map(|map| map.node.map("data"));
        all.map(|entry| &entry.node)
            .filter(move |node| !own.iter().any(|it| std::ptr::eq(*it, *node)))
            .filter_map(|node| node.as_str())
    }

    /// Whether a program keeps a tunnel of whose names nothing is told here.
    pub fn has_tunnel(&self) -> bool {
        let told = |object: &Object| {
            let owners = object.node.list("metadata.ownerReferences").iter();
            owners
                .filter_map(|it| it.str("kind"))
                .any(|it| matches!(it, "Tunnel" | "ClusterTunnel"))
        };
        self.running(TUNNELS).iter().any(|(workload, _)| !told(workload.object))
    }

    fn is_led_to_unread(&self, service: &Object) -> bool {
        let name = service.name();
        let is_it = |text: &str| text.split('.').next() == Some(name);
        let externals =
            self.services.iter().map(|other| other.object.node.str("spec.externalName"));
        externals.flatten().any(is_it)
            || UNREAD.iter().flat_map(|kind| self.inventory.of_kind(kind)).any(|route| {
                let mut leads = false;
                route.node.scalars(&mut |node: &Node| leads |= node.as_str().is_some_and(is_it));
                leads
            })
    }

    /// Whether a proxy's configuration names a Service as an address.
    fn is_proxied(&self, service: &Object) -> bool {
        self.texts().any(|text| {
            PROXIES.iter().any(|word| text.contains(word)) && has_word(text, service.name())
        })
    }
}

/// Whether a name stands in a text as a word: not as a part of a longer name.
fn has_word(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !name.is_empty()
        && text.match_indices(name).any(|(start, _)| {
            let before = text[..start].chars().next_back();
            let after = text[start + name.len()..].chars().next();
            !before.is_some_and(|c| part(c) || c == '.') && !after.is_some_and(part)
        })
}

#[cfg(test)]
mod tests {
    use super::has_word;
    use crate::lint::Stack;
    use crate::lint::testing::{inventory, synapse};

    #[test]
    fn a_word_is_no_part_of_another() {
        assert!(has_word("reverse_proxy synapse:8008", "synapse"));
        assert!(has_word("http://synapse.matrix.svc", "synapse"));
        assert!(!has_word("http://my-synapse:8008 synapse-admin", "synapse"));
        assert!(!has_word("www.a.example", "a.example"));
    }

    #[test]
    fn ways_that_are_no_routes_are_seen() {
        let text = synapse("server_name: a")
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: hs}\nspec:\n  selector: {app: \
               synapse}\n  ports: [{port: 8008}]\n";
        let ways = |more: &str| {
            let inventory = inventory(&format!("{text}---\n{more}"));
            let stack = Stack::new(&inventory);
            let workload = stack.synapse[0].workload.expect("a workload").0;
            stack.has_other_ways(&workload)
        };
        assert!(!ways("{}"));
        for way in [
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: p}\ndata: {Caddyfile: 'reverse_proxy \
             hs:8008'}",
            "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {externalName: hs.m.svc}",
            "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {type: NodePort, selector: \
             {app: synapse}}",
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: \
             {http: [{route: [{destination: {host: hs.m.svc.cluster.local}}]}]}",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: t}\nspec: {template: {spec: \
             {containers: [{name: c, image: 'cloudflare/cloudflared:2026.9.1'}]}}}",
        ] {
            assert!(ways(way), "{way}");
        }
    }
}
