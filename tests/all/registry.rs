//! The registry held to its own rules.

use std::collections::HashSet;
use std::path::Path;

use mxdoctor_checks::lint::{Needs, Severity, rules};
use mxdoctor_checks::{REGISTRY, cause, causes};

#[test]
fn ids_are_unique_and_well_formed() {
    let mut seen = HashSet::new();
    for check in REGISTRY {
        assert!(seen.insert(check.id), "{} is there twice", check.id);
        let (family, name) = check.id.split_once('.').expect("family.name");
        for part in [family, name] {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(!part.is_empty() && part.chars().all(fits), "{}", check.id);
        }
    }
}

#[test]
fn rules_are_unique_and_name_causes_that_there_are() {
    let mut seen = HashSet::new();
    for rule in rules::all() {
        assert!(seen.insert(rule.id), "{} is there twice", rule.id);
        let (family, number) = rule.id.split_once('-').expect("FAMILY-00");
        assert!(family.chars().all(|c| c.is_ascii_uppercase()), "{}", rule.id);
        assert!(number.len() == 2 && number.parse::<u8>().is_ok(), "{}", rule.id);
        assert!(cause(rule.cause).is_some(), "{}: {}", rule.id, rule.cause);
        // What is said of files alone, or is only worth knowing, no check says of a cluster.
        let of_files = rule.needs == Needs::Files || rule.severity == Severity::Info;
        let fits = (of_files && rule.check.is_empty()) || rule.check.starts_with("kubernetes.");
        assert!(fits, "{}: {}", rule.id, rule.check);
    }
    assert!(!seen.is_empty());
}

/// Ids are a public interface: one that was once released may not go away.
#[test]
fn ids_never_go_away() {
    let known = include_str!("ids.txt");
    let checks = REGISTRY.iter().map(|check| check.id);
    let causes = causes().map(|cause| cause.id);
    let now: HashSet<&str> = checks.chain(causes).chain(rules::all().map(|rule| rule.id)).collect();
    let listed: HashSet<&str> = known.lines().collect();
    for id in &listed {
        assert!(now.contains(id), "{id} is a public interface and went away");
    }
    for id in &now {
        assert!(listed.contains(id), "{id} is new: add it to tests/all/ids.txt");
    }
}

#[test]
fn every_file_of_a_family_is_registered_under_its_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("checks/src");
    let mut files = 0;
    for family in std::fs::read_dir(folder).expect("the families are there") {
        let family = family.expect("an entry").path();
        let family_name = family.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !family.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&family).expect("a folder") {
            let file = file.expect("an entry").path();
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if !text.lines().any(|line| line.starts_with("check! {")) {
                continue;
            }
            files += 1;
            let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let id = format!("{family_name}.{stem}");
            let found = mxdoctor_checks::check(&id);
            assert!(found.is_some(), "{} holds no registered check {id}", file.display());
        }
    }
    assert_eq!(files, REGISTRY.len(), "every check has a file of its own");
}

#[test]
fn every_check_has_a_manual_page() {
    for check in REGISTRY {
        for section in ["# What it asserts", "# Why it matters", "# What makes it fail"] {
            assert!(check.page.contains(section), "{} lacks `{section}`", check.id);
        }
        assert!(check.title.len() <= 80, "{}: the title is too long for a line", check.id);
    }
}

#[test]
fn causes_and_checks_know_each_other() {
    let mut named: HashSet<&str> = rules::all().map(|rule| rule.cause).collect();
    for check in REGISTRY {
        for id in check.causes {
            assert!(cause(id).is_some(), "{} names the unknown cause {id}", check.id);
            named.insert(*id);
        }
    }
    let mut seen = HashSet::new();
    for cause in causes() {
        assert!(seen.insert(cause.id), "the cause {} is there twice", cause.id);
        assert!(named.contains(cause.id), "no check or rule names the cause {}", cause.id);
        assert!(!cause.remedy.is_empty() && !cause.explanation.is_empty(), "{}", cause.id);
    }
}
