//! Jicofo, the focus of a Jitsi conference, and the room that it invites from: the conference
//! request, the room's presences and errors. Functions over elements, without I/O.

mod muc;
mod names;
mod presence;
mod request;
#[cfg(test)]
mod tests;

pub use muc::{Guest, JoinError, join, join_error, leave};
pub use names::{endpoint_id, features, machine_uid, room_name};
pub use presence::{FocusPresence, Leaving, MucEvent, Occupant, muc_event};
pub use request::{Answer, FocusError, Request, answer};

/// Namespaces.
pub mod ns {
    /// Jicofo's own elements.
    pub const FOCUS: &str = "http://jitsi.org/protocol/focus";
    /// Jitsi Meet's own elements.
    pub const JITMEET: &str = "http://jitsi.org/jitmeet";
    /// Rooms (XEP-0045).
    pub const MUC: &str = "http://jabber.org/protocol/muc";
    /// What rooms say to occupants (XEP-0045).
    pub const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
    /// Display names (XEP-0172).
    pub const NICK: &str = "http://jabber.org/protocol/nick";
}
