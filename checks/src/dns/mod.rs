//! The `dns` family: see each file's own page.

pub mod address;
pub mod caa;
pub mod cluster;
pub mod dnssec;
pub mod internal_names;
pub mod resolvers_agree;
pub mod srv;

pub(crate) use dnssec::bogus;
