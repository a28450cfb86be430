//! Mistakes with the database's Cluster.

use super::Variant;

const CLUSTER: &str = "data/cnpg-cluster.yaml";

pub(super) const VARIANTS: &[Variant] = &[
    Variant(
        &["DB-01"],
        &[
            (CLUSTER, "kind: ScheduledBackup", "kind: Backup"),
            ("data/db-dump.yaml", "pg_dump --format", "psql --format"),
        ],
    ),
    Variant(&["DB-02"], &[(CLUSTER, "mxdoctor/allow-DB-02", "note")]),
    Variant(&["DB-03"], &[(CLUSTER, "size: 2Gi", "size: 2GB")]),
    Variant(
        &["DB-04"],
        &[(
            "data/pvc-media.yaml",
            "apiVersion: v1\n",
            "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: \
             longhorn-local}\nprovisioner: driver.longhorn.io\nparameters: {numberOfReplicas: \
             \"1\"}\n---\napiVersion: v1\n",
        )],
    ),
    Variant(
        &["DB-05"],
        &[(CLUSTER, "  walStorage:\n    storageClass: longhorn-local\n    size: 2Gi\n", "")],
    ),
    Variant(&["DB-06"], &[(CLUSTER, "localeCollate: C", "localeCollate: en_US.UTF-8")]),
    Variant(&["DB-07"], &[(CLUSTER, "postgresql:16.10", "postgresql:13.22")]),
    Variant(
        &["DB-08"],
        &[(
            CLUSTER,
            "spec:\n  instances",
            "status: {image: \"ghcr.io/cloudnative-pg/postgresql:15.4\"}\nspec:\n  instances",
        )],
    ),
    Variant(
        &["DB-09"],
        &[(
            CLUSTER,
            "  resources:\n    requests:\n      cpu: 500m\n      memory: 1Gi\n    limits:\n      \
             cpu: \"2\"\n      memory: 1Gi\n",
            "",
        )],
    ),
    Variant(&["DB-10"], &[(CLUSTER, "0 30 3 * * 0", "30 3 * * 0")]),
    Variant(
        &["DB-11"],
        &[(
            CLUSTER,
            "  backup:\n",
            "  backup:\n    barmanObjectStore: {endpointURL: \"https://s3.testing.borooka.ee\"}\n",
        )],
    ),
    Variant(
        &["DB-12", "DB-11"],
        &[(
            CLUSTER,
            "  backup:\n",
            "  backup:\n    barmanObjectStore: {endpointURL: \"http://minio.app-matrix.svc\"}\n",
        )],
    ),
    Variant(&["DB-13"], &[(CLUSTER, "mxdoctor/allow-DB-13", "note")]),
];
