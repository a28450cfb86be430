//! Statuses as controllers write them, and what is made of them.

use std::time::{Duration, SystemTime};

use mxdoctor_model::{Finding, Outcome};
use mxdoctor_probes::kube::{Agreement, SecretUse, Snapshot};
use serde_json::{Value, json};

use super::shared::View;

/// 2026-01-02T12:00:00Z.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_355_200)
}

fn snapshot(objects: &[Value]) -> Snapshot {
    Snapshot::of("app-matrix", now(), objects)
}

/// An object of the namespace, an hour old.
fn object(kind: &str, name: &str, rest: Value) -> Value {
    let version = match kind {
        "Deployment" | "ReplicaSet" => "apps/v1",
        "Cluster" | "Backup" | "ScheduledBackup" => "postgresql.cnpg.io/v1",
        "Certificate" | "CertificateRequest" => "cert-manager.io/v1",
        "SealedSecret" => "bitnami.com/v1alpha1",
        "TunnelBinding" => "networking.cfargotunnel.com/v1alpha1",
        "IngressRoute" => "traefik.io/v1alpha1",
        "CronJob" | "Job" => "batch/v1",
        _ => "v1",
    };
    let mut value = json!({
        "apiVersion": version, "kind": kind,
        "metadata": {
            "name": name, "namespace": "app-matrix", "generation": 2,
            "creationTimestamp": "2026-01-02T11:00:00Z",
        },
    });
    merge(&mut value, rest);
    value
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

type Opinion = fn(&View<'_>) -> Vec<Finding>;

/// Outcome and cause of each finding.
fn told(opinion: Opinion, objects: &[Value]) -> Vec<(Outcome, Option<&'static str>)> {
    let snapshot = snapshot(objects);
    opinion(&View::new(&snapshot)).into_iter().map(|f| (f.outcome, f.cause)).collect()
}

fn fails(opinion: Opinion, objects: &[Value], cause: &'static str) {
    assert_eq!(told(opinion, objects), [(Outcome::Fail, Some(cause))], "{objects:#?}");
}

fn is_well(opinion: Opinion, objects: &[Value]) {
    let bad: Vec<_> = told(opinion, objects)
        .into_iter()
        .filter(|(outcome, _)| !matches!(outcome, Outcome::Pass | Outcome::Skip))
        .collect();
    assert_eq!(bad, [], "{objects:#?}");
}

fn deployment(rest: Value) -> Value {
    let mut value = object(
        "Deployment",
        "synapse",
        json!({
            "spec": {
                "replicas": 1,
                "selector": { "matchLabels": { "app": "synapse" } },
                "template": {
                    "metadata": { "labels": { "app": "synapse" } },
                    "spec": { "containers": [{
                        "name": "synapse", "image": "matrixdotorg/synapse:v1.147.0",
                        "ports": [{ "containerPort": 8008, "name": "http" }],
                    }] },
                },
            },
            "status": {
                "observedGeneration": 2, "replicas": 1, "availableReplicas": 1,
                "conditions": [
                    { "type": "Available", "status": "True" },
                    { "type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable" },
                ],
            },
        }),
    );
    merge(&mut value, rest);
    value
}

fn pod(container: Value) -> Value {
    let mut status = json!({ "name": "synapse", "ready": true, "restartCount": 0 });
    merge(&mut status, container);
    object(
        "Pod",
        "synapse-1",
        json!({
            "metadata": { "labels": { "app": "synapse" } },
            "spec": { "containers": [{ "name": "synapse", "image": "matrixdotorg/synapse:v1" }] },
            "status": {
                "phase": "Running",
                "conditions": [
                    { "type": "PodScheduled", "status": "True",
                      "lastTransitionTime": "2026-01-02T11:00:00Z" },
                    { "type": "Ready", "status": "True" },
                ],
                "containerStatuses": [status],
            },
        }),
    )
}

fn waits(reason: &str, message: &str) -> Value {
    pod(json!({ "ready": false, "state": { "waiting": { "reason": reason, "message": message } } }))
}

#[test]
fn workloads_say_whether_they_run() {
    let opinion = super::workloads::opinion;
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
    let opinion = super::pod_state::opinion;
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
    super::pods::name_by_log(&mut finding, "matrixdotorg/synapse:v1", &[line.to_owned()]);
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
    let opinion = super::rollouts::opinion;
    is_well(opinion, &[deployment(json!({}))]);
    let host = json!({ "containerPort": 10000, "hostPort": 10000 });
    fails(opinion, &rollout("RollingUpdate", host.clone()), "rollout-deadlock");
    fails(opinion, &rollout("RollingUpdate", json!({ "containerPort": 80 })), "rollout-stuck");
    fails(opinion, &rollout("Recreate", host), "rollout-stuck");
}

fn service(selector: &str) -> Value {
    object(
        "Service",
        "synapse",
        json!({ "spec": {
        "selector": { "app": selector }, "ports": [{ "port": 8008 }] } }),
    )
}

fn slice(endpoints: Value) -> Value {
    object(
        "EndpointSlice",
        "synapse-x",
        json!({
            "metadata": { "labels": { "kubernetes.io/service-name": "synapse" } },
            "ports": [{ "port": 8008 }], "endpoints": endpoints,
        }),
    )
}

#[test]
fn endpoints_tell_a_selector_from_a_pod() {
    let opinion = super::endpoints::opinion;
    let (ready, unready) = (
        json!([{ "conditions": { "ready": true } }]),
        json!([{ "conditions": { "ready": false, "serving": false } }]),
    );
    is_well(opinion, &[service("synapse"), slice(ready.clone())]);
    is_well(opinion, &[service("synapse"), slice(json!([{ "addresses": ["10.0.0.1"] }]))]);
    fails(opinion, &[service("wrong"), pod(json!({}))], "service-selects-nothing");
    fails(opinion, &[service("synapse"), slice(unready)], "endpoints-not-ready");
    let none = deployment(json!({ "spec": { "replicas": 0 } }));
    fails(opinion, &[service("synapse"), none], "workload-scaled-to-zero");
    let mut portless = slice(ready);
    portless["ports"] = Value::Null;
    fails(opinion, &[service("synapse"), portless], "service-port-unresolved");
    let route = object(
        "IngressRoute",
        "matrix",
        json!({ "spec": {
        "routes": [{ "match": "Host(`matrix.cluster.arpa`)", "kind": "Rule",
            "services": [{ "name": "synapse", "port": 8008 }] }],
        "tls": { "secretName": "synapse-tls" } } }),
    );
    fails(super::routes::opinion, &[service("wrong"), route.clone()], "route-without-endpoints");
    let mut without = snapshot(&[service("synapse"), slice(json!([{}])), route]);
    without.secrets.insert("synapse-tls".into(), SecretUse::Absent);
    let findings = super::routes::opinion(&View::new(&without));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].cause, Some("tls-secret-missing"));
}

