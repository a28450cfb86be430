//! Whole runs against back ends that do what none should: each ends in time, with the verdict that
//! a person can use.

use std::collections::BTreeMap;
use std::time::Duration;

use mxdoctor_fixtures::demo::{Fault, HOSTILE};
use mxdoctor_model::{CheckReport, Outcome};

use super::demo::{Run, run, told};

/// More than all stages together may take.
const BOUND: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_back_end_is_told_or_makes_no_difference() {
    let mut wrong = BTreeMap::new();
    for fault in HOSTILE {
        let run = tokio::time::timeout(BOUND, run(Some(fault))).await;
        let complaints = match run {
            Ok(run) => complaints(fault, &run),
            Err(_) => vec![format!("no verdict within {BOUND:?}")],
        };
        if !complaints.is_empty() {
            wrong.insert(fault.id, complaints);
        }
    }
    assert!(wrong.is_empty(), "{} runs went wrong: {wrong:#?}", wrong.len());
}

fn complaints(fault: &Fault, run: &Run) -> Vec<String> {
    let jitsi = |entry: &&CheckReport| entry.family == "jitsi";
    let calls = run.report.checks.iter().filter(jitsi);
    let roots: Vec<_> = run.report.root_causes.iter().map(|root| root.cause.as_str()).collect();
    let mut all = Vec::new();
    if !roots.iter().copied().eq(fault.cause) {
        all.push(format!("the root causes are {roots:?}"));
    }
    for entry in calls {
        // Who has no stream left cannot ask whether the room is gone.
        let unasked = entry.id == "jitsi.cleanup" && fault.cause == Some("xmpp-stream-broken");
        let own = entry.id == fault.check;
        let fits = match (fault.cause, own) {
            (Some(cause), true) => {
                entry.outcome == Outcome::Fail
                    && entry.cause.as_deref() == Some(cause)
                    && !entry.summary.is_empty()
            }
            (None, true) => entry.outcome == Outcome::Pass,
            // Our own trouble is not what a hostile server makes for us.
            (_, false) => entry.outcome != Outcome::Error || unasked,
        };
        if !fits {
            all.push(told(entry));
        }
    }
    all
}
