//! The `dns` family: see each file's own page.

pub mod dnssec;

pub(crate) use dnssec::bogus;
