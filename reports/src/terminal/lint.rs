//! What rules found in manifests: each with its line, underlined.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anstyle::Style;
use mxdoctor_model::{CheckReport, Location, Outcome, Report, RuleFinding};

use super::page::{BOLD, COMMAND, DIM, PLAIN, Page, style};
use crate::text::{clean_line, clean_lines, count, width};
use crate::verdict::{SEVERITIES, by_severity};

/// Longest piece of a line that is shown, and what of it stands before the place at most.
const SHOWN: usize = 100;
const BEFORE: usize = 60;

/// Every finding: by file, the worst first.
pub(super) fn findings(page: &mut Page, report: &Report) {
    for check in report.checks.iter().filter(|check| check.rule.is_none()) {
        page.prose(0, DIM, &[clean_line(&check.summary)]);
    }
    for file in files(report) {
        let (path, found) = (clean_line(file.path), severities(&file.findings));
        if 4 + width(&path) + 3 + width(&found) <= page.columns() {
            page.section(&format!("{path} · {found}"));
        } else {
            page.section(&path);
            page.line(DIM, &found);
        }
        for (at, (check, found)) in file.findings.iter().enumerate() {
            let next = file.findings.get(at + 1);
            finding(
                page,
                check,
                found,
                next.is_some_and(|next| says_the_same((check, found), *next)),
            );
        }
    }
}

/// What to type next.
pub(super) fn next_commands(page: &mut Page, report: &Report) {
    let files = files(report);
    let Some((_, worst)) = files.first().and_then(|file| file.findings.first()) else { return };
    let explain = format!("mxdoctor explain {}", clean_line(&worst.rule));
    let mut all = vec![(explain, "why a rule matters, and its source".to_owned())];
    let fixes = report.checks.iter().filter_map(|check| check.rule.as_ref()?.fix.as_ref()).count();
    if fixes > 0 {
        let fix = format!("mxdoctor lint --fix {}", clean_line(&report.run.target));
        all.push((fix, format!("mends {}; --diff shows how", count(fixes, "finding"))));
    }
    let columns = all.iter().map(|(command, _)| width(command)).max().unwrap_or(0);
    page.end();
    for (command, does) in &all {
        page.space(2);
        page.put(COMMAND, command);
        if 2 + columns + 2 + width(does) > page.columns() {
            page.end();
            page.space(4);
        } else {
            page.space(columns + 2 - width(command));
        }
        page.line(DIM, does);
    }
}

/// A file with what was found in it.
struct File<'a> {
    path: &'a str,
    findings: Vec<(&'a CheckReport, &'a RuleFinding)>,
}

impl<'a> File<'a> {
    fn new(path: &'a str, mut findings: Vec<(&'a CheckReport, &'a RuleFinding)>) -> Self {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, (_, found)) in findings.iter().enumerate() {
            first.entry(&found.rule).or_insert(at);
        }
        findings.sort_by_key(|(_, found)| (rank(found), first.get(found.rule.as_str()).copied()));
        Self { path, findings }
    }
}

/// The files in which something was found. One rule's findings in a file stand together.
fn files(report: &Report) -> Vec<File<'_>> {
    let mut by_path: BTreeMap<&str, Vec<(&CheckReport, &RuleFinding)>> = BTreeMap::new();
    for check in &report.checks {
        if let Some(found) = &check.rule {
            let path = found.locations.first().map_or("", |at| at.path.as_str());
            by_path.entry(path).or_default().push((check, found));
        }
    }
    let mut files: Vec<File<'_>> =
        by_path.into_iter().map(|(path, findings)| File::new(path, findings)).collect();
    files.sort_by_key(|file| {
        let worst = file.findings.first().map_or(usize::MAX, |(_, found)| rank(found));
        let many = file.findings.iter().filter(|(_, found)| rank(found) == worst).count();
        (worst, Reverse(many))
    });
    files
}

fn rank(found: &RuleFinding) -> usize {
    let known = SEVERITIES.iter().position(|severity| *severity == found.severity);
    known.unwrap_or(SEVERITIES.len())
}

fn severities(findings: &[(&CheckReport, &RuleFinding)]) -> String {
    by_severity(findings.iter().map(|(_, found)| *found)).join(", ")
}

