//! Workflow commands of GitHub, which it shows at the lines of a change.
//!
//! <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>

use std::fmt::Write;

use mxdoctor_model::{CheckReport, Outcome, Report};

use crate::short;
use crate::text::clean_line;

/// One command a finding that is not a pass or a skip, and the line of summary of [`short`].
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    for check in &report.checks {
        let command = match check.outcome {
            Outcome::Pass | Outcome::Skip => continue,
            Outcome::Warn => match check.rule.as_ref().map(|rule| rule.severity.as_str()) {
                Some("info") => "notice",
                _ => "warning",
            },
            Outcome::Error | Outcome::Fail => "error",
        };
        let _ = writeln!(text, "::{command} {}::{}", properties(check), data(&message(check)));
    }
    let all = short::render(report);
    text.push_str(all.lines().next_back().unwrap_or_default());
    text.push('\n');
    text
}

fn properties(check: &CheckReport) -> String {
    let mut all = Vec::new();
    let found = check.rule.as_ref();
    if let Some(at) = found.and_then(|rule| rule.locations.first()).filter(|at| at.line > 0) {
        let path = at.path.strip_prefix("./").unwrap_or(&at.path);
        all.push(format!("file={}", property(path)));
        all.push(format!("line={},col={}", at.line, at.column));
        all.push(format!("endColumn={}", at.column.saturating_add(at.length)));
    }
    all.push(format!("title={}", property(found.map_or(&check.id, |rule| &rule.rule))));
    all.join(",")
}

fn message(check: &CheckReport) -> String {
    let mut text = clean_line(&check.summary);
    if let Some(rule) = &check.rule {
        text.push_str(&format!("\nat run time: {}", clean_line(&rule.breaks)));
    }
    if let Some(remedy) = &check.remedy {
        text.push_str(&format!("\nwhat to do: {}", clean_line(remedy)));
    }
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&clean_line(text)).replace(':', "%3A").replace(',', "%2C")
}
