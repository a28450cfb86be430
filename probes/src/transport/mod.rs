//! One endpoint's way over UDP: a socket for each address family, and behind them ICE, DTLS, media
//! and the bridge channel, none of which does I/O itself. Every datagram is counted.
//!
//! Remote credentials, candidates and fingerprints may come from anywhere (colibri2 over REST,
//! Jingle over XMPP): two endpoints of one conference are two of these.

mod endpoint;
mod sockets;
mod traffic;

pub use endpoint::Transport;
pub use sockets::is_refused;
pub use traffic::{Count, Traffic};
