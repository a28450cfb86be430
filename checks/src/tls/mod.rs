//! The `tls` family: see each file's own page.

pub mod addresses_agree;
pub mod chain;
pub mod handshake;
pub mod name;
pub mod ocsp_ct;
pub mod protocol;
mod shared;
pub mod validity;

pub(crate) use shared::unless_stale;

#[cfg(test)]
pub(crate) use shared::tests;
