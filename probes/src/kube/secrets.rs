//! Secrets by the names of their keys; values only where that was asked for, and then no more
//! than their lengths and which of them are equal.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use serde_json::{Value, json};

use super::{Api, ApiError, list};
use crate::manifest::{Node, Object};

/// Secrets that are looked at.
const MOST: usize = 64;
/// The object without its content.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// What came of looking at a Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretUse {
    /// It is there, with these keys; none where they are not told.
    There(Option<Vec<String>>),
    /// There is none.
    Absent,
    /// We may not look.
    Forbidden,
    /// Something else came between.
    Failed(ApiError),
}

/// Lengths and equality of values: nothing that tells a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Length of each value in bytes, by `name/key`, and whether it ends in a line end.
    pub lengths: BTreeMap<String, (usize, bool)>,
    /// A number for each value, by `name/key`: the same number for the same value.
    pub classes: BTreeMap<String, usize>,
}

/// What was learnt of all of them.
pub(super) struct Looked {
    /// Objects without values, each with whether its keys are known.
    pub(super) objects: Vec<(Object, bool)>,
    pub(super) uses: BTreeMap<String, SecretUse>,
    pub(super) agreement: Option<Agreement>,
}

impl Api {
    /// Looks at every Secret that the objects refer to.
    pub(super) async fn secrets(&self, objects: &[Object], read: bool) -> Looked {
        let names = referred(objects, &self.namespace);
        let mut looked = Looked {
            objects: Vec::new(),
            uses: BTreeMap::new(),
            agreement: read.then(Agreement::default),
        };
        let mut values: Vec<Vec<u8>> = Vec::new();
        for name in names.into_iter().take(MOST) {
            let path = format!("/api/v1/namespaces/{}/secrets/{name}", self.namespace);
            let accept = if read { "application/json" } else { METADATA };
            let found = match self.json(&path, accept).await {
                Ok(found) => {
                    if let Some(agreement) = &mut looked.agreement {
                        compare(&name, &found, agreement, &mut values);
                    }
                    SecretUse::There(keys(&found))
                }
                Err(ApiError::Forbidden(_)) => SecretUse::Forbidden,
                Err(ApiError::NotFound(_)) => SecretUse::Absent,
                Err(error) => SecretUse::Failed(error),
            };
            looked.objects.extend(stand_in(&name, &self.namespace, &found));
            looked.uses.insert(name, found);
        }
        looked
    }
}

/// An object of the Secret's name with its keys and no values. One of which nothing is known is
/// there without keys: nobody may say that it is missing.
fn stand_in(name: &str, namespace: &str, found: &SecretUse) -> Option<(Object, bool)> {
    let keys = match found {
        SecretUse::There(keys) => keys.as_deref(),
        SecretUse::Absent => return None,
        SecretUse::Forbidden | SecretUse::Failed(_) => None,
    };
    let mut value = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": name, "namespace": namespace },
    });
    if let Some(keys) = keys {
        value["data"] = keys.iter().map(|key| (key.clone(), Value::Null)).collect();
    }
    Some((list::made(&value)?, keys.is_some()))
}

/// The keys of a Secret: of the object itself where it was read, else of who manages its fields.
fn keys(found: &Value) -> Option<Vec<String>> {
    if let Some(data) = found.get("data").and_then(Value::as_object) {
        return Some(data.keys().cloned().collect());
    }
    let managers = found.pointer("/metadata/managedFields")?.as_array()?;
    let owned: BTreeSet<String> = managers
        .iter()
        .filter_map(|manager| manager.pointer("/fieldsV1/f:data")?.as_object())
        .flat_map(|fields| fields.keys())
        .filter_map(|field| Some(field.strip_prefix("f:")?.to_owned()))
        .collect();
    (!owned.is_empty()).then(|| owned.into_iter().collect())
}

/// Adds what may be known of a Secret's values. They do not outlive the run's look at them.
fn compare(name: &str, found: &Value, agreement: &mut Agreement, values: &mut Vec<Vec<u8>>) {
    let Some(data) = found.get("data").and_then(Value::as_object) else { return };
    for (key, value) in data {
        let text = value.as_str().unwrap_or_default();
        let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(text) else { continue };
        let at = format!("{name}/{key}");
        agreement.lengths.insert(at.clone(), (bytes.len(), bytes.ends_with(b"\n")));
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref().to_vec();
        let class = values.iter().position(|known| *known == digest).unwrap_or_else(|| {
            values.push(digest);
            values.len() - 1
        });
        agreement.classes.insert(at, class);
    }
}

/// The names of Secrets in pod templates, Certificates and IngressRoutes.
fn referred(objects: &[Object], namespace: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for object in objects.iter().filter(|object| object.namespace() == Some(namespace)) {
        let pod = match object.kind() {
            "Deployment" | "StatefulSet" | "DaemonSet" => object.at("spec.template.spec"),
            "CronJob" => object.at("spec.jobTemplate.spec.template.spec"),
            _ => None,
        };
        names.extend(pod.into_iter().flat_map(of_pod));
        let own = match object.kind() {
            "SealedSecret" => Some(object.name()),
            "Certificate" => object.node.str("spec.secretName"),
            "IngressRoute" => object.node.str("spec.tls.secretName"),
            _ => None,
        };
        names.extend(own.map(str::to_owned));
    }
    names.retain(|name| !name.is_empty() && name.bytes().all(is_plain));
    names
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.'
}

fn of_pod(pod: &Node) -> Vec<String> {
    let mut names = Vec::new();
    for volume in pod.list("volumes") {
        names.extend(volume.str("secret.secretName").map(str::to_owned));
    }
    for container in pod.list("initContainers").iter().chain(pod.list("containers")) {
        let env = container.list("env").iter();
        names.extend(env.filter_map(|e| e.str("valueFrom.secretKeyRef.name")).map(str::to_owned));
        let from = container.list("envFrom").iter();
        names.extend(from.filter_map(|from| from.str("secretRef.name")).map(str::to_owned));
    }
    names
}
