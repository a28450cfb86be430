//! Mistakes with Jitsi.

use super::Variant;

const CONFIG: &str = "config/jitsi-config.yaml";
const JVB: &str = "components/jitsi/jvb.yaml";
const JICOFO: &str = "components/jitsi/jicofo.yaml";
const PROSODY: &str = "components/jitsi/prosody.yaml";
const WEB: &str = "components/jitsi/web.yaml";
const PINNED: &str = "      nodeSelector:\n        kubernetes.io/hostname: node-a\n";
const ADVERTISED: &str = "            - name: JVB_ADVERTISE_IPS\n              valueFrom:\n                \
                          configMapKeyRef:\n                  name: jvb-place\n                  key: \
                          advertised\n";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(&["JIT-01"], &[(JVB, "dnsPolicy: ClusterFirstWithHostNet", "dnsPolicy: ClusterFirst")]),
    Variant(&["JIT-02"], &[(JVB, "replicas: 1", "replicas: 2")]),
    Variant(&["JIT-03"], &[(JVB, "type: Recreate", "type: RollingUpdate")]),
    Variant(&["JIT-04"], &[(JVB, ADVERTISED, "")]),
    Variant(&["JIT-05"], &[(JVB, "JVB_ADVERTISE_IPS", "DOCKER_HOST_ADDRESS")]),
    Variant(
        &["JIT-06"],
        &[(
            "config/jvb-place.yaml",
            "advertised: 203.0.113.10",
            "advertised: meet.testing.borooka.ee",
        )],
    ),
    Variant(&["JIT-07"], &[(JVB, "value: \"10000\"", "value: \"10001\"")]),
    Variant(&["JIT-08"], &[(JVB, "protocol: UDP", "protocol: TCP")]),
    Variant(&["JIT-09"], &[(JICOFO, "JICOFO_AUTH_PASSWORD", "JICOFO_PASSWORD")]),
    Variant(&["JIT-10"], &[(JVB, "key: jvb-auth-password", "key: jicofo-auth-password")]),
    Variant(&["JIT-11"], &[(CONFIG, "XMPP_SERVER: prosody.app-matrix.svc\n", "A: b\n")]),
    Variant(&["JIT-12"], &[(CONFIG, "XMPP_BOSH_URL_BASE", "XMPP_BOSH")]),
    Variant(
        &["JIT-13"],
        &[(
            PROSODY,
            "    - name: http\n      port: 5280\n      targetPort: http\n      protocol: TCP\n",
            "",
        )],
    ),
    Variant(
        &["JIT-14"],
        &[(
            JICOFO,
            "            - name: JICOFO_MAX_MEMORY\n",
            "            - name: XMPP_DOMAIN\n              value: meet.testing.borooka.ee\n            - \
             name: JICOFO_MAX_MEMORY\n",
        )],
    ),
    Variant(&["JIT-15"], &[(CONFIG, "PUBLIC_URL: https://meet.", "PUBLIC_URL: https://calls.")]),
    Variant(&["JIT-16"], &[(CONFIG, "BOSH_RELATIVE: \"1\"", "BOSH_RELATIVE: \"0\"")]),
    Variant(&["JIT-17"], &[(CONFIG, "ENABLE_HTTP_REDIRECT: \"0\"", "ENABLE_HTTP_REDIRECT: \"1\"")]),
    Variant(
        &["JIT-18"],
        &[(CONFIG, "ENABLE_COLIBRI_WEBSOCKET: \"0\"", "ENABLE_COLIBRI_WEBSOCKET: \"1\"")],
    ),
    Variant(&["JIT-19"], &[(CONFIG, "JICOFO_ENABLE_REST: \"1\"", "JICOFO_ENABLE_REST: \"0\"")]),
    // Its comment allows what is no longer there.
    Variant(
        &["JIT-20"],
        &[(CONFIG, "  TZ: UTC", "  ENABLE_AUTH: \"1\"\n  AUTH_TYPE: internal\n  TZ: UTC")],
    ),
    Variant(&["JIT-21"], &[(CONFIG, "mxdoctor/allow-JIT-21", "note")]),
    Variant(&["JIT-22"], &[(WEB, "jitsi/web:stable-10741", "jitsi/web:stable-10888")]),
    Variant(&["JIT-23", "JIT-22"], &[(WEB, "jitsi/web:stable-10741", "jitsi/web:stable-11146")]),
    Variant(
        &["JIT-24"],
        &[(
            JICOFO,
            "            allowPrivilegeEscalation: false\n",
            "            allowPrivilegeEscalation: false\n            readOnlyRootFilesystem: true\n",
        )],
    ),
    Variant(&["JIT-25"], &[(JVB, "value: 720m", "value: 3072m")]),
    Variant(&["JIT-26"], &[(JVB, PINNED, "")]),
    Variant(
        &["JIT-27"],
        &[(
            JVB,
            "              containerPort: 8080\n              hostPort: 8080\n",
            "              containerPort: 8081\n              hostPort: 8081\n",
        )],
    ),
    Variant(
        &["JIT-28"],
        &[(
            JVB,
            "- name: COLIBRI_REST_ENABLED\n              value: \"false\"",
            "- name: COLIBRI_REST_ENABLED\n              value: \"true\"",
        )],
    ),
];
