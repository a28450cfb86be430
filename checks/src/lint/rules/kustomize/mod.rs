//! KUS: what holds for a tree of manifests as a whole.

mod fields;
mod flux;
mod kinds;
mod labels;
mod named;
mod namespaces;
mod patches;
mod placeholders;
mod references;
mod refresh;
mod unlisted;
mod versions;

use crate::lint::Rule;

/// The rules of this family, in the order of the pages.
pub(super) const RULES: &[&Rule] = &[
    &unlisted::UNLISTED,
    &namespaces::MISSING,
    &namespaces::ELSEWHERE,
    &references::BROKEN,
    &refresh::STALE,
    &labels::SELECTING,
    &flux::EMPTIED,
    &namespaces::TWICE,
    &patches::IDLE,
    &fields::UNKNOWN,
    &versions::GONE,
    &placeholders::LEFT,
    &namespaces::NOT_MADE,
];
