//! Mistakes with Secrets.

use super::Variant;

const SYNAPSE: &str = "components/synapse.yaml";
const CONFIG: &str = "config/synapse-config.yaml";
const JITSI: &str = "sealed-jitsi-secrets.yaml";
const OWN: &str = "  name: jitsi-secrets\n  namespace: app-matrix\nspec";
const TEMPLATE: &str = "      name: jitsi-secrets\n";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(
        &["SEC-01"],
        &[(
            JITSI,
            "# A sample: ",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: more, namespace: app-matrix}\n\
             stringData: {password: hunter2}\n---\n# A sample: ",
        )],
    ),
    Variant(
        &["SEC-02"],
        &[("data/db-dump.yaml", "name: matrix-db-app", "name: matrix-db-synapse")],
    ),
    Variant(&["SEC-03"], &[(SYNAPSE, "key: password", "key: passwd")]),
    Variant(&["SEC-04"], &[(CONFIG, "/secrets/form-secret", "/secrets/form_secret")]),
    Variant(
        &["SEC-05"],
        &[(
            "components/jitsi/prosody.yaml",
            "                  key: jvb-auth-password\n",
            "                  key: jvb-auth-password\n                  optional: true\n",
        )],
    ),
    Variant(&["SEC-06"], &[(JITSI, TEMPLATE, "      name: jitsi\n")]),
    Variant(
        &["SEC-08"],
        &[(
            JITSI,
            TEMPLATE,
            "      name: jitsi-secrets\n      annotations: \
             {sealedsecrets.bitnami.com/namespace-wide: \"true\"}\n",
        )],
    ),
    Variant(
        &["SEC-09"],
        &[("sealed-synapse-secrets.yaml", "form-secret: AgAF", "form-secret: hunter2!")],
    ),
    Variant(
        &["SEC-10"],
        &[(
            JITSI,
            OWN,
            "  name: jitsi-secrets\n  namespace: app-matrix\n  annotations: \
             {sealedsecrets.bitnami.com/cluster-wide: \"true\"}\nspec",
        )],
    ),
    Variant(&["SEC-11"], &[(JITSI, "type: Opaque", "type: kubernetes.io/tls")]),
    Variant(&["SEC-12"], &[(JITSI, "spec:\n", "spec:\n  data: AgA=\n")]),
    Variant(
        &["SEC-13"],
        &[
            (JITSI, "jicofo-auth-password: ", "jicofo-auth-password: &same "),
            (JITSI, "\n  template:", "\n    spare: *same\n  template:"),
        ],
    ),
    Variant(&["SEC-14"], &[("config/jitsi-config.yaml", "TZ: UTC", "JWT_APP_SECRET: hunter2")]),
    Variant(
        &["SEC-15"],
        &[(
            "config/jvb-place.yaml",
            "  node: node-a\n",
            "  node: node-a\n  signing.key: ed25519 a_AbCd\n",
        )],
    ),
];
