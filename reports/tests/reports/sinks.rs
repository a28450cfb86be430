//! Sinks: where reports go, and what becomes of them when things go wrong.

use std::fs;
use std::path::Path;

use mxdoctor_model::{Event, Report, Vantage};
use mxdoctor_reports::{Format, Sink, Spec, TerminalOptions, open};

use crate::runs;

fn spec(format: Format, path: &Path) -> Spec {
    Spec { format, path: Some(path.to_owned()) }
}

fn sinks(specs: &[Spec]) -> Vec<Box<dyn Sink>> {
    // The terminal's report would go to the standard output of the tests otherwise.
    let quiet = specs.iter().any(|spec| spec.path.is_none());
    let mut sinks = open(specs, &TerminalOptions::default()).expect("sinks");
    if !quiet {
        sinks.remove(0);
    }
    sinks
}

/// The events of a run that came to this report.
fn events(report: &Report) -> Vec<Event> {
    let mut events = vec![Event::RunStarted {
        schema_version: report.schema_version,
        tool: report.tool.clone(),
        run: mxdoctor_model::Run { duration_ms: 0, ..report.run.clone() },
        planned: report.checks.len(),
    }];
    for check in &report.checks {
        let (id, vantage) = (check.id.clone(), check.vantage);
        events.push(Event::CheckStarted { id: id.clone(), title: check.title.clone(), vantage });
        events.push(Event::CheckFinished { check: Box::new(check.clone()) });
        events.push(Event::CheckEnded { id, vantage });
    }
    events.push(Event::RunFinished { report: Box::new(report.clone()) });
    events
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn several_reports_of_one_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let specs: Vec<_> =
        Format::ALL.iter().map(|f| spec(*f, &folder.path().join(f.as_str()))).collect();
    let mut sinks = sinks(&specs);
    let report = runs::two_causes();
    for event in events(&report) {
        for sink in &mut sinks {
            sink.event(&event).expect("written");
        }
    }
    let read = |f: Format| fs::read_to_string(folder.path().join(f.as_str())).expect("a report");
    assert_eq!(names(folder.path()).len(), Format::ALL.len());
    assert_eq!(read(Format::Json), mxdoctor_reports::json::render(&report));
    assert_eq!(read(Format::Junit), mxdoctor_reports::junit::render(&report));
    assert_eq!(read(Format::JunitStrict), mxdoctor_reports::junit::render_strict(&report));
    assert_eq!(read(Format::Short), mxdoctor_reports::short::render(&report));
    assert!(read(Format::Terminal).contains("2 causes"));
    assert!(!read(Format::Terminal).contains('\u{1b}'));
    let lines: Vec<Event> = read(Format::Ndjson)
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event"))
        .collect();
    assert_eq!(lines, events(&report));
}

#[test]
fn an_old_report_stays_until_the_new_one_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    fs::write(&path, "old").expect("written");
    let mut sinks = sinks(&[spec(Format::Json, &path)]);
    let events = events(&runs::healthy());
    let (last, first) = events.split_last().expect("events");
    for event in first {
        sinks[0].event(event).expect("taken");
    }
    assert_eq!(fs::read_to_string(&path).expect("a file"), "old");
    sinks[0].event(last).expect("written");
    assert_ne!(fs::read_to_string(&path).expect("a file"), "old");
    drop(sinks);
    assert_eq!(names(folder.path()), ["report.json"]);
}

#[test]
fn a_run_that_dies_leaves_what_was_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    let mut sinks = sinks(&[spec(Format::Json, &path)]);
    let whole = runs::one_cause();
    for event in events(&whole).iter().take(10) {
        sinks[0].event(event).expect("taken");
    }
    drop(sinks);
    let text = fs::read_to_string(&path).expect("a report");
    let report: Report = serde_json::from_str(&text).expect("a whole document");
    assert_eq!(report.run.interrupted.as_deref(), Some("crash"));
    assert_eq!(report.checks, whole.checks[..3]);
    assert_eq!(report.summary.total(), 3);
}

#[test]
fn a_run_that_never_began_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(sinks(&[spec(Format::Junit, &folder.path().join("report.xml"))]));
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_file_that_cannot_be_written_is_named_before_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing/report.json");
    for (path, said) in
        [(missing.as_path(), "No such file or directory"), (folder.path(), "is a directory")]
    {
        for format in [Format::Json, Format::Ndjson] {
            let error = open(&[spec(format, path)], &TerminalOptions::default());
            let error = error.err().expect("cannot be written");
            assert!(!error.is_usage());
            let text = error.to_string();
            let begins = format!("cannot write the {format} report to {}: ", path.display());
            assert!(text.starts_with(&begins) && text.contains(said), "{text}");
            assert!(!text.contains(".partial"), "{text}");
        }
    }
}

/// A full disk, as /dev/full plays it.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_names_the_file_once() {
    let mut sinks = sinks(&[spec(Format::Ndjson, Path::new("/dev/full"))]);
    let events = events(&runs::skipped());
    let error = sinks[0].event(&events[0]).expect_err("no space").to_string();
    assert!(error.starts_with("cannot write the ndjson report to /dev/full: "), "{error}");
    assert!(sinks[0].event(&events[1]).is_ok());
}

#[test]
fn two_reports_want_the_same_place() {
    let options = TerminalOptions::default();
    let both = [Spec::stdout(Format::Json), Spec::stdout(Format::Junit)];
    let error = open(&both, &options).err().expect("usage");
    assert!(error.is_usage());
    assert_eq!(
        error.to_string(),
        "two reports on standard output, json and junit: \
         give one of them a file, as in `--report junit=PATH`"
    );
    let path = Path::new("report.out");
    let same = [spec(Format::Json, path), spec(Format::Junit, path)];
    let error = open(&same, &options).err().expect("usage");
    assert!(error.is_usage());
    assert_eq!(error.to_string(), "two reports in one file, report.out: give each its own");
    assert!(!path.exists());
}

#[test]
fn the_terminal_speaks_unless_something_else_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = spec(Format::Json, &folder.path().join("report.json"));
    let options = TerminalOptions::default();
    let number = |specs: &[Spec]| open(specs, &options).expect("sinks").len();
    assert_eq!(number(&[]), 1);
    assert_eq!(number(std::slice::from_ref(&file)), 2);
    assert_eq!(number(&[file, Spec::stdout(Format::Short)]), 2);
}

/// A check under `--wait` has its verdict more than once.
#[test]
fn the_last_verdict_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    let mut sinks = sinks(&[spec(Format::Json, &path)]);
    let report = runs::one_cause();
    let start = events(&report).remove(0);
    let first = runs::skip("jitsi.web", "not yet");
    let last = runs::pass("jitsi.web", "the page loads");
    assert_eq!(first.vantage, Vantage::Public);
    sinks[0].event(&start).expect("taken");
    for check in [first, last.clone()] {
        sinks[0].event(&Event::CheckFinished { check: Box::new(check) }).expect("taken");
    }
    drop(sinks);
    let text = fs::read_to_string(&path).expect("a report");
    let report: Report = serde_json::from_str(&text).expect("a whole document");
    assert_eq!(report.checks, [last]);
}
