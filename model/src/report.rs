//! The report of one run, as serialised to JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Evidence, Metric, Outcome, RuleFinding, Summary, Vantage};

/// What one run found. The public JSON document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Always [`crate::SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Who wrote it.
    pub tool: Tool,
    /// Which run it was.
    pub run: Run,
    /// How many checks came to what.
    pub summary: Summary,
    /// What is wrong, most important first, each with what follows from it.
    pub root_causes: Vec<RootCause>,
    /// Every check, in the registry's order, one entry an instance.
    pub checks: Vec<CheckReport>,
    /// The observations that the checks shared, for drawing the waterfall.
    #[serde(default)]
    pub facts: Vec<FactSpan>,
}

/// Who wrote a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `mxdoctor`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Which run a report is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Unique among runs.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
    /// The server name that was checked.
    pub target: String,
    /// Where it looked from.
    pub vantages: Vec<Vantage>,
    /// Set where the run was cut short: `deadline` or the name of a signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<String>,
}

/// How sure a diagnosis is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Another cause would show the same.
    Possible,
    /// Fits all that was seen; another cause is conceivable.
    Likely,
    /// Directly observed.
    Certain,
}

impl Confidence {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// One thing that is wrong, with everything that follows from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RootCause {
    /// Id of the cause.
    pub cause: String,
    /// One line for a person.
    pub title: String,
    /// How sure the diagnosis is.
    pub confidence: Confidence,
    /// Keys (`id`, `id[instance]`) of the checks that saw it.
    pub checks: Vec<String>,
    /// What the first of these checks found.
    pub summary: String,
    /// What to do.
    pub remedy: String,
    /// Manual page of the cause.
    pub docs_url: String,
    /// What proves it.
    pub evidence: Vec<Evidence>,
    /// Keys of the checks that fail or are skipped because of it.
    pub consequences: Vec<String>,
}

/// One check on one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckReport {
    /// `family.name`.
    pub id: String,
    /// Tells two entries of one check apart: a host, an address.
    pub instance: Option<String>,
    /// The part of the id before the dot.
    pub family: String,
    /// Where it looked from.
    pub vantage: Vantage,
    /// What must be true.
    pub title: String,
    /// The verdict.
    pub outcome: Outcome,
    /// What was found, or the reason of a skip.
    pub summary: String,
    /// What had to be seen.
    pub expected: Option<String>,
    /// What was seen.
    pub actual: Option<String>,
    /// Id of the root cause.
    pub cause: Option<String>,
    /// How sure it is that the cause is the one named; none where there is no cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// What to do.
    pub remedy: Option<String>,
    /// Manual page of the check.
    pub docs_url: String,
    /// Key of the check that keeps this one from being made.
    pub blocked_by: Option<String>,
    /// Milliseconds from the start of the run.
    pub started_ms: u64,
    /// Milliseconds.
    pub duration_ms: u64,
    /// How often it was tried; a pass on more than one is flaky.
    pub attempts: u32,
    /// What proves it.
    pub evidence: Vec<Evidence>,
    /// What was measured.
    pub metrics: Vec<Metric>,
    /// Names of the facts that it asked for.
    #[serde(default)]
    pub waited_for: Vec<String>,
    /// What a rule over manifests found, where it is the entry of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleFinding>,
    /// The object that it is about and what this one stands on, for the diagnosis; no part of the
    /// document.
    #[serde(skip)]
    pub about: Vec<String>,
}

impl CheckReport {
    /// `id` or `id[instance]`, and `@vantage` where it is the internal one or the cluster: what
    /// [`CheckReport::blocked_by`] and root causes refer to.
    pub fn key(&self) -> String {
        check_key(&self.id, self.instance.as_deref(), self.vantage)
    }
}

/// The key of a check's report: `id`, `id[instance]`, with `@vantage` unless public or of files.
pub fn check_key(id: &str, instance: Option<&str>, vantage: Vantage) -> String {
    let mut key = id.to_owned();
    if let Some(instance) = instance {
        key.push_str(&format!("[{instance}]"));
    }
    if !matches!(vantage, Vantage::Public | Vantage::Files) {
        key.push_str(&format!("@{vantage}"));
    }
    key
}

/// One shared observation, in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FactSpan {
    /// Name of the fact with its key.
    pub name: String,
    /// Where it looked from.
    pub vantage: Vantage,
    /// Milliseconds from the start of the run.
    pub started_ms: u64,
    /// Milliseconds, including those spent waiting for other facts.
    pub duration_ms: u64,
    /// Names of the facts that it asked for.
    pub waited_for: Vec<String>,
}
