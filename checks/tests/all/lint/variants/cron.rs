//! Mistakes with jobs on a schedule.

use super::Variant;

const DUMP: &str = "data/db-dump.yaml";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(&["CRON-01"], &[(DUMP, "concurrencyPolicy: Forbid", "concurrencyPolicy: Allow")]),
    Variant(&["CRON-02"], &[(DUMP, "postgresql:16.10", "postgresql:15.14")]),
    Variant(&["CRON-03"], &[(DUMP, "restartPolicy: OnFailure", "restartPolicy: Always")]),
    Variant(
        &["CRON-04"],
        &[(
            DUMP,
            "              persistentVolumeClaim:\n                claimName: matrix-db-dump\n",
            "              emptyDir: {sizeLimit: 5Gi}\n",
        )],
    ),
    // The dump goes onto the volume of the media.
    Variant(&["CRON-05"], &[(DUMP, "claimName: matrix-db-dump", "claimName: synapse-media")]),
];