#[test]
fn a_tunnel_says_what_it_did_not_find() {
    let opinion = super::tunnels::opinion;
    let binding = |target: &str, host: &str| {
        object(
            "TunnelBinding",
            "matrix",
            json!({
                "subjects": [{ "name": "synapse", "spec": { "fqdn": "matrix.testing.borooka.ee" } }],
                "status": { "services": [{ "hostname": host, "target": target }] },
            }),
        )
    };
    let host = "matrix.testing.borooka.ee";
    is_well(opinion, &[binding("http://synapse.app-matrix.svc:8008", host)]);
    fails(opinion, &[binding("http_status:404", host)], "tunnel-service-missing");
    fails(opinion, &[binding("http://x:1", "old.testing.borooka.ee")], "tunnel-not-taken-up");
    let mut unseen = binding("", "");
    unseen["status"] = json!({});
    fails(opinion, &[unseen], "tunnel-not-taken-up");
}

#[test]
fn a_certificate_is_followed_to_its_issuer() {
    let opinion = super::certificates::opinion;
    let certificate = |status: Value| {
        object(
            "Certificate",
            "synapse-tls",
            json!({
                "spec": { "secretName": "synapse-tls",
                    "issuerRef": { "kind": "ClusterIssuer", "name": "internal-ca" } },
                "status": status,
            }),
        )
    };
    let issuer = json!({ "apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer",
        "metadata": { "name": "internal-ca" },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] } });
    let ready = json!({ "notAfter": "2026-03-02T12:00:00Z", "renewalTime": "2026-02-02T12:00:00Z",
        "conditions": [{ "type": "Ready", "status": "True", "observedGeneration": 2 }] });
    is_well(opinion, &[certificate(ready.clone()), issuer.clone()]);
    let failed = json!({ "failedIssuanceAttempts": 3, "lastFailureTime": "2026-01-02T11:00:00Z",
        "conditions": [{ "type": "Ready", "status": "False", "reason": "DoesNotExist" }] });
    fails(opinion, &[certificate(failed.clone())], "certificate-issuer-missing");
    fails(opinion, &[certificate(failed.clone()), issuer.clone()], "certificate-not-issued");
    let snapshot = snapshot(&[certificate(failed), issuer.clone()]);
    let found = opinion(&View::new(&snapshot));
    let next = found[0].evidence.iter().any(|e| e.text.ends_with("again at 2026-01-02T15:00:00Z"));
    assert!(next, "{:?}", found[0].evidence);
    let mut broken = issuer.clone();
    broken["status"]["conditions"][0]["status"] = json!("False");
    let mut overdue = ready.clone();
    overdue["renewalTime"] = json!("2026-01-01T12:00:00Z");
    fails(opinion, &[certificate(overdue.clone()), issuer.clone()], "certificate-renewal-overdue");
    fails(opinion, &[certificate(overdue), broken], "certificate-issuer-broken");
    let mut ended = ready;
    ended["notAfter"] = json!("2026-01-01T12:00:00Z");
    fails(opinion, &[certificate(ended), issuer], "certificate-expired");
}

