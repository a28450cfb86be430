//! The ordered list of all checks.

use crate::{Check, dns, ingress, tls};

/// Every check, in the order of reports: from our own side, along a person's way, to the depths.
pub static REGISTRY: &[&Check] = &[
    &dns::dnssec::CHECK,
    &tls::handshake::CHECK,
    &tls::chain::CHECK,
    &tls::name::CHECK,
    &tls::validity::CHECK,
    &ingress::reachable::CHECK,
    &ingress::challenge::CHECK,
];

/// The check of that id.
pub fn check(id: &str) -> Option<&'static Check> {
    REGISTRY.iter().copied().find(|check| check.id == id)
}
