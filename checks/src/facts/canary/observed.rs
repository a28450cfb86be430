//! What the synthetic user saw.

use std::sync::Arc;
use std::time::Duration;

use mxdoctor_model::{Evidence, EvidenceKind};
use mxdoctor_probes::http::{HttpError, Response};
use mxdoctor_probes::matrix::client::{CallError, DeviceKeys, Heard, Mxc, Stored, TurnAnswer};

use crate::Unavailable;

/// As whom it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// A fixed account by its password: it logs in and out.
    Password,
    /// A fixed account by a token, which stays.
    Token,
    /// An account of this run alone.
    ThrowAway,
}

/// How long the way in took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// Making the account.
    pub register: Option<Duration>,
    /// Logging in.
    pub login: Option<Duration>,
}

/// The whole day.
#[derive(Debug)]
pub struct Day {
    /// As whom.
    pub account: Account,
    /// Full user id.
    pub user_id: String,
    /// How long the way in took.
    pub times: Times,
    /// The room.
    pub room: Result<Room, RoomTrouble>,
    /// The message; none without a room.
    pub talk: Option<Talk>,
    /// The picture.
    pub pictures: Pictures,
    /// A proof of who it is, and its server name; what the federation API makes of it.
    pub openid: Result<Proof, CallError>,
    /// Keys sent, and what the server then had; the inner error is trouble of our own.
    pub device_keys: Result<KeysKept, CallError>,
    /// The TURN servers that it is told.
    pub turn: Result<TurnAnswer, CallError>,
    /// The largest upload that it is told, in bytes; none where it is told none.
    pub upload_limit: Option<u64>,
    /// What became of it all.
    pub ended: Ended,
    /// Each request in one line.
    pub lines: Vec<String>,
}

/// The room.
#[derive(Debug, Clone)]
pub struct Room {
    /// Its id.
    pub id: String,
    /// How long making it took, where it was made now.
    pub made: Option<Duration>,
    /// Whether other homeservers can join it.
    pub federates: bool,
    /// `join_rule`.
    pub join_rule: String,
}

/// Why there is no room.
#[derive(Debug, Clone)]
pub enum RoomTrouble {
    /// A call did not succeed.
    Call(CallError),
    /// The room that is configured is not among those that the account is in.
    NotJoined(String),
}

/// The message.
#[derive(Debug)]
pub struct Talk {
    /// Sent: its event id, and how long that took.
    pub sent: Result<(String, Duration), CallError>,
    /// Sent again under the same transaction id; none where the first did not succeed.
    pub again: Option<Result<String, CallError>>,
    /// Waited for by `/sync`.
    pub sync: Waited,
    /// Waited for by sliding sync.
    pub sliding: Waited,
}

/// Waiting for the message.
#[derive(Debug)]
pub enum Waited {
    /// It came so long after it was begun to be sent, by that many answers.
    Came {
        /// From the begin of sending.
        after: Duration,
        /// As it came.
        heard: Heard,
    },
    /// It did not come within that time.
    Missed(Duration),
    /// A call did not succeed.
    Failed(CallError),
    /// It was not waited for.
    NotTried,
}

/// The picture.
#[derive(Debug)]
pub struct Pictures {
    /// How many bytes it has.
    pub size: usize,
    /// Up.
    pub upload: Result<(Mxc, Duration), CallError>,
    /// Down again, and whether it is the same.
    pub download: Option<Result<(Stored, bool), CallError>>,
    /// Whether the homeserver knows the authenticated endpoints (v1.11).
    pub authenticated: bool,
    /// Down by the authenticated endpoint without a token.
    pub without_token: Option<Result<Stored, CallError>>,
    /// Down by the endpoint of before, which needs no token.
    pub before: Option<Result<Stored, CallError>>,
    /// Small.
    pub thumbnail: Option<Result<Stored, CallError>>,
}

/// A proof of who it is.
#[derive(Debug)]
pub struct Proof {
    /// `matrix_server_name`.
    pub server_name: String,
    /// For how many seconds it holds.
    pub holds: i64,
    /// What the federation API says to it, asked as others would.
    pub userinfo: Result<Result<Arc<Response>, HttpError>, Unavailable>,
}

/// Keys of a device.
#[derive(Debug)]
pub enum KeysKept {
    /// Sent, and what the server has.
    Asked {
        /// As sent.
        sent: Box<DeviceKeys>,
        /// As the server has them.
        kept: Box<Option<DeviceKeys>>,
    },
    /// Not sent: the device is one that stays, or keys cannot be made here; why.
    NotSent(String),
}

/// What became of everything.
#[derive(Debug, Default)]
pub struct Ended {
    /// What was done, or what kept it from being done.
    pub steps: Vec<(&'static str, Result<String, Trouble>)>,
}

/// Why something was not undone.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// A call did not succeed.
    Call(CallError),
    /// It succeeded, and to no effect.
    Effect(String),
    /// Trouble of our own.
    Ours(String),
}

impl From<CallError> for Trouble {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Day {
    /// Each request in one line.
    pub fn evidence(&self) -> impl Iterator<Item = Evidence> {
        self.lines.iter().map(|line| Evidence::new(EvidenceKind::Request, line.clone()))
    }
}
