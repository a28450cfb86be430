//! The answer of a run in words.

use mxdoctor_model::{CheckReport, Outcome, Report, RootCause, RuleFinding, Summary, Vantage};

use crate::text::{clean_line, count};

/// What the run says of the target, and how bad that is.
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    /// A clause that begins with the server's name.
    pub(crate) words: String,
}

/// The verdict of a whole report. Good only where something was seen to be good.
pub(crate) fn verdict(report: &Report) -> Verdict {
    let summary = &report.summary;
    let target = clean_line(&report.run.target);
    if report.run.vantages == [Vantage::Files] {
        return of_files(report, &target);
    }
    let (outcome, mut words) = if summary.fail > 0 {
        let wrong = match causes(report, Outcome::Fail) {
            0 => count(summary.fail, "failed check"),
            causes => count(causes, "cause"),
        };
        (Outcome::Fail, format!("{target} does not work for the people who use it: {wrong}"))
    } else if summary.error > 0 {
        let (open, all) = (unanswered(report), summary.total());
        let (whole, checks) = match open < all {
            true => (" in full", format!("{open} of {}", count(all, "check"))),
            false => ("", count(all, "check")),
        };
        let words = format!("{target} could not be measured{whole}: {checks} without an answer");
        (Outcome::Error, words)
    } else if summary.pass + summary.warn == 0 {
        (Outcome::Skip, format!("nothing was checked on {target}"))
    } else {
        works(report, &target)
    };
    if let Some(why) = &report.run.interrupted {
        words.push_str(&format!(" (cut short: {})", clean_line(why)));
    }
    Verdict { outcome, words }
}

/// What is said of manifests: nothing was deployed, so nothing works or does not.
fn of_files(report: &Report, target: &str) -> Verdict {
    let some = by_severity(report.checks.iter().filter_map(|check| check.rule.as_ref()));
    let some: Vec<&str> = some.iter().map(String::as_str).collect();
    let words = match some.is_empty() {
        true => format!("nothing is wrong with what is written in {target}"),
        false => format!("{target}: {}", and(&some)),
    };
    Verdict { outcome: worst(&report.summary), words }
}

/// The severities of findings, the worst first.
pub(crate) const SEVERITIES: &[&str] = &["critical", "error", "unmeasured", "warning", "info"];

/// `1 critical`, `2 errors`, …, without the noughts.
pub(crate) fn by_severity<'a>(found: impl Iterator<Item = &'a RuleFinding>) -> Vec<String> {
    let all: Vec<&str> = found.map(|found| found.severity.as_str()).collect();
    let words = SEVERITIES.iter().map(|severity| {
        let n = all.iter().filter(|known| *known == severity).count();
        let words = match *severity {
            "critical" => format!("{n} critical"),
            "unmeasured" => format!("{n} not read"),
            "info" => count(n, "note"),
            other => count(n, other),
        };
        (n, words)
    });
    words.filter(|(n, _)| *n > 0).map(|(_, words)| words).collect()
}

fn worst(sum: &Summary) -> Outcome {
    match sum {
        Summary { fail: 1.., .. } => Outcome::Fail,
        Summary { error: 1.., .. } => Outcome::Error,
        Summary { warn: 1.., .. } => Outcome::Warn,
        _ => Outcome::Pass,
    }
}

/// What people come for, by the families that look at it.
const SERVICES: [&str; 4] = ["synapse", "element", "federation", "jitsi"];

/// Nothing is wrong. That the stack works is said only where the homeserver was seen to, and what
/// was not looked at is named.
fn works(report: &Report, target: &str) -> (Outcome, String) {
    let good = |check: &&CheckReport| matches!(check.outcome, Outcome::Pass | Outcome::Warn);
    let mut seen: Vec<&str> = Vec::new();
    for check in report.checks.iter().filter(good) {
        if !seen.contains(&check.family.as_str()) {
            seen.push(&check.family);
        }
    }
    let mut words = match seen.contains(&"synapse") {
        true => format!("{target} works for the people who use it"),
        false => format!("nothing is wrong with the {} of {target}", clean_line(&and(&seen))),
    };
    let mut outcome = Outcome::Pass;
    if report.summary.warn > 0 {
        outcome = Outcome::Warn;
        words.push_str(&format!(", with {} to know", count(report.summary.warn, "thing")));
    }
    let unseen: Vec<_> = SERVICES.into_iter().filter(|name| !seen.contains(name)).collect();
    if !unseen.is_empty() {
        let were = if unseen.len() == 1 { "was" } else { "were" };
        words.push_str(&format!("; {} {were} not checked", and(&unseen)));
    }
    (outcome, words)
}

fn and(names: &[&str]) -> String {
    match names {
        [some @ .., last] if !some.is_empty() => format!("{} and {last}", some.join(", ")),
        _ => names.concat(),
    }
}

/// The errors, and the checks that were not made because of one.
fn unanswered(report: &Report) -> usize {
    let own = report.root_causes.iter().filter(|cause| weight(report, cause) == Outcome::Error);
    let keys: Vec<_> = own.flat_map(|cause| &cause.consequences).collect();
    let open = |check: &&CheckReport| match check.outcome {
        Outcome::Error => true,
        Outcome::Skip => keys.contains(&&check.key()),
        _ => false,
    };
    report.checks.iter().filter(open).count()
}

fn causes(report: &Report, outcome: Outcome) -> usize {
    report.root_causes.iter().filter(|cause| weight(report, cause) == outcome).count()
}

/// How bad a root cause is: the worst of the checks that saw it.
pub(crate) fn weight(report: &Report, cause: &RootCause) -> Outcome {
    let saw = report.checks.iter().filter(|check| cause.checks.contains(&check.key()));
    saw.map(|check| check.outcome).max().unwrap_or(Outcome::Fail)
}

/// Why a check was not made. What blocked it is named, unless that was not made either, and for
/// the same reason.
pub(crate) fn reason(report: &Report, check: &CheckReport) -> String {
    let summary = clean_line(&check.summary);
    let Some(by) = &check.blocked_by else { return summary };
    let blocker = report.checks.iter().find(|other| &other.key() == by);
    if blocker.is_some_and(|other| other.outcome == Outcome::Skip) {
        return summary;
    }
    match clean_line(by) {
        by if summary.is_empty() || summary.contains(&by) => format!("blocked by {by}"),
        by => format!("blocked by {by}: {summary}"),
    }
}

/// What to do about a check: its own word, or that of its cause.
pub(crate) fn remedy<'a>(report: &'a Report, check: &'a CheckReport) -> Option<&'a String> {
    let cause = || report.root_causes.iter().find(|root| check.cause.as_ref() == Some(&root.cause));
    check.remedy.as_ref().or_else(|| cause().map(|root| &root.remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_in_words() {
        assert_eq!(and(&[]), "");
        assert_eq!(and(&["dns"]), "dns");
        assert_eq!(and(&["dns", "tls", "jitsi"]), "dns, tls and jitsi");
    }
}
