//! Pods, and what runs them.

use super::Step::{Change, Controllers, Remove, Services};
use super::{Fault, UNAVAILABLE, fails, warns};

pub(super) const FAULTS: &[Fault] = &[
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
];
