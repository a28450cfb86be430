//! Statuses as controllers write them, and what is made of them.

mod parts;
mod running;

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
