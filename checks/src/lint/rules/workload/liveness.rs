//! When a container is killed.

use mxdoctor_probes::manifest::{Node, Place, Value};

use super::super::jitsi::variable::is_on;
use super::own::{is_main_synapse, own};
use super::probes::{patience, probe};
use crate::lint::view::{Container, Probe, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// The kubelet kills a container whose liveness probe fails, so it should fail only where a
    /// new start helps. Synapse answers nobody while it changes the schema of its database after an
    /// upgrade; without a startup probe that waits, it is killed in the middle of it. A probe that
    /// needs the database, or goes the way of people's requests, kills a Synapse that only waits.
    /// And the focus calls itself ill while Prosody is away.
    ///
    /// Looked at are Synapse's main process and the focus; 300 s are taken as enough for a
    /// migration.
    ///
    /// Source: Synapse, `/health` in "Using a reverse proxy" and "Upgrading Synapse"; Jicofo,
    /// `doc/health-checks.md`.
    KILLED = "WL-05" Warning: "no probe kills what a new start does not help"
    breaks "Synapse is killed in the middle of a schema migration, or while its database is away"
    remedy "let liveness ask /health, and add a startupProbe of 30 times 10 s"
    cause "probe-kills"
    check "kubernetes.workloads"
    look killed
}

rule! {
    /// A liveness probe that asks what readiness asks, as often, kills a busy program at the very
    /// moment when it should only get no more requests. One that waits for 1 s, which is the
    /// default, does the same on a busy node; and each restart makes the others busier.
    ///
    /// Silent about probes that only open a TCP connection, which the kernel answers.
    ///
    /// Source: Kubernetes, "Configure Liveness, Readiness and Startup Probes".
    IMPATIENT = "WL-06" Warning: "liveness is more patient than readiness"
    breaks "under load the pod is restarted, which ends every call and every request in it"
    remedy "give the livenessProbe timeoutSeconds: 5, periodSeconds: 30 and a failureThreshold of 3 \
            or more"
    cause "probe-impatient"
    check "kubernetes.workloads"
    look_in_files impatient
}

/// Seconds that are enough for Synapse to begin.
const ENOUGH: i64 = 300;

/// Where a probe stands: its key.
fn key(container: &Container<'_>, probe: &Probe<'_>) -> Place {
    let entry = container.node.entry(probe.name);
    entry.map_or(&probe.node.place, |entry| &entry.place).clone()
}

fn killed(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack) {
        for container in workload.main() {
            let Some(liveness) = probe(&container, "livenessProbe") else { continue };
            if let Some((node, why)) = wrong_question(stack, &workload, &container, &liveness) {
                found.at(workload.object, node, why);
            }
            if !is_main_synapse(stack, &workload, &container) {
                continue;
            }
            let first = probe(&container, "startupProbe").unwrap_or(liveness);
            let seconds = patience(first.node);
            if seconds < ENOUGH {
                let message =
                    format!("{} gives Synapse {seconds} s, and a migration takes more", first.name);
                found.place(workload.object, key(&container, &first), message);
            }
        }
    }
}

/// What a liveness probe asks that a new start does not mend.
fn wrong_question<'a>(
    stack: &Stack<'a>,
    workload: &Workload<'a>,
    container: &Container<'a>,
    liveness: &Probe<'a>,
) -> Option<(&'a Node, String)> {
    if is_main_synapse(stack, workload, container) {
        let client = |path: &str| path.starts_with("/_matrix/client") || path.contains("/admin/");
        if let Some(node) = liveness.path().filter(|node| node.as_str().is_some_and(client)) {
            let path = node.as_str().unwrap_or_default();
            let why = format!("{path} waits where people's requests wait; /health does not");
            return Some((node, why));
        }
        let mut words = liveness.node.list("exec.command").iter();
        let asks = |text: &str| ["psql", "pg_isready"].iter().any(|program| text.contains(program));
        let database = words.find(|word| word.as_str().is_some_and(asks))?;
        return Some((
            database,
            "asks the database, which no new start of Synapse mends".to_owned(),
        ));
    }
    let focus = stack.jitsi.jicofo.filter(|it| std::ptr::eq(it.container.node, container.node))?;
    let ill = is_on(stack, &focus, "JICOFO_ENABLE_HEALTH_CHECKS") == Some(true);
    let node = liveness.path().filter(|path| ill && path.as_str() == Some("/about/health"))?;
    let why = "/about/health is bad while Prosody is away, which no new start of the focus mends";
    Some((node, why.to_owned()))
}

