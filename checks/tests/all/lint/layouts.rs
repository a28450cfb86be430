//! Healthy deployments of other people: nothing in them may be called broken.

use std::collections::BTreeSet;

use mxdoctor_checks::lint::{self, Problem, Severity};
use mxdoctor_probes::manifest::{Inventory, Origin};

use super::{below, objects, told};

/// Each tree below `fixtures/layouts`, and the rules that warn of something in it, rightly.
const LAYOUTS: &[(&str, &[&str])] = &[
    ("argo", &["KUS-14"]),
    ("caddy", &["KUS-14"]),
    ("chart", &[]),
    ("flux", &["KUS-14"]),
    ("gateway", &[]),
    ("homelab", &[]),
    ("office", &["JIT-04", "SYN-30"]),
    ("shared", &[]),
    ("spread", &["SYN-15"]),
    ("suite", &["KUS-14"]),
    ("twins", &[]),
];

/// Families whose warnings are listed above; of all others only errors are looked for.
const LISTED: &[&str] =
    &["SYN", "SEC", "ELE", "JIT", "NET", "CRT", "TUN", "DB", "STO", "CRON", "KUS"];

fn is_wrong(problem: &&Problem) -> bool {
    problem.rule.severity > Severity::Warning
}

#[test]
fn a_healthy_layout_has_no_errors_and_its_own_warnings_alone() {
    let mut wrong = Vec::new();
    for (name, warnings) in LAYOUTS {
        let (inventory, _) = objects(&below(&format!("layouts/{name}"), 1));
        let problems = lint::run(&inventory);
        wrong.extend(problems.iter().filter(is_wrong).map(|it| format!("{name}: {}", told(it))));
        let listed = |problem: &&Problem| LISTED.contains(&problem.rule.family());
        let milder = problems.iter().filter(|it| !is_wrong(it)).filter(listed);
        let warned: BTreeSet<_> = milder.clone().map(|problem| problem.rule.id).collect();
        if warned != warnings.iter().copied().collect() {
            let told: Vec<_> = milder.map(told).collect();
            wrong.push(format!("{name}: {warned:?} {told:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same objects as an API server has them.
#[test]
fn a_healthy_layout_has_no_errors_in_a_cluster_either() {
    let mut wrong = Vec::new();
    for (name, _) in LAYOUTS {
        let (inventory, _) = objects(&below(&format!("layouts/{name}"), 1));
        let live = Inventory::new(Origin::Live, inventory.objects().to_vec());
        let problems = lint::run(&live);
        wrong.extend(problems.iter().filter(is_wrong).map(|it| format!("{name}: {}", told(it))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_layout_is_looked_at() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/layouts");
    let folders = std::fs::read_dir(root).expect("the layouts").filter_map(Result::ok);
    let folders = folders.filter(|entry| entry.path().is_dir());
    let found: BTreeSet<_> =
        folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(found, LAYOUTS.iter().map(|(name, _)| (*name).to_owned()).collect());
}
