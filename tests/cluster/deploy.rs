//! Our own deployment, as the API server took it.

use std::path::Path;

use libtest_mimic::Failed;
use serde_json::{Value, json};

use super::bench::{Bench, ROOT, Stack, ensure, string};
use super::permissions::objects;

/// The file of a job, its collection, its name, and where its pod template is.
const JOBS: &[(&str, &str, &str, &str)] = &[
    ("cronjob/cronjob.yaml", "cronjobs", "mxdoctor", "/spec/jobTemplate/spec/template"),
    ("job/job.yaml", "jobs", "mxdoctor-deployment", "/spec/template"),
];

/// Nothing of what the files say was pruned or changed on its way into the API server.
pub(super) fn taken_as_written(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.stack()?;
    for (file, collection, name, _) in JOBS {
        let written = written(stack, file)?;
        let taken = taken(stack, collection, name)?;
        let differences = differences("", &written["spec"], &taken["spec"]);
        ensure(differences.is_empty(), || format!("{file}: {}", differences.join("\n")))?;
    }
    Ok(())
}

/// Its pods are let in where the strictest of the Pod Security Standards is enforced.
pub(super) fn pods_are_restricted(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.stack()?;
    let api = stack.cluster.api();
    let label = "pod-security.kubernetes.io/enforce";
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "restricted", "labels": {label: "restricted"}}});
    api.apply("/api/v1/namespaces", &namespace)?;
    let pods = "/api/v1/namespaces/restricted/pods?dryRun=All";
    for (file, collection, name, template) in JOBS {
        let taken = taken(stack, collection, name)?;
        let template = taken.pointer(template).ok_or("no template")?;
        let mut spec = template["spec"].clone();
        // There is no controller that makes a ServiceAccount here, nor one that is asked for.
        spec["serviceAccountName"] = Value::Null;
        spec["serviceAccount"] = Value::Null;
        spec["automountServiceAccountToken"] = json!(false);
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "tried"}, "spec": spec});
        let default = json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "default"}});
        api.apply("/api/v1/namespaces/restricted/serviceaccounts", &default)?;
        let answer = api.ask("POST", pods, Some(("application/json", &pod.to_string())))?;
        ensure(answer.status == 201, || format!("{file}: {} {}", answer.status, answer.body))?;
        // The same pod as root is refused: the namespace does enforce it.
        pod["spec"]["securityContext"] = json!({"runAsUser": 0});
        let answer = api.ask("POST", pods, Some(("application/json", &pod.to_string())))?;
        let refused = answer.status == 403 && answer.body.contains("violates PodSecurity");
        ensure(refused, || format!("{file}: {} {}", answer.status, answer.body))?;
    }
    Ok(())
}

fn written(stack: &Stack, file: &str) -> Result<Value, Failed> {
    let path = Path::new(ROOT).join("deploy/base").join(file);
    let found = objects(stack, &std::fs::read_to_string(path)?)?;
    Ok(found.into_values().next().ok_or("no object")?)
}

fn taken(stack: &Stack, collection: &str, name: &str) -> Result<Value, Failed> {
    let path = format!("/apis/batch/v1/namespaces/app-matrix/{collection}/{name}");
    Ok(stack.cluster.api().get(&path)?)
}

/// What is written and not there. What the API server has added is not asked for.
fn differences(path: &str, written: &Value, taken: &Value) -> Vec<String> {
    match (written, taken) {
        (Value::Object(map), Value::Object(_)) => map
            .iter()
            .flat_map(|(key, value)| differences(&format!("{path}/{key}"), value, &taken[key]))
            .collect(),
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => items
            .iter()
            .zip(others)
            .enumerate()
            .flat_map(|(at, (one, other))| differences(&format!("{path}/{at}"), one, other))
            .collect(),
        (Value::Null, _) => Vec::new(),
        _ if written == taken => Vec::new(),
        _ => vec![format!("{path}: {} became {}", told(written), told(taken))],
    }
}

fn told(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |_| string(value))
}
