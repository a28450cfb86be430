//! The answer of a run in words.

use mxdoctor_model::{Outcome, Report, RootCause};

use crate::text::{clean_line, count};

/// What the run says of the target, and how bad that is.
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    /// A clause that begins with the server's name.
    pub(crate) words: String,
}

/// The verdict of a whole report. Good only where something was seen to be good.
pub(crate) fn verdict(report: &Report) -> Verdict {
    let summary = &report.summary;
    let target = clean_line(&report.run.target);
    let (outcome, mut words) = if summary.fail > 0 {
        let wrong = match causes(report, Outcome::Fail) {
            0 => count(summary.fail, "failed check"),
            causes => count(causes, "cause"),
        };
        (Outcome::Fail, format!("{target} does not work for the people who use it: {wrong}"))
    } else if summary.error > 0 {
        let (whole, checks) = match summary.pass + summary.warn {
            0 => ("", count(summary.error, "check")),
            _ => (" in full", format!("{} of {}", summary.error, count(summary.total(), "check"))),
        };
        let words = format!("{target} could not be measured{whole}: {checks} without an answer");
        (Outcome::Error, words)
    } else if summary.pass + summary.warn == 0 {
        (Outcome::Skip, format!("nothing was checked on {target}"))
    } else if summary.warn > 0 {
        let things = count(summary.warn, "thing");
        (Outcome::Warn, format!("{target} works for the people who use it, with {things} to know"))
    } else {
        (Outcome::Pass, format!("{target} works for the people who use it"))
    };
    if let Some(why) = &report.run.interrupted {
        words.push_str(&format!(" (cut short: {})", clean_line(why)));
    }
    Verdict { outcome, words }
}

fn causes(report: &Report, outcome: Outcome) -> usize {
    report.root_causes.iter().filter(|cause| weight(report, cause) == outcome).count()
}

/// How bad a root cause is: the worst of the checks that saw it.
pub(crate) fn weight(report: &Report, cause: &RootCause) -> Outcome {
    let saw = report.checks.iter().filter(|check| cause.checks.contains(&check.key()));
    saw.map(|check| check.outcome).max().unwrap_or(Outcome::Fail)
}
