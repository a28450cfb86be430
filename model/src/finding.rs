//! What a check has to say of one instance.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Confidence, Evidence, EvidenceKind, Outcome};

/// A measured value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// Name in `snake_case`, without the unit.
    pub name: String,
    /// Value in `unit`.
    pub value: f64,
    /// `ms`, `s`, `bytes`, `days`, `count` or `ratio`.
    pub unit: String,
}

/// The verdict of a check on one instance (a host, an address, a server), with what proves it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The verdict.
    pub outcome: Outcome,
    /// Tells two findings of one check apart; none where a check has just one.
    pub instance: Option<String>,
    /// One sentence: what was found. Lower case, no full stop.
    pub summary: String,
    /// What had to be seen.
    pub expected: Option<String>,
    /// What was seen.
    pub actual: Option<String>,
    /// Id of the root cause, always there on `fail`.
    pub cause: Option<&'static str>,
    /// What to do, with the reader's own names; where absent the cause's own remedy holds.
    pub remedy: Option<String>,
    /// What proves it.
    pub evidence: Vec<Evidence>,
    /// What was measured on the way.
    pub metrics: Vec<Metric>,
    /// How sure it is that the cause is the one named, where another could show the same.
    pub confidence: Confidence,
    /// The object that it is about, as `Kind name`, and then all that this one stands on; empty
    /// for what is about no object of a cluster.
    pub about: Vec<String>,
    /// May be different in a moment: the engine tries again where the check permits it.
    pub transient: bool,
}

impl Finding {
    fn new(outcome: Outcome, summary: impl Into<String>) -> Self {
        Self {
            outcome,
            instance: None,
            summary: summary.into(),
            expected: None,
            actual: None,
            cause: None,
            remedy: None,
            evidence: Vec::new(),
            metrics: Vec::new(),
            confidence: Confidence::Certain,
            about: Vec::new(),
            transient: false,
        }
    }

    /// Observed to be as it must be.
    pub fn pass(summary: impl Into<String>) -> Self {
        Self::new(Outcome::Pass, summary)
    }

    /// Works, with something an operator should know, of the named cause.
    pub fn warn(cause: &'static str, summary: impl Into<String>) -> Self {
        Self { cause: Some(cause), ..Self::new(Outcome::Warn, summary) }
    }

    /// The target is wrong, for the named cause.
    pub fn fail(cause: &'static str, summary: impl Into<String>) -> Self {
        Self { cause: Some(cause), ..Self::new(Outcome::Fail, summary) }
    }

    /// Could not be measured.
    pub fn error(summary: impl Into<String>) -> Self {
        Self::new(Outcome::Error, summary)
    }

    /// Could not be measured, for a named reason on our own side.
    pub fn error_of(cause: &'static str, summary: impl Into<String>) -> Self {
        Self { cause: Some(cause), ..Self::new(Outcome::Error, summary) }
    }

    /// Not applicable here, and why.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::new(Outcome::Skip, reason)
    }

    /// Names the instance that the finding is about.
    pub fn on(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// What had to be seen.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// What was seen.
    pub fn actual(mut self, actual: impl Into<String>) -> Self {
        self.actual = Some(actual.into());
        self
    }

    /// What to do, with the reader's own names.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds a piece of evidence.
    pub fn evidence(mut self, kind: EvidenceKind, text: impl Into<String>) -> Self {
        self.evidence.push(Evidence::new(kind, text));
        self
    }

    /// Adds several pieces of evidence.
    pub fn evidences(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// Adds a measured value. What is not a finite number was not measured, and JSON has no word
    /// for it: it is left out.
    pub fn metric(mut self, name: &str, value: f64, unit: &str) -> Self {
        if value.is_finite() {
            self.metrics.push(Metric { name: name.into(), value, unit: unit.into() });
        }
        self
    }

    /// Marks that another cause is conceivable; the evidence says what would settle it.
    pub fn likely(mut self) -> Self {
        self.confidence = Confidence::Likely;
        self
    }

    /// Marks that another try may come to something else.
    pub fn transient(mut self) -> Self {
        self.transient = true;
        self
    }
}