#[test]
fn sealed_secrets_tell_a_scope_from_a_lost_key() {
    let opinion = super::sealed_secrets::opinion;
    let sealed = |name: &str, status: &str, message: &str| {
        object(
            "SealedSecret",
            name,
            json!({ "status": { "observedGeneration": 2,
            "conditions": [{ "type": "Synced", "status": status, "message": message }] } }),
        )
    };
    let good = sealed("a", "True", "");
    is_well(opinion, std::slice::from_ref(&good));
    let wrong = sealed("b", "False", "no key could decrypt secret (password)");
    fails(opinion, &[good.clone(), wrong.clone()], "sealed-secret-not-decrypted");
    let other = sealed("c", "False", "no key could decrypt secret (x)");
    let lost = told(opinion, &[wrong, other]);
    assert_eq!(lost, [(Outcome::Fail, Some("sealed-secrets-key-lost")); 2]);
    let there = "Resource \"x\" already exists and is not managed by SealedSecret";
    fails(opinion, &[sealed("d", "False", there)], "sealed-secret-unmanaged");
    fails(opinion, &[object("SealedSecret", "e", json!({}))], "sealed-secret-not-seen");
    let mut gone = snapshot(&[good]);
    gone.secrets.insert("a".into(), SecretUse::Absent);
    assert_eq!(opinion(&View::new(&gone))[0].cause, Some("secret-missing"));
}

#[test]
fn secrets_are_known_by_their_keys() {
    let opinion = super::secrets::opinion;
    let mut asks = deployment(json!({}));
    asks["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{ "name": "PGPASSWORD",
        "valueFrom": { "secretKeyRef": { "name": "matrix-db-app", "key": "password" } } }]);
    let look = |found: SecretUse| {
        let mut taken = snapshot(std::slice::from_ref(&asks));
        taken.secrets.insert("matrix-db-app".into(), found);
        opinion(&View::new(&taken)).into_iter().map(|f| (f.outcome, f.cause)).collect::<Vec<_>>()
    };
    let keys = |key: &str| SecretUse::There(Some(vec![key.to_owned()]));
    assert_eq!(look(keys("password")), []);
    assert_eq!(look(SecretUse::There(None)), []);
    assert_eq!(look(keys("pass")), [(Outcome::Fail, Some("secret-key-missing"))]);
    assert_eq!(look(SecretUse::Absent), [(Outcome::Fail, Some("secret-missing"))]);
    assert_eq!(look(SecretUse::Forbidden), [(Outcome::Skip, None)]);
    let mut read = snapshot(&[asks]);
    let lengths = [("a/empty".to_owned(), (0, false)), ("a/word".to_owned(), (9, true))];
    read.agreement = Some(Agreement { lengths: lengths.into(), ..Agreement::default() });
    let outcomes: Vec<_> = opinion(&View::new(&read)).into_iter().map(|f| f.outcome).collect();
    assert_eq!(outcomes, [Outcome::Fail, Outcome::Warn]);
}

