//! A TURN client (RFC 8656, RFC 6156) over UDP, TCP and TLS: an allocation, its relaying, and
//! what every message came to.
//!
//! The allocation is given up when it is dropped, also on cancellation.

mod binding;
mod error;
mod frame;
mod link;
mod message;
mod proof;
mod relay;
mod session;
#[cfg(test)]
mod tests;

pub use binding::{Binding, BindingError};
pub use error::{TurnError, code_name};
pub use frame::{Frame, FrameError, next as next_frame};
pub use message::{Attributes, Class, Message, Method};
pub use proof::{Proof, Proven, Way};
pub use relay::{Allocation, Attempt, Relay};
pub use session::{Carrier, Family, Server, Step};
