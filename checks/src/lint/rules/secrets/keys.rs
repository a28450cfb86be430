//! Keys that those who read a Secret expect.

use mxdoctor_probes::manifest::{Node, Object};

use crate::lint::view::Keys;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A type of Secret has its keys, which the API server insists on; Traefik wants `tls.crt` and
    /// `tls.key`, CloudNativePG `username` and `password`.
    ///
    /// Source: Kubernetes, "Types of Secret"; CloudNativePG, `bootstrap.initdb.secret`.
    UNFIT = "SEC-11" Warning: "a Secret has the keys of its type and of those who read it"
    breaks "the API server refuses the Secret, or the one who reads it goes on without"
    remedy "seal the values under the keys that are expected"
    cause "secret-key-missing"
    check "kubernetes.secrets"
    look unfit
}

const TLS: &[&str] = &["tls.crt", "tls.key"];
const USER: &[&str] = &["username", "password"];

fn unfit(stack: &Stack<'_>, found: &mut Found) {
    by_type(stack, found);
    for cluster in stack.inventory.of_kind("Cluster") {
        if cluster.group() != "postgresql.cnpg.io" {
            continue;
        }
        for path in ["spec.bootstrap.initdb.secret.name", "spec.superuserSecret.name"] {
            wanted(stack, cluster, cluster.at(path), USER, found);
        }
    }
    for route in stack.inventory.of_kind("IngressRoute") {
        wanted(stack, route, route.at("spec.tls.secretName"), TLS, found);
    }
    for ingress in stack.inventory.of_kind("Ingress") {
        for tls in ingress.node.list("spec.tls") {
            wanted(stack, ingress, tls.get("secretName"), TLS, found);
        }
    }
}

/// The keys that a Secret lacks; none where what it has is not known.
fn lacks<'k>(keys: &Keys<'_>, needed: &'k [&'k str]) -> Vec<&'k str> {
    let Keys::Known(keys) = keys else { return Vec::new() };
    if keys.is_empty() {
        return Vec::new();
    }
    needed.iter().filter(|key| !keys.contains(key)).copied().collect()
}

fn by_type(stack: &Stack<'_>, found: &mut Found) {
    for made in &stack.secrets {
        let path = match made.by.kind() {
            "Secret" => "type",
            "SealedSecret" if made.by.at("spec.data").is_none() => "spec.template.type",
            _ => continue,
        };
        let Some(node) = made.by.at(path) else { continue };
        let needed: &[&str] = match node.as_str() {
            Some("kubernetes.io/tls") => TLS,
            Some("kubernetes.io/dockerconfigjson") => &[".dockerconfigjson"],
            Some("kubernetes.io/ssh-auth") => &["ssh-privatekey"],
            _ => continue,
        };
        let lacks = lacks(&made.keys, needed);
        if !lacks.is_empty() {
            let kind = node.as_str().unwrap_or_default();
            let message = format!("a Secret of the type {kind} has to have {}", lacks.join(", "));
            found.at(made.by, node, message);
        }
    }
}

/// A Secret that an object names, and the keys that it looks for there.
fn wanted(
    stack: &Stack<'_>,
    from: &Object,
    name: Option<&Node>,
    needed: &[&str],
    found: &mut Found,
) {
    let Some(node) = name else { return };
    let Some(made) = node.as_str().and_then(|name| stack.secret(from, name)) else { return };
    if !matches!(made.by.kind(), "Secret" | "SealedSecret") {
        return;
    }
    let lacks = lacks(&made.keys, needed);
    if !lacks.is_empty() {
        let message =
            format!("Secret {} lacks {}, which is read here", made.name, lacks.join(", "));
        found.at(from, node, message).also_place(made.by.place(), "made by this");
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    fn sealed(kind: &str, keys: &str) -> String {
        format!(
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: s\nspec:\n  \
             encryptedData: {{{keys}}}\n  template:\n    type: {kind}\n---\napiVersion: \
             postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {{name: db}}\nspec:\n  bootstrap:\n    \
             initdb:\n      secret: {{name: s}}\n"
        )
    }

    #[test]
    fn keys_fit_their_type_and_their_readers() {
        let good = sealed("kubernetes.io/basic-auth", "username: A, password: A");
        assert_eq!(found("SEC-11", &good), [""; 0]);
        let expected = "16:22 Secret s lacks username, which is read here";
        assert_eq!(found("SEC-11", &sealed("Opaque", "password: A")), [expected]);
        let tls = sealed("kubernetes.io/tls", "tls.crt: A, username: A, password: A");
        let expected = "8:11 a Secret of the type kubernetes.io/tls has to have tls.key";
        assert_eq!(found("SEC-11", &tls), [expected]);
    }
}
