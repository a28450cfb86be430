//! WL: how workloads are run, whatever they run.

mod admission;
mod configmaps;
mod images;
mod liveness;
mod own;
mod probes;
mod replicas;
mod resources;
mod rollout;
mod security;
mod selector;
mod token;
mod variables;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &images::MOVING,
    &resources::UNSET,
    &resources::TOO_SMALL,
    &probes::NOT_ASKED,
    &liveness::KILLED,
    &liveness::IMPATIENT,
    &security::OPEN,
    &token::MOUNTED,
    &admission::REFUSED,
    &selector::MISMATCH,
    &replicas::NONE,
    &rollout::CUT_SHORT,
    &variables::TWICE,
    &configmaps::NOT_THERE,
    &variables::LATER,
    &replicas::BLOCKED,
    &images::ASKED,
    &rollout::DEADLINE,
];
