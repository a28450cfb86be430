//! What rules found in manifests: each with its line, underlined.

use anstyle::Style;
use mxdoctor_model::{CheckReport, Location, Outcome, Report, RuleFinding};

use super::page::{BOLD, COMMAND, DIM, PLAIN, Page, style};
use crate::text::{clean_line, clean_lines, count, width};

/// Longest piece of a line that is shown, and what of it stands before the place at most.
const SHOWN: usize = 100;
const BEFORE: usize = 60;

/// Every finding in the order of the report.
pub(super) fn findings(page: &mut Page, report: &Report) {
    for check in &report.checks {
        match &check.rule {
            Some(found) => finding(page, check, found),
            None => page.line(DIM, &clean_line(&check.summary)),
        }
    }
    let fixes = report.checks.iter().filter_map(|check| check.rule.as_ref()?.fix.as_ref()).count();
    if fixes > 0 {
        page.gap();
        let text = format!("{} can be mended by `mxdoctor lint --fix`", count(fixes, "finding"));
        page.line(DIM, &text);
    }
}

fn finding(page: &mut Page, check: &CheckReport, found: &RuleFinding) {
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
    let mut note = |label: &str, style: Style, lines: &[String]| {
        if lines.iter().any(|line| !line.trim().is_empty()) {
            page.field(margin + 1, label, style, lines);
        }
    };
    note("at run time", PLAIN, &clean_lines(&found.breaks));
    note("do", PLAIN, &clean_lines(check.remedy.as_deref().unwrap_or_default()));
    note("fix", PLAIN, &clean_lines(found.fix.as_deref().unwrap_or_default()));
    note("more", COMMAND, &[format!("mxdoctor explain {}", clean_line(&found.rule))]);
}

fn place(page: &mut Page, at: &Location, margin: usize, color: Style, object: &str) {
    page.space(margin);
    page.put(DIM, "--> ");
    page.put(PLAIN, &clean_line(&at.to_string()));
    if !object.is_empty() {
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
