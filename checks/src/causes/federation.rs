//! Causes first seen by the `federation` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[];
