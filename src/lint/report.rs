//! From problems to a report.

use std::collections::HashMap;
use std::iter;
use std::time::Instant;

use jiff::Timestamp;
use mxdoctor_checks::diagnosis;
use mxdoctor_checks::lint::Problem;
use mxdoctor_model::{
    CheckReport, Confidence, Evidence, EvidenceKind, Location, Outcome, Report, RuleFinding, Run,
    SCHEMA_VERSION, Summary, Vantage,
};
use mxdoctor_probes::manifest::Place;
use mxdoctor_probes::manifest::files::Tree;

use super::Looked;
use super::mask::Mask;
use crate::engine::{DOCS, run_id, tool};

/// The report of what was found. Each finding is an entry `lint.RULE`, its instance the place; what
/// was read is the entry `lint.files`.
pub fn report(target: &str, tree: &Tree, looked: &Looked, began: Instant) -> Report {
    let shown = Shown { mask: Mask::new(tree), lines: lines(looked) };
    let mut checks = vec![files(tree, looked)];
    checks.extend(looked.problems.iter().map(|problem| entry(problem, &shown)));
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Report {
        schema_version: SCHEMA_VERSION,
        tool: tool(),
        run: Run {
            id: run_id(),
            started_at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            duration_ms,
            target: target.to_owned(),
            vantages: vec![Vantage::Files],
            interrupted: None,
        },
        summary: Summary::of(checks.iter().map(|check| check.outcome)),
        root_causes: diagnosis::diagnose(&checks),
        checks,
        facts: Vec::new(),
    }
}

/// What is shown of the files.
struct Shown<'a> {
    mask: Mask,
    /// The lines of each file with a finding: to count through the file for each would take as long
    /// as the findings times the file.
    lines: HashMap<&'a str, Vec<&'a str>>,
}

fn lines(looked: &Looked) -> HashMap<&str, Vec<&str>> {
    let mut all = HashMap::new();
    for problem in &looked.problems {
        for place in iter::once(&problem.place).chain(problem.also.iter().map(|(place, _)| place)) {
            let source = &place.source;
            all.entry(source.name.as_str()).or_insert_with(|| source.text.lines().collect());
        }
    }
    all
}

/// What was read, and by whom it was built.
fn files(tree: &Tree, looked: &Looked) -> CheckReport {
    let objects: usize = tree.deployments.iter().map(|one| one.inventory.objects().len()).sum();
    let plural = |n: usize, thing: &str| format!("{n} {thing}{}", if n == 1 { "" } else { "s" });
    let mut summary =
        format!("{} in {}", plural(objects, "object"), plural(tree.sources.len(), "file"));
    for one in tree.deployments.iter().filter(|one| !one.name.is_empty()) {
        let by = one.by.as_deref().unwrap_or("our own reading of it");
        summary.push_str(&format!("; kustomization {} built by {by}", one.name));
    }
    if looked.allowed > 0 {
        summary.push_str(&format!("; {} allowed by comments", plural(looked.allowed, "finding")));
    }
    let title = "the manifests were read";
    blank("files", title, Outcome::Pass, summary, format!("{DOCS}README.md"))
}

fn entry(problem: &Problem, shown: &Shown<'_>) -> CheckReport {
    let rule = problem.rule;
    let remedy = problem.remedy.clone().unwrap_or_else(|| rule.remedy.to_owned());
    let mut locations = vec![location(&problem.place, "", shown)];
    locations.extend(problem.also.iter().map(|(place, shows)| location(place, shows, shown)));
    let evidence = locations.iter().map(|at| {
        let text = at.text.as_deref().unwrap_or_default().trim();
        let shows = if at.shows.is_empty() { "" } else { ": " };
        Evidence::new(EvidenceKind::Manifest, format!("{at}{shows}{}\n{text}", at.shows).trim_end())
    });
    CheckReport {
        instance: Some(locations[0].to_string()),
        expected: Some(rule.title.to_owned()),
        cause: Some(rule.cause.to_owned()),
        confidence: Some(Confidence::Certain),
        remedy: Some(remedy),
        evidence: evidence.collect(),
        rule: Some(RuleFinding {
            rule: rule.id.to_owned(),
            severity: rule.severity.as_str().to_owned(),
            object: problem.object.clone(),
            breaks: rule.breaks.to_owned(),
            fix: problem.fix.as_ref().map(|fix| fix.does.clone()),
            locations: locations.clone(),
        }),
        ..blank(
            rule.id,
            rule.title,
            rule.severity.outcome(),
            problem.message.clone(),
            format!("{DOCS}rules/{}.md", rule.id),
        )
    }
}

fn location(place: &Place, shows: &str, shown: &Shown<'_>) -> Location {
    let source = place.source.name.as_str();
    let index = usize::try_from(place.line).unwrap_or(0).checked_sub(1);
    let text = shown.lines.get(source).zip(index).and_then(|(lines, index)| lines.get(index));
    Location {
        path: place.source.name.clone(),
        line: place.line,
        column: place.column,
        length: place.length,
        field: place.field.as_ref().map(|field| field.to_string()),
        text: text.map(|text| shown.mask.line(source, place.line, text)),
        shows: shows.to_owned(),
    }
}

fn blank(
    id: &str,
    title: &str,
    outcome: Outcome,
    summary: String,
    docs_url: String,
) -> CheckReport {
    CheckReport {
        id: format!("lint.{id}"),
        instance: None,
        family: "lint".to_owned(),
        vantage: Vantage::Files,
        title: title.to_owned(),
        outcome,
        summary,
        expected: None,
        actual: None,
        cause: None,
        confidence: None,
        remedy: None,
        docs_url,
        blocked_by: None,
        started_ms: 0,
        duration_ms: 0,
        attempts: 1,
        evidence: Vec::new(),
        metrics: Vec::new(),
        waited_for: Vec::new(),
        rule: None,
        about: Vec::new(),
    }
}
