//! RTP packets and RTCP reports (RFC 3550, RFC 8285), read and written without I/O.

mod packet;
mod rtcp;

pub use packet::{Extension, Packet, Read, is_rtcp};
pub use rtcp::{Report, Rtcp, compound_of};
