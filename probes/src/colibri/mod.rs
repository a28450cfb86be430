//! The Jitsi video bridge by its private REST interface (colibri2), and the way from there over
//! UDP: the direct test of a bridge, without signalling.

mod channel;
mod direct;
mod message;
mod offer;
mod rest;
mod sound;

pub use channel::{BridgeSocket, ChannelError};
pub use direct::{Direct, Limits, Session, Unmeasured, test_bridge};
pub use message::Message;
pub use offer::Offer;
pub use rest::{Conference, Health, Refusal, Rest};
pub use sound::Sound;
