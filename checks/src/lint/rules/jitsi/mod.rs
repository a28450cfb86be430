//! JIT: Jitsi Meet's four parts.

mod bridge;
mod memory;
mod rollout;
mod signalling;
mod variable;
mod web;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &bridge::DNS_POLICY,
    &rollout::HOST_PORT,
    &bridge::NOT_ADVERTISED,
    &bridge::OLD_NAME,
    &bridge::NO_ADDRESS,
    &bridge::NOT_UDP,
    &signalling::NO_PASSWORD,
    &signalling::NO_SERVER,
    &web::NO_BOSH_BASE,
    &signalling::NO_BOSH_PORT,
    &web::NO_PUBLIC_URL,
    &signalling::REST_ON_LOOPBACK,
    &memory::HEAP,
];
