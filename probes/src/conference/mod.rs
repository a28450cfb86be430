//! A conference of two guests, held as lib-jitsi-meet holds it, and watched step by step.

mod attend;
mod enter;
mod hold;
mod lease;
mod observed;
mod places;
mod shared;
mod socket;
mod stanzas;
mod talk;

pub use hold::{Unheld, hold};
pub use lease::{Lease, LeaseError};
pub use observed::{Conference, Gone, Guest, Step, Talk};
pub use places::{Limits, Options, Places};
