//! Runs as they come about on the reference stack, written by hand.

mod broken;
mod healthy;

pub(crate) use broken::{interrupted, one_cause, own_error, skipped, two_causes};
pub(crate) use healthy::healthy;

use mxdoctor_model::{
    CheckReport, Confidence, Evidence, EvidenceKind, FactSpan, Metric, Outcome, Report, RootCause,
    Run, SCHEMA_VERSION, Summary, Tool, Vantage,
};

/// The hosts of the reference stack.
pub(crate) const HOSTS: [&str; 4] = [
    "testing.borooka.ee",
    "matrix.testing.borooka.ee",
    "element.testing.borooka.ee",
    "meet.testing.borooka.ee",
];

/// Every run by name.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("healthy", healthy()),
        ("one-cause", one_cause()),
        ("two-causes", two_causes()),
        ("own-error", own_error()),
        ("interrupted", interrupted()),
        ("skipped", skipped()),
    ]
}

/// A check's report, to be filled in.
pub(crate) fn check(id: &str, outcome: Outcome, summary: &str) -> CheckReport {
    let family = id.split('.').next().unwrap_or(id);
    CheckReport {
        id: id.to_owned(),
        instance: None,
        family: family.to_owned(),
        vantage: Vantage::Public,
        title: title(id).to_owned(),
        outcome,
        summary: summary.to_owned(),
        expected: None,
        actual: None,
        cause: None,
        confidence: None,
        remedy: None,
        docs_url: format!("docs/checks/{id}.md"),
        blocked_by: None,
        started_ms: 12,
        // Something that differs, and stays the same from run to run.
        duration_ms: summary.len() as u64 * 7 % 240,
        attempts: 1,
        evidence: Vec::new(),
        metrics: Vec::new(),
        waited_for: Vec::new(),
        rule: None,
        about: Vec::new(),
    }
}

pub(crate) fn pass(id: &str, summary: &str) -> CheckReport {
    check(id, Outcome::Pass, summary)
}

pub(crate) fn skip(id: &str, reason: &str) -> CheckReport {
    CheckReport { duration_ms: 0, ..check(id, Outcome::Skip, reason) }
}

pub(crate) fn blocked(id: &str, by: &str, reason: &str) -> CheckReport {
    CheckReport { blocked_by: Some(by.to_owned()), ..skip(id, reason) }
}

/// Builders of what tests read often.
pub(crate) trait With: Sized {
    fn on(self, instance: &str) -> Self;
    fn from(self, vantage: Vantage) -> Self;
    fn metric(self, name: &str, value: f64, unit: &str) -> Self;
    fn seen(self, kind: EvidenceKind, text: &str) -> Self;
}

impl With for CheckReport {
    fn on(mut self, instance: &str) -> Self {
        self.instance = Some(instance.to_owned());
        self
    }

    fn from(mut self, vantage: Vantage) -> Self {
        self.vantage = vantage;
        self
    }

    fn metric(mut self, name: &str, value: f64, unit: &str) -> Self {
        self.metrics.push(Metric { name: name.to_owned(), value, unit: unit.to_owned() });
        self
    }

    fn seen(mut self, kind: EvidenceKind, text: &str) -> Self {
        self.evidence.push(Evidence::new(kind, text));
        self
    }
}

/// A root cause seen by one check, which it is read from.
pub(crate) fn root(
    title: &str,
    remedy: &str,
    check: &CheckReport,
    consequences: &[&str],
) -> RootCause {
    let cause = check.cause.clone().expect("a check that names a cause");
    RootCause {
        title: title.to_owned(),
        confidence: Confidence::Certain,
        checks: vec![check.key()],
        summary: check.summary.clone(),
        remedy: remedy.to_owned(),
        docs_url: format!("docs/causes/{cause}.md"),
        evidence: check.evidence.clone(),
        consequences: consequences.iter().map(|key| (*key).to_owned()).collect(),
        cause,
    }
}

pub(crate) fn report(checks: Vec<CheckReport>, root_causes: Vec<RootCause>, ms: u64) -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "mxdoctor".into(), version: "0.1.0".into() },
        run: Run {
            id: "01JD9Z6T3M5Q8W0X2Y4Z6A8B0C".into(),
            started_at: "2026-01-24T02:07:31.482Z".into(),
            duration_ms: ms,
            target: "testing.borooka.ee".into(),
            vantages: vec![Vantage::Public],
            interrupted: None,
        },
        summary: Summary::of(checks.iter().map(|check| check.outcome)),
        root_causes,
        checks,
        facts: vec![FactSpan {
            name: "addresses matrix.testing.borooka.ee".into(),
            vantage: Vantage::Public,
            started_ms: 1,
            duration_ms: 11,
            waited_for: Vec::new(),
        }],
    }
}

fn title(id: &str) -> &'static str {
    match id {
        "dns.address" => "every host of the stack resolves",
        "tls.validity" => "certificates are in their dates",
        "jitsi.udp" => "the bridge answers on its UDP port",
        "federation.well_known" => "the server well-known is served and valid",
        _ => "holds as the manual page says",
    }
}
