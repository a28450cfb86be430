//! ICE (RFC 8445): candidates and an agent that does no I/O.

mod agent;
mod answers;
mod candidate;
mod pair;

pub use agent::{Agent, Credentials, Manner, Role, Transmit};
pub use candidate::{Candidate, Kind};
pub use pair::{Answer, Pair};