/// Whether two findings differ in nothing but what was found, and where.
fn says_the_same(one: (&CheckReport, &RuleFinding), other: (&CheckReport, &RuleFinding)) -> bool {
    one.1.rule == other.1.rule && one.0.remedy == other.0.remedy && one.1.fix == other.1.fix
}

/// A finding; what the next one says too stands there.
fn finding(page: &mut Page, check: &CheckReport, found: &RuleFinding, again: bool) {
    let color = style(check.outcome);
    page.gap();
    let head = match check.outcome {
        Outcome::Error => "not read".to_owned(),
        _ => clean_line(&found.severity),
    };
    let head = format!("{head}[{}]", clean_line(&found.rule));
    page.put(color, &head);
    page.put(BOLD, ": ");
    page.prose(width(&head) + 2, BOLD, &[clean_line(&check.summary)]);
    let margin = found.locations.iter().map(|at| at.line.to_string().len()).max().unwrap_or(1);
    for (index, at) in found.locations.iter().enumerate() {
        let color = if index == 0 { color } else { style(Outcome::Skip) };
        let object = if index == 0 { found.object.as_str() } else { "" };
        place(page, at, margin, color, object);
    }
    if again {
        return;
    }
    let mut note = |label: &str, lines: &[String]| {
        if lines.iter().any(|line| !line.trim().is_empty()) {
            page.field(margin + 1, label, PLAIN, lines);
        }
    };
    note("at run time", &clean_lines(&found.breaks));
    note("do", &clean_lines(check.remedy.as_deref().unwrap_or_default()));
    note("fix", &clean_lines(found.fix.as_deref().unwrap_or_default()));
}

fn place(page: &mut Page, at: &Location, margin: usize, color: Style, object: &str) {
    page.space(margin);
    page.put(DIM, "--> ");
    page.put(PLAIN, &clean_line(&at.to_string()));
    if !object.is_empty() {
        let taken = margin + 4 + width(&clean_line(&at.to_string()));
        if taken + 2 + width(object) > page.columns() {
            page.end();
            page.space(margin + 2);
        }
        page.put(DIM, &format!("  {}", clean_line(object)));
    }
    page.end();
    let Some(text) = at.text.as_deref().filter(|_| at.line > 0) else {
        if !at.shows.is_empty() {
            page.space(margin + 4);
            page.line(color, &clean_line(&at.shows));
        }
        return;
    };
    let (text, column) = window(text, at.column);
    let number = at.line.to_string();
    page.space(margin - number.len());
    page.put(DIM, &format!("{number} | "));
    page.line(PLAIN, &text.concat());
    page.space(margin);
    page.put(DIM, " | ");
    let before: usize = text.iter().take(column).map(|piece| width(piece)).sum();
    let under = text.iter().skip(column).take(usize::try_from(at.length).unwrap_or(1));
    let signs: usize = under.map(|piece| width(piece)).sum::<usize>().max(1);
    page.space(before);
    page.put(color, &"^".repeat(signs));
    if !at.shows.is_empty() {
        page.put(color, &format!(" {}", clean_line(&at.shows)));
    }
    page.end();
}

/// A line, each of its characters made fit to be shown, cut around the place where it is long; and
/// the index of the place.
fn window(text: &str, column: u32) -> (Vec<String>, usize) {
    let column = usize::try_from(column.saturating_sub(1)).unwrap_or(0);
    let first = if column > SHOWN { column - BEFORE } else { 0 };
    let mut shown: Vec<String> = text
        .chars()
        .skip(first)
        .take(SHOWN)
        .map(|char| match char {
            ' ' => " ".to_owned(),
            // The stop keeps a space or an end of line from being trimmed.
            char => {
                let mut text = clean_lines(&format!("{char}.")).concat();
                text.pop();
                text
            }
        })
        .collect();
    if text.chars().count() > first + SHOWN {
        shown.push("…".to_owned());
    }
    if first > 0 {
        shown.insert(0, "…".to_owned());
        return (shown, column - first + 1);
    }
    (shown, column)
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn a_line_is_shown_as_it_is() {
        let line = "  fqdn: matrix.example.org ..";
        assert_eq!(window(line, 9), (line.chars().map(String::from).collect(), 8));
    }
}
