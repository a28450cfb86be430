//! Causes first seen by the `tls` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[];
