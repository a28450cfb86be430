//! The live checks on the reference stack.

use libtest_mimic::Failed;

use super::bench::{Bench, ensure, string, text};

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
