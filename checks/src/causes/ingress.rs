//! Causes first seen by the `ingress` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[];
