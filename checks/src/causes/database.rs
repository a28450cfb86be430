//! Causes first seen by the `database` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[];
