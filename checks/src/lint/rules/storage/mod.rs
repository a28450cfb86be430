//! STO: claims, and who mounts them.

mod claims;
pub(super) mod disk;
mod keeping;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &claims::ROLLED,
    &claims::NO_CLAIM,
    &keeping::MODE,
    &keeping::PRUNED,
    &claims::NO_GROUP,
    &claims::LOST,
    &keeping::UNLIMITED,
    &keeping::NOT_COPIED,
];
