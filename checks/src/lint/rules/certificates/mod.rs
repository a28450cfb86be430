//! CRT: certificates of cert-manager, and the routes that show them.

mod issue;
mod names;
mod terms;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &names::NOT_COVERED,
    &names::NO_SECRET,
    &issue::NO_ISSUER,
    &issue::SHARED,
    &terms::PERIOD,
    &terms::PRIVATE,
    &terms::UNPROVABLE,
    &terms::KEPT,
];
