//! `kubernetes.secrets`

use mxdoctor_model::Finding;
use mxdoctor_probes::kube::{Agreement, SecretUse};

use super::shared::{View, judge};
use crate::lint::view::{EnvValue, VolumeKind};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Each Secret that a workload refers to exists and has the keys that are asked for. With
    /// `--read-secrets`: no value is empty or ends in a line end, and Prosody, Jicofo and the
    /// bridges are given the same passwords.
    ///
    /// ## Why it matters
    /// Pods that run keep what they were given. A Secret that is gone is noticed when they are
    /// started the next time.
    ///
    /// ## What makes it fail
    /// A Secret or a key that is absent and not optional; an empty value; passwords that differ. A
    /// line end at the end of a value is a warning.
    ///
    /// Without the permission `get` on a Secret its name and keys cannot be known, and it is not
    /// judged. Values are not read unless that was asked for, and are never shown: key names come
    /// from `managedFields` of the object's metadata.
    ///
    /// ## How to fix it
    /// Apply the Secret again, or correct the name in the workload.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "Secrets"; API concepts, "Server side apply", field management.
    "kubernetes.secrets" at C: "each Secret that is asked for is there, with its keys"
    causes ["secret-missing", "secret-key-missing", "secret-value-wrong", "xmpp-password-wrong"]
    timeout 50
}

const NEEDS: &[&str] = &["Deployment", "StatefulSet", "DaemonSet", "ConfigMap"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut told = std::collections::BTreeSet::new();
    for (who, name, key) in wanted(view) {
        let instance = if key.is_empty() { name.clone() } else { format!("{name}/{key}") };
        let found = match view.snapshot.secrets.get(&name) {
            Some(SecretUse::Absent) => {
                let text = format!("{who} asks for Secret {name}, which is not there");
                Finding::fail("secret-missing", text).on(name)
            }
            Some(SecretUse::There(Some(keys))) if !key.is_empty() && !keys.contains(&key) => {
                let has = if keys.is_empty() { "none".to_owned() } else { keys.join(", ") };
                let text = format!("{who} asks for key {key} of Secret {name}, which has {has}");
                Finding::fail("secret-key-missing", text).on(instance)
            }
            _ => continue,
        };
        if told.insert(found.instance.clone()) {
            findings.push(found);
        }
    }
    let uses = &view.snapshot.secrets;
    let refused: Vec<&str> = uses
        .iter()
        .filter(|(_, found)| **found == SecretUse::Forbidden)
        .map(|(name, _)| name.as_str())
        .collect();
    if !refused.is_empty() {
        findings.push(Finding::skip(format!(
            "Secrets may not be looked at; missing rule: Role in namespace {}: apiGroups: [\"\"], \
             resources: [secrets], resourceNames: [{}], verbs: [get]",
            view.snapshot.namespace,
            refused.join(", ")
        )).on("permission"));
    }
    if let Some(agreement) = &view.snapshot.agreement {
        findings.extend(values(agreement));
        findings.extend(passwords(view, agreement));
    }
    findings
}

/// What workloads ask for and do not do without: who, which Secret, which key or any.
fn wanted(view: &View<'_>) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    let running = view.stack.workloads.iter().filter(|w| w.object.kind() != "ReplicaSet");
    for workload in running {
        let who = workload.object.to_string();
        for container in workload.containers() {
            for env in container.env(&view.stack, workload) {
                if let EnvValue::Secret { name, key, optional: false } = env.value {
                    all.push((who.clone(), name.to_owned(), key.to_owned()));
                }
            }
            for from in container.node.list("envFrom") {
                if let Some(name) = from.str("secretRef.name")
                    && from.bool("secretRef.optional") != Some(true)
                {
                    all.push((who.clone(), name.to_owned(), String::new()));
                }
            }
        }
        for volume in workload.volumes() {
            if let VolumeKind::Secret(name) = volume.kind
                && volume.node.bool("secret.optional") != Some(true)
            {
                let keys = volume.items().iter().filter_map(|item| item.str("key"));
                all.extend(keys.map(|key| (who.clone(), name.to_owned(), key.to_owned())));
                all.push((who.clone(), name.to_owned(), String::new()));
            }
        }
    }
    all
}

fn values(agreement: &Agreement) -> Vec<Finding> {
    let look = |(at, (length, line_end)): (&String, &(usize, bool))| {
        // Files of keys and certificates end in one rightly.
        let file = [".key", ".crt", ".pem", "/pgpass"].iter().any(|end| at.ends_with(end));
        if *length == 0 {
            let text = format!("the value of {at} is empty");
            Some(Finding::fail("secret-value-wrong", text).on(at.clone()))
        } else if *line_end && !file {
            let text = format!("the value of {at} ends in a line end, which becomes part of it");
            Some(Finding::warn("secret-value-wrong", text).on(at.clone()))
        } else {
            None
        }
    };
    agreement.lengths.iter().filter_map(look).collect()
}

/// Whether Jitsi's parts are given the same passwords.
fn passwords(view: &View<'_>, agreement: &Agreement) -> Vec<Finding> {
    let mut findings = Vec::new();
    for variable in ["JICOFO_AUTH_PASSWORD", "JVB_AUTH_PASSWORD"] {
        let mut given: Vec<(&str, String, usize)> = Vec::new();
        for (part, run) in view.stack.jitsi.parts() {
            let Some(env) = run.container.env_value(&view.stack, &run.workload, variable) else {
                continue;
            };
            if let EnvValue::Secret { name, key, .. } = env.value {
                let at = format!("{name}/{key}");
                if let Some(class) = agreement.classes.get(&at) {
                    given.push((part, at, *class));
                }
            }
        }
        if let Some((first, rest)) = given.split_first()
            && let Some(other) = rest.iter().find(|other| other.2 != first.2)
        {
            let text = format!(
                "{variable} differs between {} ({}) and {} ({})",
                first.0, first.1, other.0, other.1
            );
            findings.push(Finding::fail("xmpp-password-wrong", text).on(variable));
        }
    }
    findings
}
