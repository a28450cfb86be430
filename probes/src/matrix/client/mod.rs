//! A person's session with a homeserver: calls of the client-server API, each bounded in size and
//! time, and told by what was seen.

mod account;
mod call;
mod device;
mod media;
mod picture;
mod provision;
mod rooms;
mod sync;

pub use account::{Identity, SignedIn, TurnAnswer};
pub use call::{CallError, Client, Reply};
pub use device::DeviceKeys;
pub use media::{Mxc, Stored};
pub use picture::picture;
pub use provision::new_password;
pub use rooms::{Message, NewRoom};
pub use sync::{Heard, Synced};

pub(crate) use call::{Call, segment};
