//! Mistakes in how workloads are run.

use super::Variant;

const SYNAPSE: &str = "components/synapse.yaml";
const ELEMENT: &str = "components/element.yaml";
const WELL_KNOWN: &str = "components/well-known.yaml";
const BUDGETS: &str = "components/disruption.yaml";
const JVB: &str = "components/jitsi/jvb.yaml";
const JICOFO: &str = "components/jitsi/jicofo.yaml";
const PROSODY: &str = "components/jitsi/prosody.yaml";
const WEB: &str = "components/jitsi/web.yaml";
const DUMP: &str = "data/db-dump.yaml";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(&["WL-01"], &[(WELL_KNOWN, "unprivileged:1.29.3-alpine-slim", "unprivileged:stable")]),
    Variant(&["WL-01"], &[(SYNAPSE, "matrixdotorg/synapse:1.147.0", "matrixdotorg/synapse")]),
    Variant(&["WL-02"], &[(WEB, "              memory: 256Mi\n", "")]),
    Variant(
        &["WL-02"],
        &[
            (DUMP, "                  cpu: 100m\n", ""),
            (DUMP, "                  cpu: \"1\"\n", ""),
        ],
    ),
    Variant(&["WL-03"], &[(SYNAPSE, "memory: 2Gi", "memory: 256Mi")]),
    Variant(&["WL-03"], &[(ELEMENT, "memory: 64Mi", "memory: 64m")]),
    Variant(
        &["WL-04"],
        &[(
            ELEMENT,
            "          readinessProbe:\n            httpGet:\n              path: /config.json\n              \
             port: http\n            periodSeconds: 10\n            timeoutSeconds: 3\n",
            "",
        )],
    ),
    Variant(
        &["WL-05"],
        &[(
            SYNAPSE,
            "          startupProbe:\n            httpGet:\n              path: /health\n              \
             port: http\n            periodSeconds: 10\n            failureThreshold: 60\n",
            "",
        )],
    ),
    Variant(
        &["WL-05"],
        &[(
            SYNAPSE,
            "          livenessProbe:\n            httpGet:\n              path: /health\n",
            "          livenessProbe:\n            httpGet:\n              path: \
             /_matrix/client/versions\n",
        )],
    ),
    Variant(
        &["WL-05"],
        &[(
            JICOFO,
            "            tcpSocket:\n              port: rest\n",
            "            httpGet:\n              path: /about/health\n              port: rest\n",
        )],
    ),
    Variant(
        &["WL-06"],
        &[(
            SYNAPSE,
            "            periodSeconds: 30\n            timeoutSeconds: 10\n            \
             failureThreshold: 5\n",
            "            periodSeconds: 10\n            timeoutSeconds: 5\n",
        )],
    ),
    Variant(
        &["WL-06"],
        &[(
            JVB,
            "            periodSeconds: 30\n            timeoutSeconds: 5\n",
            "            periodSeconds: 30\n",
        )],
    ),
    Variant(&["WL-07"], &[(SYNAPSE, "            allowPrivilegeEscalation: false\n", "")]),
    Variant(
        &["WL-07"],
        &[(PROSODY, "              type: RuntimeDefault\n", "              type: Unconfined\n")],
    ),
    Variant(&["WL-07"], &[(ELEMENT, "        runAsNonRoot: true\n", "")]),
    Variant(&["WL-08"], &[(JVB, "      automountServiceAccountToken: false\n", "")]),
    Variant(&["WL-08"], &[(DUMP, "          automountServiceAccountToken: false\n", "")]),
    Variant(&["WL-09"], &[("namespace.yaml", "enforce: privileged", "enforce: baseline")]),
    Variant(&["WL-09"], &[("namespace.yaml", "enforce: privileged", "enforce: restricted")]),
    Variant(
        &["WL-10"],
        &[(
            WELL_KNOWN,
            "    matchLabels:\n      app.kubernetes.io/name: well-known\n",
            "    matchLabels:\n      app.kubernetes.io/name: wellknown\n",
        )],
    ),
    Variant(&["WL-11"], &[(WELL_KNOWN, "replicas: 1", "replicas: 0")]),
    Variant(&["WL-12"], &[(JVB, "      terminationGracePeriodSeconds: 60\n", "")]),
    Variant(
        &["WL-12"],
        &[(SYNAPSE, "terminationGracePeriodSeconds: 90", "terminationGracePeriodSeconds: 30")],
    ),
    Variant(
        &["WL-13"],
        &[(
            JVB,
            "            - name: JVB_DISABLE_STUN\n",
            "            - name: VIDEOBRIDGE_MAX_MEMORY\n              value: 700m\n            - name: \
             JVB_DISABLE_STUN\n",
        )],
    ),
    Variant(&["WL-14"], &[(JVB, "name: jvb-place", "name: jvb-address")]),
    Variant(&["WL-14"], &[(JICOFO, "name: jitsi-config", "name: jitsi-configs")]),
    Variant(&["WL-14"], &[(JVB, "key: advertised", "key: address")]),
    Variant(
        &["WL-15"],
        &[(
            DUMP,
            "                - name: PGHOST\n                  value: matrix-db-rw.app-matrix.svc\n",
            "                - name: PGAPPNAME\n                  value: dump-$(PGDATABASE)\n                \
             - name: PGHOST\n                  value: matrix-db-rw.app-matrix.svc\n",
        )],
    ),
    Variant(&["WL-16"], &[(BUDGETS, "maxUnavailable: 1", "minAvailable: 1")]),
    Variant(&["WL-17"], &[(SYNAPSE, "imagePullPolicy: IfNotPresent", "imagePullPolicy: Always")]),
    Variant(
        &["WL-18"],
        &[(SYNAPSE, "progressDeadlineSeconds: 1200", "progressDeadlineSeconds: 60")],
    ),
];
