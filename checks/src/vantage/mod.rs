//! The `vantage` family: see each file's own page.

pub mod clock;
pub mod ipv6;
pub mod resolver;
pub mod udp;
