//! Mistakes with the tree as a whole.

use super::Variant;

const PLACE: &str = "config/jvb-place.yaml";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(
        &["KUS-03"],
        &[(
            "config/element-config.yaml",
            "  name: element-config\n  namespace: app-matrix\n",
            "  name: element-config\n",
        )],
    ),
    Variant(
        &["KUS-04"],
        &[(
            "config/jitsi-config.yaml",
            "XMPP_SERVER: prosody.app-matrix.svc",
            "XMPP_SERVER: prosody.matrix.svc",
        )],
    ),
    Variant(
        &["KUS-06"],
        &[("components/element.yaml", "checksum/config: sha256", "note/config: sha256")],
    ),
    Variant(
        &["KUS-08"],
        &[
            (
                PLACE,
                "apiVersion: v1\n",
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: \
                 matrix, namespace: flux-system}\nspec: {prune: true, postBuild: {substitute: {zone: \
                 borooka.ee}}}\n---\napiVersion: v1\n",
            ),
            (PLACE, "advertised: 203.0.113.10", "spare: ${spare}\n  advertised: 203.0.113.10"),
        ],
    ),
    Variant(
        &["KUS-09"],
        &[(
            PLACE,
            "apiVersion: v1\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: jvb-place, namespace: \
             app-matrix}\ndata: {advertised: 203.0.113.10}\n---\napiVersion: v1\n",
        )],
    ),
    Variant(
        &["KUS-12"],
        &[("data/db-dump.yaml", "apiVersion: batch/v1", "apiVersion: batch/v1beta1")],
    ),
    Variant(
        &["KUS-13"],
        &[("config/element-config.yaml", "\"brand\": \"Element\"", "\"brand\": \"CHANGEME\"")],
    ),
    Variant(&["KUS-14"], &[("namespace.yaml", "  name: app-matrix\n", "  name: matrix\n")]),
];
