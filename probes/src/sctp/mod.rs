//! A data channel: SCTP (RFC 9260) inside DTLS (RFC 8261), and one channel in it (RFC 8831,
//! RFC 8832). No I/O.

mod channel;
mod dcep;

pub use channel::{Channel, ChannelState, Received};
pub use dcep::Open;
