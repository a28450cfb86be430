//! Sound that is measured: tagged packets of one guest, heard by the other through the bridge.
//!
//! Each packet looks like 20 ms of Opus (and, when asked for, like a small VP8 key frame) and
//! carries a tag: who sends it in which run, its number and when it was sent. Both guests are of
//! one process and share one clock, so that the time from one to the other is exact.

mod clock;
mod meter;
mod plan;
mod session;
mod tag;

pub use meter::{Delay, Heard};
pub use plan::{MediaPlan, VideoPlan};
pub(crate) use session::Session;
pub use session::{Flow, Media, Reports};
pub use tag::Tag;
