//! Mistakes with Services and routes.

use super::Variant;

const SYNAPSE: &str = "networking/synapse-ingress.yaml";
const JVB: &str = "components/jitsi/jvb.yaml";
const WELL_KNOWN: &str = "components/well-known.yaml";
const ELEMENT: &str = "networking/element-ingress.yaml";
const JITSI: &str = "networking/jitsi-ingress.yaml";
/// What comes of the second route when both are given one more.
const ADMINS: &str = "      middlewares:\n        - name: synapse-admin-networks\n      middlewares: [{name: more}]\n";

pub(super) const VARIANTS: &[Variant] = &[
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
        &["NET-05"],
        &[(
            ELEMENT,
            "      middlewares:\n        - name: element-headers\n",
            "      middlewares:\n        - name: default-headers\n",
        )],
    ),
    Variant(
        &["NET-06"],
        &[(ELEMENT, "Host(`element.cluster.arpa`)", "Host('element.cluster.arpa')")],
    ),
    Variant(
        &["NET-07"],
        &[(
            JITSI,
            "  routes:\n",
            "  routes:\n    - kind: Rule\n      match: Host(`meet.cluster.arpa`)\n      services: \
             [{name: jitsi-web, port: http}]\n",
        )],
    ),
    Variant(
        &["NET-09"],
        &[
            (ELEMENT, "entryPoints: [websecure]", "entryPoints: [web]"),
            (ELEMENT, "  tls:\n    secretName: element-tls\n", ""),
        ],
    ),
    Variant(&["NET-11"], &[(SYNAPSE, "ipAllowList:", "ipWhiteList:")]),
    Variant(
        &["NET-12"],
        &[
            (SYNAPSE, "      services:\n", "      middlewares: [{name: more}]\n      services:\n"),
            (SYNAPSE, ADMINS, "      middlewares:\n        - name: synapse-admin-networks\n"),
            (
                SYNAPSE,
                "kind: Middleware\n",
                "kind: Middleware\nmetadata: {name: more, namespace: app-matrix}\nspec: {buffering: \
                 {maxRequestBodyBytes: 10485760}}\n---\napiVersion: traefik.io/v1alpha1\nkind: \
                 Middleware\n",
            ),
        ],
    ),
    Variant(
        &["NET-08"],
        &[(
            SYNAPSE,
            "apiVersion: networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: traefik, namespace: \
             traefik}\nspec:\n  selector: {matchLabels: {app.kubernetes.io/name: traefik}}\n  \
             template:\n    metadata: {labels: {app.kubernetes.io/name: traefik}}\n    spec:\n      \
             serviceAccountName: traefik\n      containers:\n        - name: traefik\n          \
             image: traefik:v3.7.9\n          args: [--entryPoints.web.address=:8000]\n          \
             readinessProbe: {httpGet: {path: /ping, port: 8080}}\n          resources: {requests: \
             {cpu: 100m}, limits: {memory: 128Mi}}\n          securityContext: \
             {allowPrivilegeEscalation: false, seccompProfile: {type: RuntimeDefault}}\n---\n\
             apiVersion: networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\n",
        )],
    ),
    Variant(
        &["NET-13"],
        &[
            (SYNAPSE, "      services:\n", "      middlewares: [{name: more}]\n      services:\n"),
            (SYNAPSE, ADMINS, "      middlewares:\n        - name: synapse-admin-networks\n"),
            (
                SYNAPSE,
                "kind: Middleware\n",
                "kind: Middleware\nmetadata: {name: more, namespace: app-matrix}\nspec: {addPrefix: \
                 {prefix: /chat}}\n---\napiVersion: traefik.io/v1alpha1\nkind: Middleware\n",
            ),
        ],
    ),
    Variant(
        &["NET-14"],
        &[(
            "components/jitsi/prosody.yaml",
            "spec:\n  selector:\n    app.kubernetes.io/name: jitsi-prosody\n",
            "spec:\n  type: NodePort\n  selector:\n    app.kubernetes.io/name: jitsi-prosody\n",
        )],
    ),
    Variant(
        &["NET-15"],
        &[
            (JVB, "      enableServiceLinks: false\n", ""),
            (JVB, "            - name: JVB_PORT\n              value: \"10000\"\n", ""),
        ],
    ),
];
