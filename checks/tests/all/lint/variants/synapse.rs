//! Mistakes with Synapse.

use super::Variant;

const WORKLOAD: &str = "components/synapse.yaml";
const CONFIG: &str = "config/synapse-config.yaml";
const INGRESS: &str = "networking/synapse-ingress.yaml";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(
        &["SYN-01"],
        &[(CONFIG, "form_secret_path: /secrets/form-secret", "form_secret: \"${FORM}\"")],
    ),
    Variant(
        &["SYN-02"],
        &[(CONFIG, "        dbname:", "        password: \"${PASSWORD}\"\n        dbname:")],
    ),
    Variant(
        &["SYN-03"],
        &[(
            WORKLOAD,
            "            - name: SYNAPSE_CONFIG_PATH",
            "            - name: SYNAPSE_SERVER_NAME\n              value: testing.borooka.ee\n\
             \x20           - name: SYNAPSE_CONFIG_PATH",
        )],
    ),
    // What is not read cannot be judged, and so its comment allows nothing.
    Variant(
        &["SYN-04"],
        &[(WORKLOAD, "value: /config/homeserver.yaml", "value: /etc/homeserver.yaml")],
    ),
    Variant(
        &["SYN-05", "ELE-04"],
        &[(CONFIG, "server_name: testing", "server_name: https://testing")],
    ),
    Variant(
        &["SYN-07"],
        &[(CONFIG, "public_baseurl: https://matrix.testing.borooka.ee/", "web_client: false")],
    ),
    Variant(
        &["SYN-08"],
        &[(CONFIG, "public_baseurl: https://matrix.", "public_baseurl: https://chat.")],
    ),
    Variant(
        &["SYN-09"],
        &[(
            CONFIG,
            "signing_key_path: /data/testing.borooka.ee.signing.key",
            "signing_key_path: /keys/signing.key",
        )],
    ),
    Variant(
        &["SYN-10"],
        &[(WORKLOAD, "subPath: signing.key", "subPath: testing.borooka.ee.signing.key")],
    ),
    Variant(
        &["SYN-11"],
        &[(
            WORKLOAD,
            "            - name: signing-key\n              mountPath: \
             /data/testing.borooka.ee.signing.key\n              subPath: signing.key\n              \
             readOnly: true\n",
            "",
        )],
    ),
    Variant(
        &["SYN-12"],
        &[(
            WORKLOAD,
            "          imagePullPolicy: IfNotPresent\n",
            "          imagePullPolicy: IfNotPresent\n          args: [generate]\n",
        )],
    ),
    Variant(&["SYN-13"], &[(CONFIG, "port: 8008", "port: 8080")]),
    Variant(&["SYN-14"], &[(CONFIG, "[0.0.0.0]", "[127.0.0.1]")]),
    Variant(&["SYN-15"], &[(CONFIG, "x_forwarded: true", "x_forwarded: false")]),
    Variant(&["SYN-16"], &[(CONFIG, "tls: false", "tls: true")]),
    Variant(&["SYN-17"], &[(CONFIG, "[client, federation]", "[client]")]),
    Variant(
        &["SYN-18"],
        &[(
            CONFIG,
            "enable_registration: false",
            "enable_registration: true\n    enable_registration_without_verification: true",
        )],
    ),
    Variant(&["SYN-19"], &[(CONFIG, "name: psycopg2", "name: sqlite3")]),
    Variant(&["SYN-20"], &[(CONFIG, "user: synapse", "user: matrix")]),
    Variant(
        &["SYN-20"],
        &[(CONFIG, "host: matrix-db-rw.app-matrix.svc", "host: matrix-db-rw.matrix.svc")],
    ),
    Variant(&["SYN-21"], &[(CONFIG, "host: matrix-db-rw", "host: matrix-db-ro")]),
    Variant(&["SYN-22"], &[(CONFIG, "cp_max: 10", "cp_max: 200")]),
    Variant(&["SYN-23"], &[(CONFIG, "/config/log.yaml", "/config/log.config")]),
    Variant(&["SYN-24"], &[(CONFIG, "/data/media_store", "/media_store")]),
    Variant(
        &["SYN-25"],
        &[(
            WORKLOAD,
            "              mountPath: /data\n",
            "              mountPath: /data\n              readOnly: true\n",
        )],
    ),
    Variant(&["SYN-26"], &[(CONFIG, "max_upload_size: 50M", "max_upload_size: 200M")]),
    Variant(&["SYN-27"], &[(CONFIG, "report_stats: false", "web_client: false")]),
    Variant(&["SYN-28"], &[(CONFIG, "url_preview_enabled: false", "url_preview_enabled: true")]),
    Variant(
        &["SYN-29"],
        &[(INGRESS, "      path: ^/(_matrix|_synapse/client|\\.well-known/matrix|health$)\n", "")],
    ),
    Variant(
        &["SYN-30", "TUN-03"],
        &[
            (
                CONFIG,
                "    listeners:\n",
                "    listeners:\n      - {port: 9000, type: metrics, bind_addresses: [0.0.0.0]}\n",
            ),
            (
                WORKLOAD,
                "  ports:\n    - name: http\n      port: 8008\n",
                "  ports:\n    - {name: metrics, port: 9000, targetPort: 9000}\n    - name: http\n      \
                 port: 8008\n",
            ),
        ],
    ),
    Variant(
        &["SYN-31", "SYN-33"],
        &[(
            "networking/well-known-ingress.yaml",
            "fqdn: testing.borooka.ee",
            "fqdn: www.borooka.ee",
        )],
    ),
    Variant(
        &["SYN-32"],
        &[(CONFIG, "serve_server_wellknown: false", "serve_server_wellknown: true")],
    ),
    Variant(
        &["SYN-33"],
        &[("config/well-known-config.yaml", "Access-Control-Allow-Origin", "X-Nothing")],
    ),
    Variant(&["SYN-34"], &[(CONFIG, "mxdoctor/allow-SYN-34", "note")]),
    Variant(&["SYN-35"], &[(WORKLOAD, "replicas: 1", "replicas: 2")]),
    Variant(&["SYN-36"], &[(CONFIG, "trusted_key_servers: []", "web_client: false")]),
    Variant(
        &["SYN-37"],
        &[(
            CONFIG,
            "    form_secret_path:",
            "    macaroon_secret_key: \"\"\n    form_secret_path:",
        )],
    ),
    Variant(
        &["SYN-38"],
        &[(CONFIG, "    macaroon_secret_key_path: /secrets/macaroon-secret-key\n", "")],
    ),
    Variant(
        &["SYN-39"],
        &[(
            "components/well-known.yaml",
            "        - name: nginx\n",
            "        - name: admin\n          image: matrixdotorg/synapse-admin:1\n          \
                 resources: {requests: {cpu: 10m}, limits: {memory: 64Mi}}\n          \
                 securityContext: {allowPrivilegeEscalation: false}\n          \
                 args: [register_new_matrix_user, -c, /well-known/client.json]\n          \
                 volumeMounts: [{name: documents, mountPath: /well-known}]\n        - name: nginx\n",
        )],
    ),
];
