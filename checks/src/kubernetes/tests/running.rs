//! What runs: workloads, pods, volumes, the database, jobs, nodes.

use super::*;

#[test]
fn workloads_say_whether_they_run() {
    let opinion = crate::kubernetes::workloads::opinion;
    is_well(opinion, &[deployment(json!({}))]);
    let none = deployment(json!({ "spec": { "replicas": 0 } }));
    fails(opinion, &[none], "workload-scaled-to-zero");
    let down = json!({ "status": { "availableReplicas": 0,
        "conditions": [{ "type": "Available", "status": "False" }] } });
    fails(opinion, &[deployment(down)], "workload-unavailable");
    for (message, cause) in [
        (
            "pods \"jvb\" is forbidden: violates PodSecurity \"baseline:latest\"",
            "pod-security-refuses",
        ),
        ("pods \"x\" is forbidden: exceeded quota: pods", "quota-exceeded"),
        ("admission webhook denied the request", "pods-refused"),
    ] {
        let refused = json!({ "status": { "conditions": [
            { "type": "ReplicaFailure", "status": "True", "message": message }] } });
        fails(opinion, &[deployment(refused)], cause);
    }
    // A status of an earlier time is said, not trusted.
    let stale = json!({ "status": { "observedGeneration": 1, "availableReplicas": 0 } });
    let told_of = told(opinion, &[deployment(stale)]);
    assert_eq!(told_of, [(Outcome::Warn, Some("status-not-observed"))]);
    let held = json!({ "metadata": { "deletionTimestamp": "2026-01-02T11:50:00Z",
        "finalizers": ["example.org/hold"] } });
    fails(opinion, &[deployment(held)], "object-stuck-deleting");
}

#[test]
fn pods_say_what_they_wait_for() {
    let opinion = crate::kubernetes::pod_state::opinion;
    is_well(opinion, &[pod(json!({}))]);
    for (reason, message, cause) in [
        (
            "CreateContainerConfigError",
            "couldn't find key pass in Secret app-matrix/matrix-db-app",
            "secret-key-missing",
        ),
        ("CreateContainerConfigError", "secret \"synapse-secrets\" not found", "secret-missing"),
        ("CreateContainerConfigError", "configmap \"jitsi-config\" not found", "configmap-missing"),
        (
            "CreateContainerConfigError",
            "couldn't find key X in ConfigMap app-matrix/jitsi-config",
            "configmap-key-missing",
        ),
        ("ImagePullBackOff", "Back-off pulling image", "image-not-pulled"),
        ("RunContainerError", "failed to create subPath directory", "container-not-started"),
        ("CrashLoopBackOff", "back-off 5m0s", "container-crashes"),
    ] {
        fails(opinion, &[waits(reason, message)], cause);
    }
    let oom = pod(json!({ "ready": false,
        "state": { "waiting": { "reason": "CrashLoopBackOff" } },
        "lastState": { "terminated": { "reason": "OOMKilled", "exitCode": 137 } } }));
    fails(opinion, &[oom], "memory-limit-exceeded");
    for (message, cause) in [
        (
            "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
            "host-port-taken",
        ),
        (
            "0/2 nodes are available: 1 node(s) had volume node affinity conflict",
            "volume-node-lost",
        ),
        ("0/2 nodes are available: 2 Insufficient memory", "pod-unschedulable"),
    ] {
        let mut pending = pod(json!({}));
        pending["status"] = json!({ "phase": "Pending", "conditions": [{ "type": "PodScheduled",
            "status": "False", "reason": "Unschedulable", "message": message }] });
        fails(opinion, &[pending], cause);
    }
    // One that is still young is not judged, and an unknown word is not a failure.
    is_well(opinion, &[waits("SomethingNew", "of a later version")]);
}

#[test]
fn a_log_line_names_the_cause() {
    let mut finding = Finding::fail("container-crashes", "ends at once");
    let line = "FATAL:  password authentication failed for user \"synapse\"";
    crate::kubernetes::pods::name_by_log(
        &mut finding,
        "matrixdotorg/synapse:v1",
        &[line.to_owned()],
    );
    assert_eq!(finding.cause, Some("database-auth-failed"));
    assert!(finding.evidence[0].text.contains("password authentication failed"));
}

