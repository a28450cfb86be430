//! Causes first seen by the `element` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[];
