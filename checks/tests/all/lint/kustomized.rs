//! Mistakes with the kustomization itself: the reference tree on a disk, with a change, and built.

use std::collections::BTreeSet;

use mxdoctor_checks::lint::{self, Problem, reading};
use mxdoctor_probes::manifest::files::{Input, read};

use super::{files, told};

const KUSTOMIZATION: &str = "kustomization.yaml";

/// The rules that are to speak, the one that it is of first, and the change: a file, a text of it
/// (none for a new file), and what is to stand there.
type Mistake = (&'static [&'static str], &'static str, &'static str, &'static str);

const MISTAKES: &[Mistake] = &[
    (
        &["KUS-01"],
        "config/extra.yaml",
        "",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: app-matrix}\n",
    ),
    // Sealed values open under their own names alone, and policies mean the database by its label.
    (
        &["KUS-05", "SEC-07", "NP-03", "NP-06", "NP-07"],
        KUSTOMIZATION,
        "kind: Kustomization\n",
        "kind: Kustomization\nnamePrefix: dev-\n",
    ),
    (
        &["KUS-07"],
        KUSTOMIZATION,
        "kind: Kustomization\n",
        "kind: Kustomization\nlabels:\n  - {pairs: {app.kubernetes.io/version: \"1\"}, \
         includeSelectors: true}\n",
    ),
    (
        &["KUS-10"],
        KUSTOMIZATION,
        "kind: Kustomization\n",
        "kind: Kustomization\npatches:\n  - target: {kind: Deployment, name: synaps}\n    patch: \
         '[{op: remove, path: /spec/replicas}]'\n",
    ),
    (&["KUS-11"], "components/synapse.yaml", "  replicas: 1\n", "  replica: 1\n"),
    (
        &["LINT-06"],
        KUSTOMIZATION,
        "kind: Kustomization\n",
        "kind: Kustomization\nhelmCharts: [{name: synapse}]\n",
    ),
    // The file of the right name is left over, and its Namespace with it.
    (
        &["LINT-07", "KUS-01", "KUS-14"],
        KUSTOMIZATION,
        "  - namespace.yaml\n",
        "  - namespaces.yaml\n",
    ),
];

/// What is found in a tree of files on a disk.
fn built(tree: &[(String, String)]) -> Vec<Problem> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in tree {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let tree = read(&[Input::Path(folder.path().to_owned())]);
    let mut problems = reading::problems(&tree.troubles);
    assert_eq!(tree.deployments.len(), 1, "one deployment");
    for deployment in &tree.deployments {
        problems.extend(lint::run(&deployment.inventory));
    }
    lint::explain(&mut problems);
    lint::suppress(&tree.sources, problems, |_| true).0
}

#[test]
fn the_built_reference_is_clean() {
    let told: Vec<_> = built(&files("apps/base/matrix", 20)).iter().map(told).collect();
    assert_eq!(told, [""; 0]);
}

#[test]
fn of_one_mistake_with_a_kustomization_its_rule_speaks_and_no_other() {
    let reference = files("apps/base/matrix", 20);
    let mut wrong = Vec::new();
    for (speak, name, from, to) in MISTAKES {
        let mut tree = reference.clone();
        match tree.iter_mut().find(|(file, _)| file == name) {
            Some((_, text)) => {
                assert!(text.contains(from), "{name} has no {from:?}");
                *text = text.replacen(from, to, 1);
            }
            None => tree.push(((*name).to_owned(), (*to).to_owned())),
        }
        let problems = built(&tree);
        let spoke: BTreeSet<_> = problems.iter().map(|problem| problem.rule.id).collect();
        if spoke != speak.iter().copied().collect() {
            let told: Vec<_> = problems.iter().map(told).collect();
            wrong.push(format!("{speak:?}: {told:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
