//! What a pod's status says of it.

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::manifest::{Node, Object};

use super::shared::{SOON, View, condition, not_to_be_judged};

/// Restarts within that many seconds are worth a word.
const RECENT: i64 = 3600;
/// A pod may take that long to get its volumes and images.
const STARTING: i64 = 120;

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let pods = view.own("Pod").filter(|pod| pod.node.str("status.phase") != Some("Succeeded"));
    pods.filter(|pod| !of_job(pod))
        .filter_map(|pod| not_to_be_judged(view, pod).or_else(|| look(view, pod)))
        .collect()
}

/// The image of a container of a pod.
pub(super) fn image(view: &View<'_>, pod: &str, container: &str) -> Option<String> {
    let pod = view.own("Pod").find(|found| found.name() == pod)?;
    let mut all = pod.node.list("spec.containers").iter();
    Some(all.find(|one| one.str("name") == Some(container))?.str("image")?.to_owned())
}

/// A Job's pods are the Job's.
pub(super) fn of_job(pod: &Object) -> bool {
    let owners = pod.node.list("metadata.ownerReferences").iter();
    owners.filter_map(|owner| owner.str("kind")).any(|kind| kind == "Job")
}

fn look(view: &View<'_>, pod: &Object) -> Option<Finding> {
    if pod.node.str("status.phase") == Some("Failed") {
        let reason = pod.node.str("status.reason").unwrap_or("no reason given");
        let message = pod.node.str("status.message").unwrap_or_default();
        let text = format!("{pod} has ended ({reason}): {message}");
        return Some(Finding::warn("pod-evicted", text).on(pod.to_string()));
    }
    let scheduled = condition(pod, "PodScheduled");
    if let Some(why) = scheduled.filter(|c| c.status == "False" && c.reason != "SchedulingGated") {
        let text = format!("{pod} finds no node: {}", why.message);
        return Some(Finding::fail(unschedulable(why.message), text).on(pod.to_string()));
    }
    let statuses = pod
        .node
        .list("status.initContainerStatuses")
        .iter()
        .chain(pod.node.list("status.containerStatuses"));
    let mut restarted = None;
    for status in statuses {
        let name = status.str("name").unwrap_or_default();
        let instance = format!("{pod}/{name}");
        if let Some(finding) = waiting(view, pod, status) {
            return Some(finding.on(instance));
        }
        restarted = restarted.or_else(|| restarts(view, pod, status).map(|f| f.on(instance)));
    }
    not_ready(view, pod).or(restarted)
}

/// Why a pod finds no node, by the scheduler's words.
fn unschedulable(message: &str) -> &'static str {
    if message.contains("free ports for the requested pod ports") {
        "host-port-taken"
    } else if message.contains("volume node affinity conflict") {
        "volume-node-lost"
    } else if message.contains("unbound immediate PersistentVolumeClaims")
        || message.contains("persistentvolumeclaim")
    {
        "volume-pending"
    } else {
        "pod-unschedulable"
    }
}

fn waiting(view: &View<'_>, pod: &Object, status: &Node) -> Option<Finding> {
    let reason = status.str("state.waiting.reason")?;
    let message = status.str("state.waiting.message").unwrap_or_default();
    let name = status.str("name").unwrap_or_default();
    let fail = |cause, text: String| {
        let seen = format!("{pod} container {name} waits: {reason}: {message}");
        let evidence = Evidence::new(EvidenceKind::Manifest, seen);
        Some(Finding::fail(cause, text).evidences([evidence]))
    };
    match reason {
        "CreateContainerConfigError" => {
            let cause = config_error(message).unwrap_or("container-not-started");
            let text = format!("{pod}: container {name} is not started: {message}");
            let finding = fail(cause, text)?;
            let secret = message.split_once(" in Secret ").map(|(_, secret)| secret);
            let secret = secret.and_then(|secret| secret.rsplit('/').next());
            Some(match secret.filter(|_| cause == "secret-key-missing") {
                Some(secret) => finding.remedy(format!(
                    "correct `secretKeyRef.key`, or add the key: `kubectl -n {} get secret {secret} \
                     -o json | jq '.data|keys'` shows those that are there",
                    view.snapshot.namespace
                )),
                None => finding,
            })
        }
        "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" => {
            let image = status.str("image").unwrap_or("its image");
            fail("image-not-pulled", format!("{pod}: {image} is not pulled ({reason}): {message}"))
        }
        "CreateContainerError" | "RunContainerError" => fail(
            "container-not-started",
            format!("{pod}: container {name} is not started ({reason}): {message}"),
        ),
        "CrashLoopBackOff" => {
            let last = status.at("lastState.terminated");
            let code = last.and_then(|last| last.i64("exitCode")).unwrap_or(-1);
            if last.and_then(|last| last.str("reason")) == Some("OOMKilled") {
                let limit = limit(pod, name).map_or(String::new(), |limit| format!(" of {limit}"));
                let text = format!("{pod}: container {name} was ended at its memory limit{limit}");
                return fail("memory-limit-exceeded", text);
            }
            let why = last.and_then(|last| last.str("message")).unwrap_or_default();
            let text = format!("{pod}: container {name} ends at once, with code {code}");
            let finding = fail("container-crashes", text)?.remedy(format!(
                "`kubectl -n {} logs {} -c {name} --previous`",
                view.snapshot.namespace,
                pod.name()
            ));
            let said = mxdoctor_probes::kube::redact(why.lines().last().unwrap_or_default());
            Some(if said.is_empty() { finding } else { finding.actual(said) })
        }
        "ContainerCreating" | "PodInitializing" => creating(view, pod),
        _ => None,
    }
}

