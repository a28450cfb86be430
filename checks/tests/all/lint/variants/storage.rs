//! Mistakes with claims and volumes.

use super::Variant;

const SYNAPSE: &str = "components/synapse.yaml";
const MEDIA: &str = "data/pvc-media.yaml";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(&["STO-01"], &[(SYNAPSE, "type: Recreate", "type: RollingUpdate")]),
    Variant(&["STO-02"], &[(SYNAPSE, "claimName: synapse-media", "claimName: media")]),
    Variant(
        &["STO-03"],
        &[
            (MEDIA, "storageClassName: longhorn-local", "storageClassName: local-path"),
            (MEDIA, "[ReadWriteOnce]", "[ReadWriteMany]"),
        ],
    ),
    Variant(
        &["STO-05"],
        &[(MEDIA, "kustomize.toolkit.fluxcd.io/prune: disabled", "note: \"20Gi\"")],
    ),
    Variant(&["STO-06"], &[(SYNAPSE, "        fsGroup: 991\n", "")]),
    Variant(
        &["STO-07"],
        &[(
            SYNAPSE,
            "          persistentVolumeClaim:\n            claimName: synapse-media\n",
            "          emptyDir: {sizeLimit: 1Gi}\n",
        )],
    ),
    Variant(
        &["STO-08"],
        &[(
            "components/element.yaml",
            "        - name: tmp\n          emptyDir:\n            sizeLimit: 16Mi\n",
            "        - name: tmp\n          emptyDir: {}\n",
        )],
    ),
    Variant(
        &["STO-09"],
        &[
            (MEDIA, "recurring-job.longhorn.io/source: enabled", "app: synapse"),
            (MEDIA, "recurring-job-group.longhorn.io/default: enabled", "tier: media"),
        ],
    ),
];
