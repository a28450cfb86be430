//! What the two guests of a conference know of each other in this process.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

/// What one guest has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// In the room.
    pub joined: bool,
    /// Keys are agreed: it can hear from now on.
    pub secured: Option<Instant>,
    /// Packets of the other that it has had the chance to hear: from the first heard to the last.
    pub span: u32,
    /// The data channel is open.
    pub channel: bool,
    /// It has a message of the other over the data channel.
    pub told: bool,
    /// It has a message of the other over the WebSocket.
    pub told_by_socket: bool,
    /// It needs nothing of the other any more.
    pub done: bool,
    /// It will go no further than it is.
    pub stuck: bool,
}

/// How the question for a focus went, as the other guest has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    /// Not answered so far.
    Asked,
    /// Ready: join.
    Ready,
    /// There will be none.
    None,
}

struct State {
    guests: [Progress; 2],
    /// Endpoint ids, once they are logged in.
    endpoints: [String; 2],
    focus: Focus,
}

/// The common knowledge; every change wakes both.
pub(super) struct Shared {
    /// Tells this conference's media and messages from any other's.
    pub(super) run: [u8; 8],
    state: Mutex<State>,
    version: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new() -> Self {
        let state = State {
            guests: [Progress::default(); 2],
            endpoints: Default::default(),
            focus: Focus::Asked,
        };
        let mut run = [0; 8];
        run.copy_from_slice(&crate::stun::transaction()[..8]);
        Self { run, state: Mutex::new(state), version: watch::Sender::new(0) }
    }

    /// The word that a guest says over the bridge channel.
    pub(super) fn nonce(&self, index: usize) -> String {
        let run: String = self.run.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{run}-{index}")
    }

    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    pub(super) fn guest(&self, index: usize) -> Progress {
        self.lock().guests[index]
    }

    /// The endpoint id of a guest; empty before its login.
    pub(super) fn endpoint(&self, index: usize) -> String {
        self.lock().endpoints[index].clone()
    }

    pub(super) fn set_endpoint(&self, index: usize, endpoint: &str) {
        self.change(|state| {
            endpoint.clone_into(&mut state.endpoints[index]);
            true
        });
    }

    pub(super) fn focus(&self) -> Focus {
        self.lock().focus
    }

    pub(super) fn set_focus(&self, focus: Focus) {
        self.change(|state| std::mem::replace(&mut state.focus, focus) != focus);
    }

    /// Changes what is known of a guest.
    pub(super) fn update(&self, index: usize, change: impl FnOnce(&mut Progress)) {
        self.change(|state| {
            let before = state.guests[index];
            change(&mut state.guests[index]);
            before != state.guests[index]
        });
    }

    fn change(&self, change: impl FnOnce(&mut State) -> bool) {
        let changed = change(&mut self.lock());
        if changed {
            self.version.send_modify(|version| *version += 1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
