//! Questions to name servers and their answers.

mod ask;
mod exchange;
mod lookup;
mod message;
mod resolv;
#[cfg(test)]
mod tests;

pub use lookup::{Answer, Data, Dnssec, Kind, Lookup, Record};
pub use message::read;

pub(crate) use resolv::System;
