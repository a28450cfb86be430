//! JUnit XML in two dialects: as common CI systems show it best, and as the schemas want it.
//!
//! One `testsuite` a family, in the order of the report; a case is named by the check's key, which
//! stays the same from run to run. `fail` is a failure, `error` an error, `skip` skipped with its
//! reason, `warn` a passing case with its text in `system-out` and a property.

use std::collections::HashMap;
use std::io;

use mxdoctor_model::{CheckReport, Outcome, Report, Summary};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::text::clean_line;
use crate::verdict::{reason, remedy};

type Xml = Writer<Vec<u8>>;

/// As GitLab, GitHub's reporters and Jenkins show it best: properties and output at each case,
/// totals at the root.
pub fn render(report: &Report) -> String {
    document(report, Dialect::Common)
}

/// Valid under both `junit-10.xsd` of Jenkins' xUnit plugin and `JUnit.xsd` of Apache Ant, which
/// know no properties and no output of a case: those of a warning stand at its suite.
pub fn render_strict(report: &Report) -> String {
    document(report, Dialect::Strict)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Common,
    Strict,
}

struct Case<'a> {
    name: String,
    check: &'a CheckReport,
    /// What to do: the check's own word, or that of its cause.
    remedy: Option<&'a String>,
    /// Why it was not made, of a skip.
    reason: String,
}

struct Suite<'a> {
    family: &'a str,
    cases: Vec<Case<'a>>,
}

fn document(report: &Report, dialect: Dialect) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    write_document(&mut xml, report, dialect).expect("writing to memory does not fail");
    let mut text = String::from_utf8(xml.into_inner()).expect("made of text only");
    text.push('\n');
    text
}

fn write_document(xml: &mut Xml, report: &Report, dialect: Dialect) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut root = xml.create_element("testsuites");
    if dialect == Dialect::Common {
        let summary = &report.summary;
        root = root.with_attributes([
            ("name", valid(&report.run.target).as_str()),
            ("tests", summary.total().to_string().as_str()),
            ("failures", summary.fail.to_string().as_str()),
            ("errors", summary.error.to_string().as_str()),
            ("skipped", summary.skip.to_string().as_str()),
            ("time", seconds(report.run.duration_ms).as_str()),
            ("timestamp", valid(&report.run.started_at).as_str()),
        ]);
    }
    let suites = suites(report);
    root.write_inner_content(|xml| {
        for (id, suite) in suites.iter().enumerate() {
            write_suite(xml, report, suite, id, dialect)?;
        }
        Ok(())
    })?;
    Ok(())
}

/// The families in their order, each case with a name that no other case has.
fn suites(report: &Report) -> Vec<Suite<'_>> {
    let mut suites: Vec<Suite<'_>> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for check in &report.checks {
        let key = clean_line(&check.key());
        let times = seen.entry(key.clone()).or_default();
        *times += 1;
        let name = if *times == 1 { key } else { format!("{key} ({times})") };
        let (remedy, reason) = (remedy(report, check), reason(report, check));
        let case = Case { name, check, remedy, reason };
        match suites.iter_mut().find(|suite| suite.family == check.family) {
            Some(suite) => suite.cases.push(case),
            None => suites.push(Suite { family: &check.family, cases: vec![case] }),
        }
    }
    suites
}

fn write_suite(
    xml: &mut Xml,
    report: &Report,
    suite: &Suite<'_>,
    id: usize,
    dialect: Dialect,
) -> io::Result<()> {
    let summary = Summary::of(suite.cases.iter().map(|case| case.check.outcome));
    let busy = suite.cases.iter().map(|case| case.check.duration_ms);
    let mut element = xml.create_element("testsuite").with_attributes([
        ("name", class(suite.family).as_str()),
        ("tests", summary.total().to_string().as_str()),
        ("failures", summary.fail.to_string().as_str()),
        ("errors", summary.error.to_string().as_str()),
        ("skipped", summary.skip.to_string().as_str()),
        ("time", seconds(busy.fold(0, u64::saturating_add)).as_str()),
        ("timestamp", timestamp(&report.run.started_at).as_str()),
    ]);
    if dialect == Dialect::Strict {
        element = element.with_attributes([
            // Where the checks run, which is nothing to the reader; the target is a property.
            ("hostname", "localhost"),
            ("package", "mxdoctor"),
            ("id", id.to_string().as_str()),
        ]);
    }
    element.write_inner_content(|xml| {
        write_properties(xml, &suite_properties(report, suite, dialect))?;
        for case in &suite.cases {
            write_case(xml, case, dialect)?;
        }
        if dialect == Dialect::Strict {
            let warnings: Vec<_> = warnings(suite).map(warning).collect();
            write_text(xml, "system-out", &warnings.join("\n"))?;
            write_text(xml, "system-err", "")?;
        }
        Ok(())
    })?;
    Ok(())
}

