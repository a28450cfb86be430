//! What was seen of a conference, with the time of each step.

use std::time::Duration;

use crate::colibri::ChannelError;
use crate::focus::{Answer, FocusError, FocusPresence, JoinError, Leaving};
use crate::jingle::{Initiate, JingleError};
use crate::media::Media;
use crate::sctp::ChannelState;
use crate::way::Way;
use crate::xmpp::{Carrier, Info, LoggedIn, LoginError, Service, StanzaError, XmppError};

/// A conference of two guests as both saw it.
#[derive(Debug)]
pub struct Conference {
    /// Address of the room.
    pub room: String,
    /// The two guests, `A` and `B`.
    pub guests: [Guest; 2],
    /// Whether the room was gone after both had left, and how long that took; none where no room
    /// was made, or nobody was left to look.
    pub gone: Option<Gone>,
    /// From the first connection to the end.
    pub elapsed: Duration,
}

/// What became of the room.
#[derive(Debug, Clone)]
pub enum Gone {
    /// It is gone, this long after both had left.
    After(Duration),
    /// It was still there when the limit was over.
    Still(Duration),
    /// It could not be asked for.
    Unknown(String),
}

/// What one guest saw. A part that was not come to is none.
#[derive(Debug)]
pub struct Guest {
    /// `A` or `B`.
    pub name: &'static str,
    /// Its endpoint id, which is its nick in the room; empty before the login.
    pub endpoint: String,
    /// Why XMPP did not go by WebSocket, where it was tried and BOSH taken.
    pub no_websocket: Option<XmppError>,
    /// How XMPP went.
    pub carrier: Option<Carrier>,
    /// The login.
    pub login: Option<Result<LoggedIn, LoginError>>,
    /// What the deployment's domain says of itself, its components above all; asked by `A` alone.
    pub components: Option<Result<Info, StanzaError>>,
    /// TURN and STUN servers offered; asked by `A` alone.
    pub services: Option<Result<Vec<Service>, StanzaError>>,
    /// The focus' answers, in order; asked by `A` alone.
    pub focus: Vec<Result<Answer, FocusError>>,
    /// The focus did not answer within this time.
    pub focus_silent: Option<Duration>,
    /// The join: status codes of our own presence.
    pub joined: Option<Result<Vec<u16>, JoinError>>,
    /// No answer to the join within this time.
    pub join_silent: Option<Duration>,
    /// The focus in the room, as last seen.
    pub focus_presence: Option<FocusPresence>,
    /// Whether the other guest was seen in the room.
    pub saw_other: bool,
    /// Invitations of the focus, in order.
    pub invitations: Vec<Result<Initiate, JingleError>>,
    /// No invitation within this time.
    pub invitation_silent: Option<Duration>,
    /// What the focus said to our acceptance; none while it has said nothing.
    pub accepted: Option<Result<(), StanzaError>>,
    /// The focus ended the session: reason and text.
    pub terminated: Option<(Option<String>, Option<String>)>,
    /// We were taken out of the room.
    pub expelled: Option<Leaving>,
    /// UDP, ICE and DTLS.
    pub way: Option<Way>,
    /// What was sent, and what was heard of the other.
    pub media: Option<Media>,
    /// The bridge channel over SCTP, where it was offered.
    pub data_channel: Option<Talk>,
    /// The bridge channel over WebSocket, where it was offered.
    pub bridge_socket: Option<Talk>,
    /// The stream ended before its time.
    pub broken: Option<XmppError>,
    /// Trouble on our own side that ended it.
    pub ours: Option<String>,
    /// The goodbye was answered.
    pub left: bool,
    /// When each step was reached, from the conference's start.
    pub steps: Vec<(Step, Duration)>,
}

/// How far a bridge channel came.
#[derive(Debug, Default)]
pub struct Talk {
    /// Where it leads; the password in it is not shown.
    pub place: String,
    /// Why it did not open or ended, over WebSocket.
    pub refused: Option<ChannelError>,
    /// How far it came, as data channel.
    pub state: Option<ChannelState>,
    /// From its beginning until it was open.
    pub opened: Option<Duration>,
    /// The bridge's hello.
    pub hello: bool,
    /// From the first message sent to the first of the other's heard.
    pub heard: Option<Duration>,
}

/// Steps, in the order in which they are reached when all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A connection for XMPP.
    Connected,
    /// An address of our own.
    LoggedIn,
    /// The focus is ready.
    Focus,
    /// In the room.
    Joined,
    /// The other guest is seen.
    Together,
    /// The focus' invitation.
    Invited,
    /// The first answer to a check.
    UdpAnswered,
    /// The focus took our acceptance.
    Accepted,
    /// A valid pair.
    Valid,
    /// The bridge's nomination.
    Nominated,
    /// Keys are agreed.
    Secured,
    /// The first packet of the other guest.
    Heard,
    /// The bridge channel is open.
    Channel,
    /// The first message of the other guest.
    Told,
    /// The goodbye is answered.
    Left,
}

impl Guest {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            endpoint: String::new(),
            no_websocket: None,
            carrier: None,
            login: None,
            components: None,
            services: None,
            focus: Vec::new(),
            focus_silent: None,
            joined: None,
            join_silent: None,
            focus_presence: None,
            saw_other: false,
            invitations: Vec::new(),
            invitation_silent: None,
            accepted: None,
            terminated: None,
            expelled: None,
            way: None,
            media: None,
            data_channel: None,
            bridge_socket: None,
            broken: None,
            ours: None,
            left: false,
            steps: Vec::new(),
        }
    }

    /// When a step was reached, from the conference's start.
    pub fn step(&self, step: Step) -> Option<Duration> {
        self.steps.iter().find(|(reached, _)| *reached == step).map(|(_, at)| *at)
    }

    /// The last step reached before the goodbye.
    pub fn reached(&self) -> Option<Step> {
        self.steps.iter().map(|(step, _)| *step).filter(|step| *step != Step::Left).max()
    }

    /// The invitation that was followed: the last that could be read.
    pub fn invitation(&self) -> Option<&Initiate> {
        self.invitations.iter().rev().find_map(|invitation| invitation.as_ref().ok())
    }
}

impl Step {
    /// In a word or two.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::LoggedIn => "logged in",
            Self::Focus => "focus ready",
            Self::Joined => "joined",
            Self::Together => "both in the room",
            Self::Invited => "invited",
            Self::UdpAnswered => "UDP answered",
            Self::Accepted => "accepted",
            Self::Valid => "pair valid",
            Self::Nominated => "pair nominated",
            Self::Secured => "DTLS done",
            Self::Heard => "media heard",
            Self::Channel => "bridge channel open",
            Self::Told => "message heard",
            Self::Left => "left",
        }
    }
}
