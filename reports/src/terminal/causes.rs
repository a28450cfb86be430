//! The root causes: what is wrong, what shows it and what to do.

use mxdoctor_model::{CheckReport, Evidence, EvidenceKind, Report, RootCause, Summary};

use super::page::{BOLD, COMMAND, DIM, PLAIN, Page, style};
use crate::text::{clean_line, clean_lines, count};
use crate::verdict::weight;

/// Every root cause, in the order of the report.
pub(super) fn causes(page: &mut Page, report: &Report) {
    if report.root_causes.is_empty() {
        return;
    }
    let title = title(report);
    page.section(&title);
    for (at, cause) in report.root_causes.iter().enumerate() {
        if at > 0 {
            page.end();
        }
        one(page, report, cause);
    }
}

/// `2 causes, 1 not measured, 3 to know`, without the noughts.
fn title(report: &Report) -> String {
    let sum = Summary::of(report.root_causes.iter().map(|cause| weight(report, cause)));
    let causes = (sum.fail, count(sum.fail, "cause"));
    let unmeasured = (sum.error, format!("{} not measured", sum.error));
    let known = sum.warn + sum.pass + sum.skip;
    let all = [causes, unmeasured, (known, format!("{known} to know"))];
    let some: Vec<_> = all.into_iter().filter(|(n, _)| *n > 0).map(|(_, text)| text).collect();
    some.join(", ")
}

fn one(page: &mut Page, report: &Report, cause: &RootCause) {
    let outcome = weight(report, cause);
    page.put_raw(style(outcome), page.sign(outcome));
    page.space(1);
    page.prose(2, BOLD, &[clean_line(&cause.title)]);
    page.space(2);
    page.put(style(outcome), &clean_line(&cause.cause));
    page.line(DIM, &format!(" · {}", cause.confidence.as_str()));
    page.end();

    let saw = |key: &String| report.checks.iter().find(|check| &check.key() == key);
    let seen: Vec<_> = cause.checks.iter().filter_map(saw).collect();
    page.field(2, "found", PLAIN, &found(cause, &seen));
    let by = match cause.checks.len() {
        0..=4 => clean_line(&cause.checks.join(", ")),
        _ => keys(&cause.checks),
    };
    page.field(2, "seen by", PLAIN, &[by]);
    if let Some(check) = seen.first() {
        expectation(page, 2, check);
    }
    proof(page, 2, &cause.evidence);
    if !cause.consequences.is_empty() {
        let number = count(cause.consequences.len(), "check");
        page.field(2, "follow", DIM, &[format!("{number}: {}", ids(&cause.consequences))]);
    }
    page.end();
    if !cause.remedy.trim().is_empty() {
        page.field(2, "do", PLAIN, &clean_lines(&cause.remedy));
    }
    let command = format!("mxdoctor explain {}", clean_line(&cause.cause));
    page.field(2, "more", COMMAND, &[command]);
}

/// What had to be seen and what was.
pub(super) fn expectation(page: &mut Page, indent: usize, check: &CheckReport) {
    if let Some(expected) = &check.expected {
        page.field(indent, "expected", PLAIN, &clean_lines(expected));
    }
    if let Some(actual) = &check.actual {
        page.field(indent, "actual", PLAIN, &clean_lines(actual));
    }
}

/// What each of the checks found, if not the same. A dozen hosts say no more than a few.
fn found(cause: &RootCause, seen: &[&CheckReport]) -> Vec<String> {
    const SHOWN: usize = 4;
    let mut found = vec![clean_line(&cause.summary)];
    for check in seen {
        let summary = clean_line(&check.summary);
        if !found.contains(&summary) {
            found.push(summary);
        }
    }
    cut(&mut found, SHOWN);
    found
}

/// The evidence, each piece with its kind for a label; all of it is in the JSON report.
pub(super) fn proof(page: &mut Page, indent: usize, evidence: &[Evidence]) {
    const PIECES: usize = 6;
    const LINES: usize = 12;
    let mut pieces: Vec<&Evidence> = Vec::new();
    for piece in evidence {
        if !pieces.contains(&piece) {
            pieces.push(piece);
        }
    }
    for piece in pieces.iter().take(PIECES) {
        let mut lines = clean_lines(&piece.text);
        cut(&mut lines, LINES);
        page.field(indent, kind(piece.kind), PLAIN, &lines);
    }
    if let Some(left @ 1..) = pieces.len().checked_sub(PIECES) {
        let more = format!("{left} more in the json report");
        page.field(indent, "", DIM, &[more]);
    }
}

/// Keeps the first lines, and says how many there are more.
fn cut(lines: &mut Vec<String>, shown: usize) {
    if lines.len() > shown + 1 {
        let left = lines.len() - shown;
        lines.truncate(shown);
        lines.push(format!("… {left} more in the json report"));
    }
}

fn kind(kind: EvidenceKind) -> &'static str {
    match kind {
        EvidenceKind::Dns => "dns",
        EvidenceKind::Connection => "connection",
        EvidenceKind::Certificate => "certificate",
        EvidenceKind::Request => "request",
        EvidenceKind::Packets => "packets",
        EvidenceKind::Database => "database",
        EvidenceKind::Manifest => "file",
        EvidenceKind::Note => "note",
    }
}

/// Keys with the instances of one check folded: `tls.name ×3, dns.address[element.example.org]`.
pub(super) fn keys<'a>(keys: impl IntoIterator<Item = &'a String>) -> String {
    folded(keys, true)
}

/// As [`keys`], without the instances where there is but one.
fn ids(keys: &[String]) -> String {
    folded(keys, false)
}

fn folded<'a>(keys: impl IntoIterator<Item = &'a String>, instances: bool) -> String {
    let mut folded: Vec<(String, &String, usize)> = Vec::new();
    for key in keys {
        let base = without_instance(key);
        match folded.iter_mut().find(|(known, ..)| *known == base) {
            Some((.., times)) => *times += 1,
            None => folded.push((base, key, 1)),
        }
    }
    let words = folded.iter().map(|(base, key, times)| match times {
        1 if instances => clean_line(key),
        1 => clean_line(base),
        _ => format!("{} ×{times}", clean_line(base)),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn without_instance(key: &str) -> String {
    match (key.find('['), key.rfind(']')) {
        (Some(open), Some(close)) if open < close => {
            format!("{}{}", &key[..open], &key[close + 1..])
        }
        _ => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_of_one_check_are_folded() {
        let known = ["a.b[x]", "a.b[y]", "a.b[x]@internal", "c.d", "]["].map(str::to_owned);
        assert_eq!(keys(&known), "a.b ×2, a.b[x]@internal, c.d, ][");
        assert_eq!(ids(&known), "a.b ×2, a.b@internal, c.d, ][");
    }
}