fn suite_properties(report: &Report, suite: &Suite<'_>, dialect: Dialect) -> Vec<(String, String)> {
    let vantages: Vec<_> = report.run.vantages.iter().map(|vantage| vantage.as_str()).collect();
    let mut properties = vec![
        ("target".to_owned(), report.run.target.clone()),
        ("run".to_owned(), report.run.id.clone()),
        ("vantages".to_owned(), vantages.join(",")),
    ];
    if let Some(why) = &report.run.interrupted {
        properties.push(("interrupted".to_owned(), why.clone()));
    }
    if dialect == Dialect::Strict {
        let warned = warnings(suite);
        properties.extend(warned.map(|c| (format!("warn:{}", c.name), c.check.summary.clone())));
    }
    properties
}

fn warnings<'a>(suite: &'a Suite<'_>) -> impl Iterator<Item = &'a Case<'a>> {
    suite.cases.iter().filter(|case| case.check.outcome == Outcome::Warn)
}

fn warning(case: &Case<'_>) -> String {
    format!("warn {}: {}", case.name, details(case))
}

fn write_case(xml: &mut Xml, case: &Case<'_>, dialect: Dialect) -> io::Result<()> {
    let check = case.check;
    let element = xml.create_element("testcase").with_attributes([
        ("name", valid(&case.name).as_str()),
        ("classname", class(&check.family).as_str()),
        ("time", seconds(check.duration_ms).as_str()),
    ]);
    let properties = case_properties(check, dialect);
    let silent = matches!(check.outcome, Outcome::Pass)
        || (check.outcome == Outcome::Warn && dialect == Dialect::Strict);
    if silent && properties.is_empty() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|xml| {
        if !properties.is_empty() {
            write_properties(xml, &properties)?;
        }
        match check.outcome {
            Outcome::Fail => write_problem(xml, "failure", case),
            Outcome::Error => write_problem(xml, "error", case),
            Outcome::Skip => {
                let reason = valid(&case.reason);
                let skipped = xml.create_element("skipped");
                skipped.with_attribute(("message", reason.as_str())).write_empty()?;
                Ok(())
            }
            Outcome::Warn if dialect == Dialect::Common => {
                write_text(xml, "system-out", &warning(case))
            }
            Outcome::Warn | Outcome::Pass => Ok(()),
        }
    })?;
    Ok(())
}

fn case_properties(check: &CheckReport, dialect: Dialect) -> Vec<(String, String)> {
    let mut properties = Vec::new();
    if dialect == Dialect::Strict {
        return properties;
    }
    if check.outcome == Outcome::Warn {
        properties.push(("warn".to_owned(), check.summary.clone()));
    }
    if let Some(cause) = &check.cause {
        properties.push(("cause".to_owned(), cause.clone()));
    }
    if let Some(by) = &check.blocked_by {
        properties.push(("blocked_by".to_owned(), by.clone()));
    }
    if check.attempts > 1 {
        properties.push(("attempts".to_owned(), check.attempts.to_string()));
    }
    for metric in &check.metrics {
        let value = format!("{} {}", metric.value, metric.unit);
        properties.push((format!("metric:{}", metric.name), value));
    }
    properties
}

fn write_problem(xml: &mut Xml, tag: &str, case: &Case<'_>) -> io::Result<()> {
    let check = case.check;
    let kind = check.cause.as_deref().unwrap_or(check.outcome.as_str());
    xml.create_element(tag)
        .with_attributes([
            ("message", clean_line(&valid(&check.summary)).as_str()),
            ("type", valid(kind).as_str()),
        ])
        .write_text_content(BytesText::new(&valid(&details(case))))?;
    Ok(())
}

/// Everything that a reader of the CI job needs, as plain text.
fn details(case: &Case<'_>) -> String {
    let check = case.check;
    let mut text = format!("{}\n", check.summary);
    let mut line = |name: &str, value: Option<&String>| {
        if let Some(value) = value {
            text.push_str(&format!("{name}: {value}\n"));
        }
    };
    line("expected", check.expected.as_ref());
    line("actual", check.actual.as_ref());
    line("cause", check.cause.as_ref());
    line("remedy", case.remedy);
    line("blocked by", check.blocked_by.as_ref());
    for evidence in &check.evidence {
        text.push_str(&format!("- {}\n", evidence.text));
    }
    text.push_str(&check.docs_url);
    text.push('\n');
    text
}

fn write_properties(xml: &mut Xml, properties: &[(String, String)]) -> io::Result<()> {
    xml.create_element("properties").write_inner_content(|xml| {
        for (name, value) in properties {
            xml.create_element("property")
                .with_attributes([
                    ("name", clean_line(&valid(name)).as_str()),
                    ("value", clean_line(&valid(value)).as_str()),
                ])
                .write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

fn write_text(xml: &mut Xml, tag: &str, text: &str) -> io::Result<()> {
    xml.create_element(tag).write_text_content(BytesText::new(&valid(text)))?;
    Ok(())
}

/// The class that Jenkins and GitLab group by; never empty.
fn class(family: &str) -> String {
    format!("mxdoctor.{}", valid(family))
}

/// Seconds with three decimals.
fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// As the schemas want it: UTC without saying so. A time that cannot be read is the epoch.
fn timestamp(rfc3339: &str) -> String {
    let time: jiff::Timestamp = rfc3339.parse().unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Without the characters that XML 1.0 cannot carry, not even escaped (section 2.2): they become
/// U+FFFD, so that the reader sees that something was there.
fn valid(text: &str) -> String {
    let char = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if char(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}
