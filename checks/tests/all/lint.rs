//! The rules over whole trees: the reference deployment, and one written as its text says.

mod deploy;
mod kustomized;
mod layouts;
mod variants;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mxdoctor_checks::lint::{self, Problem};
use mxdoctor_probes::manifest::{Inventory, Object, Origin, Source, yaml};

/// The files of a tree of the reference stack: each with its path and its text.
fn files(folder: &str, least: usize) -> Vec<(String, String)> {
    below(&format!("stack/{folder}"), least)
}

/// The files of a tree of the fixtures.
fn below(folder: &str, least: usize) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(folder);
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(files.len() >= least, "{} holds the tree", root.display());
    let read = |file: PathBuf| {
        let name = file.strip_prefix(&root).expect("below").display().to_string();
        (name, std::fs::read_to_string(&file).expect("a file"))
    };
    files.into_iter().map(read).collect()
}

/// The objects of files, and the files themselves.
fn objects(files: &[(String, String)]) -> (Inventory, Vec<Arc<Source>>) {
    let mut objects = Vec::new();
    let mut sources = Vec::new();
    for (name, text) in files {
        let source = Source::file(name.as_str(), text.as_str());
        let documents = yaml::documents(&source).expect("YAML");
        objects.extend(documents.into_iter().filter_map(Object::new));
        sources.push(source);
    }
    (Inventory::new(Origin::Files, objects), sources)
}

/// What the rules find in files, without what the comments in them allow.
fn looked(files: &[(String, String)]) -> Vec<Problem> {
    let (inventory, sources) = objects(files);
    lint::suppress(&sources, lint::run(&inventory), |_| true).0
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            files.push(path);
        }
    }
}

fn told(problem: &Problem) -> String {
    format!("{} {}: {}", problem.rule.id, problem.place, problem.message)
}

#[test]
fn the_reference_and_its_twins_are_clean() {
    for (folder, least) in [("apps/base/matrix", 20), ("plain", 20), ("helm", 1)] {
        let problems = looked(&files(folder, least));
        let told: Vec<_> = problems.iter().map(told).collect();
        assert_eq!(told, [""; 0], "{folder}");
    }
}

/// Objects of an API server bear no comments that allow anything: what is a matter of opinion is
/// said of files alone.
#[test]
fn the_reference_is_clean_in_a_cluster_too() {
    let (inventory, _) = objects(&files("apps/base/matrix", 20));
    let live = Inventory::new(Origin::Live, inventory.objects().to_vec());
    let told: Vec<_> = lint::run(&live).iter().map(told).collect();
    assert_eq!(told, [""; 0]);
}

/// The reference stack with the operators that its cluster has.
fn with_operators(edit: (&str, &str)) -> Vec<String> {
    let mut all = files("apps/base/matrix", 20);
    let operators = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/kube/operators.yaml");
    let operators = std::fs::read_to_string(operators).expect("a file");
    all.push(("operators.yaml".to_owned(), operators + CLOUDFLARED));
    for (_, text) in &mut all {
        *text = text.replace(edit.0, edit.1);
    }
    let (inventory, _) = objects(&all);
    let live = Inventory::new(Origin::Live, inventory.objects().to_vec());
    let problems = lint::run(&live);
    problems.iter().filter(|it| it.rule.family() == "NP").map(told).collect()
}

/// What cloudflare-operator makes.
const CLOUDFLARED: &str = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: \
                           cluster-tunnel, namespace: cloudflare-operator-system}\nspec:\n  \
                           template:\n    metadata: {labels: {app: cloudflared}}\n    spec: \
                           {containers: [{name: c, image: 'cloudflare/cloudflared:2026.7.0'}]}\n";

#[test]
fn policies_are_compared_with_the_operators_that_are_there() {
    assert_eq!(with_operators(("", "")), [""; 0]);
    for (namespace, cut, times) in [
        ("traefik", "keeps Deployment traefik (TCP ", 3),
        ("cloudflare-operator-system", "keeps Deployment cluster-tunnel (TCP ", 4),
        ("cnpg-system", "keeps Deployment cnpg-controller-manager (TCP 8000, 5432)", 1),
    ] {
        let from = format!("kubernetes.io/metadata.name: {namespace}\n");
        let told = with_operators((&from, "kubernetes.io/metadata.name: elsewhere\n"));
        let all = told.iter().all(|one| one.contains(cut));
        assert!(all && told.len() == times, "{namespace}: {told:#?}");
    }
}

