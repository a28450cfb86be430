//! The checks, one line each, and those that were not made.

use mxdoctor_model::{CheckReport, Outcome, Report, Summary, Vantage};

use super::causes::{expectation, keys, proof};
use super::page::{BOLD, DIM, PLAIN, Page, style};
use crate::text::{clean_line, clean_lines, count, span, width};

/// Under that many columns for the text, it goes below its id.
const NARROW: usize = 40;
/// Columns of the time at the end of a line, with the gap before it.
const TIME: usize = 12;

/// One line: a check on one instance, or several passes of one check.
struct Row<'a> {
    check: &'a CheckReport,
    text: String,
    ms: u64,
}

/// Every family in the order of the report.
pub(super) fn families(page: &mut Page, report: &Report) {
    let mut names: Vec<&str> = Vec::new();
    for check in &report.checks {
        if !names.contains(&check.family.as_str()) {
            names.push(&check.family);
        }
    }
    if names.is_empty() {
        return;
    }
    page.section("checks");
    let columns = report.checks.iter().map(|check| width(&check.id)).max().unwrap_or(0).min(32);
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            page.end();
        }
        let checks: Vec<_> = report.checks.iter().filter(|c| c.family == *name).collect();
        page.put(BOLD, &clean_line(name));
        page.line(DIM, &format!("  {}", counts(checks.iter().map(|check| check.outcome))));
        for row in rows(&checks) {
            line(page, &row, columns);
            if !explained(report, row.check) {
                details(page, row.check);
            }
        }
    }
}

/// `12 passed, 1 failed, 3 skipped`, without the noughts.
pub(super) fn counts(outcomes: impl IntoIterator<Item = Outcome>) -> String {
    let sum = Summary::of(outcomes);
    let warned = count(sum.warn, "warning");
    let errors = count(sum.error, "error");
    let all = [
        (sum.pass, format!("{} passed", sum.pass)),
        (sum.warn, warned),
        (sum.fail, format!("{} failed", sum.fail)),
        (sum.error, errors),
        (sum.skip, format!("{} skipped", sum.skip)),
    ];
    let some: Vec<_> = all.into_iter().filter(|(n, _)| *n > 0).map(|(_, text)| text).collect();
    some.join(", ")
}

fn rows<'a>(checks: &[&'a CheckReport]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    let mut folded: Vec<(&str, Vantage)> = Vec::new();
    for check in checks.iter().filter(|check| check.outcome != Outcome::Skip) {
        if check.outcome != Outcome::Pass {
            rows.push(Row { check, text: label(check), ms: check.duration_ms });
            continue;
        }
        let kin = (check.id.as_str(), check.vantage);
        if folded.contains(&kin) {
            continue;
        }
        folded.push(kin);
        let passes = checks.iter().copied().filter(|other| {
            other.outcome == Outcome::Pass && (other.id.as_str(), other.vantage) == kin
        });
        rows.push(fold(&passes.collect::<Vec<_>>()));
    }
    rows
}

/// Several passes of one check in one line.
fn fold<'a>(passes: &[&'a CheckReport]) -> Row<'a> {
    let check = passes[0];
    let ms = passes.iter().map(|pass| pass.duration_ms).max().unwrap_or(0);
    if passes.len() == 1 {
        return Row { check, text: label(check), ms };
    }
    let names: Vec<_> = passes.iter().map(|pass| name(pass)).collect();
    let names = names.join(", ");
    let text = if passes.iter().all(|pass| pass.summary == check.summary) {
        format!("{} ({names})", clean_line(&check.summary))
    } else {
        format!("{} of {}: {names}", passes.len(), passes.len())
    };
    Row { check, text, ms }
}

fn name(check: &CheckReport) -> String {
    let mut name = clean_line(check.instance.as_deref().unwrap_or_default());
    if check.vantage != Vantage::Public {
        name.push_str(&format!("@{}", check.vantage));
    }
    name
}

fn label(check: &CheckReport) -> String {
    let (name, mut text) = (name(check), clean_line(&check.summary));
    if check.attempts > 1 {
        text.push_str(&format!(" (attempt {})", check.attempts));
    }
    if name.is_empty() { text } else { format!("{name}: {text}") }
}

fn line(page: &mut Page, row: &Row<'_>, columns: usize) {
    let outcome = row.check.outcome;
    let id = clean_line(&row.check.id);
    let time = span(row.ms);
    let style_of_text = if outcome == Outcome::Pass { DIM } else { PLAIN };
    page.space(2);
    page.put_raw(style(outcome), page.sign(outcome));
    page.space(1);
    page.put(if outcome == Outcome::Pass { PLAIN } else { style(outcome) }, &id);
    let text_at = 4 + columns + 2;
    let room = page.look.width.saturating_sub(text_at + TIME);
    if room < NARROW {
        page.space(page.look.width.saturating_sub(4 + width(&id) + width(&time)).max(2));
        page.line(DIM, &time);
        page.space(4);
        page.prose(4, style_of_text, std::slice::from_ref(&row.text));
        return;
    }
    page.space((columns + 2).saturating_sub(width(&id)).max(2));
    page.beside(text_at, room, (style_of_text, &row.text), &time);
}

/// Whether a root cause above has said it all.
fn explained(report: &Report, check: &CheckReport) -> bool {
    let key = check.key();
    check.outcome == Outcome::Pass
        || report
            .root_causes
            .iter()
            .any(|cause| cause.checks.contains(&key) || cause.consequences.contains(&key))
}

fn details(page: &mut Page, check: &CheckReport) {
    expectation(page, 4, check);
    proof(page, 4, &check.evidence);
    if let Some(remedy) = &check.remedy {
        page.field(4, "do", PLAIN, &clean_lines(remedy));
    }
}

/// The checks that were not made, by reason.
pub(super) fn skipped(page: &mut Page, report: &Report) {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for check in report.checks.iter().filter(|check| check.outcome == Outcome::Skip) {
        let reason = match &check.blocked_by {
            Some(key) => format!("blocked by {}", clean_line(key)),
            None => clean_line(&check.summary),
        };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, keys)) => keys.push(check.key()),
            None => reasons.push((reason, vec![check.key()])),
        }
    }
    if reasons.is_empty() {
        return;
    }
    page.section("skipped");
    for (reason, skipped) in &reasons {
        page.put_raw(DIM, page.sign(Outcome::Skip));
        page.space(1);
        page.prose(2, PLAIN, std::slice::from_ref(reason));
        page.space(2);
        page.prose(2, DIM, &[keys(skipped)]);
    }
}
