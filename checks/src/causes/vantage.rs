//! Causes first seen by the `vantage` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[];
