//! Secrets that pods ask for.

use mxdoctor_probes::manifest::{Node, Object, shares};

use super::near::is_near;
use super::others::{made_by_shim, may_be_made};
use super::unseal::is_rendered;
use crate::lint::view::{EnvValue, Keys, MountedFile, Produced, VolumeKind, Workload};
use crate::lint::{Change, Found, Stack};
use crate::rule;

rule! {
    /// A Secret that a pod names has to be made by something: a SealedSecret, a Certificate, a
    /// Cluster of CloudNativePG (`NAME-app`, `NAME-ca` …). Somebody may also make it by hand, so
    /// this is said only where the files seal their Secrets, or where a name is nearly that of
    /// another.
    ///
    /// Source: Kubernetes, "Secrets"; CloudNativePG, "Applications".
    NO_SECRET = "SEC-02" Error: "a Secret that a pod names is made by something"
    breaks "the pod does not start: CreateContainerConfigError, or FailedMount"
    remedy "use the name of a Secret that is made, or add the SealedSecret"
    cause "secret-missing"
    check "kubernetes.secrets"
    look_in_files no_secret
}

rule! {
    /// A variable names a key of a Secret by its exact spelling.
    ///
    /// Source: Kubernetes, `SecretKeySelector`.
    NO_KEY = "SEC-03" Error: "a key that a variable names is in its Secret"
    breaks "the pod does not start: CreateContainerConfigError, couldn't find key"
    remedy "use the key as the Secret has it"
    cause "secret-key-missing"
    check "kubernetes.secrets"
    look_in_files no_key
}

rule! {
    /// `items` and `subPath` name keys, and Synapse's options that end in `_path` name files whose
    /// names are keys.
    ///
    /// Source: Kubernetes, "Secrets", "Using Secrets as files from a Pod"; Synapse, configuration
    /// manual.
    NO_FILE = "SEC-04" Error: "a file that is mounted from a Secret is in it"
    breaks "the pod stays in ContainerCreating (FailedMount), or the program misses the file"
    remedy "use the key as the Secret has it"
    cause "secret-key-missing"
    check "kubernetes.secrets"
    look_in_files no_file
}

rule! {
    /// `optional` lets a container start without the value. Prosody, focus and bridge then end
    /// with an error of their own, and Synapse is refused by the database: later, and harder to
    /// read than the kubelet's message.
    ///
    /// Source: Kubernetes, `SecretKeySelector.optional`.
    OPTIONAL = "SEC-05" Warning: "a password that a program needs is not optional"
    breaks "where the Secret is missing the program starts all the same, and is let in nowhere"
    remedy "take `optional` out"
    cause "secret-optional"
    check "kubernetes.secrets"
    look optional
}

/// Where a pod names a Secret.
struct Reference<'a> {
    workload: Workload<'a>,
    name: &'a Node,
    key: Option<&'a Node>,
    optional: bool,
}

fn references<'a>(stack: &Stack<'a>) -> Vec<Reference<'a>> {
    let mut all = Vec::new();
    for workload in &stack.workloads {
        let mut add = |node: &'a Node, name: &str, key: Option<&'a Node>| {
            let optional = node.bool("optional").unwrap_or(false);
            let name = node.get(name);
            all.extend(name.map(|name| Reference { workload: *workload, name, key, optional }));
        };
        for container in workload.containers() {
            for item in container.node.list("env") {
                if let Some(node) = item.at("valueFrom.secretKeyRef") {
                    add(node, "name", node.get("key"));
                }
            }
            for from in container.node.list("envFrom") {
                from.get("secretRef").into_iter().for_each(|node| add(node, "name", None));
            }
        }
        for volume in workload.volumes() {
            volume.node.get("secret").into_iter().for_each(|node| add(node, "secretName", None));
            let sources = volume.node.list("projected.sources").iter();
            sources.filter_map(|it| it.get("secret")).for_each(|node| add(node, "name", None));
        }
    }
    all
}

