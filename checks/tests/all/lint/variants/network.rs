//! Mistakes with Services, routes, certificates, tunnels and claims.

use super::Variant;

const SYNAPSE: &str = "components/synapse.yaml";
const JVB: &str = "components/jitsi/jvb.yaml";
const WELL_KNOWN: &str = "components/well-known.yaml";
const ELEMENT: &str = "networking/element-ingress.yaml";
const JITSI: &str = "networking/jitsi-ingress.yaml";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(&["CRT-01"], &[(ELEMENT, "    - element.cluster.arpa\n", "    - chat.cluster.arpa\n")]),
    Variant(
        &["CRT-02"],
        &[(ELEMENT, "  tls:\n    secretName: element-tls", "  tls:\n    secretName: element-cert")],
    ),
    Variant(&["CRT-03"], &[(ELEMENT, "    kind: ClusterIssuer\n", "")]),
    Variant(&["CRT-04"], &[(ELEMENT, "secretName: element-tls", "secretName: jitsi-tls")]),
    Variant(&["TUN-01"], &[(ELEMENT, "subjects:\n", "spec: {}\nsubjects:\n")]),
    Variant(
        &["TUN-03"],
        &[(
            WELL_KNOWN,
            "  ports:\n    - name: http\n      port: 80\n",
            "  ports:\n    - {name: metrics, port: 9113}\n    - name: http\n      port: 80\n",
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
        &["TUN-09"],
        &[(
            ELEMENT,
            "      fqdn: element.testing.borooka.ee\n",
            "      fqdn: element.testing.borooka.ee\n      protocol: https\n",
        )],
    ),
    Variant(&["TUN-10"], &[(ELEMENT, "mxdoctor/allow-TUN-10", "note")]),
    Variant(
        &["NET-01"],
        &[(
            WELL_KNOWN,
            "  selector:\n    app.kubernetes.io/name: well-known\n",
            "  selector:\n    app.kubernetes.io/name: web\n",
        )],
    ),
    Variant(
        &["NET-02"],
        &[(
            "components/jitsi/jicofo.yaml",
            "  selector:\n    app.kubernetes.io/name: jitsi-jicofo\n",
            "  selector:\n    app.kubernetes.io/part-of: matrix\n",
        )],
    ),
    Variant(&["NET-03"], &[(WELL_KNOWN, "targetPort: http", "targetPort: web")]),
    Variant(&["NET-04"], &[(ELEMENT, "          port: 80\n", "          port: 8080\n")]),
    Variant(
        &["NET-15"],
        &[
            (JVB, "      enableServiceLinks: false\n", ""),
            (JVB, "            - name: JVB_PORT\n              value: \"10000\"\n", ""),
        ],
    ),
    Variant(&["STO-01"], &[(SYNAPSE, "type: Recreate", "type: RollingUpdate")]),
    Variant(&["STO-02"], &[(SYNAPSE, "claimName: synapse-media", "claimName: media")]),
    Variant(&["STO-06"], &[(SYNAPSE, "        fsGroup: 991\n", "")]),
    Variant(
        &["STO-07"],
        &[(
            SYNAPSE,
            "          persistentVolumeClaim:\n            claimName: synapse-media\n",
            "          emptyDir: {sizeLimit: 1Gi}\n",
        )],
    ),
];
