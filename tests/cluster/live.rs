//! The live checks on the reference stack.

use libtest_mimic::Failed;
use serde_json::Value;

use super::bench::{Bench, Report, ensure, key, name, string, strings, text};
use super::faults::{self, Fault, Step};
use super::inject::Broken;

/// The checks that cannot look with the shipped permissions, and the words by which they say so.
const IDLE: &[(&str, &str)] = &[("kubernetes.secrets", "missing rule")];

/// Nothing is wrong, nothing is doubtful, nothing is unmeasured.
pub(super) fn healthy(bench: &Bench) -> Result<(), Failed> {
    let report = bench.stack()?.report()?;
    ensure(report.listing(&["fail", "error", "warn"]).is_empty(), || report.bad())?;
    ensure(report.code == Some(0) && report.causes().is_empty(), || report.bad())?;
    for entry in report.checks() {
        let (id, said) = (string(&entry["id"]), string(&entry["summary"]));
        let idle = IDLE.iter().find(|(idle, _)| *idle == id);
        match (entry["outcome"] == "skip", idle) {
            (false, None) => {}
            (true, Some((_, word))) if said.contains(word) => {}
            _ => return Err(format!("{id} is {}: {said}", entry["outcome"]).into()),
        }
    }
    let seen = report.checks().len();
    ensure(seen >= 24, || format!("only {seen} checks have looked"))
}

/// The same for a person.
pub(super) fn healthy_to_read(bench: &Bench) -> Result<(), Failed> {
    let output = bench.stack()?.check().output()?;
    let said = text(&output);
    ensure(output.status.code() == Some(0), || said.clone())?;
    ensure(said.contains("kubernetes.pods"), || said)
}

/// The fault is found by its check, its cause is the only one, and nothing else is bad that it
/// does not explain.
pub(super) fn broken(bench: &Bench, fault: &Fault) -> Result<(), Failed> {
    let stack = bench.aged()?;
    let broken = Broken::by(&stack.cluster, fault.steps)?;
    let report = stack.report();
    broken.heal()?;
    let report = report?;
    ensure(report.code == Some(i32::from(fault.outcome == "fail")), || report.bad())?;
    let mut explained = Vec::new();
    if fault.outcome == "fail" {
        let [cause] = report.causes() else { return Err(report.bad().into()) };
        ensure(cause["cause"] == fault.cause, || report.bad())?;
        let found = strings(&cause["checks"]);
        ensure(found.iter().any(|key| name(key) == fault.check), || report.bad())?;
        explained = [found, strings(&cause["consequences"])].concat();
    } else {
        ensure(report.causes().is_empty(), || report.bad())?;
    }
    let mut said = false;
    for entry in report.checks() {
        let (id, outcome) = (string(&entry["id"]), string(&entry["outcome"]));
        let own = id == fault.check && entry["cause"] == fault.cause;
        said |= own && outcome == fault.outcome;
        let well = outcome == "pass"
            || (outcome == "skip" && IDLE.iter().any(|(idle, _)| *idle == id))
            || (outcome == "warn" && (own || fault.also.contains(&&*id)));
        let follows = explained.contains(&key(entry));
        ensure(well || follows, || format!("{} is not explained\n{}", key(entry), report.bad()))?;
    }
    ensure(said, || report.bad())
}

/// Two faults at once: each has its own cause, with its own consequences.
pub(super) fn two_at_once(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.aged()?;
    let steps = |id: &str| {
        let fault = faults::all().find(|fault| fault.id == id);
        fault.map(|fault| fault.steps).ok_or_else(|| Failed::from(format!("no fault {id}")))
    };
    let first = Broken::by(&stack.cluster, steps("crash")?)?;
    let second = Broken::by(&stack.cluster, steps("endpoints")?);
    let report = stack.report();
    let healed = second.and_then(Broken::heal);
    first.heal()?;
    healed?;
    let report = report?;
    let of = |id: &str| report.causes().iter().find(|cause| cause["cause"] == id);
    let (Some(crash), Some(endpoints)) = (of("container-crashes"), of("endpoints-not-ready"))
    else {
        return Err(report.bad().into());
    };
    ensure(report.causes().len() == 2, || report.bad())?;
    let below = |cause: &Value| strings(&cause["consequences"]).join(" ");
    ensure(below(crash).contains("Service prosody"), || report.bad())?;
    ensure(!below(crash).contains("element"), || report.bad())?;
    ensure(strings(&endpoints["checks"]).join(" ").contains("Service element"), || report.bad())?;
    ensure(below(endpoints).contains("IngressRoute element"), || report.bad())
}

/// Without its Secret nothing is started anew; seen only by who may look at Secrets.
pub(super) fn secret_gone(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.aged()?;
    let look = || Report::of(&mut stack.check_as(&stack.cluster.kubeconfig()));
    let healthy = look()?;
    ensure(healthy.listing(&["fail", "error", "warn", "skip"]).is_empty(), || healthy.bad())?;
    let gone = [Step::Remove("v1/secrets/jitsi-secrets")];
    let broken = Broken::by(&stack.cluster, &gone)?;
    let report = look();
    broken.heal()?;
    let report = report?;
    let [cause] = report.causes() else { return Err(report.bad().into()) };
    ensure(cause["cause"] == "secret-missing" && report.code == Some(1), || report.bad())?;
    let found = strings(&cause["checks"]);
    for check in ["kubernetes.secrets", "kubernetes.sealed_secrets"] {
        ensure(found.iter().any(|key| name(key) == check), || report.bad())?;
    }
    Ok(())
}
