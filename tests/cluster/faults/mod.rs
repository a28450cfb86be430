//! Ways in which the reference stack is broken in its cluster, and what is to be said of each.
//!
//! The statuses are those that controllers, operators and the kubelet write. `ago:600` in one
//! stands for the time 600 s ago.

use Step::{Change, Services};

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

// Behind the macros, which they use.
mod parts;
mod running;
mod ways;

/// Every way.
pub(crate) fn all() -> impl Iterator<Item = &'static Fault> {
    [running::FAULTS, ways::FAULTS, parts::FAULTS].into_iter().flatten()
}
