//! How other homeservers find this one, and what they find there.

mod keys;
mod peer;
mod route;
mod steps;
mod walk;
mod well_known;

pub use keys::{KeySample, ServerKeys};
pub use peer::{Place, federation_places};
pub use route::{FederationRoute, Lead, Route};
pub use well_known::{ServerWellKnown, WellKnownAnswer, WellKnownProblem, WellKnownServer};

pub(crate) use peer::{ask_place, unserved};
pub(crate) use route::another;
pub(crate) use well_known::{read as read_delegation, server_name};

use keys::calls_itself;
