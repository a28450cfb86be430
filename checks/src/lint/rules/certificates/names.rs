//! The names of a certificate, and of the routes that show it.

use mxdoctor_probes::manifest::{Node, Object};

use super::super::secrets::near::is_near;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Each host of a route is a name of the certificate that it shows. Silent where several
    /// Certificates write the Secret, which is a mistake of its own (CRT-04).
    ///
    /// Source: RFC 9525; cert-manager, `Certificate.spec.dnsNames`.
    NOT_COVERED = "CRT-01" Error: "a route's certificate has its host names"
    breaks "browsers refuse the host: the certificate is for another name"
    remedy "add the host to the Certificate's dnsNames"
    cause "certificate-wrong-name"
    check "kubernetes.certificates"
    look not_covered
}

rule! {
    /// Traefik goes on without the Secret and shows a certificate of its own making, TRAEFIK
    /// DEFAULT CERT.
    ///
    /// A Secret may be copied from another namespace or made by hand. So this is said only where a
    /// Certificate here is for the same host, or makes a Secret of nearly the same name.
    ///
    /// Source: Traefik, Kubernetes CRD provider: the error is logged, the router stays.
    NO_SECRET = "CRT-02" Error: "the Secret of a route's certificate is made by something"
    breaks "browsers are shown TRAEFIK DEFAULT CERT, and refuse it"
    remedy "use the secretName of a Certificate in the same namespace"
    cause "tls-secret-missing"
    check "kubernetes.certificates"
    look no_secret
}

/// The Secrets of routes, each with its hosts.
fn shown<'a>(stack: &Stack<'a>) -> Vec<(&'a Object, &'a Node, Vec<&'a str>)> {
    let mut all = Vec::new();
    for object in stack.inventory.of_kind("IngressRoute") {
        if let Some(secret) = object.at("spec.tls.secretName") {
            let own = |route: &&crate::lint::view::Route<'a>| std::ptr::eq(route.object, object);
            let mut hosts: Vec<_> =
                stack.routes.iter().filter(own).filter_map(|route| route.host).collect();
            hosts.sort_unstable();
            hosts.dedup();
            all.push((object, secret, hosts));
        }
    }
    for object in stack.inventory.of_kind("Ingress") {
        for tls in object.node.list("spec.tls") {
            if let Some(secret) = tls.get("secretName") {
                let hosts = tls.list("hosts").iter().filter_map(Node::as_str).collect();
                all.push((object, secret, hosts));
            }
        }
    }
    all
}

fn not_covered(stack: &Stack<'_>, found: &mut Found) {
    for (object, secret, hosts) in shown(stack) {
        let Some(name) = secret.as_str() else { continue };
        let mut certificates = stack
            .inventory
            .of_kind("Certificate")
            .filter(|it| it.node.str("spec.secretName") == Some(name) && is_beside(it, object));
        let (Some(certificate), None) = (certificates.next(), certificates.next()) else {
            continue;
        };
        let mut names: Vec<&str> =
            certificate.node.list("spec.dnsNames").iter().filter_map(Node::as_str).collect();
        names.extend(certificate.node.str("spec.commonName"));
        let unknown = |host: &&&str| !host.contains("${");
        let hosts = hosts.iter().filter(unknown);
        for host in hosts.filter(|host| !names.iter().any(|name| covers(name, host))) {
            let message = format!("{host} is no name of Certificate {}", certificate.name());
            let node = certificate.at("spec.dnsNames").unwrap_or(&certificate.node);
            found.at(object, secret, message).also(node, "its names");
        }
    }
}

fn is_beside(one: &Object, other: &Object) -> bool {
    one.namespace().is_none() || other.namespace().is_none() || one.namespace() == other.namespace()
}

/// Whether cert-manager makes the Secret of an Ingress for its annotation.
fn is_by_shim(object: &Object) -> bool {
    let mut keys = object.annotations().iter().map(|entry| entry.key.as_str());
    keys.any(|key| {
        key.starts_with("cert-manager.io/")
            || key.starts_with("acme.cert-manager.io/")
            || key == "kubernetes.io/tls-acme"
    })
}

/// Whether a certificate's name, perhaps with a star for one label, stands for a host.
fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|(_, parent)| parent == rest),
        None => name == host,
    }
}

fn no_secret(stack: &Stack<'_>, found: &mut Found) {
    for (object, secret, hosts) in shown(stack) {
        let Some(name) = secret.as_str() else { continue };
        if stack.secret(object, name).is_some() || is_by_shim(object) {
            continue;
        }
        let meant = stack.inventory.of_kind("Certificate").find(|it| {
            let made = it.node.str("spec.secretName").unwrap_or_default();
            let names = it.node.list("spec.dnsNames").iter().filter_map(Node::as_str);
            let mut names = names.chain(it.node.str("spec.commonName"));
            let same = names.any(|name| hosts.iter().any(|host| covers(name, host)));
            is_beside(it, object) && (same || is_near(made, name))
        });
        if let Some(meant) = meant {
            let made = meant.node.str("spec.secretName").unwrap_or_default();
            let message = format!("nothing here makes Secret {name}; {meant} makes {made}");
            found.at(object, secret, message).also_place(meant.place(), "the Certificate");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    const GOOD: &str = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: web}\n\
                        spec:\n  secretName: web-tls\n  dnsNames: [a.example, '*.b.example']\n---\n\
                        apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: \
                        web}\nspec:\n  routes:\n  - match: Host(`a.example`) || \
                        Host(`x.b.example`)\n    services: [{name: web, port: 80}]\n  tls: \
                        {secretName: web-tls}\n";

    #[test]
    fn a_certificate_has_the_hosts_of_its_route() {
        assert_eq!(found("CRT-01", GOOD), [""; 0]);
        assert_eq!(found("CRT-02", GOOD), [""; 0]);
        let other = GOOD.replace("Host(`a.example`)", "Host(`c.example`)");
        assert_eq!(found("CRT-01", &other), ["15:21 c.example is no name of Certificate web"]);
        let deep = GOOD.replace("x.b.example", "x.y.b.example");
        assert_eq!(found("CRT-01", &deep).len(), 1);
        let none = GOOD.replace("{secretName: web-tls}", "{secretName: site-tls}");
        let expected = "15:21 nothing here makes Secret site-tls; Certificate web makes web-tls";
        assert_eq!(found("CRT-02", &none), [expected]);
        // One for other names may come from anywhere.
        let copied =
            none.replace("dnsNames: [a.example, '*.b.example']", "dnsNames: [mail.example]");
        assert_eq!(found("CRT-02", &copied), [""; 0]);
    }

    #[test]
    fn cert_manager_makes_what_an_annotation_asks_for() {
        let text = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: w}\nspec: \
                    {secretName: w, dnsNames: [a.example]}\n---\napiVersion: \
                    networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: w, annotations: \
                    {cert-manager.io/cluster-issuer: le}}\nspec: {tls: [{hosts: [a.example], \
                    secretName: other}]}\n";
        assert_eq!(found("CRT-02", text), [""; 0]);
        assert_eq!(found("CRT-02", &text.replace("cert-manager.io/cluster", "x/y")).len(), 1);
    }
}
