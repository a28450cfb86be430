//! From a check's verdict to entries of the report.

use mxdoctor_checks::{Check, Entry, Unavailable, cause, check};
use mxdoctor_model::{CheckReport, Finding, Outcome, Vantage, check_key};

use super::redact::Redactor;

/// Where the manual pages are, from the root of the repository.
pub(crate) const DOCS: &str = "docs/";

/// When a check ran, and how.
#[derive(Debug, Clone, Default)]
pub(super) struct Timing {
    pub started_ms: u64,
    pub duration_ms: u64,
    pub attempts: u32,
    pub asked: Vec<String>,
}

/// The entries of one check, and what kept it from looking at instances.
pub(super) fn reports(
    check: &'static Check,
    vantage: Vantage,
    entries: Vec<Entry>,
    timing: &Timing,
    redactor: &Redactor,
) -> (Vec<CheckReport>, Vec<Unavailable>) {
    let mut reports: Vec<CheckReport> = Vec::new();
    let mut blockers = Vec::new();
    for entry in entries {
        let (finding, blocked_by) = match entry {
            Entry::Finding(finding) => (finding, None),
            Entry::Blocked { instance, by } if by.owner == check.id => {
                let finding = *by.finding;
                let instance = finding.instance.clone().or(instance);
                (Finding { instance, ..finding }, None)
            }
            Entry::Blocked { instance, by } => {
                let key = check_key(by.owner, by.finding.instance.as_deref(), vantage);
                let skip = Finding::skip(by.finding.summary.clone());
                blockers.push(by);
                (Finding { instance, ..skip }, Some(key))
            }
        };
        // Two hosts that fail for one fact are one entry of its owner.
        let twice = |known: &CheckReport| {
            known.instance == finding.instance && known.summary == finding.summary
        };
        if !reports.iter().any(twice) {
            reports.push(report(
                Subject::of(check),
                vantage,
                finding,
                blocked_by,
                timing,
                redactor,
            ));
        }
    }
    (reports, blockers)
}

/// The owner's entry for a fact that nobody reported: the owner was not selected, or did not look
/// at that instance.
pub(super) fn owner_report(by: &Unavailable, vantage: Vantage, redactor: &Redactor) -> CheckReport {
    let owner = check(by.owner).map_or(Subject { id: by.owner, title: by.owner }, Subject::of);
    let timing = Timing { attempts: 1, ..Timing::default() };
    report(owner, vantage, (*by.finding).clone(), None, &timing, redactor)
}

/// Whose entry it is.
#[derive(Clone, Copy)]
struct Subject {
    id: &'static str,
    title: &'static str,
}

impl Subject {
    fn of(check: &Check) -> Self {
        Self { id: check.id, title: check.title }
    }
}

fn report(
    subject: Subject,
    vantage: Vantage,
    finding: Finding,
    blocked_by: Option<String>,
    timing: &Timing,
    redactor: &Redactor,
) -> CheckReport {
    let clean = |text: String| redactor.clean(&text);
    let remedy = finding.remedy.or_else(|| {
        let bad = matches!(finding.outcome, Outcome::Warn | Outcome::Fail | Outcome::Error);
        finding.cause.filter(|_| bad).and_then(cause).map(|cause| cause.remedy.to_owned())
    });
    let mut evidence = finding.evidence;
    for piece in &mut evidence {
        piece.text = redactor.clean(&piece.text);
    }
    CheckReport {
        id: subject.id.to_owned(),
        instance: finding.instance.map(clean),
        family: subject.id.split('.').next().unwrap_or_default().to_owned(),
        vantage,
        title: subject.title.to_owned(),
        outcome: finding.outcome,
        summary: redactor.clean(&finding.summary),
        expected: finding.expected.map(clean),
        actual: finding.actual.map(clean),
        cause: finding.cause.map(str::to_owned),
        confidence: finding.cause.map(|_| finding.confidence),
        remedy: remedy.map(clean),
        docs_url: format!("{DOCS}checks/{}.md", subject.id),
        blocked_by,
        started_ms: timing.started_ms,
        duration_ms: timing.duration_ms,
        attempts: timing.attempts,
        evidence,
        metrics: finding.metrics,
        waited_for: timing.asked.clone(),
        rule: None,
        about: finding.about,
    }
}

/// The entry of a check that was cut short.
pub(super) fn interrupted(
    check: &'static Check,
    vantage: Vantage,
    reason: &str,
    timing: &Timing,
    redactor: &Redactor,
) -> CheckReport {
    let finding = Finding::error(format!("interrupted: {reason}"));
    report(Subject::of(check), vantage, finding, None, timing, redactor)
}
