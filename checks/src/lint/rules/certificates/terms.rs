//! How long a certificate holds, who trusts it, and whether it can be issued at all.

use mxdoctor_probes::manifest::{Node, Object};

use crate::lint::view::RouteKind;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// cert-manager refuses a period below an hour, and renews without end where the renewal
    /// begins before the issue.
    ///
    /// Source: cert-manager, `spec.duration` (default 2160h, least 1h) and `spec.renewBefore`
    /// (least 5m, less than the duration).
    PERIOD = "CRT-05" Error: "a certificate holds longer than its renewal takes"
    breaks "the Certificate is refused, or issued again and again"
    remedy "duration: 2160h and renewBefore: 720h"
    cause "certificate-period-wrong"
    check "kubernetes.certificates"
    look period
}

rule! {
    /// Other servers trust the authorities that browsers trust, and phones' apps trust no private
    /// one at all.
    ///
    /// Silent about names below `.arpa`, `.local`, `.internal` and the like, about names that a
    /// tunnel serves with its own certificate, about issuers that are not in the tree, and about
    /// certificates that no route shows to people.
    ///
    /// Source: Matrix Server-Server API, "TLS"; Android, network security configuration.
    PRIVATE = "CRT-06" Warning: "a public name has a certificate of a public authority"
    breaks "other servers refuse to federate, and phones refuse to connect"
    remedy "issue it with ACME for this name"
    cause "certificate-issuer-unfit"
    check "kubernetes.certificates"
    look private
}

rule! {
    /// ACME's HTTP-01 asks the name from the internet. A name that is only known inside cannot be
    /// proven so.
    ///
    /// Silent about authorities that are not known to be public: one inside may ask inside.
    ///
    /// Source: RFC 8555, section 8.3; public authorities issue for public names alone.
    UNPROVABLE = "CRT-07" Error: "ACME is asked for names that exist on the internet"
    breaks "the certificate is never issued: its challenge fails for ever"
    remedy "use an issuer of a private authority for internal names"
    cause "certificate-issuer-unfit"
    check "kubernetes.certificates"
    look unprovable
}

rule! {
    /// With `Never` the same key is used for every certificate, also after it has leaked.
    ///
    /// Source: cert-manager, `spec.privateKey.rotationPolicy`; `Always` by default from 1.18.
    KEPT = "CRT-08" Info: "a renewed certificate has a new key"
    breaks "a key that was copied once opens everything until somebody deletes the Secret"
    remedy "rotationPolicy: Always"
    cause "certificate-key-kept"
    check ""
    look kept
}

/// Ends of names that are known inside only.
const INTERNAL: &[&str] = &[
    ".arpa",
    ".corp",
    ".home",
    ".internal",
    ".intranet",
    ".lan",
    ".local",
    ".localdomain",
    ".localhost",
    ".private",
    ".svc",
    ".test",
];

fn internal(name: &str) -> bool {
    !name.contains('.') || INTERNAL.iter().any(|end| name.ends_with(end))
}

/// Seconds of a duration as Go writes it: `2160h`, `1h30m`.
fn seconds(text: &str) -> Option<f64> {
    let mut rest = text.trim();
    let mut all = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit_end =
            rest[end..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |n| end + n);
        all += number
            * match &rest[end..unit_end] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 0.001,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    Some(all)
}

fn period(stack: &Stack<'_>, found: &mut Found) {
    for object in stack.inventory.of_kind("Certificate") {
        let value = |path: &str| {
            let node = object.at(path)?;
            Some((node, seconds(node.scalar()?)?))
        };
        let duration = value("spec.duration");
        let before = value("spec.renewBefore");
        if let Some((node, _)) = duration.filter(|(_, length)| *length < 3600.0) {
            found.at(object, node, "a certificate has to hold for an hour at least");
        } else if let Some((node, length)) = before {
            let whole = duration.map_or(2160.0 * 3600.0, |(_, length)| length);
            if length >= whole {
                let message = "the renewal begins before the certificate does";
                let problem = found.at(object, node, message);
                if let Some((node, _)) = duration {
                    problem.also(node, "how long it holds");
                }
            } else if length < 300.0 {
                found.at(object, node, "cert-manager refuses less than 5 minutes");
            }
        }
    }
}

/// The issuer of a certificate, where it is in the tree.
fn issuer<'a>(stack: &Stack<'a>, certificate: &Object) -> Option<&'a Object> {
    let reference = certificate.at("spec.issuerRef")?;
    let kind = reference.str("kind").unwrap_or("Issuer");
    let name = reference.str("name")?;
    if kind == "Issuer" {
        return stack.inventory.beside(certificate, kind, name);
    }
    stack.inventory.named(kind, name).next()
}

/// Authorities of the internet, by a part of their address.
const PUBLIC: &[&str] =
    &["letsencrypt.org", "zerossl.com", "buypass.com", "pki.goog", "ssl.com", "sectigo.com"];

fn names(certificate: &Object) -> impl Iterator<Item = (&Node, &str)> {
    let names = certificate.node.list("spec.dnsNames").iter();
    names.filter_map(|node| Some((node, node.as_str()?)))
}