fn rollout(strategy: &str, port: Value) -> Vec<Value> {
    let set = |name: &str| {
        object(
            "ReplicaSet",
            name,
            json!({
                "metadata": { "ownerReferences": [{ "kind": "Deployment", "name": "synapse" }] },
                "status": { "replicas": 1 },
            }),
        )
    };
    let mut stuck = deployment(json!({
        "spec": { "strategy": { "type": strategy } },
        "status": { "conditions": [{ "type": "Progressing", "status": "False",
            "reason": "ProgressDeadlineExceeded", "message": "timed out progressing" }] },
    }));
    stuck["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([port]);
    vec![stuck, set("synapse-a"), set("synapse-b")]
}

#[test]
fn a_rollout_that_waits_for_itself_is_told_from_one_that_is_stuck() {
    let opinion = crate::kubernetes::rollouts::opinion;
    is_well(opinion, &[deployment(json!({}))]);
    let host = json!({ "containerPort": 10000, "hostPort": 10000 });
    fails(opinion, &rollout("RollingUpdate", host.clone()), "rollout-deadlock");
    fails(opinion, &rollout("RollingUpdate", json!({ "containerPort": 80 })), "rollout-stuck");
    fails(opinion, &rollout("Recreate", host), "rollout-stuck");
}

#[test]
fn claims_say_what_they_wait_for() {
    let opinion = crate::kubernetes::volumes::opinion;
    let claim = |phase: &str| {
        object(
            "PersistentVolumeClaim",
            "synapse-media",
            json!({
            "spec": { "storageClassName": "longhorn-local" }, "status": { "phase": phase } }),
        )
    };
    let class = |mode: &str| {
        json!({ "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": { "name": "longhorn-local" }, "volumeBindingMode": mode })
    };
    is_well(opinion, &[claim("Bound")]);
    fails(opinion, &[claim("Pending")], "storage-class-missing");
    fails(opinion, &[claim("Pending"), class("Immediate")], "volume-pending");
    is_well(opinion, &[claim("Pending"), class("WaitForFirstConsumer")]);
    fails(opinion, &[claim("Lost")], "volume-lost");
}

#[test]
fn the_database_says_how_it_is() {
    let opinion = crate::kubernetes::database::opinion;
    let cluster = |phase: &str, ready: i64| {
        object(
            "Cluster",
            "matrix-db",
            json!({ "spec": { "instances": 1 }, "status": {
            "phase": phase, "readyInstances": ready,
            "currentPrimary": "matrix-db-1", "targetPrimary": "matrix-db-1" } }),
        )
    };
    let good = "Cluster in healthy state";
    is_well(opinion, &[cluster(good, 1)]);
    is_well(opinion, &[cluster("A phase of tomorrow", 1)]);
    is_well(opinion, &[cluster("Applying configuration", 1)]);
    fails(opinion, &[cluster("Not enough disk space", 1)], "database-disk-full");
    fails(opinion, &[cluster("Invalid cluster definition", 0)], "database-cluster-broken");
    fails(opinion, &[cluster(good, 0)], "database-cluster-degraded");
    let lost = "Instance Status Extraction Error: HTTP communication issue";
    fails(opinion, &[cluster(lost, 1)], "database-instances-not-reached");
    let mut asleep = cluster(good, 1);
    asleep["metadata"]["annotations"] = json!({ "cnpg.io/hibernation": "on" });
    fails(opinion, &[asleep], "database-cluster-stopped");
    let backup = crate::database::backup::opinion;
    let condition = |kind: &str, status: &str| {
        let mut value = cluster(good, 1);
        value["status"]["conditions"] = json!([{ "type": kind, "status": status }]);
        value
    };
    fails(backup, &[condition("ContinuousArchiving", "False")], "database-archive-failing");
    fails(backup, &[condition("LastBackupSucceeded", "False")], "database-backup-failed");
    assert_eq!(
        told(backup, &[cluster(good, 1)]),
        [(Outcome::Warn, Some("database-backup-absent"))]
    );
    let done = object(
        "Backup",
        "daily",
        json!({ "spec": { "cluster": { "name": "matrix-db" } },
        "status": { "phase": "completed", "stoppedAt": "2026-01-02T02:00:00Z" } }),
    );
    is_well(backup, &[cluster(good, 1), done]);
}

#[test]
fn cron_jobs_are_held_to_their_last_end() {
    let opinion = crate::kubernetes::cronjob::opinion;
    let cron = |rest: Value| object("CronJob", "backup", rest);
    let job = object(
        "Job",
        "backup-1",
        json!({
        "metadata": { "ownerReferences": [{ "kind": "CronJob", "name": "backup" }] },
        "status": { "conditions": [{ "type": "Failed", "status": "True",
            "reason": "BackoffLimitExceeded", "lastTransitionTime": "2026-01-02T03:00:00Z" }] } }),
    );
    let after = |time: &str| {
        cron(json!({ "status": { "lastSuccessfulTime": time,
        "lastScheduleTime": time } }))
    };
    is_well(opinion, &[after("2026-01-02T04:00:00Z"), job.clone()]);
    fails(opinion, &[after("2026-01-01T04:00:00Z"), job], "cronjob-failing");
    let off = cron(json!({ "spec": { "suspend": true } }));
    assert_eq!(told(opinion, &[off]), [(Outcome::Warn, Some("cronjob-suspended"))]);
}

#[test]
fn nodes_and_operators_are_looked_at() {
    let node = |ready: &str| {
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "one" },
        "status": { "conditions": [{ "type": "Ready", "status": ready }] } })
    };
    let mut placed = pod(json!({}));
    placed["spec"]["nodeName"] = json!("one");
    is_well(crate::kubernetes::resources::opinion, &[placed.clone(), node("True")]);
    fails(crate::kubernetes::resources::opinion, &[placed, node("Unknown")], "node-not-ready");
    let mut operator = deployment(json!({ "spec": { "replicas": 0 } }));
    operator["metadata"]["namespace"] = json!("cert-manager");
    fails(crate::kubernetes::operators::opinion, &[operator], "operator-down");
    let lease = |time: &str| {
        json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": { "name": "controller", "namespace": "cert-manager" },
        "spec": { "holderIdentity": "x", "leaseDurationSeconds": 15, "renewTime": time } })
    };
    is_well(crate::kubernetes::operators::opinion, &[lease("2026-01-02T11:59:55.000000Z")]);
    fails(
        crate::kubernetes::operators::opinion,
        &[lease("2026-01-02T11:00:00.000000Z")],
        "operator-stale",
    );
}
