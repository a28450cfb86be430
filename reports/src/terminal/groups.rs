//! Checks of which there is nothing to say but why there is no answer, by reason.

use mxdoctor_model::{CheckReport, Outcome, Report};

use super::causes::keys;
use super::page::{DIM, PLAIN, Page, style};
use crate::verdict::reason;

/// Whether a root cause has said it all.
pub(super) fn explained(report: &Report, check: &CheckReport) -> bool {
    let key = check.key();
    check.outcome == Outcome::Pass
        || report
            .root_causes
            .iter()
            .any(|cause| cause.checks.contains(&key) || cause.consequences.contains(&key))
}

/// Whether there is no more to it than its summary, and that is not of this check alone.
pub(super) fn is_bare(report: &Report, check: &CheckReport) -> bool {
    let alike =
        |other: &&CheckReport| other.outcome == check.outcome && other.summary == check.summary;
    check.evidence.is_empty()
        && check.remedy.is_none()
        && check.expected.is_none()
        && check.actual.is_none()
        && !explained(report, check)
        && report.checks.iter().filter(alike).nth(1).is_some()
}

/// Errors that have but a reason, such as the end of the time.
pub(super) fn unmeasured(page: &mut Page, report: &Report) {
    let errors = report.checks.iter().filter(|check| check.outcome == Outcome::Error);
    let bare: Vec<_> = errors.filter(|check| is_bare(report, check)).collect();
    section(page, report, "not measured", &bare);
}

/// The checks that were not made, other than those folded under a root cause.
pub(super) fn skipped(page: &mut Page, report: &Report) {
    let skips = report.checks.iter().filter(|check| check.outcome == Outcome::Skip);
    let own: Vec<_> = skips.filter(|check| !explained(report, check)).collect();
    section(page, report, "skipped", &own);
}

fn section(page: &mut Page, report: &Report, title: &str, checks: &[&CheckReport]) {
    let outcome = checks.first().map_or(Outcome::Skip, |check| check.outcome);
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for check in checks {
        let reason = reason(report, check);
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, keys)) => keys.push(check.key()),
            None => reasons.push((reason, vec![check.key()])),
        }
    }
    if reasons.is_empty() {
        return;
    }
    page.section(title);
    for (reason, skipped) in &reasons {
        page.put_raw(style(outcome), page.sign(outcome));
        page.space(1);
        page.prose(2, PLAIN, std::slice::from_ref(reason));
        page.space(2);
        page.prose(2, DIM, &[keys(skipped)]);
    }
}
