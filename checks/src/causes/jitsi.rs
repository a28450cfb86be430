//! Causes first seen by the `jitsi` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[];
