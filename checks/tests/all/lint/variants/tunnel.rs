//! Mistakes with the tunnel.

use super::Variant;

const WELL_KNOWN: &str = "components/well-known.yaml";
const APEX: &str = "networking/well-known-ingress.yaml";
const ELEMENT: &str = "networking/element-ingress.yaml";
const JITSI: &str = "networking/jitsi-ingress.yaml";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(&["TUN-01"], &[(ELEMENT, "subjects:\n", "spec: {}\nsubjects:\n")]),
    Variant(&["TUN-02"], &[(APEX, "  namespace: app-matrix\n", "  namespace: edge\n")]),
    Variant(
        &["TUN-03"],
        &[(
            WELL_KNOWN,
            "  ports:\n    - name: http\n      port: 80\n",
            "  ports:\n    - {name: metrics, port: 9113}\n    - name: http\n      port: 80\n",
        )],
    ),
    Variant(
        &["TUN-04"],
        &[(
            APEX,
            "      path: ^",
            "      target: http://well-known.app-matrix.svc:8080\n      path: ^",
        )],
    ),
    Variant(&["TUN-05"], &[(APEX, "kind: ClusterTunnel", "kind: CloudTunnel")]),
    Variant(
        &["TUN-06"],
        &[(
            APEX,
            "apiVersion: networking.cfargotunnel.com/v1alpha1\n",
            "apiVersion: networking.cfargotunnel.com/v1alpha2\nkind: ClusterTunnel\nmetadata: {name: \
             cluster-tunnel}\nspec: {cloudflare: {domain: borooka.dev}}\n---\napiVersion: \
             networking.cfargotunnel.com/v1alpha1\n",
        )],
    ),
    Variant(
        &["TUN-07"],
        &[(
            JITSI,
            "subjects:\n",
            "subjects:\n  - kind: Service\n    name: jitsi-web\n    spec:\n      fqdn: \
             testing.borooka.ee\n      path: ^/\\.well-known/matrix/\n",
        )],
    ),
    Variant(
        &["TUN-08"],
        &[(
            ELEMENT,
            "      fqdn: element.testing.borooka.ee\n",
            "      fqdn: element.testing.borooka.ee\n  - kind: Service\n    name: element\n    \
             spec:\n      fqdn: element.testing.borooka.ee\n      path: ^/bundles/\n",
        )],
    ),
    Variant(
        &["TUN-09"],
        &[(
            ELEMENT,
            "      fqdn: element.testing.borooka.ee\n",
            "      fqdn: element.testing.borooka.ee\n      protocol: https\n",
        )],
    ),
    Variant(&["TUN-10"], &[(ELEMENT, "mxdoctor/allow-TUN-10", "note")]),
    Variant(
        &["TUN-12"],
        &[(
            JITSI,
            "      fqdn: meet.testing.borooka.ee\n",
            "      fqdn: meet.testing.borooka.ee\n      protocol: udp\n",
        )],
    ),
    Variant(
        &["TUN-11"],
        &[(
            ELEMENT,
            "  name: cluster-tunnel\n",
            "  name: cluster-tunnel\n  disableDNSUpdates: true\n---\napiVersion: \
             externaldns.k8s.io/v1alpha1\nkind: DNSEndpoint\nmetadata:\n  name: names\n  namespace: \
             app-matrix\nspec:\n  endpoints:\n    - dnsName: status.testing.borooka.ee\n",
        )],
    ),
];
