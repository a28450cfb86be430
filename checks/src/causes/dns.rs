//! Causes first seen by the `dns` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[];
