//! One check, under its time limit and with its retries.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use mxdoctor_checks::{Check, Cx, Entry, Findings, Verdict};
use mxdoctor_model::{Finding, Outcome};
use tokio::time::Instant;

/// What a check came to.
pub(super) struct Ran {
    /// One entry an instance.
    pub entries: Vec<Entry>,
    /// How often it was tried.
    pub attempts: u32,
    /// Names of the facts that it asked for.
    pub asked: Vec<String>,
}

/// Pause before another try.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs the check until it is good, the failure is not transient, or its attempts are used up.
pub(super) async fn run_check(check: &'static Check, cx: Cx) -> Ran {
    let mut attempts = 1;
    loop {
        let verdict = once(check, &cx).await;
        let entries = entries(verdict);
        if attempts >= check.attempts || !entries.iter().any(is_transient) {
            return Ran { entries, attempts, asked: cx.asked() };
        }
        attempts += 1;
        tokio::time::sleep(PAUSE).await;
        cx.facts().forget_failures();
    }
}

/// One try. A panic is a defect of ours, told as an error and not as the target's failure.
async fn once(check: &'static Check, cx: &Cx) -> Verdict {
    let run = AssertUnwindSafe((check.run)(cx)).catch_unwind();
    tokio::pin!(run);
    let began = Instant::now();
    loop {
        // Waiting for a fact is not the check's own time: facts have limits of their own, and
        // whoever owns a slow one reports it.
        let limit = began + check.timeout + cx.waited();
        tokio::select! {
            biased;
            result = &mut run => {
                return result.unwrap_or_else(|panic| Ok(Finding::error(defect(&*panic)).into()));
            }
            () = tokio::time::sleep_until(limit) => {
                if began + check.timeout + cx.waited() <= Instant::now() {
                    let limit = check.timeout.as_secs();
                    return Ok(Finding::error(format!("no verdict within {limit} s")).into());
                }
            }
        }
    }
}

fn defect(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    format!("internal: the check ended early: {text}")
}

fn entries(verdict: Verdict) -> Vec<Entry> {
    match verdict {
        Ok(Findings(entries)) if entries.is_empty() => {
            vec![Entry::Finding(Finding::skip("nothing to look at"))]
        }
        Ok(Findings(entries)) => entries,
        Err(by) => vec![Entry::Blocked { instance: None, by }],
    }
}

fn is_transient(entry: &Entry) -> bool {
    let finding = match entry {
        Entry::Finding(finding) => finding,
        Entry::Blocked { by, .. } => &*by.finding,
    };
    finding.transient && matches!(finding.outcome, Outcome::Fail | Outcome::Error)
}
