//! The Jitsi video bridge by its private REST interface (colibri2), and the way from there over
//! UDP: the direct test of a bridge, without signalling.

mod direct;
mod offer;
mod rest;

pub use direct::{Direct, Limits, Session, Unmeasured, test_bridge};
pub use offer::Offer;
pub use rest::{Conference, Health, Refusal, Rest};