/// The memory that a container of a pod may have.
fn limit(pod: &Object, container: &str) -> Option<String> {
    let mut all = pod.node.list("spec.containers").iter();
    let container = all.find(|one| one.str("name") == Some(container))?;
    container.at("resources.limits.memory")?.scalar().map(str::to_owned)
}

/// What the kubelet misses, by its own words.
pub(super) fn config_error(message: &str) -> Option<&'static str> {
    let lower = message.to_ascii_lowercase();
    let key = lower.contains("couldn't find key") || lower.contains("non-existent");
    let absent = lower.contains("not found");
    match (lower.contains("configmap") || lower.contains("config map"), key, absent) {
        (true, true, _) => Some("configmap-key-missing"),
        (true, false, true) => Some("configmap-missing"),
        (false, true, _) if lower.contains("secret") => Some("secret-key-missing"),
        (false, false, true) if lower.contains("secret") => Some("secret-missing"),
        _ => None,
    }
}

/// A pod that waits for its volumes: the events say for which.
fn creating(view: &View<'_>, pod: &Object) -> Option<Finding> {
    let age = view.ago(condition(pod, "PodScheduled").and_then(|c| c.since))?;
    let warnings = view.warnings("Pod", pod.name());
    let mount = warnings.iter().find(|(reason, _)| {
        ["FailedMount", "FailedAttachVolume", "FailedMapVolume"].contains(reason)
    });
    match mount {
        Some((reason, note)) => {
            let cause = config_error(note).unwrap_or("volume-not-attached");
            let text = format!("{pod} waits for a volume ({reason}): {note}");
            Some(Finding::fail(cause, text))
        }
        None if age > STARTING => {
            let last = warnings.first().map(|(reason, note)| format!(": {reason}, {note}"));
            let text = format!("{pod} has been starting for {age} s{}", last.unwrap_or_default());
            Some(Finding::fail("pod-not-starting", text).transient())
        }
        None => None,
    }
}

/// A container that works now and did not lately.
fn restarts(view: &View<'_>, pod: &Object, status: &Node) -> Option<Finding> {
    let last = status.at("lastState.terminated")?;
    let ago = view.ago(last.str("finishedAt"))?;
    let count = status.i64("restartCount").unwrap_or(0);
    if ago > RECENT || count == 0 {
        return None;
    }
    let name = status.str("name").unwrap_or_default();
    let minutes = ago / 60;
    Some(if last.str("reason") == Some("OOMKilled") {
        let text = format!("{pod}: container {name} went over its memory limit {minutes} min ago");
        let ready = status.bool("ready") == Some(true);
        let cause = "memory-limit-exceeded";
        if ready { Finding::warn(cause, text) } else { Finding::fail(cause, text) }
    } else {
        let code = last.i64("exitCode").unwrap_or(-1);
        let ended = format!("ended {minutes} min ago with code {code}");
        let text = format!("{pod}: container {name} {ended}, {count} restarts in all");
        Finding::warn("container-restarts", text)
    })
}

fn not_ready(view: &View<'_>, pod: &Object) -> Option<Finding> {
    let ready = condition(pod, "Ready").filter(|c| c.status == "False")?;
    let age = view.ago(ready.since)?;
    if age <= SOON {
        return None;
    }
    let statuses = pod.node.list("status.containerStatuses").iter();
    let which = statuses.filter(|status| status.bool("ready") == Some(false));
    let name = which.filter_map(|status| status.str("name")).next().unwrap_or_default();
    let probe = view.warnings("Pod", pod.name()).into_iter().find(|(r, _)| *r == "Unhealthy");
    let why = probe.map_or_else(|| ready.message.to_owned(), |(_, note)| note.to_owned());
    let text = format!("{pod} has not been ready for {age} s: {why}");
    Some(Finding::fail("pod-not-ready", text).on(format!("{pod}/{name}")).transient())
}
