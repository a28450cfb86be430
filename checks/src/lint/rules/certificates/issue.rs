//! Who issues a certificate.

use std::collections::HashMap;

use mxdoctor_probes::manifest::Object;

use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Without a kind an issuer is looked for in the Certificate's own namespace.
    ///
    /// An Issuer may be made elsewhere. So this is said only where the name is evidently a
    /// ClusterIssuer's: one is here, another Certificate or an Ingress names it so, or it says so
    /// itself.
    ///
    /// Source: cert-manager, `issuerRef.kind`, default `Issuer`.
    NO_ISSUER = "CRT-03" Error: "a Certificate names its issuer's kind"
    breaks "the certificate is never issued: referenced Issuer not found"
    remedy "write kind: ClusterIssuer (or Issuer) into issuerRef"
    cause "certificate-issuer-missing"
    check "kubernetes.certificates"
    look no_issuer
}

rule! {
    /// Two Certificates with one Secret write over each other without end.
    ///
    /// Source: cert-manager, condition reason `IncorrectCertificate`.
    SHARED = "CRT-04" Error: "each Certificate has a Secret of its own"
    breaks "the Secret holds now one certificate and now the other, and both are issued anew"
    remedy "give each Certificate another secretName"
    cause "certificate-secret-shared"
    check "kubernetes.certificates"
    look shared
}

fn no_issuer(stack: &Stack<'_>, found: &mut Found) {
    for certificate in stack.inventory.of_kind("Certificate") {
        let Some(reference) = certificate.at("spec.issuerRef") else { continue };
        let Some(name) = reference.get("name") else { continue };
        let text = name.as_str().unwrap_or_default();
        let kind = reference.str("kind").unwrap_or("Issuer");
        let here = stack.inventory.beside(certificate, "Issuer", text).is_some();
        let foreign = reference.str("group").is_some_and(|group| group != "cert-manager.io");
        if kind == "Issuer" && !here && !foreign && is_of_cluster(stack, text) {
            let given = if reference.get("kind").is_some() { "" } else { ", for want of a kind," };
            let message = format!("{text} is{given} an Issuer of this namespace, and none is here");
            found.at(certificate, name, message);
        }
    }
}

/// Whether a name is evidently that of a ClusterIssuer.
fn is_of_cluster(stack: &Stack<'_>, name: &str) -> bool {
    let named = |certificate: &Object| {
        let reference = certificate.at("spec.issuerRef");
        reference.is_some_and(|it| {
            it.str("kind") == Some("ClusterIssuer") && it.str("name") == Some(name)
        })
    };
    let annotated = |ingress: &Object| {
        let node = ingress.annotation("cert-manager.io/cluster-issuer");
        node.and_then(|node| node.as_str()) == Some(name)
    };
    name.contains("cluster")
        || stack.inventory.named("ClusterIssuer", name).next().is_some()
        || stack.inventory.of_kind("Certificate").any(named)
        || stack.inventory.of_kind("Ingress").any(annotated)
}

fn shared(stack: &Stack<'_>, found: &mut Found) {
    let mut seen: HashMap<_, &Object> = HashMap::new();
    for certificate in stack.inventory.of_kind("Certificate") {
        let Some(secret) = certificate.at("spec.secretName") else { continue };
        let key = (certificate.namespace(), secret.as_str());
        match seen.get(&key) {
            Some(first) => {
                let message = format!(
                    "Secret {} is that of Certificate {} as well",
                    secret.as_str().unwrap_or_default(),
                    first.name()
                );
                found.at(certificate, secret, message).also_place(first.place(), "the other");
            }
            None => {
                seen.insert(key, certificate);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    const GOOD: &str = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: web}\n\
                        spec:\n  secretName: web-tls\n  issuerRef: {name: ca, kind: \
                        ClusterIssuer}\n";

    #[test]
    fn an_issuer_has_a_kind() {
        assert_eq!(found("CRT-03", GOOD), [""; 0]);
        let alone = GOOD.replace(", kind: ClusterIssuer", "");
        // An Issuer that another tree makes.
        assert_eq!(found("CRT-03", &alone), [""; 0]);
        let other = "---\napiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: \
                     ca}\n";
        let none = alone + other;
        let expected =
            "6:21 ca is, for want of a kind, an Issuer of this namespace, and none is here";
        assert_eq!(found("CRT-03", &none), [expected]);
    }

    #[test]
    fn a_secret_has_one_certificate() {
        assert_eq!(found("CRT-04", GOOD), [""; 0]);
        let two = format!("{GOOD}---\n{}", GOOD.replace("{name: web}", "{name: site}"));
        assert_eq!(found("CRT-04", &two).len(), 1);
    }
}
