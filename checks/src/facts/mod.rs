//! Observations that checks share.

mod addresses;
mod asked;
mod clock;
mod endpoints;
mod hosts;
mod opinion;
mod page;
mod resolver;
mod sessions;

pub use addresses::{Addresses, Resolved, Source, reserved, unreachable_from_outside};
pub use asked::{Ask, Asked, Fetched};
pub use clock::{Clock, Offsets, TOLERANCE};
pub use endpoints::{Endpoint, endpoints, host_names};
pub use hosts::{Hosts, Role, StackHost};
pub use opinion::{Opinion, SecondOpinion, stale};
pub use page::{Page, classify};
pub use resolver::Resolver;
pub use sessions::{Attempt, Handshakes, Ipv6, Sessions, Trusted};

#[expect(unused_imports, reason = "for the checks to come")]
pub(crate) use addresses::{host_of, listed};
pub(crate) use page::is_homeserver_path;
pub(crate) use resolver::describe;
pub(crate) use sessions::note_out_of_reach;
