//! Mistakes with Element.

use super::Variant;

const CONFIG: &str = "config/element-config.yaml";
const WORKLOAD: &str = "components/element.yaml";
const INGRESS: &str = "networking/element-ingress.yaml";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(&["ELE-01"], &[(CONFIG, "\"disable_guests\": true,", "\"disable_guests\": true")]),
    Variant(&["ELE-02"], &[(CONFIG, "  config.json: |", "  element.json: |")]),
    Variant(&["ELE-03"], &[(CONFIG, "https://matrix.testing", "http://matrix.testing")]),
    Variant(
        &["ELE-04"],
        &[(CONFIG, "\"server_name\": \"testing", "\"server_name\": \"matrix.testing")],
    ),
    Variant(
        &["ELE-05"],
        &[(
            CONFIG,
            "\"brand\": \"Element\",",
            "\"brand\": \"Element\",\n      \"default_hs_url\": \"https://matrix.testing.borooka.ee\",",
        )],
    ),
    Variant(&["ELE-06"], &[(CONFIG, "preferred_domain\":", "preferredDomain\":")]),
    Variant(&["ELE-07"], &[(WORKLOAD, "value: \"8080\"", "value: \"8081\"")]),
    Variant(
        &["ELE-08"],
        &[(
            WORKLOAD,
            "            - name: nginx-conf\n              mountPath: /etc/nginx/conf.d\n",
            "",
        )],
    ),
    Variant(
        &["ELE-09"],
        &[(INGRESS, "fqdn: element.testing.borooka.ee", "fqdn: matrix.testing.borooka.ee")],
    ),
    Variant(&["ELE-10"], &[(INGRESS, "      middlewares:\n        - name: element-headers\n", "")]),
    Variant(
        &["ELE-11"],
        &[(
            CONFIG,
            "\"brand\": \"Element\",",
            "\"brand\": \"Element\",\n      \"integrations_ui_url\": \"https://scalar.vector.im/\",",
        )],
    ),
    Variant(
        &["ELE-12"],
        &[(
            INGRESS,
            "    contentTypeNosniff: true\n",
            "    contentTypeNosniff: true\n    customResponseHeaders:\n      Cache-Control: \
             max-age=3600\n",
        )],
    ),
];
