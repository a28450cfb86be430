//! How other homeservers find this one, and what they find there.

mod ends;
mod keys;
mod lifetime;
mod peer;
mod route;
mod steps;
mod walk;
mod well_known;

pub use keys::{KeySample, ServerKeys};
pub use lifetime::{LONGEST as LONGEST_LIFETIME, Lifetime};
pub use peer::{Place, federation_places};
pub use route::{FederationRoute, Lead, Route};
pub use well_known::{ServerWellKnown, WellKnownAnswer, WellKnownProblem, WellKnownServer};

pub(crate) use ends::another;
pub(crate) use peer::{ask_place, send_place, unserved};
pub(crate) use well_known::server_name;

use keys::calls_itself;
