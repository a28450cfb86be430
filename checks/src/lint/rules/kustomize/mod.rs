//! KUS: what holds for a tree of manifests as a whole.

mod flux;
mod kinds;
mod namespaces;
mod placeholders;
mod refresh;
mod versions;

use crate::lint::Rule;

/// The rules of this family, in the order of the pages.
pub(super) const RULES: &[&Rule] = &[
    &namespaces::MISSING,
    &namespaces::ELSEWHERE,
    &refresh::STALE,
    &flux::EMPTIED,
    &namespaces::TWICE,
    &versions::GONE,
    &placeholders::LEFT,
    &namespaces::NOT_MADE,
];
