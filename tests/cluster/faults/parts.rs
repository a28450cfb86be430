//! Volumes, the database, operators, jobs, nodes and the bridge.

use super::Step::{Change, Controllers, Make, Remove, Services};
use super::{Fault, UNAVAILABLE, fails, warns};

pub(super) const FAULTS: &[Fault] = &[
    fails(
        "storage_class",
        "kubernetes.volumes",
        "storage-class-missing",
        &[
            Change(
                "apps/v1/deployments/synapse",
                r#"[{"op": "replace", "value": "synapse-media-2",
                "path": "/spec/template/spec/volumes/0/persistentVolumeClaim/claimName"}]"#,
            ),
            Controllers,
            Make(
                "v1/persistentvolumeclaims",
                r#"{"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": {"name": "synapse-media-2",
                "labels": {"recurring-job-group.longhorn.io/default": "enabled"}}, "spec": {
                "storageClassName": "longhorn-lokal", "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}}}}"#,
                "",
            ),
            Change(
                "v1/pods/synapse-*/status",
                r#"{"status": {"phase": "Pending", "containerStatuses": null, "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message":
                 "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
                 "lastTransitionTime": "ago:600"}]}}"#,
            ),
            Change("apps/v1/deployments/synapse/status", UNAVAILABLE),
            Services,
        ],
    ),
    fails(
        "no_primary",
        "kubernetes.database",
        "database-cluster-degraded",
        &[
            Change(
                "postgresql.cnpg.io/v1/clusters/matrix-db/status",
                r#"{"status": {"phase": "Failing over", "readyInstances": 0,
                "currentPrimaryFailingSinceTimestamp": "ago:600"}}"#,
            ),
            Remove("v1/pods/matrix-db-1"),
            Services,
        ],
    ),
    fails(
        "database_broken",
        "kubernetes.database",
        "database-cluster-broken",
        &[
            Change(
                "postgresql.cnpg.io/v1/clusters/matrix-db/status",
                r#"{"status": {"readyInstances": 0, "phase":
                "Cluster is unrecoverable and needs manual intervention"}}"#,
            ),
            Change(
                "v1/pods/matrix-db-1/status",
                unready!("postgres", r#""state": {"running": {"startedAt": "ago:900"}}"#),
            ),
            Services,
        ],
    ),
    fails(
        "backup_failed",
        "database.backup",
        "database-backup-failed",
        &[Change(
            "postgresql.cnpg.io/v1/clusters/matrix-db/status",
            r#"{"status": {"conditions": [
            {"type": "Ready", "status": "True", "reason": "ClusterIsReady", "message": "",
             "lastTransitionTime": "ago:86400"},
            {"type": "LastBackupSucceeded", "status": "False", "reason": "LastBackupFailed",
             "message": "no such VolumeSnapshotClass: longhorn-backup",
             "lastTransitionTime": "ago:7200"}]}}"#,
        )],
    ),
    fails(
        "backup_late",
        "database.backup",
        "database-backup-failed",
        &[
            Change(
                "postgresql.cnpg.io/v1/clusters/matrix-db/status",
                r#"{"status": {"lastSuccessfulBackup": "ago:1209600"}}"#,
            ),
            Change(
                "postgresql.cnpg.io/v1/backups/matrix-db-weekly-*/status",
                r#"{"status": {"stoppedAt": "ago:1209600"}}"#,
            ),
        ],
    ),
    fails(
        "operator_down",
        "kubernetes.operators",
        "operator-down",
        &[
            Change(
                "/apis/apps/v1/namespaces/cert-manager/deployments/cert-manager/status",
                UNAVAILABLE,
            ),
            Change(
                "cert-manager.io/v1/certificates/element-tls/status",
                r#"{"status": {"renewalTime": "ago:90000"}}"#,
            ),
        ],
    ),
    fails(
        "job_failed",
        "kubernetes.cronjob",
        "cronjob-failing",
        &[
            Change(
                "batch/v1/cronjobs/matrix-db-dump/status",
                r#"{"status": {"lastScheduleTime": "ago:3000", "lastSuccessfulTime": "ago:90000"}}"#,
            ),
            Make(
                "batch/v1/jobs",
                r#"{"apiVersion": "batch/v1", "kind": "Job",
                "metadata": {"name": "matrix-db-dump-1", "ownerReferences": [
                 {"apiVersion": "batch/v1", "kind": "CronJob", "name": "matrix-db-dump",
                  "uid": "0"}]},
                "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [
                 {"name": "dump", "image": "ghcr.io/cloudnative-pg/postgresql:16.10"}]}}}}"#,
                r#"{"status": {"startTime": "ago:3000", "failed": 1, "conditions": [
                {"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded",
                 "lastTransitionTime": "ago:2000"},
                {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
                 "message": "Job has reached the specified backoff limit",
                 "lastTransitionTime": "ago:2000"}]}}"#,
            ),
        ],
    ),
    warns(
        "job_late",
        "kubernetes.cronjob",
        "cronjob-failing",
        &[Change(
            "batch/v1/cronjobs/matrix-db-dump/status",
            r#"{"status": {"lastScheduleTime": "ago:7200", "lastSuccessfulTime": "ago:900000"}}"#,
        )],
    ),
    warns(
        "suspended",
        "kubernetes.cronjob",
        "cronjob-suspended",
        &[Change("batch/v1/cronjobs/matrix-db-dump", r#"{"spec": {"suspend": true}}"#)],
    ),
    warns(
        "one_tag_two_images",
        "kubernetes.images",
        "image-differs",
        &[
            Change("apps/v1/deployments/element", r#"{"spec": {"replicas": 2}}"#),
            Controllers,
            Change(
                "v1/pods/element-*-00000/status",
                r#"{"status": {"containerStatuses": [{"name": "element", "image": "image",
                "imageID": "docker.io/vectorim/element-web@sha256:1", "ready": true,
                "restartCount": 0, "state": {"running": {"startedAt": "ago:900"}}}]}}"#,
            ),
            Change(
                "v1/pods/element-*-00001/status",
                r#"{"status": {"containerStatuses": [{"name": "element", "image": "image",
                "imageID": "docker.io/vectorim/element-web@sha256:2", "ready": true,
                "restartCount": 0, "state": {"running": {"startedAt": "ago:900"}}}]}}"#,
            ),
        ],
    ),
    Fault {
        id: "jitsi_releases",
        check: "jitsi.versions",
        outcome: "fail",
        cause: "jitsi-versions-differ",
        steps: &[
            Change(
                "apps/v1/deployments/jitsi-web",
                r#"[{"op": "replace", "path": "/spec/template/spec/containers/0/image",
                "value": "jitsi/web:stable-10655"}]"#,
            ),
            Controllers,
        ],
        // A rule over images says the same.
        also: &["kubernetes.images"],
    },
    fails(
        "bridge_elsewhere",
        "kubernetes.jvb_network",
        "bridge-on-another-node",
        &[Change(
            "/api/v1/nodes/node-1/status",
            r#"{"status": {"addresses": [{"type": "InternalIP", "address": "198.51.100.21"},
            {"type": "ExternalIP", "address": "203.0.113.10"}]}}"#,
        )],
    ),
    fails(
        "node",
        "kubernetes.resources",
        "node-not-ready",
        &[
            Change(
                "/api/v1/nodes/node-a/status",
                r#"{"status": {"conditions": [{"type": "Ready", "status": "Unknown",
                "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status.",
                "lastHeartbeatTime": "ago:700", "lastTransitionTime": "ago:600"}]}}"#,
            ),
            Change(
                "v1/pods/jitsi-jvb-*/status",
                unready!("jvb", r#""state": {"running": {"startedAt": "ago:90000"}}"#),
            ),
            Change("apps/v1/deployments/jitsi-jvb/status", UNAVAILABLE),
            Services,
        ],
    ),
    warns(
        "warnings",
        "kubernetes.events",
        "warnings-repeated",
        &[Make(
            "events.k8s.io/v1/events",
            r#"{"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "synapse.1"},
            "eventTime": "ago:300.0", "reportingController": "kubelet", "reportingInstance": "node-1",
            "action": "Probe", "type": "Warning", "reason": "Unhealthy",
            "note": "Readiness probe failed: HTTP probe failed with statuscode: 503",
            "series": {"count": 7, "lastObservedTime": "ago:30.0"},
            "regarding": {"kind": "Deployment", "name": "synapse", "namespace": "app-matrix"}}"#,
            "",
        )],
    ),
];