fn impatient(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack) {
        for container in workload.main() {
            let Some(liveness) = probe(&container, "livenessProbe") else { continue };
            // What asks the wrong thing is told so already.
            if wrong_question(stack, &workload, &container, &liveness).is_some() {
                continue;
            }
            let readiness = probe(&container, "readinessProbe");
            let as_readiness = readiness.is_some_and(|readiness| {
                asks_the_same(&liveness, &readiness) && gives_up(&liveness) <= gives_up(&readiness)
            });
            let waits = liveness.node.i64("timeoutSeconds").unwrap_or(1);
            let message = if as_readiness {
                "liveness asks what readiness asks, and gives up as soon"
            } else if waits <= 1 && liveness.node.get("tcpSocket").is_none() {
                "liveness waits 1 s for an answer"
            } else {
                continue;
            };
            found.place(workload.object, key(&container, &liveness), message);
        }
    }
}

/// Seconds after which a probe gives up on what was well before.
fn gives_up(probe: &Probe<'_>) -> i64 {
    patience(probe.node) - probe.node.i64("initialDelaySeconds").unwrap_or(0)
}

fn asks_the_same(one: &Probe<'_>, other: &Probe<'_>) -> bool {
    ["httpGet", "tcpSocket", "exec", "grpc"].iter().any(|kind| {
        let both = one.node.get(kind).zip(other.node.get(kind));
        both.is_some_and(|(one, other)| is_same(one, other))
    })
}

/// Whether two values are the same, wherever they stand.
fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::List(ones), Value::List(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(a, b)| is_same(a, b))
        }
        (Value::Map(ones), Value::Map(others)) => {
            ones.len() == others.len()
                && ones.iter().all(|it| other.get(&it.key).is_some_and(|b| is_same(&it.node, b)))
        }
        _ => one.scalar() == other.scalar(),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi, synapse};

    const STARTUP: &str =
        "startupProbe: {httpGet: {path: /health, port: 8008}, failureThreshold: 30}";

    fn with(probes: &[&str]) -> String {
        let image = "image: matrixdotorg/synapse:1.147.0\n";
        let lines: String = probes.iter().map(|probe| format!("        {probe}\n")).collect();
        synapse("server_name: a").replace(image, &format!("{image}{lines}"))
    }

    #[test]
    fn a_migration_is_waited_for() {
        let live = |path: &str| format!("livenessProbe: {{httpGet: {{path: {path}, port: 8008}}}}");
        assert_eq!(found("WL-05", &with(&[])), [""; 0]);
        assert_eq!(found("WL-05", &with(&[STARTUP, &live("/health")])), [""; 0]);
        let expected = "21:9 livenessProbe gives Synapse 30 s, and a migration takes more";
        assert_eq!(found("WL-05", &with(&[&live("/health")])), [expected]);
        let short = "startupProbe: {failureThreshold: 6}";
        let expected = "21:9 startupProbe gives Synapse 60 s, and a migration takes more";
        assert_eq!(found("WL-05", &with(&[short, &live("/health")])), [expected]);
    }

    #[test]
    fn liveness_asks_what_a_start_mends() {
        let versions = "livenessProbe: {httpGet: {path: /_matrix/client/versions, port: 8008}}";
        let expected = "22:41 /_matrix/client/versions waits where people's requests wait; /health \
                        does not";
        assert_eq!(found("WL-05", &with(&[STARTUP, versions])), [expected]);
        assert_eq!(found("WL-06", &with(&[STARTUP, versions])), [""; 0]);
        let database = "livenessProbe: {exec: {command: [pg_isready, -h, db]}}";
        assert_eq!(found("WL-05", &with(&[STARTUP, database])).len(), 1);
        let focus = |variable: &str| {
            let probe = "livenessProbe: {httpGet: {path: /about/health, port: 8888}}";
            let text = jitsi("jicofo", variable, "hostPID: false");
            let text =
                text.replace("        envFrom:", &format!("        {probe}\n        envFrom:"));
            found("WL-05", &text)
        };
        assert_eq!(focus("JICOFO_ENABLE_HEALTH_CHECKS: '1'").len(), 1);
        assert_eq!(focus("TZ: UTC"), [""; 0]);
    }

    #[test]
    fn liveness_is_patient() {
        let probe = |name: &str, more: &str| {
            format!("{name}: {{httpGet: {{path: /health, port: 8008}}{more}}}")
        };
        let ready = probe("readinessProbe", ", timeoutSeconds: 5");
        let of = |more: &str| found("WL-06", &with(&[&ready, &probe("livenessProbe", more)]));
        let expected = "22:9 liveness asks what readiness asks, and gives up as soon";
        assert_eq!(of(", timeoutSeconds: 5"), [expected]);
        assert_eq!(of(", periodSeconds: 30"), ["22:9 liveness waits 1 s for an answer"]);
        assert_eq!(of(", periodSeconds: 30, timeoutSeconds: 5"), [""; 0]);
        let tcp = "livenessProbe: {tcpSocket: {port: 8008}}";
        assert_eq!(found("WL-06", &with(&[&ready, tcp])), [""; 0]);
        let both =
            ["readinessProbe: {tcpSocket: {port: 1}}", "livenessProbe: {tcpSocket: {port: 1}}"];
        assert_eq!(found("WL-06", &with(&both)).len(), 1);
    }
}
