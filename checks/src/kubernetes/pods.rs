//! `kubernetes.pods`

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::kube::LogError;

use super::log_lines;
use super::shared::{View, absent, look};
use crate::facts::{Cluster, ClusterApi};
use crate::{Cx, Entry, Findings, Verdict, check};

check! {
    /// ## What it asserts
    /// Each pod is scheduled, its images are there, its containers run and are ready.
    ///
    /// ## Why it matters
    /// Nearly everything that is wrong with a workload ends in one word of a pod's status, and the
    /// sentence beside it names the Secret, the key, the port or the volume.
    ///
    /// ## What makes it fail
    /// A waiting reason (`CreateContainerConfigError`, `ImagePullBackOff`, `CrashLoopBackOff` …), a
    /// pod that cannot be scheduled or mount its volumes, one that is not ready for a minute.
    /// Containers that were restarted within the last hour and work now are a warning.
    ///
    /// With `kubernetes.logs = true` and the permission `get` on `pods/log` the last lines of a
    /// container that fails are read: at most 80, without what looks like a secret. What Synapse,
    /// Prosody, Jicofo and the bridge are known to say is named.
    ///
    /// ## How to fix it
    /// The cause says; `kubectl -n app-matrix describe pod NAME` has the whole story.
    ///
    /// ## Where it comes from
    /// Kubernetes API reference, PodStatus and ContainerStateWaiting; the sources of the kubelet.
    "kubernetes.pods" at C: "each pod runs and is ready"
    causes [
        "secret-key-missing",
        "secret-missing",
        "configmap-key-missing",
        "configmap-missing",
        "image-not-pulled",
        "container-not-started",
        "container-crashes",
        "container-restarts",
        "memory-limit-exceeded",
        "pod-unschedulable",
        "host-port-taken",
        "volume-node-lost",
        "volume-not-attached",
        "pod-not-starting",
        "pod-not-ready",
        "pod-evicted",
        "object-stuck-deleting",
        "status-not-observed",
        "signing-key-unreadable",
        "database-auth-failed",
        "database-down",
        "database-name-unknown",
        "database-missing",
        "database-collation-wrong",
        "database-version-unsupported",
        "database-connections-exhausted",
        "homeserver-configuration-broken",
        "volume-not-writable",
        "volume-pending",
        "service-link-variable",
        "volume-full",
        "xmpp-password-wrong",
        "xmpp-server-not-found",
    ]
    timeout 50
}

pub(super) const NEEDS: &[&str] = &["Pod"];

/// Containers whose lines are read.
const READ: usize = 6;

async fn run(cx: &Cx) -> Verdict {
    let Some(kubernetes) = &cx.target().kubernetes else { return Ok(absent().into()) };
    let namespace = cx.fact(Cluster).await?;
    let mut findings = look(&namespace, CHECK.id, NEEDS, super::pod_state::opinion);
    if kubernetes.logs {
        read_logs(cx, &namespace, &mut findings).await?;
    }
    Ok(findings)
}

/// Adds the last lines of what fails, and the cause that they name.
async fn read_logs(
    cx: &Cx,
    namespace: &crate::facts::Namespace,
    findings: &mut Findings,
) -> Result<(), crate::Unavailable> {
    let api = cx.fact(ClusterApi).await?;
    let view = View::new(&namespace.snapshot);
    let failing = findings.0.iter_mut().filter_map(|entry| match entry {
        Entry::Finding(finding) => finding.cause.filter(|c| told_by_logs(c)).map(|_| finding),
        Entry::Blocked { .. } => None,
    });
    for finding in failing.take(READ) {
        let Some((pod, container)) = finding.instance.as_deref().and_then(|i| i.split_once('/'))
        else {
            continue;
        };
        let (pod, container) = (pod.trim_start_matches("Pod ").to_owned(), container.to_owned());
        let image = super::pod_state::image(&view, &pod, &container).unwrap_or_default();
        let mut lines = Vec::new();
        for previous in [true, false] {
            match api.log(&pod, &container, previous).await {
                Ok(more) => lines.extend(more),
                Err(LogError::None) => {}
                Err(LogError::Forbidden) => {
                    let rule =
                        "missing rule: apiGroups: [\"\"], resources: [pods/log], verbs: [get]";
                    finding.evidence.push(Evidence::note(format!("logs may not be read; {rule}")));
                    return Ok(());
                }
                Err(LogError::Failed(error)) => {
                    finding.evidence.push(Evidence::note(format!("no log: {error}")));
                }
            }
        }
        name_by_log(finding, &image, &lines);
    }
    Ok(())
}

fn told_by_logs(cause: &str) -> bool {
    ["container-crashes", "pod-not-ready", "container-restarts"].contains(&cause)
}

/// Names the cause that the lines tell, and keeps the line that tells it, or the last ones.
pub(super) fn name_by_log(finding: &mut Finding, image: &str, lines: &[String]) {
    if let Some((sign, line)) = log_lines::recognise(image, lines) {
        finding.summary = format!("{}: {}", finding.summary, sign.says);
        finding.cause = Some(sign.cause);
        finding.evidence.push(Evidence::new(EvidenceKind::Manifest, format!("log: {line}")));
        return;
    }
    let last = lines.len().saturating_sub(5);
    let tail = lines[last..].iter();
    finding
        .evidence
        .extend(tail.map(|line| Evidence::new(EvidenceKind::Manifest, format!("log: {line}"))));
}
