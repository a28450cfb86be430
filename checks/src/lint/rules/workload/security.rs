//! What a container may do.

use mxdoctor_probes::manifest::Node;

use super::admission::level;
use super::own::{Program, name, own};
use crate::lint::view::{Container, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// The internet talks to these programs, and what breaks into one of them has the rights of its
    /// container. None of them needs to gain more (`allowPrivilegeEscalation: false`) or to make
    /// every system call (`seccompProfile`). Synapse, Element from 1.11.90 on, unprivileged nginx
    /// and the database's tools need neither root nor any capability.
    ///
    /// Jitsi's images and those that are not known are not asked to run without root or
    /// capabilities: theirs begin as root and change the owner of their files. Nor is Synapse where
    /// `UID` or `GID` tells it to change its user itself. Where the Namespace enforces `restricted`
    /// a rule of its own speaks.
    ///
    /// Source: Kubernetes, "Pod Security Standards", "Configure a Security Context"; Synapse,
    /// `docker/start.py`; Element Web, `docs/install.md`.
    OPEN = "WL-07" Warning: "a container has no more rights than its program needs"
    breaks "a hole in the program is a hole in its node; a Namespace that enforces restricted takes \
            no pod of it"
    remedy "set what is named in securityContext"
    cause "container-rights-wide"
    check "kubernetes.security"
    look_in_files open
}

/// The user that a program's image is made for, where it needs no root.
fn user(stack: &Stack<'_>, workload: &Workload<'_>, container: &Container<'_>) -> Option<i64> {
    match Program::of(container) {
        Program::Synapse => {
            let env = container.env(stack, workload);
            let changes = env.iter().any(|it| matches!(it.name.as_str(), "UID" | "GID"));
            (!changes).then_some(991)
        }
        Program::Element | Program::Nginx => Some(101),
        Program::Postgres => Some(26),
        Program::Jitsi(_) | Program::Other => None,
    }
}

fn open(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack) {
        let enforced = level(stack, workload.object);
        if enforced.is_some_and(|(_, level)| level.as_str() == Some("restricted")) {
            continue;
        }
        for container in workload.main() {
            let user = user(stack, &workload, &container);
            let lacking = lacking(&workload, &container, user.is_some());
            if lacking.is_empty() {
                continue;
            }
            let message = format!("{} has no {}", container.name(), lacking.join(", no "));
            let problem = match container.node.entry("securityContext") {
                Some(entry) => found.place(workload.object, entry.place.clone(), message),
                None => found.at(workload.object, name(&container), message),
            };
            let mut remedy = format!("set {} in securityContext", lacking.join(", "));
            if let Some(user) = user.filter(|_| lacking.contains(&"runAsNonRoot: true")) {
                remedy.push_str(&format!("; the image's own user is {user}: runAsUser: {user}"));
            }
            if Program::of(&container) == Program::Synapse {
                remedy.push_str(", and fsGroup: 991 for its volume");
            }
            problem.remedy(remedy);
        }
    }
}

/// What is not said of a container; `full` where its program needs no root.
fn lacking(workload: &Workload<'_>, container: &Container<'_>, full: bool) -> Vec<&'static str> {
    let own = container.node.get("securityContext");
    let of_pod = workload.pod.get("securityContext");
    // The container's own setting goes before the pod's.
    let setting = |key: &str| own.and_then(|it| it.get(key)).or_else(|| of_pod?.get(key));
    let mut all = Vec::new();
    if own.and_then(|it| it.bool("allowPrivilegeEscalation")) != Some(false) {
        all.push("allowPrivilegeEscalation: false");
    }
    let profile = setting("seccompProfile").and_then(|profile| profile.str("type"));
    if !matches!(profile, Some("RuntimeDefault" | "Localhost")) {
        all.push("seccompProfile: {type: RuntimeDefault}");
    }
    if !full {
        return all;
    }
    if setting("runAsNonRoot").and_then(Node::as_bool) != Some(true) {
        all.push("runAsNonRoot: true");
    }
    let drops = own.map_or(&[][..], |own| own.list("capabilities.drop"));
    if !drops.iter().any(|node| node.as_str() == Some("ALL")) {
        all.push("capabilities: {drop: [ALL]}");
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi, synapse};

    fn with(text: &str, context: &str) -> String {
        text.replace("        env", &format!("        securityContext: {{{context}}}\n        env"))
    }

    const BASIC: &str = "allowPrivilegeEscalation: false, seccompProfile: {type: RuntimeDefault}";

    #[test]
    fn synapse_needs_nothing() {
        let text = synapse("server_name: a");
        let good = format!("{BASIC}, runAsNonRoot: true, capabilities: {{drop: [ALL]}}");
        assert_eq!(found("WL-07", &with(&text, &good)), [""; 0]);
        let expected = "21:9 synapse has no runAsNonRoot: true, no capabilities: {drop: [ALL]}";
        assert_eq!(found("WL-07", &with(&text, BASIC)), [expected]);
        let own =
            text.replace("        env:\n", "        env:\n        - {name: UID, value: '1000'}\n");
        assert_eq!(found("WL-07", &with(&own, BASIC)), [""; 0]);
        assert!(found("WL-07", &text)[0].starts_with("19:15 synapse has no allowPrivilege"));
    }

    #[test]
    fn jitsi_begins_as_root() {
        let text = jitsi("web", "TZ: UTC", "hostPID: false");
        assert_eq!(found("WL-07", &with(&text, BASIC)), [""; 0]);
        let expected = "19:15 web has no allowPrivilegeEscalation: false, no seccompProfile: {type: \
                        RuntimeDefault}";
        assert_eq!(found("WL-07", &text), [expected]);
    }

    #[test]
    fn a_namespace_that_enforces_it_has_its_own_rule() {
        let text = synapse("server_name: a").replacen(
            "spec:\n  template",
            "  namespace: m\nspec:\n  template",
            1,
        ) + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: m, labels: \
               {pod-security.kubernetes.io/enforce: restricted}}\n";
        assert_eq!(found("WL-07", &text), [""; 0]);
        assert_eq!(found("WL-09", &text).len(), 1);
    }
}
