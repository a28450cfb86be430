//! One TLS handshake: what was negotiated, the chain as sent, and what verification says of it.
//!
//! Verification is apart from the handshake: a bad certificate is described, not only refused.

mod alert;
mod certificate;
mod handshake;
mod issuer;
mod legacy;
mod ocsp;
mod recorder;
mod session;
#[cfg(test)]
mod tests;
mod verify;

pub use certificate::{Certificate, describe};
pub use legacy::OldHello;
pub use ocsp::{Staple, StapleStatus};
pub use session::{ConnectError, HandshakeError, Session, Trust, Verification};

pub(crate) use alert::alert_in;
pub(crate) use handshake::Alpn;
