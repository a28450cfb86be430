//! What Pod Security admits.

use mxdoctor_probes::manifest::{Node, Object, Place};

use super::own::{Program, is_operated, name};
use crate::lint::view::{Container, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A Namespace with the label `pod-security.kubernetes.io/enforce` admits no pod beyond its
    /// level. The Deployment itself is taken: its ReplicaSet then fails to make pods, and there is
    /// no pod whose description would say why. The bridge needs the host's network or its ports,
    /// which `baseline` refuses; Jitsi's images begin as root, which `restricted` refuses.
    ///
    /// Looked at are Namespaces of the tree. Exceptions in the API server's own configuration are
    /// not seen.
    ///
    /// Source: Kubernetes, "Pod Security Standards", "Pod Security Admission".
    REFUSED = "WL-09" Error: "a Namespace admits the pods that are to be in it"
    breaks "the ReplicaSet says FailedCreate (violates PodSecurity): 0 pods, and none to describe"
    remedy "enforce the level that the pods need, or give those that need more a Namespace of their \
            own"
    cause "pod-security-refuses"
    check "kubernetes.workloads"
    look refused
}

/// The label that says the level.
const LABEL: &str = "pod-security.kubernetes.io/enforce";

/// Capabilities that may be added under `baseline`.
const CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Volumes that `restricted` refuses; `hostPath` is refused by `baseline` already.
const VOLUMES: &[&str] =
    &["nfs", "iscsi", "cephfs", "rbd", "glusterfs", "fc", "azureFile", "azureDisk"];

/// What one level refuses of a pod: the words, and where it stands.
type Refused = Vec<(String, Place)>;

/// The level that the Namespace of an object enforces, with the Namespace.
pub(super) fn level<'a>(stack: &Stack<'a>, object: &Object) -> Option<(&'a Object, &'a Node)> {
    let namespace = stack.inventory.named("Namespace", object.namespace()?).next()?;
    Some((namespace, namespace.at("metadata.labels")?.get(LABEL)?))
}

fn refused(stack: &Stack<'_>, found: &mut Found) {
    for workload in stack.workloads.iter().filter(|workload| !is_operated(workload.object)) {
        let Some((namespace, node)) = level(stack, workload.object) else { continue };
        let level = node.as_str().unwrap_or_default();
        let mut all = Vec::new();
        if matches!(level, "baseline" | "restricted") {
            baseline(workload, &mut all);
        }
        let by_baseline = !all.is_empty();
        if level == "restricted" {
            restricted(workload, &mut all);
        }
        let Some((_, place)) = all.first().cloned() else { continue };
        let mut words: Vec<String> = all.into_iter().map(|(words, _)| words).collect();
        words.dedup();
        let message = format!("{namespace} enforces {level}, which refuses {}", words.join(", "));
        let jitsi = workload.main().any(|it| matches!(Program::of(&it), Program::Jitsi(_)));
        let name = namespace.name();
        let remedy = if by_baseline {
            format!(
                "label the Namespace {name} {LABEL}: privileged, or move {} to a Namespace of its \
                 own",
                workload.object
            )
        } else if jitsi {
            format!("label the Namespace {name} {LABEL}: baseline: Jitsi's images begin as root")
        } else {
            format!("set in the pod template what is named, or label {name} {LABEL}: baseline")
        };
        found.place(workload.object, place, message).also(node, "the level").remedy(remedy);
    }
}

fn baseline(workload: &Workload<'_>, all: &mut Refused) {
    for key in ["hostNetwork", "hostPID", "hostIPC"] {
        if let Some(entry) = workload.pod.entry(key).filter(|it| it.node.as_bool() == Some(true)) {
            all.push((key.to_owned(), entry.place.clone()));
        }
    }
    let of_pod = workload.pod.get("securityContext").into_iter();
    of_pod.for_each(|context| contexts(context, all));
    for container in workload.containers() {
        for port in container.ports().iter().filter_map(|port| port.get("hostPort")) {
            // In the host's network every port is one of the host, and that is refused already.
            let number = port.as_i64().filter(|number| *number != 0);
            if let (Some(number), false) = (number, workload.host_network()) {
                all.push((format!("hostPort {number}"), port.place.clone()));
            }
        }
        let Some(context) = container.node.get("securityContext") else { continue };
        contexts(context, all);
        if let Some(node) = context.get("privileged").filter(|it| it.as_bool() == Some(true)) {
            all.push(("privileged".to_owned(), node.place.clone()));
        }
        if let Some(node) = context.get("procMount").filter(|it| it.as_str() != Some("Default")) {
            all.push(("procMount".to_owned(), node.place.clone()));
        }
        for node in context.list("capabilities.add") {
            let name = node.as_str().unwrap_or_default();
            if !CAPABILITIES.contains(&name) {
                all.push((format!("the capability {name}"), node.place.clone()));
            }
        }
    }
    for volume in workload.volumes() {
        if let Some(node) = volume.node.get("hostPath") {
            all.push((format!("hostPath of volume {}", volume.name()), node.place.clone()));
        }
    }
}

