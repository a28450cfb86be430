//! Taking everything back: of this run, and of one that was cut short.

use mxdoctor_probes::matrix::client::{CallError, Client};

use super::account::session_of;
use super::journal::Journal;
use super::session::Session;
use super::{Account, NAME, ROOM_TYPE, SPEECH, Trouble};
use crate::Cx;

/// What was done, or what kept it from being done.
pub(super) type Steps = Vec<(&'static str, Result<String, Trouble>)>;

/// Rooms of an account that are looked into.
const MOST_ROOMS: usize = 50;

/// Undoes what runs left that were cut short.
pub(super) async fn undo(cx: &Cx, client: &Client, journal: &mut Journal) -> Steps {
    const WHAT: &str = "earlier run";
    let mut steps = Steps::new();
    for left in journal.accounts() {
        let mut own = Steps::new();
        let undone = match client.login(&left.user, &left.password, super::DEVICE).await {
            Ok(signed) => {
                let session = session_of(cx, client, signed, &left.password);
                Session { account: Account::ThrowAway, ..session }.wind_up(&mut own).await;
                own.iter().all(|(_, step)| step.is_ok())
            }
            // It never came about, or is gone already.
            Err(error) if error.status() == Some(403) => true,
            Err(error) => {
                own.push((WHAT, Err(error.into())));
                false
            }
        };
        steps.append(&mut own);
        if undone {
            steps.push((WHAT, Ok(format!("{} is gone", left.user))));
            if let Err(error) = journal.forget(&left.user) {
                steps.push((WHAT, Err(Trouble::Ours(error.to_string()))));
            }
        }
    }
    steps
}

impl Session {
    /// Takes back what can be taken back, and leaves.
    pub(super) async fn wind_up(&self, steps: &mut Steps) {
        steps.push(("rooms", self.leave_rooms().await));
        if let Some(admin) = &self.admin {
            steps.push(("media", self.remove_media(admin).await));
        }
        match self.account {
            Account::Token => {}
            Account::Password => steps.push(("logout", self.log_out().await)),
            Account::ThrowAway => steps.push(("deactivate", self.deactivate().await)),
        }
    }

    /// Forgets the account, once it is gone.
    pub(super) fn close_account(&self, journal: &mut Journal, steps: &mut Steps) {
        let gone = steps.iter().any(|(what, step)| *what == "deactivate" && step.is_ok());
        if gone && let Err(error) = journal.forget(self.localpart()) {
            steps.push(("journal", Err(Trouble::Ours(error.to_string()))));
        }
    }

    fn localpart(&self) -> &str {
        let name = self.user_id.strip_prefix('@').unwrap_or(&self.user_id);
        name.split(':').next().unwrap_or(name)
    }

    /// Redacts what it said; leaves every room of a throw-away account, and of a fixed one those
    /// of the synthetic user's type beyond the first.
    async fn leave_rooms(&self) -> Result<String, Trouble> {
        let joined = self.client.joined_rooms().await?;
        let mut kept = self.room.clone();
        let (mut redacted, mut left) = (0, 0);
        let ours = self.rooms_of_ours(joined).await?;
        for room in &ours {
            redacted += self.redact(room).await?;
            let keep = self.account != Account::ThrowAway
                && kept.get_or_insert_with(|| room.clone()) == room;
            if !keep {
                self.client.leave(room).await?;
                self.client.forget(room).await?;
                left += 1;
            }
        }
        Ok(format!("{redacted} messages redacted, {left} rooms left and forgotten"))
    }

    /// The rooms that are the synthetic user's to touch, in one order every time.
    pub(super) async fn rooms_of_ours(
        &self,
        joined: Vec<String>,
    ) -> Result<Vec<String>, CallError> {
        let mut ours = Vec::new();
        for room in joined.into_iter().take(MOST_ROOMS) {
            let all = self.account == Account::ThrowAway || self.room.as_ref() == Some(&room);
            if all || self.is_of_our_type(&room).await? {
                ours.push(room);
            }
        }
        ours.sort();
        Ok(ours)
    }

    async fn is_of_our_type(&self, room: &str) -> Result<bool, CallError> {
        let create = self.client.state(room, "m.room.create").await?;
        Ok(create.get("type").and_then(serde_json::Value::as_str) == Some(ROOM_TYPE))
    }

    async fn redact(&self, room: &str) -> Result<usize, CallError> {
        let recent = self.client.recent(room).await?;
        let ours = recent
            .iter()
            .filter(|message| message.sender == self.user_id && message.body.starts_with(SPEECH));
        let mut count = 0;
        for message in ours {
            let transaction = format!("redact-{}", message.event_id);
            self.client.redact(room, &message.event_id, &transaction).await?;
            count += 1;
        }
        Ok(count)
    }

    async fn remove_media(&self, admin: &Client) -> Result<String, Trouble> {
        let server = self.user_id.split_once(':').map_or("", |(_, server)| server);
        let found = admin.media_of(&self.user_id, NAME).await?;
        for id in &found {
            admin.remove_media(server, id).await?;
        }
        Ok(format!("{} pictures removed", found.len()))
    }

    async fn log_out(&self) -> Result<String, Trouble> {
        self.client.logout().await?;
        self.token_is_dead().await?;
        Ok("logged out, and the token is dead".into())
    }

    async fn deactivate(&self) -> Result<String, Trouble> {
        let Some(password) = &self.password else {
            return Err(Trouble::Ours("internal: an account without a password".into()));
        };
        self.client.deactivate(self.localpart(), password).await?;
        self.token_is_dead().await?;
        Ok(format!("{} deactivated and erased, and its token is dead", self.localpart()))
    }

    async fn token_is_dead(&self) -> Result<(), Trouble> {
        match self.client.whoami().await {
            Err(error) if error.status() == Some(401) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => Err(Trouble::Effect("the token of before is still taken".into())),
        }
    }
}
