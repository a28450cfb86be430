//! One mistake at a time: the reference tree with a text replaced, and the rules that speak then.

mod certificates;
mod cron;
mod database;
mod element;
mod jitsi;
mod kustomize;
mod network;
mod policies;
mod secrets;
mod storage;
mod synapse;
mod tunnel;
mod workload;

use std::collections::{BTreeMap, BTreeSet};

use mxdoctor_checks::lint::{Change, Problem, rules};

use super::{files, looked, told};

/// Texts of files of the reference tree, and what is to stand there.
type Edits = &'static [(&'static str, &'static str, &'static str)];

/// A mistake, and the rules that are to speak: the one that it is of, then its consequences.
struct Variant(&'static [&'static str], Edits);

const VARIANTS: &[&[Variant]] = &[
    secrets::VARIANTS,
    database::VARIANTS,
    synapse::VARIANTS,
    jitsi::VARIANTS,
    element::VARIANTS,
    network::VARIANTS,
    certificates::VARIANTS,
    tunnel::VARIANTS,
    storage::VARIANTS,
    workload::VARIANTS,
    policies::VARIANTS,
    cron::VARIANTS,
    kustomize::VARIANTS,
];

/// Families whose every rule has a variant here, or an excuse.
const HELD: &[&str] =
    &["SEC", "DB", "SYN", "JIT", "ELE", "NET", "CRT", "TUN", "STO", "WL", "NP", "CRON", "KUS"];

/// Rules of which a file by itself shows nothing.
const EXCUSED: &[(&str, &str)] = &[
    ("SEC-07", BUILT),
    ("KUS-01", BUILT),
    ("KUS-05", BUILT),
    ("KUS-07", BUILT),
    ("KUS-10", BUILT),
    ("KUS-11", BUILT),
];

const BUILT: &str = "looks at what is built, in `kustomized.rs`";

#[test]
fn of_one_mistake_its_rule_speaks_and_no_other() {
    let reference = files("apps/base/matrix", 20);
    let mut wrong = Vec::new();
    for Variant(speak, edits) in VARIANTS.iter().flat_map(|table| table.iter()) {
        let mut tree = reference.clone();
        for (name, from, to) in *edits {
            let (_, text) = tree.iter_mut().find(|(file, _)| file == name).expect(name);
            assert!(text.contains(from), "{name} has no {from:?}");
            *text = text.replace(from, to);
        }
        let problems = looked(&tree);
        let spoke: BTreeSet<_> = problems.iter().map(|problem| problem.rule.id).collect();
        let wanted: BTreeSet<_> = speak.iter().copied().collect();
        if spoke != wanted {
            let told: Vec<_> = problems.iter().map(told).collect();
            wrong.push(format!("{speak:?}: {told:#?}"));
        }
        for problem in problems.iter().filter(|problem| problem.fix.is_some()) {
            let mended = looked(&mend(&tree, problem));
            let again = |other: &&Problem| told(other) == told(problem);
            if let Some(problem) = mended.iter().find(again) {
                wrong.push(format!("its own change does not mend it: {}", told(problem)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_its_variant() {
    let mut variants: BTreeMap<&str, usize> = BTreeMap::new();
    for Variant(speak, _) in VARIANTS.iter().flat_map(|table| table.iter()) {
        *variants.entry(speak[0]).or_default() += 1;
    }
    for rule in rules::all().filter(|rule| HELD.contains(&rule.family())) {
        let excuse = EXCUSED.iter().find(|(id, _)| *id == rule.id);
        let has = variants.contains_key(rule.id);
        assert!(has || excuse.is_some(), "{} has neither a variant nor an excuse", rule.id);
        assert!(!has || excuse.is_none(), "{} has a variant, and needs no excuse", rule.id);
    }
    for (id, _) in EXCUSED {
        assert!(rules::rule(id).is_some(), "{id} is excused, and is no rule");
    }
}

/// The files with the change that a problem offers.
fn mend(tree: &[(String, String)], problem: &Problem) -> Vec<(String, String)> {
    let mut tree = tree.to_vec();
    let fix = problem.fix.as_ref().expect("a change");
    assert_eq!(fix.changes.len(), 1, "{}: one change, or the lines move", told(problem));
    for change in &fix.changes {
        let (Change::Replace { place, .. }
        | Change::AddAfter { place, .. }
        | Change::RemoveLine { place }) = change;
        let file = tree.iter_mut().find(|(name, _)| *name == place.source.name);
        let (_, text) = file.expect("a file of the tree");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let index = |number: u32| usize::try_from(number).expect("a small number");
        let at = index(place.line) - 1;
        match change {
            Change::Replace { place, with } => {
                let characters: Vec<char> = lines[at].chars().collect();
                let (before, rest) = characters.split_at(index(place.column) - 1);
                let after = &rest[index(place.length)..];
                lines[at] =
                    before.iter().chain(&with.chars().collect::<Vec<_>>()).chain(after).collect();
            }
            Change::AddAfter { lines: more, .. } => lines.insert(at + 1, more.clone()),
            Change::RemoveLine { .. } => {
                lines.remove(at);
            }
        }
        *text = lines.join("\n") + "\n";
    }
    tree
}
