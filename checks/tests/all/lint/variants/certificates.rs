//! Mistakes with certificates.

use super::Variant;

const ELEMENT: &str = "networking/element-ingress.yaml";
const CERTIFICATE: &str = "apiVersion: cert-manager.io/v1\nkind: Certificate\n";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(&["CRT-01"], &[(ELEMENT, "    - element.cluster.arpa\n", "    - chat.cluster.arpa\n")]),
    Variant(
        &["CRT-02"],
        &[(ELEMENT, "  tls:\n    secretName: element-tls", "  tls:\n    secretName: element-cert")],
    ),
    Variant(&["CRT-03"], &[(ELEMENT, "    kind: ClusterIssuer\n", "")]),
    Variant(&["CRT-04"], &[(ELEMENT, "secretName: element-tls", "secretName: jitsi-tls")]),
    Variant(&["CRT-05"], &[(ELEMENT, "renewBefore: 720h", "renewBefore: 2160h")]),
    Variant(
        &["CRT-06"],
        &[
            (ELEMENT, "element.cluster.arpa", "element.borooka.ee"),
            (
                ELEMENT,
                CERTIFICATE,
                "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: \
                 custom-ca-cluster-issuer}\nspec: {ca: {secretName: root}}\n---\napiVersion: \
                 cert-manager.io/v1\nkind: Certificate\n",
            ),
        ],
    ),
    Variant(
        &["CRT-07"],
        &[(
            ELEMENT,
            CERTIFICATE,
            "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: \
             custom-ca-cluster-issuer}\nspec: {acme: {server: \
             https://acme-v02.api.letsencrypt.org/directory, solvers: [{http01: {}}]}}\n\
             ---\napiVersion: cert-manager.io/v1\nkind: Certificate\n",
        )],
    ),
    Variant(&["CRT-08"], &[(ELEMENT, "rotationPolicy: Always", "rotationPolicy: Never")]),
];
