//! Instruments that speak a protocol and return typed observations with timings.
//!
//! A probe has no opinion: an expired certificate, a closed port and a 502 are observations, and
//! errors are only what kept the instrument from observing. Everything read from the network is
//! bounded in size, depth and time.

pub mod colibri;
pub mod conference;
pub mod dns;
pub mod dtls;
mod flight;
pub mod focus;
pub mod http;
pub mod ice;
pub mod jingle;
pub mod jsconfig;
pub mod kube;
pub mod manifest;
pub mod matrix;
pub mod media;
pub mod net;
pub mod postgres;
pub mod rtp;
pub mod sctp;
pub mod srtp;
pub mod stun;
#[cfg(test)]
mod testing;
pub mod tls;
pub mod transport;
pub mod turn;
pub mod way;
pub mod websocket;
pub mod xmpp;

pub use net::{Net, NetConfig};
