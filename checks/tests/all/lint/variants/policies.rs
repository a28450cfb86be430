//! Mistakes with NetworkPolicies.

use super::Variant;

const POLICIES: &str = "networking/network-policies.yaml";
const JITSI: &str = "config/jitsi-config.yaml";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(&["NP-01"], &[(POLICIES, "- protocol: UDP\n          port: 53\n        ", "")]),
    Variant(
        &["NP-01"],
        &[(
            POLICIES,
            "kubernetes.io/metadata.name: kube-system",
            "kubernetes.io/metadata.name: traefik",
        )],
    ),
    // Synapse and its database, at either end.
    Variant(
        &["NP-02"],
        &[(
            POLICIES,
            "    - to:\n        - podSelector:\n            matchLabels:\n              cnpg.io/cluster: \
             matrix-db\n      ports:\n        - protocol: TCP\n          port: 5432\n    # Federation",
            "    # Federation",
        )],
    ),
    Variant(
        &["NP-02"],
        &[(
            POLICIES,
            "    - from:\n        - podSelector:\n            matchLabels:\n              \
             app.kubernetes.io/name: synapse\n",
            "    - from:\n        - podSelector:\n            matchLabels:\n              \
             app.kubernetes.io/name: synaps\n",
        )],
    ),
    Variant(&["NP-02"], &[(POLICIES, "        - protocol: TCP\n          port: 8448\n", "")]),
    // The port of Element's Service, which is not that of its pods.
    Variant(&["NP-02"], &[(POLICIES, "port: 8080", "port: 80")]),
    Variant(&["NP-02"], &[(POLICIES, "port: 5280", "port: 5281")]),
    // The bridge's node is let in no more.
    Variant(
        &["NP-02"],
        &[(
            POLICIES,
            "    - from:\n        - ipBlock:\n            cidr: 192.0.2.10/32\n      ports:\n        \
             - protocol: TCP\n          port: 5222\n",
            "    - from:\n        - ipBlock:\n            cidr: 192.0.2.10/32\n      ports:\n        \
             - protocol: TCP\n          port: 5223\n",
        )],
    ),
    // Browsers' channel to the bridge, whose port on its node the page's server does not reach.
    Variant(
        &["NP-02"],
        &[(
            JITSI,
            "  ENABLE_COLIBRI_WEBSOCKET: \"0\"\n",
            "  ENABLE_COLIBRI_WEBSOCKET: \"1\"\n  COLIBRI_WEBSOCKET_REGEX: 192\\.0\\.2\\.10\n",
        )],
    ),
    Variant(
        &["NP-03"],
        &[(
            POLICIES,
            "        - podSelector:\n            matchLabels:\n              app.kubernetes.io/name: \
             jitsi-web\n",
            "        - podSelector:\n            matchLabels:\n              app.kubernetes.io/name: \
             jitsi-web\n        - podSelector:\n            matchLabels:\n              \
             app.kubernetes.io/name: jitsi-jibri\n",
        )],
    ),
    Variant(
        &["NP-03"],
        &[(
            POLICIES,
            "              kubernetes.io/metadata.name: traefik\n      ports:\n        - protocol: TCP\n          \
             port: 8008\n",
            "              kubernetes.io/metadata.name: traefik\n        - namespaceSelector:\n            \
             matchLabels:\n              name: app-matrix\n      ports:\n        - protocol: TCP\n          \
             port: 8008\n",
        )],
    ),
    Variant(
        &["NP-04"],
        &[(
            POLICIES,
            "              kubernetes.io/metadata.name: traefik\n      ports:\n        - protocol: TCP\n          \
             port: 8008\n",
            "              kubernetes.io/metadata.name: traefik\n        - podSelector:\n            \
             matchLabels:\n              app.kubernetes.io/name: traefik\n      ports:\n        - protocol: \
             TCP\n          port: 8008\n",
        )],
    ),
    // Nothing selects the database any more.
    Variant(
        &["NP-05"],
        &[
            (
                POLICIES,
                "  podSelector: {}\n  policyTypes: [Ingress, Egress]",
                "  podSelector: {}\n  policyTypes: [Egress]",
            ),
            (
                POLICIES,
                "      cnpg.io/cluster: matrix-db\n  policyTypes: [Ingress, Egress]\n",
                "      cnpg.io/cluster: matrix-db\n  policyTypes: [Egress]\n",
            ),
        ],
    ),
    Variant(
        &["NP-06"],
        &[(
            POLICIES,
            "          port: 5432\n        - protocol: TCP\n          port: 8000\n  egress",
            "          port: 5432\n  egress",
        )],
    ),
    Variant(
        &["NP-07"],
        &[(
            POLICIES,
            "        - protocol: TCP\n          port: 443\n        - protocol: TCP\n          port: 6443\n",
            "        - protocol: TCP\n          port: 5432\n",
        )],
    ),
    Variant(
        &["NP-08"],
        &[(
            POLICIES,
            "        - ipBlock:\n            cidr: 192.0.2.10/32\n",
            "        - podSelector:\n            matchLabels:\n              app.kubernetes.io/name: \
             jitsi-jvb\n",
        )],
    ),
    Variant(
        &["NP-09"],
        &[(
            POLICIES,
            "              kubernetes.io/metadata.name: traefik\n      ports:\n        - protocol: TCP\n          \
             port: 8008\n",
            "              kubernetes.io/metadata.name: traefik\n        - ipBlock:\n            cidr: \
             0.0.0.0/0\n      ports:\n        - protocol: TCP\n          port: 8008\n",
        )],
    ),
    Variant(&["NP-10"], &[(POLICIES, "        - protocol: TCP\n          port: 53\n", "")]),
];
