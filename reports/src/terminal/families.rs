//! The checks, one line each.

use mxdoctor_model::{CheckReport, Outcome, Report, Summary, Vantage};

use super::causes::{expectation, proof};
use super::groups::{explained, is_bare};
use super::page::{BOLD, COMMAND, DIM, END, PLAIN, Page, style};
use crate::text::{clean_line, clean_lines, count, span, width};

/// Under that many columns for the text, it goes below its id.
const NARROW: usize = 40;

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
    let mut compact = true;
    for name in names {
        let checks: Vec<_> = report.checks.iter().filter(|c| c.family == name).collect();
        let rows = rows(report, &checks);
        // Families of which nothing is to be said stand together.
        if !std::mem::replace(&mut compact, rows.is_empty()) || !compact {
            page.gap();
        }
        family(page, report, name, &checks);
        for (at, row) in rows.iter().enumerate() {
            line(page, row, columns);
            if !explained(report, row.check) {
                let next = rows.get(at + 1).map(|next| next.check);
                details(page, row.check, next);
            }
        }
    }
}

fn family(page: &mut Page, report: &Report, name: &str, checks: &[&CheckReport]) {
    let name = clean_line(name);
    page.put(BOLD, &name);
    page.space(2);
    let mut counts = counts(checks.iter().map(|check| check.outcome));
    let skips = checks.iter().filter(|check| check.outcome == Outcome::Skip).count();
    for cause in &report.root_causes {
        let follows = |check: &&&CheckReport| cause.consequences.contains(&check.key());
        let cause = clean_line(&cause.cause);
        match checks.iter().filter(follows).count() {
            0 => {}
            n if n == skips => counts.push_str(&format!(" because of {cause}")),
            n => counts.push_str(&format!(", {n} because of {cause}")),
        }
    }
    page.prose(width(&name) + 2, DIM, &[counts]);
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

fn rows<'a>(report: &Report, checks: &[&'a CheckReport]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    let mut folded: Vec<(&str, Vantage)> = Vec::new();
    let bare = |check: &&&CheckReport| check.outcome == Outcome::Error && is_bare(report, check);
    let told = |check: &&&CheckReport| check.outcome != Outcome::Skip && !bare(check);
    for check in checks.iter().filter(told) {
        if !folds(check) {
            rows.push(Row { check, text: label(check), ms: check.duration_ms });
            continue;
        }
        let kin = (check.id.as_str(), check.vantage);
        if folded.contains(&kin) {
            continue;
        }
        folded.push(kin);
        let passes = checks
            .iter()
            .copied()
            .filter(|other| folds(other) && (other.id.as_str(), other.vantage) == kin);
        rows.push(fold(report, &passes.collect::<Vec<_>>()));
    }
    rows
}

/// A pass at the first attempt; a flaky one is to be seen.
fn folds(check: &CheckReport) -> bool {
    check.outcome == Outcome::Pass && check.attempts <= 1
}

/// Several passes of one check in one line.
fn fold<'a>(report: &Report, passes: &[&'a CheckReport]) -> Row<'a> {
    let check = passes[0];
    let ms = passes.iter().map(|pass| pass.duration_ms).max().unwrap_or(0);
    if passes.len() == 1 {
        return Row { check, text: label(check), ms };
    }
    let names: Vec<_> = passes.iter().map(|pass| short_name(pass, &report.run.target)).collect();
    let kin = |other: &&CheckReport| other.id == check.id && other.vantage == check.vantage;
    let what = if passes.iter().all(|pass| pass.summary == check.summary) {
        clean_line(&check.summary)
    } else if report.checks.iter().filter(kin).all(|other| other.outcome == Outcome::Pass) {
        clean_line(&check.title)
    } else {
        // The title speaks of all of them.
        "in order".to_owned()
    };
    let text = format!("{what} ({})", names.join(", "));
    Row { check, text, ms }
}

fn name(check: &CheckReport) -> String {
    let mut name = clean_line(check.instance.as_deref().unwrap_or_default());
    if check.vantage != Vantage::Public {
        name.push_str(&format!("@{}", check.vantage));
    }
    name
}

/// The hosts below the server name by their first labels: `matrix.` for `matrix.example.org`. Only
/// where all is well, and nobody needs to copy the name.
fn short_name(check: &CheckReport, target: &str) -> String {
    let instance = check.instance.as_deref().unwrap_or_default();
    match instance.strip_suffix(target) {
        Some(labels) if labels.ends_with('.') => clean_line(labels),
        _ => name(check),
    }
}

fn label(check: &CheckReport) -> String {
    let (name, mut text) = (name(check), clean_line(&check.summary));
    if check.attempts > 1 {
        text.push_str(&format!(" (attempt {})", check.attempts));
    }
    if name.is_empty() || text.contains(&name) { text } else { format!("{name} · {text}") }
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
    let room = page.columns().saturating_sub(text_at + END);
    if room < NARROW || row.text.split(' ').any(|word| width(word) > room) {
        page.space(page.columns().saturating_sub(4 + width(&id) + width(&time)).max(2));
        page.line(DIM, &time);
        page.space(4);
        page.prose(4, style_of_text, std::slice::from_ref(&row.text));
        return;
    }
    page.space((columns + 2).saturating_sub(width(&id)).max(2));
    page.beside(text_at, (style_of_text, &row.text), &time);
}

/// What a root cause would say. A warning works, and needs no proof here; a remedy that is the next
/// line's too stands there.
fn details(page: &mut Page, check: &CheckReport, next: Option<&CheckReport>) {
    expectation(page, 4, check);
    if check.outcome != Outcome::Warn {
        proof(page, 4, &check.evidence);
    }
    let again = next.is_some_and(|next| next.id == check.id && next.remedy == check.remedy);
    if let Some(remedy) = check.remedy.as_ref().filter(|_| !again) {
        page.field(4, "do", PLAIN, &clean_lines(remedy));
        if let Some(cause) = &check.cause {
            page.field(4, "more", COMMAND, &[format!("mxdoctor explain {}", clean_line(cause))]);
        }
    }
}
