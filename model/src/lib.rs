//! The vocabulary of mxdoctor: outcomes, findings, events and the run report.
//!
//! A light leaf: no network, no logic, nothing that needs to know what a check does. Everything
//! here that is serialised is a public interface under [`SCHEMA_VERSION`]: within one version
//! fields are only added.

mod event;
mod evidence;
mod exit;
mod finding;
mod outcome;
mod report;
mod rule;
mod vantage;

pub use event::Event;
pub use evidence::{Evidence, EvidenceKind};
pub use exit::ExitCode;
pub use finding::{Finding, Metric};
pub use outcome::{Outcome, Summary};
pub use report::{CheckReport, Confidence, FactSpan, Report, RootCause, Run, Tool, check_key};
pub use rule::{Location, RuleFinding};
pub use vantage::Vantage;

/// Version of the JSON report. Raised only when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// JSON Schema (draft 2020-12) of [`Report`].
pub fn report_schema() -> serde_json::Value {
    schemars::schema_for!(Report).into()
}
