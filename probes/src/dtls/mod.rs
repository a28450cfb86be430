//! DTLS 1.2 with `use_srtp` (RFC 5764) for one endpoint: no sockets, no clock.
//!
//! The certificates are authenticated by the fingerprints that were signalled (RFC 8122), during
//! the handshake, as browsers and the bridge do.

mod association;
mod identity;
mod order;
mod wire;

pub use association::{Dtls, DtlsError, Secured, Side, SrtpKeys};
pub use identity::{Fingerprint, Identity};
pub use wire::looks_like_dtls;
