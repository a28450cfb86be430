//! A synthetic user's day on the homeserver.

mod account;
mod day;
mod journal;
mod observed;
mod session;
mod wind_up;

use std::time::Duration;

use mxdoctor_model::Finding;
use mxdoctor_probes::conference::Lease;
use mxdoctor_probes::matrix::client::Client;

pub use observed::{
    Account, Day, Ended, KeysKept, Pictures, Proof, Room, RoomTrouble, Talk, Times, Trouble, Waited,
};

use super::{Homeserver, Versions};
use crate::{Cx, Fact, Unavailable};
use journal::Journal;
use session::Stay;

/// The device that the synthetic user logs in as: another login ends the one before.
const DEVICE: &str = "MXDOCTOR_CANARY";
/// The type of its room, by which it finds the room again.
const ROOM_TYPE: &str = "ee.borooka.mxdoctor.canary";
/// How each of its messages begins.
const SPEECH: &str = "mxdoctor canary ";
/// How the names of its files, and of throw-away accounts, begin.
const NAME: &str = "mxdoctor-canary-";
/// How long another run is waited for.
const TURN: Duration = Duration::from_secs(40);

/// What a synthetic user could do: log in, be in a room, write, hear, send a picture, prove who it
/// is; and what is left of it.
///
/// Owned by `canary.login`; by `canary.register` where a throw-away account does not come about,
/// and by the checks of the homeserver's client side where it is not reached.
#[derive(Debug, Clone)]
pub struct Canary;

impl Fact for Canary {
    type Value = Day;
    const OWNER: &'static str = "canary.login";
    /// With waiting for the other vantages' turns.
    const TIMEOUT: Duration = Duration::from_secs(110);

    async fn observe(&self, cx: &Cx) -> Result<Day, Unavailable> {
        if let Some(reason) = Self::withheld(cx) {
            return Err(Unavailable::by(Self::OWNER, Finding::skip(reason)));
        }
        let homeserver = cx.fact(Homeserver).await?;
        cx.fact(Versions).await?;
        let ours = |reason: String| Unavailable::by(Self::OWNER, Finding::error(reason));
        let name = format!("canary.{}", cx.target().server_name);
        let lease = Lease::take(&std::env::temp_dir(), &name, TURN)
            .await
            .map_err(|error| ours(error.to_string()))?;
        let mut journal = Journal::open(cx).or_else(|error| {
            let needed = cx.target().canary.throw_away;
            if needed { Err(ours(error.to_string())) } else { Ok(Journal::nowhere()) }
        })?;
        if let Some(seconds) = journal.limited() {
            let reason = format!(
                "the homeserver limits our rate, and wants to be left alone for {seconds} s more"
            );
            return Err(ours(reason));
        }
        let client = Client::new(cx.net().clone(), homeserver.base.clone());
        let undone = wind_up::undo(cx, &client, &mut journal).await;
        let (session, times) = account::sign_in(cx, &client, &mut journal).await?;
        let stay = Stay::begin(cx.net(), session, lease);
        let lived = day::live(cx, stay.session()).await;
        let mut ended = stay.end(&mut journal).await;
        ended.steps.splice(0..0, undone);
        Ok(Day { ended, lines: client.lines(), times, ..lived })
    }
}

impl Canary {
    /// Why there is no synthetic user in this run.
    pub fn withheld(cx: &Cx) -> Option<&'static str> {
        let canary = &cx.target().canary;
        let account =
            canary.token.is_some() || (canary.user.is_some() && canary.password.is_some());
        let maker = canary.shared_secret.is_some() || canary.admin_token.is_some();
        if !canary.allowed {
            Some("it changes things on the target: it runs under `--allow canary` only")
        } else if canary.throw_away && !maker {
            Some(
                "a throw-away account cannot be made: set `canary.shared_secret_file` or \
                 `canary.admin_token_file`",
            )
        } else if !canary.throw_away && !account {
            Some(
                "no account is configured: set `canary.user` and `canary.password_file`, or \
                 `canary.token_file`; `mxdoctor init --canary` makes one",
            )
        } else {
            None
        }
    }
}
