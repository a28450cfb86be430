//! Joining and leaving a room (XEP-0045), and why a join is refused.

use super::ns;
use crate::xmpp::{Element, StanzaError, ns as xmpp, stanza_error};

/// Who joins.
#[derive(Debug, Clone, Copy)]
pub struct Guest<'a> {
    /// The endpoint's id, which is the nick.
    pub endpoint: &'a str,
    /// The display name: `mxdoctor A`.
    pub name: &'a str,
    /// The room's password, if there is one.
    pub password: Option<&'a str>,
    /// Whether it will send video besides audio.
    pub video: bool,
}

/// Joins `ROOM@MUC`, with what Jicofo reads. There is no `c` (XEP-0115): the focus asks instead.
pub fn join(room: &str, guest: &Guest<'_>) -> Element {
    let mut x = Element::new("x", ns::MUC);
    if let Some(password) = guest.password {
        x = x.child(Element::new("password", ns::MUC).text(password));
    }
    let child = |name: &str, text: &str| Element::new(name, xmpp::CLIENT).text(text);
    let endpoint = guest.endpoint;
    let mut sources = serde_json::Map::new();
    let muted = serde_json::json!({ "muted": false });
    sources.insert(format!("{endpoint}-a0"), muted.clone());
    if guest.video {
        sources.insert(format!("{endpoint}-v0"), muted);
    }
    let mut presence = Element::new("presence", xmpp::CLIENT)
        .attr("to", format!("{room}/{endpoint}"))
        .child(x)
        .child(child("stats-id", "mxdoctor"))
        .child(child("SourceInfo", &serde_json::Value::Object(sources).to_string()));
    if guest.video {
        presence = presence.child(child("jitsi_participant_codecList", "vp8"));
    }
    presence.child(Element::new("nick", ns::NICK).text(guest.name))
}

/// Leaves the room. The room echoes it with status 110.
pub fn leave(room: &str, endpoint: &str) -> Element {
    Element::new("presence", xmpp::CLIENT)
        .attr("to", format!("{room}/{endpoint}"))
        .attr("type", "unavailable")
}

/// Why a room lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// It has a password.
    #[error("the room demands a password: {0}")]
    Password(StanzaError),
    /// Members only, with or without a lobby to wait in.
    #[error("the room is for members only: {error}")]
    MembersOnly {
        /// The lobby's room, where there is one.
        lobby: Option<String>,
        /// Whether everybody waits for the host.
        waiting_for_host: bool,
        /// As answered.
        error: StanzaError,
    },
    /// The room does not exist, and we may not create it: the focus is not in it.
    #[error("the room is not there and only the focus may create it: {0}")]
    CreationRestricted(StanzaError),
    /// Guests may not join without a login.
    #[error("the room demands a login: {0}")]
    AuthenticationRequired(StanzaError),
    /// Refused for a reason of the server's own, or banned.
    #[error("the room refuses: {0}")]
    NotAllowed(StanzaError),
    /// As many occupants as permitted, or nobody there who serves rooms.
    #[error("the room is full: {0}")]
    MaxUsers(StanzaError),
    /// A display name is demanded.
    #[error("the room demands a display name: {0}")]
    DisplayName(StanzaError),
    /// The nick is taken.
    #[error("the nick is taken: {0}")]
    Conflict(StanzaError),
    /// Too much too fast.
    #[error("the server limits the rate: {0}")]
    RateLimit(StanzaError),
    /// There is no such room service.
    #[error("there is no such room service: {0}")]
    NoService(StanzaError),
    /// Another error.
    #[error("the join is answered with {0}")]
    Other(StanzaError),
}

/// The error of a presence of type `error`; none for any other stanza.
pub fn join_error(presence: &Element) -> Option<JoinError> {
    if !presence.is("presence", xmpp::CLIENT) {
        return None;
    }
    let error = stanza_error(presence)?;
    if error.detail("displayname-required").is_some() {
        return Some(JoinError::DisplayName(error));
    }
    if error.detail("authentication-required").is_some() {
        return Some(JoinError::AuthenticationRequired(error));
    }
    if error.is_not_served() {
        return Some(JoinError::NoService(error));
    }
    let said = error.text.as_deref().unwrap_or_default().to_ascii_lowercase();
    Some(match error.condition.as_str() {
        "not-authorized" => JoinError::Password(error),
        "registration-required" => {
            let lobby = error.detail("lobbyroom").map(Element::get_text);
            let lobby = lobby.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
            let waiting_for_host = error.detail("waiting-for-host").is_some();
            JoinError::MembersOnly { lobby, waiting_for_host, error }
        }
        "not-allowed" if said.contains("creation is restricted") => {
            JoinError::CreationRestricted(error)
        }
        "not-allowed" | "forbidden" => JoinError::NotAllowed(error),
        "service-unavailable" => JoinError::MaxUsers(error),
        "conflict" => JoinError::Conflict(error),
        "resource-constraint" | "policy-violation" => JoinError::RateLimit(error),
        _ => JoinError::Other(error),
    })
}
