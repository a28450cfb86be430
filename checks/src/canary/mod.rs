//! The `canary` family: what a synthetic user can do. See each file's own page.

pub mod authenticated_media;
pub mod cleanup;
pub mod device_keys;
pub mod login;
pub mod media;
pub mod openid;
pub mod register;
pub mod room;
pub mod send;
pub mod sliding_sync;
mod stage;
pub mod sync;
pub mod thumbnail;

pub(crate) use stage::{day, trouble};
