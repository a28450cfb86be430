//! STO: claims, and who mounts them.

mod claims;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] =
    &[&claims::ROLLED, &claims::NO_CLAIM, &claims::NO_GROUP, &claims::LOST];
