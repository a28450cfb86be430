//! Causes first seen by the `synapse` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[];
