//! TUN: Cloudflare's tunnel.

mod binding;
mod names;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] =
    &[&binding::WRAPPED, &binding::FIRST_PORT, &names::TWICE, &binding::TLS, &names::TOO_DEEP];
