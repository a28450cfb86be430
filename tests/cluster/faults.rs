//! Ways in which the reference stack is broken in its cluster, and what is to be said of each.
//!
//! The statuses are those that controllers, operators and the kubelet write. `ago:600` in one
//! stands for the time 600 s ago.

use Step::{Change, Controllers, Make, Remove, Services};

/// One way.
pub(crate) struct Fault {
    pub(crate) id: &'static str,
    /// The check that sees it.
    pub(crate) check: &'static str,
    /// `fail`, with a root cause, or `warn`.
    pub(crate) outcome: &'static str,
    /// The cause that is named.
    pub(crate) cause: &'static str,
    pub(crate) steps: &'static [Step],
    /// Other checks that warn of the same.
    pub(crate) also: &'static [&'static str],
}

/// One thing that is done to the cluster, and undone afterwards.
///
/// Paths are below the stack's namespace: `v1/pods/synapse-*/status`; those that begin with a
/// slash are whole. A star stands for what a controller has made up.
pub(crate) enum Step {
    /// A merge patch of an object or its status.
    Change(&'static str, &'static str),
    Remove(&'static str),
    /// A new object in a collection, and what its status becomes.
    Make(&'static str, &'static str, &'static str),
    /// The endpoints follow the pods.
    Services,
    /// All controllers do their work.
    Controllers,
}

const fn fails(
    id: &'static str,
    check: &'static str,
    cause: &'static str,
    steps: &'static [Step],
) -> Fault {
    Fault { id, check, outcome: "fail", cause, steps, also: &[] }
}

const fn warns(
    id: &'static str,
    check: &'static str,
    cause: &'static str,
    steps: &'static [Step],
) -> Fault {
    Fault { id, check, outcome: "warn", cause, steps, also: &[] }
}

/// Status of a Deployment without a pod that serves.
pub(crate) const UNAVAILABLE: &str = r#"{"status": {"readyReplicas": null, "availableReplicas": null,
    "unavailableReplicas": 1, "conditions": [
    {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
     "message": "Deployment does not have minimum availability.",
     "lastUpdateTime": "ago:600", "lastTransitionTime": "ago:600"},
    {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": "",
     "lastUpdateTime": "ago:900", "lastTransitionTime": "ago:900"}]}}"#;

/// Status of a pod whose one container is in this state.
macro_rules! unready {
    ($container:literal, $state:literal) => {
        concat!(
            r#"{"status": {"phase": "Running", "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": "ago:900"},
            {"type": "Ready", "status": "False", "reason": "ContainersNotReady",
             "message": "containers with unready status", "lastTransitionTime": "ago:600"}],
            "containerStatuses": [{"image": "image", "imageID": "", "ready": false,
             "restartCount": 7, "name": ""#,
            $container,
            r#"", "#,
            $state,
            "}]}}"
        )
    };
}

/// A workload whose pod does not serve, because its container is in this state.
macro_rules! down {
    ($app:literal, $container:literal, $state:literal) => {
        &[
            Change(concat!("v1/pods/", $app, "-*/status"), unready!($container, $state)),
            Change(concat!("apps/v1/deployments/", $app, "/status"), UNAVAILABLE),
            Services,
        ]
    };
}

/// Status of a Certificate that is not issued.
const NOT_ISSUED: &str = r#"{"status": {"conditions": [
    {"type": "Ready", "status": "False", "reason": "DoesNotExist",
     "message": "Issuing certificate as Secret does not exist", "lastTransitionTime": "ago:7200"}],
    "notAfter": null, "notBefore": null, "renewalTime": null,
    "failedIssuanceAttempts": 3, "lastFailureTime": "ago:7200"}}"#;

/// Synapse's container ends again and again; what it says is the kubelet's to tell.
pub(crate) const SYNAPSE_CRASHES: &[Step] = down!(
    "synapse",
    "synapse",
    r#""state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
    "lastState": {"terminated": {"reason": "Error", "exitCode": 1,
     "startedAt": "ago:301", "finishedAt": "ago:300"}}"#
);