#[test]
fn our_own_workloads_are_clean() {
    let problems = looked(&files("../../deploy/base", 8));
    let of_workloads = problems.iter().filter(|problem| problem.rule.family() == "WL");
    let told: Vec<_> = of_workloads.map(told).collect();
    assert_eq!(told, [""; 0]);
}

#[test]
fn what_the_text_says_and_nothing_more_is_full_of_traps() {
    let problems = looked(&files("naive", 10));
    let told: Vec<_> = problems.iter().map(told).collect();
    for (rule, file, line) in EXPECTED {
        let there = |problem: &&Problem| {
            let place = &problem.place;
            problem.rule.id == *rule && place.source.name.ends_with(file) && place.line == *line
        };
        assert!(problems.iter().any(|problem| there(&problem)), "{rule} {file}:{line}: {told:#?}");
    }
}

/// Rule, file and line.
const EXPECTED: &[(&str, &str, u32)] = &[
    ("DB-01", "data/cnpg-cluster.yaml", 4),
    ("DB-02", "data/cnpg-cluster.yaml", 7),
    ("DB-05", "data/cnpg-cluster.yaml", 15),
    ("DB-09", "data/cnpg-cluster.yaml", 4),
    ("DB-13", "data/cnpg-cluster.yaml", 7),
    ("ELE-06", "config/element-config.yaml", 17),
    ("ELE-10", "networking/element-ingress.yaml", 38),
    ("JIT-01", "components/jitsi/jvb.yaml", 16),
    ("JIT-03", "components/jitsi/jvb.yaml", 4),
    ("JIT-04", "components/jitsi/jvb.yaml", 18),
    ("JIT-09", "components/jitsi/jicofo.yaml", 17),
    ("JIT-09", "components/jitsi/jvb.yaml", 18),
    ("JIT-09", "components/jitsi/prosody.yaml", 17),
    ("JIT-13", "components/jitsi/prosody.yaml", 58),
    ("JIT-16", "config/jitsi-config.yaml", 7),
    ("JIT-19", "components/jitsi/jicofo.yaml", 29),
    ("JIT-21", "config/jitsi-config.yaml", 7),
    ("JIT-25", "components/jitsi/jicofo.yaml", 42),
    ("JIT-25", "components/jitsi/jvb.yaml", 46),
    ("NET-15", "components/jitsi/jvb.yaml", 18),
    ("STO-01", "components/synapse.yaml", 55),
    ("STO-06", "components/synapse.yaml", 55),
    ("SYN-01", "config/synapse-config.yaml", 39),
    ("SYN-01", "config/synapse-config.yaml", 40),
    ("SYN-01", "config/synapse-config.yaml", 41),
    ("SYN-02", "config/synapse-config.yaml", 29),
    ("SYN-03", "components/synapse.yaml", 22),
    ("SYN-11", "config/synapse-config.yaml", 11),
    ("SYN-29", "networking/synapse-ingress.yaml", 10),
    ("SYN-31", "config/synapse-config.yaml", 8),
    ("SYN-33", "config/synapse-config.yaml", 8),
    ("SYN-34", "config/synapse-config.yaml", 8),
    ("SYN-36", "config/synapse-config.yaml", 8),
    ("TUN-10", "networking/element-ingress.yaml", 10),
    ("TUN-10", "networking/jitsi-ingress.yaml", 10),
    ("TUN-10", "networking/synapse-ingress.yaml", 10),
    ("WL-05", "components/synapse.yaml", 31),
    ("WL-06", "components/element.yaml", 21),
    ("WL-06", "components/jitsi/jicofo.yaml", 28),
    ("WL-06", "components/jitsi/jvb.yaml", 32),
    ("WL-06", "components/jitsi/prosody.yaml", 29),
    ("WL-06", "components/jitsi/web.yaml", 24),
    ("WL-06", "components/synapse.yaml", 31),
    ("WL-07", "components/element.yaml", 17),
    ("WL-07", "components/jitsi/jvb.yaml", 18),
    ("WL-07", "components/synapse.yaml", 17),
    ("WL-08", "components/element.yaml", 4),
    ("WL-08", "components/jitsi/jvb.yaml", 4),
    ("WL-08", "components/synapse.yaml", 4),
    ("WL-12", "components/jitsi/jvb.yaml", 18),
    ("WL-12", "components/synapse.yaml", 17),
];
