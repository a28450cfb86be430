//! JIT: Jitsi Meet's four parts.

mod accounts;
mod agreement;
mod bridge;
mod memory;
mod page;
mod ports;
mod release;
mod rollout;
mod signalling;
mod spread;
pub(super) mod variable;
mod web;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &bridge::DNS_POLICY,
    &spread::NO_ROOM,
    &rollout::HOST_PORT,
    &bridge::NOT_ADVERTISED,
    &bridge::OLD_NAME,
    &bridge::NO_ADDRESS,
    &ports::OTHER_PORT,
    &bridge::NOT_UDP,
    &signalling::NO_PASSWORD,
    &agreement::PASSWORDS,
    &signalling::NO_SERVER,
    &web::NO_BOSH_BASE,
    &signalling::NO_BOSH_PORT,
    &agreement::NAMES,
    &web::NO_PUBLIC_URL,
    &page::TWO_NAMES,
    &page::OWN_TLS,
    &page::CHANNEL,
    &signalling::REST_ON_LOOPBACK,
    &accounts::NOT_KEPT,
    &accounts::OPEN,
    &release::MIXED,
    &release::PORT,
    &release::NOT_ROOT,
    &memory::HEAP,
    &spread::NOT_PINNED,
    &ports::UNDECLARED,
    &ports::CONTROL,
];