#[test]
fn claims_say_what_they_wait_for() {
    let opinion = super::volumes::opinion;
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
    let opinion = super::database::opinion;
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
    let opinion = super::cronjob::opinion;
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
fn a_bridge_is_held_to_its_node() {
    let opinion = super::jvb_network::opinion;
    let node = |name: &str, address: &str| {
        json!({ "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name },
        "status": { "addresses": [{ "type": "ExternalIP", "address": address }] } })
    };
    let bridge = |policy: &str| {
        let template = json!({ "hostNetwork": true, "dnsPolicy": policy, "nodeName": "one",
            "containers": [{ "name": "jvb", "image": "jitsi/jvb:stable-10741",
                "env": [{ "name": "JVB_ADVERTISE_IPS", "value": "198.51.100.1" }] }] });
        let labels = json!({ "app": "jvb" });
        [
            object(
                "Deployment",
                "jitsi-jvb",
                json!({ "spec": { "template": {
                "metadata": { "labels": labels }, "spec": template } } }),
            ),
            object(
                "Pod",
                "jitsi-jvb-1",
                json!({ "metadata": { "labels": labels },
                "spec": template }),
            ),
        ]
    };
    let with = |policy: &str, nodes: &[Value]| [&bridge(policy)[..], nodes].concat();
    let good = "ClusterFirstWithHostNet";
    is_well(opinion, &with(good, &[node("one", "198.51.100.1")]));
    fails(opinion, &with("ClusterFirst", &[]), "jvb-dns-policy");
    let moved = [node("one", "198.51.100.9"), node("two", "198.51.100.1")];
    fails(opinion, &with(good, &moved), "bridge-on-another-node");
    let nat = told(opinion, &with(good, &[node("one", "198.51.100.9")]));
    assert_eq!(nat, [(Outcome::Warn, Some("bridge-advertises-wrong-address"))]);
}

#[test]
fn jitsis_parts_are_of_one_release() {
    let part = |name: &str, image: &str| {
        object(
            "Deployment",
            name,
            json!({ "spec": { "template": {
            "metadata": { "labels": { "app": name } },
            "spec": { "containers": [{ "name": name, "image": image }] } } } }),
        )
    };
    let opinion = crate::jitsi::versions::opinion;
    let jvb = part("jvb", "jitsi/jvb:stable-10741");
    is_well(opinion, &[jvb.clone(), part("web", "jitsi/web:stable-10741")]);
    fails(opinion, &[jvb, part("web", "jitsi/web:stable-11146")], "jitsi-versions-differ");
}

#[test]
fn nodes_and_operators_are_looked_at() {
    let node = |ready: &str| {
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "one" },
        "status": { "conditions": [{ "type": "Ready", "status": ready }] } })
    };
    let mut placed = pod(json!({}));
    placed["spec"]["nodeName"] = json!("one");
    is_well(super::resources::opinion, &[placed.clone(), node("True")]);
    fails(super::resources::opinion, &[placed, node("Unknown")], "node-not-ready");
    let mut operator = deployment(json!({ "spec": { "replicas": 0 } }));
    operator["metadata"]["namespace"] = json!("cert-manager");
    fails(super::operators::opinion, &[operator], "operator-down");
    let lease = |time: &str| {
        json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": { "name": "controller", "namespace": "cert-manager" },
        "spec": { "holderIdentity": "x", "leaseDurationSeconds": 15, "renewTime": time } })
    };
    is_well(super::operators::opinion, &[lease("2026-01-02T11:59:55.000000Z")]);
    fails(super::operators::opinion, &[lease("2026-01-02T11:00:00.000000Z")], "operator-stale");
}
