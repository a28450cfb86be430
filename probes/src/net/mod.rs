//! The instruments' common ground: resolver, trust, address overrides and limits.

mod addresses;
mod cleanup;
mod config;
mod connect;
mod greet;
mod instruments;
mod roots;
mod tap;

pub use config::{NetConfig, Overrides};
pub use instruments::Net;

pub(crate) use connect::Dialled;
pub(crate) use tap::Tap;
