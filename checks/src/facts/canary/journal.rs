//! What a run that is cut short leaves for the next one to undo.

use mxdoctor_model::Finding;
use serde::{Deserialize, Serialize};

use crate::Cx;
use crate::state::{State, StateError};

const KIND: &str = "canary";
/// Accounts that are remembered; who leaves more has another trouble.
const MOST: usize = 64;

/// Notes on disk, written before what they are about is done.
#[derive(Debug)]
pub(super) struct Journal {
    place: Option<(State, String)>,
    notes: Notes,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Notes {
    /// Until when the homeserver wants to be left alone, in seconds from 1970.
    limited_until: Option<i64>,
    /// Throw-away accounts that may be there.
    accounts: Vec<Left>,
}

/// An account that may have been left behind.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Left {
    pub(super) user: String,
    pub(super) password: String,
}

impl std::fmt::Debug for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Left").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Journal {
    /// The journal of this target.
    pub(super) fn open(cx: &Cx) -> Result<Self, StateError> {
        let Some(state) = cx.target().state.clone() else { return Ok(Self::nowhere()) };
        let name = cx.target().server_name.clone();
        let notes = state.load(&name, KIND)?.unwrap_or_default();
        Ok(Self { place: Some((state, name)), notes })
    }

    /// One that is not kept.
    pub(super) fn nowhere() -> Self {
        Self { place: None, notes: Notes::default() }
    }

    /// Accounts to be undone.
    pub(super) fn accounts(&self) -> Vec<Left> {
        self.notes.accounts.clone()
    }

    /// Notes an account that is about to be made.
    pub(super) fn note(&mut self, user: &str, password: &str) -> Result<(), Finding> {
        if self.place.is_none() {
            let reason = "a throw-away account needs a folder for its journal, without which a \
                          killed run would leave it behind: give --state";
            return Err(Finding::error(reason));
        }
        if self.notes.accounts.len() >= MOST {
            let reason = format!("{MOST} throw-away accounts are still to be undone");
            return Err(Finding::error(reason));
        }
        let left = Left { user: user.to_owned(), password: password.to_owned() };
        self.notes.accounts.push(left);
        self.store().map_err(|error| Finding::error(error.to_string()))
    }

    /// Forgets an account that is undone.
    pub(super) fn forget(&mut self, user: &str) -> Result<(), StateError> {
        let before = self.notes.accounts.len();
        self.notes.accounts.retain(|left| left.user != user);
        if self.notes.accounts.len() == before { Ok(()) } else { self.store() }
    }

    /// For how many seconds more the homeserver wants to be left alone.
    pub(super) fn limited(&self) -> Option<i64> {
        let left = self.notes.limited_until? - jiff::Timestamp::now().as_second();
        (left > 0).then_some(left)
    }

    /// Notes that it wants to be left alone.
    pub(super) fn limit(&mut self, after: std::time::Duration) {
        let until = jiff::Timestamp::now().as_second() + after.as_secs() as i64 + 1;
        self.notes.limited_until = Some(until);
        // Then the next run is refused once more, and that is all.
        let _ = self.store();
    }

    fn store(&mut self) -> Result<(), StateError> {
        let Some((state, name)) = &self.place else { return Ok(()) };
        self.notes.limited_until = self.limited().and(self.notes.limited_until);
        if self.notes.accounts.is_empty() && self.notes.limited_until.is_none() {
            return state.remove(name, KIND);
        }
        state.store(name, KIND, &self.notes)
    }
}
