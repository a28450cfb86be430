//! What a room's presences say.

use super::{JoinError, join_error, ns};
use crate::xmpp::{Element, ns as xmpp};

/// Items of a kind that are kept at most.
const MAX_ITEMS: usize = 256;

/// What a presence from the room says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MucEvent {
    /// Our own presence: we are in. Comes again with each change of our role.
    SelfJoined {
        /// 110; 100 where everybody sees the addresses; 201 where we created the room, which the
        /// focus should have done.
        codes: Vec<u16>,
        /// Who we are to the room.
        occupant: Occupant,
    },
    /// The focus is in the room; comes again with each change.
    Focus(FocusPresence),
    /// Somebody else is in the room; comes again with each change.
    Occupant(Occupant),
    /// Somebody left.
    Left(Leaving),
    /// We are not let in.
    Error(JoinError),
}

/// An occupant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Occupant {
    /// The nick, which is the endpoint's id.
    pub nick: String,
    /// The address behind it, where the room tells.
    pub jid: Option<String>,
    /// The display name.
    pub name: Option<String>,
    /// `owner`, `member`, `none`, …
    pub affiliation: Option<String>,
    /// `moderator`, `participant`, …
    pub role: Option<String>,
}

/// What the focus says of the conference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FocusPresence {
    /// The focus as an occupant: it must be an owner.
    pub occupant: Occupant,
    /// False: the focus finds no bridge, and invites nobody.
    pub bridge_available: bool,
    /// Bridges of this conference; none before the first one is allocated.
    pub bridge_count: Option<u32>,
    /// Component and version.
    pub versions: Vec<(String, String)>,
    /// All properties of the conference.
    pub properties: Vec<(String, String)>,
}

/// Who left, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// The nick.
    pub nick: String,
    /// Whether it is we who left.
    pub myself: bool,
    /// 307 kicked, 301 banned, 332 the service ends, …
    pub codes: Vec<u16>,
    /// The room is destroyed; its reason, if told.
    pub destroyed: Option<String>,
    /// The reason told of a kick.
    pub reason: Option<String>,
}

/// Reads a presence from the room `ROOM@MUC`; none for any other stanza. `me` is our nick.
pub fn muc_event(presence: &Element, room: &str, me: &str) -> Option<MucEvent> {
    if !presence.is("presence", xmpp::CLIENT) {
        return None;
    }
    let from = presence.get_attr("from")?;
    let (from, nick) = from.split_once('/').unwrap_or((from, ""));
    if !from.eq_ignore_ascii_case(room) {
        return None;
    }
    match presence.get_attr("type") {
        Some("error") => {
            // Only what answers our own presence; the room itself answers what has no nick.
            let ours = nick == me || nick.is_empty();
            join_error(presence).filter(|_| ours).map(MucEvent::Error)
        }
        Some("unavailable") => Some(MucEvent::Left(leaving(presence, nick, me))),
        Some(_) => None,
        None if nick.is_empty() => None,
        None => {
            let (codes, occupant) = (codes(presence), occupant(presence, nick));
            Some(if codes.contains(&110) || nick == me {
                MucEvent::SelfJoined { codes, occupant }
            } else if nick == "focus" {
                MucEvent::Focus(focus(presence, occupant))
            } else {
                MucEvent::Occupant(occupant)
            })
        }
    }
}

fn user(presence: &Element) -> Option<&Element> {
    presence.get("x", ns::MUC_USER)
}

fn codes(presence: &Element) -> Vec<u16> {
    let children = user(presence).into_iter().flat_map(Element::elements);
    let status = children.filter(|child| child.is("status", ns::MUC_USER));
    let codes = status.filter_map(|child| child.get_attr("code")?.parse().ok());
    let mut codes: Vec<u16> = codes.take(MAX_ITEMS).collect();
    codes.sort_unstable();
    codes
}

fn occupant(presence: &Element, nick: &str) -> Occupant {
    let item = user(presence).and_then(|user| user.get("item", ns::MUC_USER));
    let text = |name| item.and_then(|item| item.get_attr(name)).map(str::to_owned);
    let name = presence.get("nick", ns::NICK).map(Element::get_text);
    Occupant {
        nick: nick.to_owned(),
        jid: text("jid"),
        name: name.filter(|name| !name.is_empty()),
        affiliation: text("affiliation"),
        role: text("role"),
    }
}

fn leaving(presence: &Element, nick: &str, me: &str) -> Leaving {
    let user = user(presence);
    let reason = |parent: &Element| {
        parent.get("reason", ns::MUC_USER).map(Element::get_text).unwrap_or_default()
    };
    let item = user.and_then(|user| user.get("item", ns::MUC_USER));
    let codes = codes(presence);
    Leaving {
        nick: nick.to_owned(),
        myself: nick == me || codes.contains(&110),
        codes,
        destroyed: user.and_then(|user| user.get("destroy", ns::MUC_USER)).map(reason),
        reason: item.map(reason).filter(|text| !text.is_empty()),
    }
}

fn focus(presence: &Element, occupant: Occupant) -> FocusPresence {
    let pairs = |outer: (&str, &str), inner: &str, key: &str, value: fn(&Element) -> String| {
        let children = presence.get(outer.0, outer.1).into_iter().flat_map(Element::elements);
        let children = children.filter(|child| child.is(inner, outer.1));
        let pair = |child: &Element| Some((child.get_attr(key)?.to_owned(), value(child)));
        children.filter_map(pair).take(MAX_ITEMS).collect::<Vec<_>>()
    };
    let value = |child: &Element| child.get_attr("value").unwrap_or_default().to_owned();
    let properties = pairs(("conference-properties", ns::FOCUS), "property", "key", value);
    let count = properties.iter().find(|(key, _)| key == "bridge-count");
    FocusPresence {
        occupant,
        bridge_available: presence.get("bridgeNotAvailable", ns::FOCUS).is_none(),
        bridge_count: count.and_then(|(_, value)| value.parse().ok()),
        versions: pairs(("versions", ns::JITMEET), "component", "name", Element::get_text),
        properties,
    }
}