fn no_secret(stack: &Stack<'_>, found: &mut Found) {
    let seals = |object: &Object| {
        stack.inventory.of_kind("SealedSecret").any(|sealed| here(sealed, object))
    };
    for reference in references(stack).iter().filter(|it| !it.optional) {
        let object = reference.workload.object;
        let Some(name) = reference.name.as_str().filter(|it| !it.contains(['$', '{', '.'])) else {
            continue;
        };
        if stack.secret(object, name).is_some()
            || made_by_shim(stack, name)
            || may_be_made(stack, name)
        {
            continue;
        }
        let near = stack.secrets.iter().find(|made| is_near(&made.name, name));
        if near.is_none() && (is_rendered(object) || !seals(object)) {
            continue;
        }
        let message = match near.or_else(|| of_cluster(stack, name)) {
            Some(made) => {
                format!("Secret {name} is made by nothing here; {} makes {}", made.by, made.name)
            }
            None => format!("Secret {name} is made by nothing here"),
        };
        let problem = found.at(object, reference.name, message);
        if let Some(made) = near {
            problem.also_place(made.by.place(), format!("makes {}", made.name));
        }
    }
}

fn here(one: &Object, other: &Object) -> bool {
    shares(one.namespace(), other.namespace())
}

/// The application's Secret of the Cluster whose name another begins with.
fn of_cluster<'s, 'a>(stack: &'s Stack<'a>, name: &str) -> Option<&'s Produced<'a>> {
    stack.secrets.iter().find(|made| {
        made.by.kind() == "Cluster"
            && made.name.ends_with("-app")
            && name.strip_prefix(made.by.name()).is_some_and(|rest| rest.starts_with('-'))
    })
}

/// The keys of a Secret where its maker says them all; not those of Certificates, which may make
/// more in other formats.
fn keys<'s, 'a>(
    stack: &'s Stack<'a>,
    from: &Object,
    name: &str,
) -> Option<(&'s Produced<'a>, &'s [&'a str])> {
    let made = stack.secret(from, name)?;
    // What another adds to it is not told.
    stack.secret_keys(from, name)?;
    let patched = ["sealedsecrets.bitnami.com/patch", "sealedsecrets.bitnami.com/managed"];
    let told = match made.by.kind() {
        "Secret" => true,
        "SealedSecret" => {
            let of = |key| made.by.at("spec.template.metadata.annotations")?.get(key);
            !patched.iter().any(|key| of(key).is_some()) && made.by.at("spec.data").is_none()
        }
        "Cluster" => !name.ends_with("-server") && !name.ends_with("-replication"),
        _ => false,
    };
    match &made.keys {
        Keys::Known(keys) if told && !keys.is_empty() => Some((made, keys)),
        _ => None,
    }
}

/// Says that a Secret lacks a key; offers the one that is spelt nearly so.
fn lacking(found: &mut Found, from: &Object, node: &Node, made: &Produced<'_>, keys: &[&str]) {
    let key = node.scalar().unwrap_or_default();
    let message = format!("Secret {} has no key {key}; it has {}", made.name, keys.join(", "));
    let problem = found.at(from, node, message);
    problem.also_place(made.by.place(), "made by this");
    let near: Vec<_> = keys.iter().filter(|have| is_near(have, key)).collect();
    if let ([near], true) = (&near[..], node.place.line > 0) {
        let change = Change::Replace { place: node.place.clone(), with: (**near).to_owned() };
        problem.fix(format!("name the key {near}"), vec![change]);
    }
}

fn no_key(stack: &Stack<'_>, found: &mut Found) {
    for reference in references(stack).iter().filter(|it| !it.optional) {
        let object = reference.workload.object;
        let (Some(node), Some(name)) = (reference.key, reference.name.as_str()) else { continue };
        if let (Some(key), Some((made, keys))) = (node.scalar(), keys(stack, object, name))
            && !keys.contains(&key)
        {
            lacking(found, object, node, made, keys);
        }
    }
}

