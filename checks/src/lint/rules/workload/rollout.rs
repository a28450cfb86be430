//! How long a pod may take to begin and to end.

use mxdoctor_probes::manifest::Node;

use super::own::{Program, is_main_synapse, name, own};
use super::probes::patience;
use crate::lint::view::Workload;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// 30 s after it was asked to end a pod is killed. Synapse then may not have written what it
    /// holds in memory; and people in a call are cut off before the focus has moved them to another
    /// bridge.
    ///
    /// Looked at are Synapse's main process and the bridge.
    ///
    /// Source: Kubernetes, "Pod Lifecycle", termination of Pods, default 30 s.
    CUT_SHORT = "WL-12" Warning: "Synapse and the bridge have time to end"
    breaks "each rollout cuts people off in the middle of calls and uploads"
    remedy "set terminationGracePeriodSeconds: 60 or more in the pod template"
    cause "shutdown-cut-short"
    check "kubernetes.rollouts"
    look_in_files cut_short
}

rule! {
    /// A Deployment calls its rollout failed after `progressDeadlineSeconds`, 600 s unless it says
    /// otherwise. Where the pods may take longer to begin by their own startup probe, or Synapse
    /// for a migration, the deadline passes while everything goes as it should; Flux and a pipeline
    /// then report a failure, or go back to the old release in the middle of it.
    ///
    /// Source: Kubernetes, "Deployments", progress deadline.
    DEADLINE = "WL-18" Warning: "a rollout may take as long as its pods may take to begin"
    breaks "the rollout is reported as failed while a migration is under way"
    remedy "set progressDeadlineSeconds above what the startup probe allows, to 600 at least"
    cause "rollout-deadline-short"
    check "kubernetes.rollouts"
    look deadline
}

/// Seconds that a pod has where it says nothing.
const GRACE: i64 = 30;

fn cut_short(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack) {
        let slow = workload.main().find_map(|container| match Program::of(&container) {
            Program::Synapse if is_main_synapse(stack, &workload, &container) => {
                Some((container, "Synapse"))
            }
            Program::Jitsi("jvb") => Some((container, "the bridge")),
            _ => None,
        });
        let Some((container, who)) = slow else { continue };
        let entry = workload.pod.entry("terminationGracePeriodSeconds");
        let seconds = entry.and_then(|entry| entry.node.as_i64());
        if seconds.unwrap_or(GRACE) > GRACE {
            continue;
        }
        match (entry, seconds) {
            (Some(entry), Some(seconds)) => {
                let message = format!("{who} is killed {seconds} s after it is asked to end");
                found.at(workload.object, &entry.node, message);
            }
            _ => {
                let message =
                    format!("{who} is killed {GRACE} s after it is asked to end, the default");
                found.at(workload.object, name(&container), message);
            }
        }
    }
}

/// Seconds after which a rollout has failed where nothing is said.
const DEADLINE_UNSAID: i64 = 600;

/// How long a pod of a workload may take to begin, by its startup probes.
fn begins(workload: &Workload<'_>) -> i64 {
    let probes = workload.main().flat_map(|container| container.probes());
    let startup = probes.filter(|probe| probe.name == "startupProbe");
    startup.map(|probe| patience(probe.node)).max().unwrap_or(0)
}

fn deadline(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack).iter().filter(|it| it.object.kind() == "Deployment") {
        let node = workload.object.at("spec.progressDeadlineSeconds");
        let seconds = node.and_then(Node::as_i64).unwrap_or(DEADLINE_UNSAID);
        let startup = begins(workload);
        let synapse = workload.main().any(|it| is_main_synapse(stack, workload, &it));
        let message = if seconds < startup {
            format!("a rollout fails after {seconds} s, and its pods may take {startup} s to begin")
        } else if synapse && seconds < DEADLINE_UNSAID {
            format!("a rollout fails after {seconds} s, and a migration of Synapse takes minutes")
        } else {
            continue;
        };
        match node {
            Some(node) => found.at(workload.object, node, message),
            None => found.on(workload.object, message),
        };
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi, synapse};

    #[test]
    fn there_is_time_to_end() {
        let bridge = |pod: &str| found("WL-12", &jitsi("jvb", "TZ: UTC", pod));
        assert_eq!(bridge("terminationGracePeriodSeconds: 60"), [""; 0]);
        let expected = "17:38 the bridge is killed 10 s after it is asked to end";
        assert_eq!(bridge("terminationGracePeriodSeconds: 10"), [expected]);
        let expected = "19:15 the bridge is killed 30 s after it is asked to end, the default";
        assert_eq!(bridge("hostNetwork: true"), [expected]);
        assert_eq!(found("WL-12", &jitsi("web", "TZ: UTC", "hostPID: false")), [""; 0]);
        assert_eq!(found("WL-12", &synapse("server_name: a")).len(), 1);
    }

    #[test]
    fn there_is_time_to_begin() {
        let with = |spec: &str| {
            let spec = format!("spec:\n  {spec}\n  template");
            synapse("server_name: a").replacen("spec:\n  template", &spec, 1)
        };
        let startup = |text: &str| {
            let image = "image: matrixdotorg/synapse:1.147.0\n";
            let probe = "startupProbe: {periodSeconds: 10, failureThreshold: 90}";
            text.replace(image, &format!("{image}        {probe}\n"))
        };
        let expected = "14:28 a rollout fails after 60 s, and a migration of Synapse takes minutes";
        assert_eq!(found("WL-18", &with("progressDeadlineSeconds: 60")), [expected]);
        assert_eq!(found("WL-18", &with("progressDeadlineSeconds: 600")), [""; 0]);
        assert_eq!(found("WL-18", &with("replicas: 1")), [""; 0]);
        let expected = "12:9 a rollout fails after 600 s, and its pods may take 900 s to begin";
        assert_eq!(found("WL-18", &startup(&synapse("server_name: a"))), [expected]);
        assert_eq!(found("WL-18", &startup(&with("progressDeadlineSeconds: 1200"))), [""; 0]);
    }
}