/// What a pod's and a container's securityContext have in common.
fn contexts(context: &Node, all: &mut Refused) {
    for key in ["seccompProfile", "appArmorProfile"] {
        let kind = context.get(key).and_then(|profile| profile.get("type"));
        if let Some(node) = kind.filter(|kind| kind.as_str() == Some("Unconfined")) {
            all.push((format!("{key} Unconfined"), node.place.clone()));
        }
    }
}

fn restricted(workload: &Workload<'_>, all: &mut Refused) {
    let of_pod = workload.pod.get("securityContext");
    // With a user namespace root inside is nobody outside, and later versions admit it.
    let mapped = workload.pod.bool("hostUsers") == Some(false);
    for container in workload.containers() {
        let own = container.node.get("securityContext");
        let lacks = lacking(&container, of_pod, mapped);
        let place = own.unwrap_or_else(|| name(&container)).place.clone();
        all.extend(lacks.into_iter().map(|what| (what.to_owned(), place.clone())));
        for node in own.map_or(&[][..], |own| own.list("capabilities.add")) {
            let name = node.as_str().unwrap_or_default();
            if name != "NET_BIND_SERVICE" && CAPABILITIES.contains(&name) {
                all.push((format!("the capability {name}"), node.place.clone()));
            }
        }
    }
    for volume in workload.volumes() {
        let kinds = VOLUMES.iter().filter_map(|kind| Some((*kind, volume.node.get(kind)?)));
        all.extend(kinds.map(|(kind, node)| (format!("a volume of {kind}"), node.place.clone())));
    }
}

/// What `restricted` wants to be said of a container, and is not.
fn lacking(container: &Container<'_>, of_pod: Option<&Node>, mapped: bool) -> Vec<&'static str> {
    let own = container.node.get("securityContext");
    let setting = |key: &str| own.and_then(|it| it.get(key)).or_else(|| of_pod?.get(key));
    let mut all = Vec::new();
    if setting("runAsNonRoot").and_then(Node::as_bool) != Some(true) && !mapped {
        all.push("a container without runAsNonRoot: true");
    }
    if setting("runAsUser").and_then(Node::as_i64) == Some(0) && !mapped {
        all.push("runAsUser: 0");
    }
    if own.and_then(|it| it.bool("allowPrivilegeEscalation")) != Some(false) {
        all.push("a container without allowPrivilegeEscalation: false");
    }
    let drops = own.map_or(&[][..], |own| own.list("capabilities.drop"));
    if !drops.iter().any(|node| node.as_str() == Some("ALL")) {
        all.push("a container that does not drop ALL capabilities");
    }
    if setting("seccompProfile").is_none() {
        all.push("a container without a seccompProfile");
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi, synapse};

    fn inside(level: &str, text: &str) -> String {
        let place = "  namespace: matrix\nspec:\n  template";
        text.replacen("spec:\n  template", place, 1)
            + &format!(
                "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: matrix, labels: \
                 {{pod-security.kubernetes.io/enforce: {level}}}}}\n"
            )
    }

    #[test]
    fn a_bridge_needs_the_host() {
        let bridge = jitsi("jvb", "TZ: UTC", "hostNetwork: true");
        let expected = "18:7 Namespace matrix enforces baseline, which refuses hostNetwork";
        assert_eq!(found("WL-09", &inside("baseline", &bridge)), [expected]);
        assert_eq!(found("WL-09", &inside("privileged", &bridge)), [""; 0]);
        assert_eq!(found("WL-09", &bridge), [""; 0]);
        let port = jitsi("jvb", "TZ: UTC", "hostPID: false")
            .replace("{containerPort: 10000,", "{containerPort: 10000, hostPort: 10000,");
        let expected = "22:50 Namespace matrix enforces baseline, which refuses hostPort 10000";
        assert_eq!(found("WL-09", &inside("baseline", &port)), [expected]);
    }

    #[test]
    fn a_container_has_what_restricted_wants() {
        let bad = inside("restricted", &synapse("server_name: a"));
        let expected = "20:15 Namespace matrix enforces restricted, which refuses a container \
                        without runAsNonRoot: true, a container without allowPrivilegeEscalation: \
                        false, a container that does not drop ALL capabilities, a container \
                        without a seccompProfile";
        assert_eq!(found("WL-09", &bad), [expected]);
        let image = "image: matrixdotorg/synapse:1.147.0\n";
        let context = "securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false, \
                       capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}";
        let good = bad.replace(image, &format!("{image}        {context}\n"));
        assert_eq!(found("WL-09", &good), [""; 0]);
        assert_eq!(found("WL-09", &inside("baseline", &synapse("server_name: a"))), [""; 0]);
        let admin = good.replace("drop: [ALL]", "drop: [ALL], add: [SYS_ADMIN]");
        assert!(found("WL-09", &admin)[0].ends_with("refuses the capability SYS_ADMIN"));
    }

    #[test]
    fn what_the_host_has_is_refused() {
        for (pod, expected) in [
            ("hostPID: true", "hostPID"),
            ("volumes: [{name: v, hostPath: {path: /}}]", "hostPath of volume v"),
            ("securityContext: {seccompProfile: {type: Unconfined}}", "seccompProfile Unconfined"),
        ] {
            let messages = found("WL-09", &inside("baseline", &jitsi("web", "TZ: UTC", pod)));
            assert!(messages.len() == 1 && messages[0].ends_with(expected), "{messages:?}");
        }
    }
}