fn private(stack: &Stack<'_>, found: &mut Found) {
    for object in stack.inventory.of_kind("Certificate") {
        let Some(issuer) = issuer(stack, object) else { continue };
        let own = ["spec.ca", "spec.selfSigned"].iter().find_map(|path| issuer.at(path));
        let Some(own) = own else { continue };
        for (node, name) in names(object).filter(|(_, name)| !internal(name)) {
            let by_tunnel = stack
                .routes
                .iter()
                .any(|route| route.kind == RouteKind::TunnelBinding && route.host == Some(name));
            let secret = object.node.str("spec.secretName");
            let shown = stack.routes.iter().any(|route| {
                let tls = route.object.node.list("spec.tls").iter();
                let mut named = tls.filter_map(|tls| tls.str("secretName"));
                let own = route.object.node.str("spec.tls.secretName");
                route.host == Some(name) && (own == secret || named.any(|it| Some(it) == secret))
            });
            if !by_tunnel && shown {
                let message = format!("{name} is public, and its issuer is a private authority");
                found.at(object, node, message).also(own, "the authority");
            }
        }
    }
}

fn unprovable(stack: &Stack<'_>, found: &mut Found) {
    for object in stack.inventory.of_kind("Certificate") {
        let Some(issuer) = issuer(stack, object) else { continue };
        let solvers = issuer.node.list("spec.acme.solvers");
        // With DNS-01 the zone may well be public.
        let server = issuer.node.str("spec.acme.server").unwrap_or_default();
        let public = PUBLIC.iter().any(|authority| server.contains(authority));
        if !public
            || solvers.is_empty()
            || solvers.iter().any(|solver| solver.get("dns01").is_some())
        {
            continue;
        }
        for (node, name) in names(object).filter(|(_, name)| internal(name)) {
            let message = format!("no authority on the internet can ask {name} for its proof");
            found.at(object, node, message).also_place(issuer.place(), "the issuer");
        }
    }
}

fn kept(stack: &Stack<'_>, found: &mut Found) {
    for object in stack.inventory.of_kind("Certificate") {
        let Some(node) = object.at("spec.privateKey.rotationPolicy") else { continue };
        if node.as_str() == Some("Never") {
            found.at(object, node, "the key is never replaced");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;
    use crate::lint::testing::found;

    fn with(spec: &str, issuer: &str) -> String {
        format!(
            "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {{name: w}}\nspec:\n  \
             secretName: w\n  issuerRef: {{name: i, kind: ClusterIssuer}}\n  {spec}\n---\n\
             apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {{name: i}}\nspec: \
             {{{issuer}}}\n"
        )
    }

    #[test]
    fn a_period_is_longer_than_its_renewal() {
        assert_eq!(found("CRT-05", &with("duration: 2160h\n  renewBefore: 720h", "")), [""; 0]);
        let late = with("renewBefore: 2160h", "");
        assert_eq!(found("CRT-05", &late), ["7:16 the renewal begins before the certificate does"]);
        assert_eq!(found("CRT-05", &with("duration: 30m", "")).len(), 1);
        assert_eq!(found("CRT-05", &with("renewBefore: 1m", "")).len(), 1);
        assert_eq!((seconds("1h30m"), seconds("x")), (Some(5400.0), None));
    }

    const ROUTE: &str = "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: \
                         w}\nspec:\n  rules: [{host: chat.a.example, http: {paths: [{path: /, \
                         backend: {service: {name: w, port: {number: 80}}}}]}}]\n  tls: \
                         [{secretName: w}]\n";

    #[test]
    fn an_authority_fits_its_names() {
        let acme = "acme: {server: 'https://acme-v02.api.letsencrypt.org/directory', solvers: \
                    [{http01: {}}]}";
        let public = "dnsNames: [chat.a.example]";
        let inside = "dnsNames: [matrix.cluster.arpa]";
        for (spec, issuer, private, unprovable) in [
            (public, "ca: {secretName: r}", 1, 0),
            (inside, "ca: {secretName: r}", 0, 0),
            (public, acme, 0, 0),
            (inside, acme, 0, 1),
        ] {
            let text = with(spec, issuer) + ROUTE;
            assert_eq!(found("CRT-06", &text).len(), private, "{text}");
            assert_eq!(found("CRT-07", &text).len(), unprovable, "{text}");
        }
        let unknown = with(public, "ca: {}").replace("metadata: {name: i}", "metadata: {name: j}");
        assert_eq!(found("CRT-06", &(unknown + ROUTE)), [""; 0]);
        // One that is shown to no people, such as a database's.
        assert_eq!(found("CRT-06", &with(public, "ca: {secretName: r}")), [""; 0]);
        // An authority inside may ask inside.
        let own = with(inside, acme).replace("acme-v02.api.letsencrypt.org", "ca.cluster.arpa");
        assert_eq!(found("CRT-07", &own), [""; 0]);
    }

    #[test]
    fn a_key_that_is_kept_is_found() {
        let never = with("privateKey: {rotationPolicy: Never}", "");
        assert_eq!(found("CRT-08", &never), ["7:32 the key is never replaced"]);
        assert_eq!(found("CRT-08", &never.replace("Never", "Always")), [""; 0]);
    }
}