fn no_file(stack: &Stack<'_>, found: &mut Found) {
    for workload in &stack.workloads {
        for volume in workload.volumes() {
            let VolumeKind::Secret(name) = volume.kind else { continue };
            let Some((made, keys)) = keys(stack, workload.object, name) else { continue };
            let optional = volume.node.bool("secret.optional") == Some(true);
            for node in volume.items().iter().filter_map(|item| item.get("key")) {
                if !optional && node.as_str().is_some_and(|key| !keys.contains(&key)) {
                    lacking(found, workload.object, node, made, keys);
                }
            }
        }
        sub_paths(stack, workload, found);
    }
    of_synapse(stack, found);
}

fn sub_paths(stack: &Stack<'_>, workload: &Workload<'_>, found: &mut Found) {
    for container in workload.containers() {
        for mount in workload.mounts(&container) {
            let Some(volume) = mount.volume.filter(|volume| volume.items().is_empty()) else {
                continue;
            };
            let (VolumeKind::Secret(name), Some(node)) = (volume.kind, mount.node.get("subPath"))
            else {
                continue;
            };
            // The signing key has a rule of its own.
            let says = [mount.path(), name, node.as_str().unwrap_or_default()];
            if says.iter().any(|text| text.contains("signing")) {
                continue;
            }
            if let (Some(sub), Some((made, keys))) =
                (node.as_str(), keys(stack, workload.object, name))
                && !sub.contains('/')
                && !keys.contains(&sub)
            {
                lacking(found, workload.object, node, made, keys);
            }
        }
    }
}

/// The files that Synapse's configuration names.
fn of_synapse(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((workload, container)) = &synapse.workload else { continue };
        for file in &synapse.configuration {
            for entry in file.node.entries().iter().filter(|it| it.key.ends_with("_path")) {
                let Some(path) = entry.node.as_str() else { continue };
                let Some(MountedFile::Secret { name, key }) = workload.file(stack, container, path)
                else {
                    continue;
                };
                if entry.key == "signing_key_path" {
                    continue;
                }
                if let Some((made, keys)) = keys(stack, workload.object, name)
                    && !keys.contains(&key)
                {
                    let message = format!(
                        "{} is {path}, and Secret {name} has no key {key}; it has {}",
                        entry.key,
                        keys.join(", ")
                    );
                    let problem = found.at(file.object, &entry.node, message);
                    problem.also_place(made.by.place(), "made by this");
                }
            }
        }
    }
}

/// Variables without which the programs of this stack are let in nowhere.
const NEEDED: &[&str] = &["JICOFO_AUTH_PASSWORD", "JVB_AUTH_PASSWORD", "PGPASSWORD"];

fn optional(stack: &Stack<'_>, found: &mut Found) {
    let jitsi = stack.jitsi.parts().into_iter().map(|(_, it)| (it.workload, it.container));
    let synapse = stack.synapse.iter().filter_map(|synapse| synapse.workload);
    for (workload, container) in jitsi.chain(synapse) {
        for env in container.env(stack, &workload) {
            let EnvValue::Secret { name, optional: true, .. } = env.value else { continue };
            if !NEEDED.contains(&env.name.as_str()) {
                continue;
            }
            let item = container.node.list("env").iter().find(|it| it.place == env.place);
            let Some(node) = item.and_then(|it| it.at("valueFrom.secretKeyRef.optional")) else {
                continue;
            };
            let message = format!("{} may be missing with Secret {name}", env.name);
            let problem = found.at(workload.object, node, message);
            if node.place.line > 0 {
                let change = Change::Replace { place: node.place.clone(), with: "false".into() };
                problem.fix(format!("make {} a must", env.name), vec![change]);
            }
        }
    }
}

#[cfg(test)]
mod tests;
