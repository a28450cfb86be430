//! For `grep` and `cron`: one line a finding that is not a pass, and one of summary.

use std::fmt::Write;

use mxdoctor_model::{Outcome, Report};

use crate::text::{clean_line, span};
use crate::verdict::verdict;

/// Lines of `OUTCOME KEY: SUMMARY (CAUSE)`, the last one with the server name for key.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    for check in report.checks.iter().filter(|check| check.outcome != Outcome::Pass) {
        let (key, summary) = (clean_line(&check.key()), clean_line(&check.summary));
        let _ = write!(text, "{} {key}: {summary}", check.outcome);
        match (&check.cause, &check.blocked_by) {
            (Some(cause), _) => _ = write!(text, " ({})", clean_line(cause)),
            (None, Some(by)) if !check.summary.contains(by.as_str()) => {
                _ = write!(text, " (blocked by {})", clean_line(by))
            }
            (None, _) => {}
        }
        text.push('\n');
    }
    let (verdict, sum) = (verdict(report), &report.summary);
    let _ = writeln!(
        text,
        "{} {}; {} pass, {} warn, {} fail, {} error, {} skip in {}",
        verdict.outcome,
        verdict.words,
        sum.pass,
        sum.warn,
        sum.fail,
        sum.error,
        sum.skip,
        span(report.run.duration_ms),
    );
    text
}
