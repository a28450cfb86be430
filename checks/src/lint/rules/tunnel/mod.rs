//! TUN: Cloudflare's tunnel.

mod binding;
mod names;
mod records;
pub(super) mod targets;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &binding::WRAPPED,
    &targets::ELSEWHERE,
    &binding::FIRST_PORT,
    &targets::TARGET,
    &targets::REFERENCE,
    &targets::ZONE,
    &names::TWICE,
    &targets::SHADOWED,
    &binding::TLS,
    &names::TOO_DEEP,
    &records::UNRECORDED,
    &targets::MEDIA,
];
