//! The embedded stack, healthy and broken in each way, checked by the binary as a person would.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use futures_util::StreamExt as _;
use mxdoctor_fixtures::demo::{Demo, FAULTS, Fault};
use mxdoctor_model::{CheckReport, ExitCode, Outcome, Report};

#[path = "../cluster/faults/mod.rs"]
#[expect(dead_code, reason = "what they do is for the tests of the cluster; here they are counted")]
mod cluster;

/// A run's exit code and report.
pub(crate) struct Run {
    code: Option<i32>,
    pub(crate) report: Report,
}

pub(crate) async fn run(fault: Option<&'static Fault>) -> Run {
    let demo = Demo::start(fault).await.expect("the demo starts");
    check(&demo, "stack.toml").await
}

async fn check(demo: &Demo, config: &str) -> Run {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_mxdoctor"))
        .arg("check")
        .arg("-c")
        .arg(demo.folder().join(config))
        .args(["--report", "json", "--allow", "canary"])
        // Runs take turns as the synthetic user, and each demo has one of its own.
        .env("TMPDIR", demo.folder())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the binary runs");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("no report: {error}; {}", String::from_utf8_lossy(&output.stderr))
    });
    Run { code: output.status.code(), report }
}

pub(crate) fn told(entry: &CheckReport) -> String {
    format!(
        "{} {:?} {}: {} ({})",
        entry.key(),
        entry.outcome,
        entry.cause.as_deref().unwrap_or("-"),
        entry.summary,
        entry.blocked_by.as_deref().unwrap_or("not blocked")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_healthy_stack_is_healthy() {
    let Run { code, report } = run(None).await;
    let bad = |entry: &&CheckReport| !matches!(entry.outcome, Outcome::Pass | Outcome::Skip);
    let bad: Vec<_> = report.checks.iter().filter(bad).map(told).collect();
    assert_eq!(bad, Vec::<String>::new());
    let blocked = report.checks.iter().filter(|entry| entry.blocked_by.is_some());
    assert_eq!(blocked.map(told).collect::<Vec<_>>(), Vec::<String>::new());
    assert!(report.root_causes.is_empty());
    assert_eq!(code, Some(ExitCode::Clean as i32));
}

/// Leaves the server name, the account and the way to the network in a file of its own.
fn by_name_alone(demo: &Demo) -> &'static str {
    let parts = demo.stack_toml().split("\n\n");
    const KEPT: [&str; 3] = ["server_name", "[canary]", "[network]"];
    let kept = |part: &&str| KEPT.iter().any(|start| part.starts_with(start));
    let bare: Vec<_> = parts.filter(kept).collect();
    assert_eq!(bare.len(), KEPT.len(), "the file has these parts");
    std::fs::write(demo.folder().join("bare.toml"), bare.join("\n\n")).expect("a file");
    "bare.toml"
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_are_discovered() {
    let demo = Demo::start(None).await.expect("the demo starts");
    let configured = check(&demo, "stack.toml").await.report;
    let Run { code, report } = check(&demo, by_name_alone(&demo)).await;
    let outcomes = |report: &Report| -> BTreeMap<_, _> {
        report.checks.iter().map(|entry| (entry.key(), entry.outcome)).collect()
    };
    assert_eq!(outcomes(&report), outcomes(&configured));
    assert_eq!(code, Some(ExitCode::Clean as i32));
}

/// Faults of which the name alone shows another cause, since that is all that a guest sees.
const UNTOLD: &[(&str, &str)] = &[("bridge-unhealthy", "bridge-unavailable")];

/// Who gives no more than the name sees less, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn no_fault_is_mistaken_for_another_by_name_alone() {
    let runs = futures_util::stream::iter(FAULTS)
        .map(|fault| async move {
            let demo = Demo::start(Some(fault)).await.expect("the demo starts");
            (fault, check(&demo, by_name_alone(&demo)).await.report)
        })
        .buffer_unordered(4)
        .collect::<Vec<_>>()
        .await;
    let mut wrong = BTreeMap::new();
    for (fault, report) in &runs {
        let mistaken = report.checks.iter().filter(|entry| {
            let doubtful = matches!(entry.outcome, Outcome::Warn | Outcome::Fail | Outcome::Error);
            let less = UNTOLD.contains(&(fault.id, entry.cause.as_deref().unwrap_or_default()));
            // What another failure explains is told as its consequence.
            let own = report.root_causes.iter().filter(|root| fault.cause == Some(&root.cause));
            let follows = own.flat_map(|root| &root.consequences).any(|key| *key == entry.key());
            doubtful && entry.cause.as_deref() != fault.cause && !less && !follows
        });
        let mistaken: Vec<_> = mistaken.map(told).collect();
        if !mistaken.is_empty() || report.root_causes.len() > 1 {
            wrong.insert(fault.id, mistaken);
        }
    }
    assert!(wrong.is_empty(), "{} faults are mistaken: {wrong:#?}", wrong.len());
    let seen = runs.iter().filter(|(_, report)| !report.root_causes.is_empty()).count();
    assert!(seen > FAULTS.len() / 2, "{seen} of {} faults are seen", FAULTS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_found_and_nothing_else() {
    let healthy = run(None).await.report;
    let runs = futures_util::stream::iter(FAULTS)
        .map(|fault| async move { (fault, run(Some(fault)).await) })
        .buffer_unordered(4)
        .collect::<Vec<_>>()
        .await;
    let mut wrong = BTreeMap::new();
    for (fault, run) in &runs {
        let complaints = complaints(fault, run, &healthy);
        if !complaints.is_empty() {
            wrong.insert(fault.id, complaints);
        }
    }
    assert_eq!(runs.len(), FAULTS.len());
    assert!(wrong.is_empty(), "{} faults are seen wrongly: {wrong:#?}", wrong.len());
}

/// What is wrong with how a fault was seen.
fn complaints(fault: &Fault, run: &Run, healthy: &Report) -> Vec<String> {
    let report = &run.report;
    let mut all = Vec::new();
    let (outcome, code) = match (fault.cause, fault.warns) {
        (None, _) => (Outcome::Skip, ExitCode::Clean),
        (Some(_), true) => (Outcome::Warn, ExitCode::Clean),
        (Some(_), false) => (Outcome::Fail, ExitCode::Findings),
    };
    let seen = report.checks.iter().any(|entry| {
        entry.id == fault.check && entry.outcome == outcome && entry.cause.as_deref() == fault.cause
    });
    if !seen {
        all.push(format!("{} is not {outcome:?} for {:?}", fault.check, fault.cause));
    }
    let ranked = report.root_causes.iter().map(|root| root.cause.as_str());
    // Warnings are told and not ranked.
    if !ranked.clone().eq(fault.cause.filter(|_| !fault.warns)) {
        all.push(format!("the root causes are {:?}", ranked.collect::<Vec<_>>()));
    }
    if run.code != Some(code as i32) {
        all.push(format!("the exit code is {:?}", run.code));
    }
    let explained = explained(fault, report, healthy);
    let others = report.checks.iter().filter(|entry| {
        entry.outcome != Outcome::Pass && !explained.contains(entry.key().as_str())
    });
    all.extend(others.map(told));
    all
}

/// Keys of the checks that are not pass for the fault's sake: they name its cause, or are blocked
/// by one that does, directly or not; or they are skipped in the healthy stack too. What our own
/// side is held against may be all gone, which is a skip and not the target's.
fn explained(fault: &Fault, report: &Report, healthy: &Report) -> BTreeSet<String> {
    let skipped = |entry: &CheckReport| entry.outcome == Outcome::Skip;
    let anyway: BTreeSet<_> =
        healthy.checks.iter().filter(|entry| skipped(entry)).map(CheckReport::key).collect();
    let mut keys: BTreeSet<String> = report
        .checks
        .iter()
        .filter(|entry| {
            let ours = entry.family == "vantage";
            let own = entry.id == fault.check;
            (fault.cause.is_some() && entry.cause.as_deref() == fault.cause)
                || (skipped(entry)
                    && entry.blocked_by.is_none()
                    && (ours || own || anyway.contains(&entry.key())))
        })
        .map(CheckReport::key)
        .collect();
    let roots = report.root_causes.iter().filter(|root| fault.cause == Some(root.cause.as_str()));
    keys.extend(roots.flat_map(|root| root.consequences.iter().cloned()));
    loop {
        let more: Vec<_> = report
            .checks
            .iter()
            .filter(|entry| skipped(entry) && !keys.contains(&entry.key()))
            .filter(|entry| entry.blocked_by.as_ref().is_some_and(|by| keys.contains(by)))
            .map(CheckReport::key)
            .collect();
        if more.is_empty() {
            return keys;
        }
        keys.extend(more);
    }
}

#[test]
fn faults_have_ids_of_their_own() {
    let ids: BTreeSet<_> = FAULTS.iter().map(|fault| fault.id).collect();
    assert_eq!(ids.len(), FAULTS.len());
    assert!(FAULTS.len() >= 25);
    for fault in FAULTS {
        assert!(mxdoctor_checks::check(fault.check).is_some(), "{}: {}", fault.id, fault.check);
        let known = fault.cause.is_none_or(|cause| mxdoctor_checks::cause(cause).is_some());
        assert!(known, "{}: {:?}", fault.id, fault.cause);
    }
}

/// Checks that no fault makes fail, here or on the real stack, and why.
const EXCUSED: &[(&str, &str)] = &[
    ("vantage.clock", "trouble on our own side is an error"),
    ("vantage.ipv6", "trouble on our own side is an error"),
    ("jitsi.jvb_health", "on loopback servers, in the tests of the checks"),
    ("jitsi.jicofo_health", "on loopback servers, in the tests of the checks"),
    ("jitsi.prosody_health", "on loopback servers, in the tests of the checks"),
    ("federation.signed_request", "on loopback servers and a real Synapse, with an own identity"),
    ("ingress.http2", "warns at most"),
    ("ingress.hsts", "warns at most"),
    ("element.cache", "warns at most"),
    ("dns.caa", "judges public authorities only, whose certificates no test has"),
    ("database.version", "needs a PostgreSQL that is out of support"),
    ("database.tls", "needs a PostgreSQL with and without TLS"),
    ("tls.ocsp_ct", "judges staples and public authorities' logs, of which no test has any"),
    ("ingress.client_address", "on loopback servers, in the tests of the checks"),
    ("ingress.long_poll", "takes a minute; on the real stack, where it is asked for"),
    ("synapse.rate_limit_shape", "warns at most"),
    ("canary.register", "on loopback servers, in the tests of the checks"),
    (
        "kubernetes.permissions",
        "warns at most, and says each missing rule, in the tests of the cluster",
    ),
    ("kubernetes.secrets", "looks with a right of its own alone, in the tests of the cluster"),
    ("dns.cluster", "looks from a pod alone"),
    ("ingress.hops_agree", "needs an API server"),
];

#[test]
fn every_check_has_a_fault() {
    let embedded = FAULTS.iter().map(|fault| fault.check);
    let real = mxdoctor_fixtures::stack::FAULTS.iter().map(|fault| fault.check);
    let calls = mxdoctor_fixtures::stack::CALL_FAULTS.iter().map(|row| row.fault.check);
    let live = cluster::all().map(|fault| fault.check);
    let seen: BTreeSet<_> = embedded.chain(real).chain(calls).chain(live).collect();
    let wrong: Vec<_> = mxdoctor_checks::REGISTRY
        .iter()
        .map(|check| check.id)
        .filter(|id| seen.contains(id) == EXCUSED.iter().any(|(excused, _)| excused == id))
        .collect();
    assert_eq!(wrong, Vec::<&str>::new());
}