/// Every way.
pub(crate) const FAULTS: &[Fault] = &[
    fails(
        "out_of_memory",
        "kubernetes.pods",
        "memory-limit-exceeded",
        down!(
            "jitsi-jvb",
            "jvb",
            r#""state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137,
             "startedAt": "ago:400", "finishedAt": "ago:300"}}"#
        ),
    ),
    fails(
        "crash",
        "kubernetes.pods",
        "container-crashes",
        down!(
            "jitsi-prosody",
            "prosody",
            r#""state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": 1,
             "startedAt": "ago:301", "finishedAt": "ago:300"}}"#
        ),
    ),
    fails(
        "secret_key",
        "kubernetes.pods",
        "secret-key-missing",
        down!(
            "jitsi-jicofo",
            "jicofo",
            r#""state": {"waiting": {"reason": "CreateContainerConfigError",
             "message": "couldn't find key jicofo-auth-password in Secret app-matrix/jitsi-secrets"
            }}"#
        ),
    ),
    fails(
        "image",
        "kubernetes.pods",
        "image-not-pulled",
        down!(
            "element",
            "element",
            r#""state": {"waiting": {"reason": "ImagePullBackOff",
             "message": "Back-off pulling image: not found"}}"#
        ),
    ),
    fails(
        "unschedulable",
        "kubernetes.pods",
        "pod-unschedulable",
        &[
            Change(
                "v1/pods/jitsi-web-*/status",
                r#"{"status": {"phase": "Pending", "containerStatuses": null, "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                 "message": "0/2 nodes are available: 2 Insufficient memory.",
                 "lastTransitionTime": "ago:600"}]}}"#,
            ),
            Change("apps/v1/deployments/jitsi-web/status", UNAVAILABLE),
            Services,
        ],
    ),
    fails(
        "probe",
        "kubernetes.pods",
        "pod-not-ready",
        down!("well-known", "nginx", r#""state": {"running": {"startedAt": "ago:900"}}"#),
    ),
    fails(
        "scaled_to_zero",
        "kubernetes.workloads",
        "workload-scaled-to-zero",
        &[
            Change("apps/v1/deployments/jitsi-web", r#"{"spec": {"replicas": 0}}"#),
            Remove("v1/pods/jitsi-web-*"),
            Controllers,
        ],
    ),
    fails(
        "quota",
        "kubernetes.workloads",
        "quota-exceeded",
        &[Change(
            "apps/v1/deployments/element/status",
            r#"{"status": {"conditions": [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
             "message": "pods \"element-x\" is forbidden: exceeded quota: small"}]}}"#,
        )],
    ),
    warns(
        "not_observed",
        "kubernetes.workloads",
        "status-not-observed",
        &[Change("apps/v1/deployments/synapse", r#"{"spec": {"minReadySeconds": 1}}"#)],
    ),
    fails(
        "progress_deadline",
        "kubernetes.rollouts",
        "rollout-stuck",
        &[Change(
            "apps/v1/deployments/element/status",
            r#"{"status": {"conditions": [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
             "message": "ReplicaSet \"element-x\" has timed out progressing."}]}}"#,
        )],
    ),
    fails(
        "load_balancer",
        "kubernetes.services",
        "load-balancer-pending",
        &[Change("v1/services/element", r#"{"spec": {"type": "LoadBalancer"}}"#)],
    ),
    fails(
        "selector",
        "kubernetes.endpoints",
        "service-selects-nothing",
        &[
            Change(
                "v1/services/synapse",
                r#"{"spec": {"selector": {"app.kubernetes.io/name": "synaps"}}}"#,
            ),
            Services,
        ],
    ),
    fails(
        "endpoints",
        "kubernetes.endpoints",
        "endpoints-not-ready",
        &[Change(
            "discovery.k8s.io/v1/endpointslices/element-slice",
            r#"{"endpoints": [{"addresses": ["10.42.0.99"],
            "conditions": {"ready": false, "serving": false, "terminating": false}}]}"#,
        )],
    ),
    fails(
        "route",
        "kubernetes.routes",
        "ingress-route-missing",
        &[Change(
            "traefik.io/v1alpha1/ingressroutes/element",
            r#"{"spec": {"routes": [{"kind": "Rule", "match": "Host(`element.cluster.arpa`)",
            "services": [{"kind": "Service", "name": "elment", "port": 80}]}]}}"#,
        )],
    ),
    fails(
        "issuer",
        "kubernetes.certificates",
        "certificate-issuer-broken",
        &[
            Change(
                "/apis/cert-manager.io/v1/clusterissuers/custom-ca-cluster-issuer/status",
                r#"{"status": {"conditions": [{"type": "Ready", "status": "False",
                "reason": "ErrGetKeyPair", "lastTransitionTime": "ago:7200",
                "message": "Error getting keypair for CA issuer: secret \"ca\" not found"}]}}"#,
            ),
            Change("cert-manager.io/v1/certificates/element-tls/status", NOT_ISSUED),
        ],
    ),
    fails(
        "order",
        "kubernetes.certificates",
        "certificate-not-issued",
        &[
            Change("cert-manager.io/v1/certificates/element-tls/status", NOT_ISSUED),
            Change(
                "cert-manager.io/v1/certificaterequests/element-tls-1/status",
                r#"{"status": {"certificate": null, "failureTime": "ago:7200", "conditions": [
                {"type": "Ready", "status": "False", "reason": "Failed",
                 "message": "Failed to wait for order resource to become ready: order is in \"invalid\" state",
                 "lastTransitionTime": "ago:7200"}]}}"#,
            ),
            Make(
                "acme.cert-manager.io/v1/orders",
                r#"{"apiVersion": "acme.cert-manager.io/v1", "kind": "Order",
                "metadata": {"name": "element-tls-1-1", "ownerReferences": [
                 {"apiVersion": "cert-manager.io/v1", "kind": "CertificateRequest",
                  "name": "element-tls-1", "uid": "0"}]},
                "spec": {"request": "AA==", "issuerRef": {"name": "acme", "kind": "ClusterIssuer"}}}"#,
                r#"{"status": {"state": "invalid"}}"#,
            ),
        ],
    ),
    fails(
        "binding_not_taken_up",
        "kubernetes.tunnels",
        "tunnel-not-taken-up",
        &[Change(
            "networking.cfargotunnel.com/v1alpha1/tunnelbindings/element/status",
            r#"{"status": {"hostnames": "", "services": []}}"#,
        )],
    ),
    fails(
        "binding_without_service",
        "kubernetes.tunnels",
        "tunnel-service-missing",
        &[Change(
            "networking.cfargotunnel.com/v1alpha1/tunnelbindings/element/status",
            r#"{"status": {"services": [
            {"hostname": "element.testing.borooka.ee", "target": "http_status:404"}]}}"#,
        )],
    ),
    fails(
        "sealed_for_another_place",
        "kubernetes.sealed_secrets",
        "sealed-secret-not-decrypted",
        &[Change(
            "bitnami.com/v1alpha1/sealedsecrets/jitsi-secrets/status",
            r#"{"status": {"conditions": [{"type": "Synced", "status": "False",
            "message": "no key could decrypt secret (jvb-auth-password)",
            "lastTransitionTime": "ago:600", "lastUpdateTime": "ago:600"}]}}"#,
        )],
    ),
    fails(
        "configuration",
        "kubernetes.configmaps",
        "element-config-invalid",
        &[Change("v1/configmaps/element-config", r#"{"data": {"config.json": "{\"brand\": "}}"#)],
    ),
    fails(
        "rollout_deadlock",
        "kubernetes.rollouts",
        "rollout-deadlock",
        &[
            Change(
                "apps/v1/deployments/synapse",
                r#"{"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {
                "maxSurge": 1, "maxUnavailable": 0}}}}"#,
            ),
            Controllers,
        ],
    ),
    fails(
        "read_only",
        "kubernetes.security",
        "security-context-unfit",
        &[
            Change(
                "apps/v1/deployments/element",
                r#"[{"op": "remove",
                "path": "/spec/template/spec/containers/0/volumeMounts/1"}]"#,
            ),
            Controllers,
        ],
    ),
    fails(
        "dns_policy",
        "kubernetes.jvb_network",
        "jvb-dns-policy",
        &[
            Change(
                "apps/v1/deployments/jitsi-jvb",
                r#"{"spec": {"template": {"spec": {"dnsPolicy": "ClusterFirst"}}}}"#,
            ),
            Controllers,
        ],
    ),
    fails(
        "admin_public",
        "kubernetes.tunnels",
        "admin-api-public",
        &[
            Change(
                "networking.cfargotunnel.com/v1alpha1/tunnelbindings/synapse",
                r#"[{"op": "remove", "path": "/subjects/0/spec/path"}]"#,
            ),
            Controllers,
        ],
    ),
    fails(
        "netpol_cuts",
        "kubernetes.network_policies",
        "network-policy-blocks",
        &[Change(
            "networking.k8s.io/v1/networkpolicies/synapse",
            r#"[{"op": "test", "path": "/spec/egress/0/ports/0/port", "value": 5432},
            {"op": "replace", "path": "/spec/egress/0/ports/0/port", "value": 5433}]"#,
        )],
    ),
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
