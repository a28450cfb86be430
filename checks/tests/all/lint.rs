//! The rules over whole trees: the reference deployment, and one written as its text says.

use std::path::{Path, PathBuf};

use mxdoctor_checks::lint::{self, Problem};
use mxdoctor_probes::manifest::{Inventory, Object, Origin, Source, yaml};

/// The objects of all YAML files below a folder.
fn tree(folder: &str) -> Inventory {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/stack").join(folder);
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(files.len() > 10, "{} holds the tree", root.display());
    let mut objects = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file");
        let name = file.strip_prefix(&root).expect("below").display().to_string();
        let documents = yaml::documents(&Source::file(name, text)).expect("YAML");
        objects.extend(documents.into_iter().filter_map(Object::new));
    }
    Inventory::new(Origin::Files, objects)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
}

fn told(problem: &Problem) -> String {
    format!("{} {}: {}", problem.rule.id, problem.place, problem.message)
}

#[test]
fn the_reference_is_clean() {
    let problems = lint::run(&tree("apps/base/matrix"));
    // Its zone has an advanced certificate, which a comment beside each name says.
    let others = problems.iter().filter(|problem| problem.rule.id != "TUN-10");
    assert_eq!(others.map(told).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn what_the_text_says_and_nothing_more_is_full_of_traps() {
    let problems = lint::run(&tree("naive"));
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
    ("ELE-06", "config/element-config.yaml", 17),
    ("JIT-01", "components/jitsi/jvb.yaml", 16),
    ("JIT-03", "components/jitsi/jvb.yaml", 4),
    ("JIT-04", "components/jitsi/jvb.yaml", 18),
    ("JIT-09", "components/jitsi/jicofo.yaml", 17),
    ("JIT-09", "components/jitsi/jvb.yaml", 18),
    ("JIT-09", "components/jitsi/prosody.yaml", 17),
    ("JIT-13", "components/jitsi/prosody.yaml", 58),
    ("JIT-19", "components/jitsi/jicofo.yaml", 29),
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
    ("TUN-10", "networking/element-ingress.yaml", 10),
    ("TUN-10", "networking/jitsi-ingress.yaml", 10),
    ("TUN-10", "networking/synapse-ingress.yaml", 10),
];
