//! Whatever servers send, a report is a report.

use mxdoctor_model::{CheckReport, Evidence, EvidenceKind, Outcome, Report, RootCause, Vantage};
use mxdoctor_reports::terminal::{Look, render};
use mxdoctor_reports::{json, junit, short};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::junit::validate;
use crate::runs;

/// Any text, and those that are known to break things.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        1 => Just(String::new()),
        1 => Just("\u{0}\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\r\n\t\u{85}\u{2028}".to_owned()),
        1 => Just("]]><!--&lt;\"'\u{fffe}\u{ffff}\u{d7ff}\u{e000}\u{10ffff}".to_owned()),
        1 => Just("\u{202e}\u{2066}\u{5d0}\u{5d1}\u{627}\u{644}\u{200f}\u{feff}".to_owned()),
        1 => Just("測試".repeat(300)),
        1 => Just("🧑‍⚕️ e\u{301}\u{301}\u{301}".to_owned()),
    ]
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    use Outcome::{Error, Fail, Pass, Skip, Warn};
    prop::sample::select(vec![Skip, Pass, Warn, Error, Fail])
}

prop_compose! {
    fn any_check()(
        outcome in any_outcome(),
        texts in prop::collection::vec(any_text(), 8),
        optional in prop::collection::vec(prop::option::of(any_text()), 6),
        numbers in any::<(u64, u64, u32)>(),
        vantage in prop::sample::select(Vantage::ALL.to_vec()),
    ) -> CheckReport {
        let [id, family, title, summary, docs_url, evidence, name, unit] =
            texts.try_into().expect("eight");
        let [instance, expected, actual, cause, remedy, blocked_by] =
            optional.try_into().expect("six");
        CheckReport {
            id, instance, family, vantage, title, outcome, summary, expected, actual, cause,
            confidence: None,
            remedy, docs_url, blocked_by,
            started_ms: numbers.0, duration_ms: numbers.1, attempts: numbers.2,
            evidence: vec![Evidence::new(EvidenceKind::Request, evidence)],
            metrics: vec![mxdoctor_model::Metric { name, value: 1.5, unit }],
            waited_for: Vec::new(),
            rule: None,
            about: Vec::new(),
        }
    }
}

prop_compose! {
    fn any_report()(
        checks in prop::collection::vec(any_check(), 0..5),
        texts in prop::collection::vec(any_text(), 4),
        interrupted in prop::option::of(any_text()),
        ms in any::<u64>(),
    ) -> Report {
        let root = checks.first().map(|check| RootCause {
            cause: texts[0].clone(),
            title: texts[1].clone(),
            confidence: mxdoctor_model::Confidence::Possible,
            checks: vec![check.key(), texts[2].clone()],
            summary: texts[2].clone(),
            remedy: texts[3].clone(),
            docs_url: texts[3].clone(),
            evidence: Vec::new(),
            consequences: checks.iter().skip(1).map(CheckReport::key).collect(),
        });
        let mut report = runs::report(checks, root.into_iter().collect(), ms);
        report.run.target.clone_from(&texts[0]);
        report.run.started_at.clone_from(&texts[1]);
        report.run.interrupted = interrupted;
        report
    }
}

fn look() -> impl Strategy<Value = Look> {
    (any::<bool>(), any::<bool>(), 0..200_usize).prop_map(|(color, utf8, width)| Look {
        color,
        utf8,
        width,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_but_colours_reaches_the_terminal(report in any_report(), look in look()) {
        let page = render(&report, look);
        let plain = render(&report, Look { color: false, ..look });
        for char in plain.chars().filter(|char| *char != '\n') {
            prop_assert!(!char.is_control(), "{:?} in {plain:?}", char);
            prop_assert!(!('\u{202a}'..='\u{202e}').contains(&char), "{:?} in {plain:?}", char);
        }
        for piece in page.split('\u{1b}').skip(1) {
            let (code, _) = piece.split_once('m').expect("a colour");
            let digits = code.trim_start_matches('[');
            prop_assert!(digits.bytes().all(|b| b.is_ascii_digit() || b == b';'), "{code:?}");
        }
        prop_assert!(look.utf8 || page.is_ascii());
    }

    #[test]
    fn short_is_one_line_a_finding(report in any_report()) {
        let lines = report.checks.iter().filter(|c| c.outcome != Outcome::Pass).count() + 1;
        prop_assert_eq!(short::render(&report).lines().count(), lines);
    }

    #[test]
    fn json_comes_back_as_it_was(report in any_report()) {
        let back: Report = serde_json::from_str(&json::render(&report)).expect("JSON");
        prop_assert_eq!(back, report);
    }
}

/// One call of xmllint for many documents, since each one starts a process.
#[test]
fn junit_is_always_valid() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut runner = proptest::test_runner::TestRunner::default();
    let (mut strict, mut common) = (Vec::new(), Vec::new());
    for n in 0..200 {
        let report = any_report().new_tree(&mut runner).expect("a report").current();
        for (name, files, xml) in [
            ("strict", &mut strict, junit::render_strict(&report)),
            ("common", &mut common, junit::render(&report)),
        ] {
            let path = folder.path().join(format!("{name}-{n}.xml"));
            std::fs::write(&path, xml).expect("can be written");
            files.push(path);
        }
    }
    assert_eq!(validate("junit-10.xsd", &strict), Ok(()));
    assert_eq!(validate("JUnit.xsd", &strict), Ok(()));
    let mut xmllint = std::process::Command::new("xmllint");
    crate::python::text(xmllint.arg("--noout").args(&common), "xmllint");
}
