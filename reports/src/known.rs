//! What is known of a run before it ends.

use std::collections::HashMap;

use mxdoctor_model::{Event, Report, Summary};

/// Gathers events, so that a run that never ends as it should still has a report.
#[derive(Default)]
pub(crate) struct Known {
    report: Option<Report>,
    /// Where the entry of each key stands: a report may have thousands.
    entries: HashMap<String, usize>,
}

impl Known {
    /// Takes an event.
    pub(crate) fn take(&mut self, event: &Event) {
        match event {
            Event::RunStarted { schema_version, tool, run, .. } => {
                self.entries.clear();
                self.report = Some(Report {
                    schema_version: *schema_version,
                    tool: tool.clone(),
                    run: run.clone(),
                    summary: Summary::default(),
                    root_causes: Vec::new(),
                    checks: Vec::new(),
                    facts: Vec::new(),
                });
            }
            Event::CheckFinished { check } => {
                let Some(report) = &mut self.report else { return };
                let next = report.checks.len();
                let at = *self.entries.entry(check.key()).or_insert(next);
                match report.checks.get_mut(at) {
                    Some(known) => known.clone_from(check),
                    None => report.checks.push((**check).clone()),
                }
            }
            Event::RunFinished { .. } => self.report = None,
            Event::CheckStarted { .. } | Event::CheckEnded { .. } => {}
        }
    }

    /// The report of a run that began and did not end; `why` is said in it. None when it ended, or
    /// never began.
    pub(crate) fn cut_short(&mut self, why: &str) -> Option<Report> {
        let mut report = self.report.take()?;
        report.summary = Summary::of(report.checks.iter().map(|check| check.outcome));
        let ends = report.checks.iter().map(|c| c.started_ms.saturating_add(c.duration_ms));
        report.run.duration_ms = ends.max().unwrap_or(0);
        report.run.interrupted = Some(why.to_owned());
        Some(report)
    }
}
