//! Manifests before they are deployed: reading, rules, suppressions, and the report of it.

mod fix;
mod mask;
mod report;
mod select;

pub use fix::{Edits, edits};
pub use report::report;
pub use select::Selection;

use std::collections::HashSet;

use mxdoctor_checks::lint::{self, Problem, reading};
use mxdoctor_probes::manifest::files::Tree;

/// What the rules have to say of what was read.
#[derive(Debug)]
pub struct Looked {
    /// In the order of their places.
    pub problems: Vec<Problem>,
    /// How many were allowed by comments.
    pub allowed: usize,
}

/// Looks at what was read with the rules that are selected.
pub fn look(tree: &Tree, selection: &Selection) -> Looked {
    let mut problems = reading::problems(&tree.troubles);
    for deployment in &tree.deployments {
        problems.extend(lint::run(&deployment.inventory));
    }
    problems.retain(|problem| selection.has(problem.rule));
    lint::explain(&mut problems);
    // A base that two overlays share is wrong once.
    let mut seen = HashSet::new();
    problems.retain(|problem| {
        seen.insert((problem.rule.id, problem.place.to_string(), problem.message.clone()))
    });
    let (mut problems, allowed) =
        lint::suppress(&tree.sources, problems, |rule| selection.has(rule));
    lint::sort(&mut problems);
    Looked { problems, allowed }
}
