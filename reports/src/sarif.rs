//! SARIF 2.1.0 (OASIS), for code scanning.

use mxdoctor_model::{CheckReport, Location, Outcome, Report};
use serde_json::{Value, json};

use crate::text::clean_line;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The findings that are not passes or skips, as one run.
pub fn render(report: &Report) -> String {
    let found = |check: &&CheckReport| !matches!(check.outcome, Outcome::Pass | Outcome::Skip);
    let found: Vec<&CheckReport> = report.checks.iter().filter(found).collect();
    let mut rules: Vec<Value> = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    for check in &found {
        if !ids.contains(&id(check)) {
            ids.push(id(check));
            rules.push(rule(check));
        }
    }
    let results: Vec<Value> = found.iter().map(|check| result(check, &ids)).collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name, "version": report.tool.version, "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": report.run.interrupted.is_none(),
                "startTimeUtc": report.run.started_at,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn id(check: &CheckReport) -> &str {
    check.rule.as_ref().map_or(&check.id, |found| &found.rule)
}

fn rule(check: &CheckReport) -> Value {
    let mut rule = json!({
        "id": id(check),
        "shortDescription": { "text": clean_line(&check.title) },
        "properties": { "tags": [check.family], "manual": check.docs_url },
    });
    if let Some(remedy) = &check.remedy {
        rule["help"] = json!({ "text": clean_line(remedy) });
    }
    rule
}

fn result(check: &CheckReport, ids: &[&str]) -> Value {
    let severity = check.rule.as_ref().map(|found| found.severity.as_str());
    let level = match (check.outcome, severity) {
        (Outcome::Warn, Some("info")) => "note",
        (Outcome::Warn, _) => "warning",
        _ => "error",
    };
    let mut text = clean_line(&check.summary);
    if let Some(found) = &check.rule {
        text.push_str(&format!(". At run time: {}", clean_line(&found.breaks)));
    }
    let mut result = json!({
        "ruleId": id(check),
        "ruleIndex": ids.iter().position(|known| *known == id(check)),
        "level": level,
        "message": { "text": text },
        "properties": { "cause": check.cause, "outcome": check.outcome.as_str() },
    });
    let all = check.rule.as_ref().map_or(&[][..], |found| &found.locations);
    if let Some((first, also)) = all.split_first() {
        result["locations"] = json!([location(first)]);
        let also: Vec<Value> = also.iter().map(related).collect();
        if !also.is_empty() {
            result["relatedLocations"] = also.into();
        }
        // What stays the same when lines move above it.
        let print = format!("{}|{}|{}", id(check), first.path, clean_line(&check.summary));
        result["partialFingerprints"] = json!({ "mxdoctor/v1": print });
    }
    result
}

fn related(at: &Location) -> Value {
    let mut value = location(at);
    value["message"] = json!({ "text": clean_line(&at.shows) });
    value
}

fn location(at: &Location) -> Value {
    if at.line == 0 || at.field.is_some() {
        return json!({ "logicalLocations": [{ "fullyQualifiedName": at.to_string() }] });
    }
    let mut region = json!({
        "startLine": at.line,
        "startColumn": at.column.max(1),
        "endColumn": at.column.max(1).saturating_add(at.length),
    });
    if let Some(text) = &at.text {
        region["snippet"] = json!({ "text": text });
    }
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&at.path) }, "region": region,
    }})
}

/// A path as a relative reference (RFC 3986, section 4.2).
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
