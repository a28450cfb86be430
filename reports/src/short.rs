//! For `grep` and `cron`: one line a finding that is not a pass, and one of summary.

use std::fmt::Write;

use mxdoctor_model::{Outcome, Report};

use crate::text::{clean_line, span};
use crate::verdict::{reason, verdict};

/// Lines of `OUTCOME KEY: SUMMARY (CAUSE)`, the last one with the server name for key.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    for check in report.checks.iter().filter(|check| check.outcome != Outcome::Pass) {
        let key = clean_line(&check.key());
        let _ = match check.outcome {
            Outcome::Skip => write!(text, "skip {key}: {}", reason(report, check)),
            outcome => write!(text, "{outcome} {key}: {}", clean_line(&check.summary)),
        };
        if let Some(cause) = &check.cause {
            let _ = write!(text, " ({})", clean_line(cause));
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
