//! The conference request: asks the focus to come to a room.

use super::ns;
use crate::xmpp::{Element, StanzaError, iq, stanza_error};

/// Properties of an answer that are kept at most.
const MAX_PROPERTIES: usize = 256;

/// A conference request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who is asked: `focus.DOMAIN`.
    pub focus: &'a str,
    /// `ROOM@MUC`
    pub room: &'a str,
    /// 32 hexadecimal digits.
    pub machine_uid: &'a str,
    /// Of an earlier answer, where the user is known by it.
    pub session_id: Option<&'a str>,
    /// The JWT, if there is one.
    pub token: Option<&'a str>,
}

impl Request<'_> {
    /// As a stanza.
    pub fn to_iq(&self, id: &str) -> Element {
        let mut conference = Element::new("conference", ns::FOCUS)
            .attr("room", self.room)
            .attr("machine-uid", self.machine_uid);
        if let Some(session) = self.session_id {
            conference = conference.attr("session-id", session);
        }
        if let Some(token) = self.token {
            conference = conference.attr("token", token);
        }
        let property = Element::new("property", ns::FOCUS)
            .attr("name", "rtcstatsEnabled")
            .attr("value", "false");
        iq("set", id, self.focus).child(conference.child(property))
    }
}

/// What the focus answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether the focus is in the room. If not, ask again a little later.
    pub ready: bool,
    /// The focus' own address: `focus@auth.DOMAIN`.
    pub focus_jid: Option<String>,
    /// The room, as the focus understands it.
    pub room: Option<String>,
    /// To be sent with later requests.
    pub session_id: Option<String>,
    /// Who we are to the focus, where it knows.
    pub identity: Option<String>,
    /// A visitor node that the request is redirected to.
    pub vnode: Option<String>,
    /// `authentication`, `visitors-supported`, …
    pub properties: Vec<(String, String)>,
}

impl Answer {
    /// The value of a property.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why the focus does not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FocusError {
    /// Nobody is there: Jicofo is down, or not logged in, or not subscribed to the component.
    #[error("no focus is there: {0}")]
    Unavailable(StanzaError),
    /// The address asked does not exist at all.
    #[error("there is no such focus component: {0}")]
    Absent(StanzaError),
    /// Only those who log in may create a room.
    #[error("the focus demands a login: {0}")]
    NotAuthorized(StanzaError),
    /// The session id is not known any more: ask again without it.
    #[error("the focus does not know the session: {0}")]
    SessionInvalid(StanzaError),
    /// The reservation system refuses the room.
    #[error("the reservation system refuses the room: {error}{}", .code.as_deref()
        .map_or(String::new(), |code| format!(", code {code}")))]
    Reservation {
        /// The system's code.
        code: Option<String>,
        /// As answered.
        error: StanzaError,
    },
    /// The focus does not understand the request (`bad-request`, `not-acceptable`).
    #[error("the focus does not accept the request: {0}")]
    BadRequest(StanzaError),
    /// Another error.
    #[error("the focus answers {0}")]
    Other(StanzaError),
    /// An answer without what it should have.
    #[error("the answer is not usable: {0}")]
    Garbled(String),
}

impl FocusError {
    fn of(error: StanzaError) -> Self {
        if let Some(detail) = error.detail("reservation-error") {
            let code = detail.get_attr("error-code").map(str::to_owned);
            return Self::Reservation { code, error };
        }
        if error.detail("session-invalid").is_some() {
            return Self::SessionInvalid(error);
        }
        if error.is_not_served() {
            return Self::Absent(error);
        }
        match error.condition.as_str() {
            "service-unavailable" => Self::Unavailable(error),
            "item-not-found" => Self::Absent(error),
            "not-authorized" => Self::NotAuthorized(error),
            "bad-request" | "not-acceptable" => Self::BadRequest(error),
            _ => Self::Other(error),
        }
    }
}

/// Reads the answer to a conference request.
///
/// # Errors
/// [`FocusError`]. No answer within 15 seconds is an observation of its own.
pub fn answer(iq: &Element) -> Result<Answer, FocusError> {
    if let Some(error) = stanza_error(iq) {
        return Err(FocusError::of(error));
    }
    let conference = iq
        .get("conference", ns::FOCUS)
        .ok_or_else(|| FocusError::Garbled("it has no `conference`".into()))?;
    let text = |name| conference.get_attr(name).map(str::to_owned);
    let ready = match conference.get_attr("ready") {
        Some("true" | "1") => true,
        Some("false" | "0") | None => false,
        Some(other) => {
            let other: String = other.chars().take(80).collect();
            return Err(FocusError::Garbled(format!("`ready` is `{other}`")));
        }
    };
    let properties = conference.elements().filter(|child| child.is("property", ns::FOCUS));
    let property = |element: &Element| {
        let value = element.get_attr("value").unwrap_or_default().to_owned();
        Some((element.get_attr("name")?.to_owned(), value))
    };
    Ok(Answer {
        ready,
        focus_jid: text("focusjid"),
        room: text("room"),
        session_id: text("session-id"),
        identity: text("identity"),
        vnode: text("vnode"),
        properties: properties.filter_map(property).take(MAX_PROPERTIES).collect(),
    })
}
