//! JUnit XML under its schemas, and as another reader understands it.

use std::path::{Path, PathBuf};
use std::process::Command;

use mxdoctor_model::{CheckReport, Outcome, Report};
use mxdoctor_reports::junit;

use crate::python::{python, text};
use crate::runs;

const XSD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/xsd");

/// Validates with libxml2, and returns what it has to say where a document is not valid.
pub(crate) fn validate(schema: &str, files: &[PathBuf]) -> Result<(), String> {
    let output = Command::new("xmllint")
        .args(["--noout", "--schema"])
        .arg(Path::new(XSD).join(schema))
        .args(files)
        .output()
        .expect("xmllint is installed (package libxml2-utils)");
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("can be written");
    path
}

#[test]
fn the_strict_dialect_is_valid_for_jenkins_and_ant() {
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<_> = runs::all()
        .iter()
        .map(|(name, report)| {
            write(folder.path(), &format!("{name}.xml"), &junit::render_strict(report))
        })
        .collect();
    assert_eq!(validate("junit-10.xsd", &files), Ok(()));
    assert_eq!(validate("JUnit.xsd", &files), Ok(()));
    // The schemas can tell: the other dialect has properties in a case.
    let common = write(folder.path(), "common", &junit::render(&runs::healthy()));
    assert!(validate("junit-10.xsd", std::slice::from_ref(&common)).is_err());
    text(Command::new("xmllint").arg("--noout").arg(common), "xmllint");
}

/// What junitparser (PyPI) makes of the document: one line a case.
const READ: &str = r"
import sys
from junitparser import JUnitXml
xml = JUnitXml.fromfile(sys.argv[1])
print('total', xml.tests, xml.failures, xml.errors, xml.skipped)
for suite in xml:
    print('suite', suite.name, suite.tests, suite.failures, suite.errors, suite.skipped)
    for case in suite:
        results = [type(r).__name__ + ' ' + str(r.message) for r in case.result] or ['pass']
        print('case', case.classname, case.name, *results)
";

#[test]
fn another_reader_understands_the_same() {
    for (name, report) in runs::all() {
        for (xml, totals) in
            [(junit::render(&report), true), (junit::render_strict(&report), false)]
        {
            let folder = tempfile::tempdir().expect("a folder");
            let file = write(folder.path(), "junit.xml", &xml);
            let read = python(READ, &file);
            let mut lines: Vec<_> = read.lines().collect();
            lines.retain(|line| !line.starts_with("suite"));
            let total = lines.remove(0);
            if totals {
                let sum = &report.summary;
                let (tests, skip) = (sum.total(), sum.skip);
                assert_eq!(total, format!("total {tests} {} {} {skip}", sum.fail, sum.error));
            }
            let expected = report.checks.iter().map(|check| {
                let result = match check.outcome {
                    Outcome::Pass | Outcome::Warn => "pass".to_owned(),
                    Outcome::Fail => format!("Failure {}", check.summary),
                    Outcome::Error => format!("Error {}", check.summary),
                    Outcome::Skip => format!("Skipped {}", reason(&report, check)),
                };
                format!("case mxdoctor.{} {} {result}", check.family, check.key())
            });
            assert_eq!(lines, expected.collect::<Vec<_>>(), "{name}");
        }
    }
}

#[test]
fn names_are_unique_even_when_keys_are_not() {
    let mut report = runs::healthy();
    let twin = report.checks[4].clone();
    report.checks.push(twin);
    for render in [junit::render, junit::render_strict] {
        let xml = render(&report);
        let mut names: Vec<_> = xml.split("<testcase name=\"").skip(1).collect();
        names.iter_mut().for_each(|name| *name = name.split('"').next().unwrap_or_default());
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert_eq!(all, report.checks.len());
    }
}

#[test]
fn a_warning_passes_and_is_not_lost() {
    let report = runs::healthy();
    let words = "no Strict-Transport-Security on element";
    let common = junit::render(&report);
    assert!(common.contains(&format!("<property name=\"warn\" value=\"{words}\"/>")), "{common}");
    for xml in [common, junit::render_strict(&report)] {
        let (_, out) = xml.split_once("<system-out>warn ingress.hsts").expect("in system-out");
        assert!(out.split("</system-out>").next().is_some_and(|out| out.contains(words)));
        assert!(!xml.contains("<failure"));
    }
}

/// As a reader wants it: what is in the way by its key, where there is something in the way.
fn reason(report: &Report, check: &CheckReport) -> String {
    let fails = |key: &&String| {
        let mut others = report.checks.iter();
        others.any(|other| &&other.key() == key && other.outcome != Outcome::Skip)
    };
    match check.blocked_by.as_ref().filter(fails) {
        Some(key) => format!("blocked by {key}: {}", check.summary),
        None => check.summary.clone(),
    }
}
