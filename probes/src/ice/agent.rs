//! An ICE agent of one endpoint and one component: no sockets, no clock.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::pair::Outstanding;
use super::{Answer, Candidate, Kind, Pair};
use crate::stun::{self, Claim, Class, Message, Received};

/// Pairs kept; candidates beyond are counted and dropped.
pub(super) const MAX_PAIRS: usize = 64;

/// Time between the first checks of two pairs (Ta of RFC 8445 section 14.2, at least 5 ms).
const PACE: Duration = Duration::from_millis(20);

/// Time between two checks of a chosen pair (consent, RFC 7675 section 5.1).
const CONSENT: Duration = Duration::from_secs(5);

/// Time between two checks of a valid pair that waits for its nomination.
const REMIND: Duration = Duration::from_millis(400);

/// Time between two checks of a chosen pair while the last one is not answered.
const CONSENT_AGAIN: Duration = Duration::from_millis(500);

/// Without an answer for this long consent is lost. RFC 7675 allows 30 s; the bridge's library
/// gives up after about 15 s.
const CONSENT_LOST: Duration = Duration::from_secs(15);

/// Checks without an answer, at least, before consent is lost.
const CONSENT_CHECKS: u32 = 5;

/// Checks of a silent pair, at most, while another pair is chosen.
const SPARE_TRIES: u32 = 6;

/// User name fragment and password of one side.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name fragment.
    pub ufrag: String,
    /// Password; never printed.
    pub pwd: String,
}

impl Credentials {
    /// Random ones, of the lengths that RFC 8445 section 5.3 demands.
    pub fn random() -> Self {
        let word = || stun::transaction().map(|byte| format!("{byte:02x}")).concat();
        Self { ufrag: word()[..8].to_owned(), pwd: word() }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:***", self.ufrag)
    }
}

/// Who nominates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// This agent does.
    Controlling,
    /// The other one does.
    Controlled,
}

/// How answers are dressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As RFC 8489 says.
    Plain,
    /// As ice4j does, the library of the Jitsi bridge: SOFTWARE everywhere, USERNAME in a success,
    /// UNKNOWN-ATTRIBUTES in error 401, its own reason phrases.
    Ice4j,
}

/// A datagram to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// The agent: fed with datagrams and the time, asked for datagrams to send.
#[derive(Debug)]
pub struct Agent {
    pub(super) local: Credentials,
    pub(super) remote: Option<Credentials>,
    pub(super) role: Role,
    pub(super) tie: u64,
    pub(super) manner: Manner,
    pub(super) pairs: Vec<Pair>,
    pub(super) selected: Option<usize>,
    pub(super) transmits: VecDeque<Transmit>,
    /// Candidates beyond the bound, not tried.
    pub dropped: usize,
    /// STUN answers to no check of ours.
    pub unmatched: u32,
    /// Checks of the other side that we refused with 401 or 400.
    pub refused: u32,
    /// How often ICE was started anew.
    pub restarts: u32,
}

impl Agent {
    /// An agent with these credentials. Answers checks from now on; sends some once the remote
    /// credentials are there.
    pub fn new(role: Role, local: Credentials) -> Self {
        let mut tie = [0; 8];
        tie.copy_from_slice(&stun::transaction()[..8]);
        Self {
            local,
            remote: None,
            role,
            tie: u64::from_be_bytes(tie),
            manner: Manner::Plain,
            pairs: Vec::new(),
            selected: None,
            transmits: VecDeque::new(),
            dropped: 0,
            unmatched: 0,
            refused: 0,
            restarts: 0,
        }
    }

    /// Dresses the answers so, and never gives way in a role conflict.
    pub fn stubborn(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self.tie = u64::MAX;
        self
    }

    /// Our credentials, to be signalled.
    pub fn local(&self) -> &Credentials {
        &self.local
    }

    /// The role now; a role conflict may have changed it.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Takes the other side's credentials; checks begin.
    ///
    /// Other credentials than before start ICE anew (RFC 8445 section 9): all pairs are forgotten,
    /// and ours are new ones too, to be signalled.
    pub fn set_remote(&mut self, now: Instant, remote: Credentials) {
        if self.remote.as_ref().is_some_and(|known| *known != remote) {
            self.local = Credentials::random();
            self.pairs.clear();
            self.selected = None;
            self.restarts += 1;
        }
        self.remote = Some(remote);
        for (pair, order) in self.pairs.iter_mut().zip(0..) {
            pair.check_at(now + PACE * order);
        }
    }

    /// Takes a remote candidate, reached at `route`. One that is known already changes nothing.
    pub fn add_candidate(&mut self, now: Instant, candidate: Candidate, route: SocketAddr) {
        if self.pairs.iter().any(|pair| pair.candidate.address == candidate.address) {
            return;
        }
        if self.pairs.len() >= MAX_PAIRS {
            self.dropped += 1;
            return;
        }
        let waiting = self.pairs.iter().filter(|pair| pair.sent == 0).count();
        let first = now + PACE * u32::try_from(waiting).unwrap_or(0);
        let next = self.remote.is_some().then_some(first);
        self.pairs.push(Pair::new(candidate, route, next));
    }

    /// All pairs, in the order in which their candidates came.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// The nominated pair.
    pub fn selected(&self) -> Option<&Pair> {
        self.selected.map(|index| &self.pairs[index])
    }

    /// The pair for everything but checks: the nominated one, or the first valid one before that.
    /// None as well once consent is lost.
    pub fn usable(&self, now: Instant) -> Option<&Pair> {
        let pair = self.selected().or_else(|| self.pairs.iter().find(|pair| pair.valid))?;
        (!self.is_consent_lost(now)).then_some(pair)
    }

    /// Whether the other side does not answer on the nominated pair any more (RFC 7675): nothing
    /// for 15 s, and at least 5 checks were sent since.
    pub fn is_consent_lost(&self, now: Instant) -> bool {
        self.selected().is_some_and(|pair| {
            let last = pair.consented.filter(|last| now.duration_since(*last) > CONSENT_LOST);
            last.is_some() && pair.unanswered >= CONSENT_CHECKS
        })
    }

    /// Notes that our own system could not send to that address; checks there end.
    pub fn unsendable(&mut self, to: SocketAddr, why: &str) {
        for pair in self.pairs.iter_mut().filter(|pair| pair.route == to) {
            pair.sent = pair.sent.saturating_sub(1);
            pair.unsendable = Some(why.to_owned());
            pair.next = None;
        }
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.pairs.iter().filter_map(|pair| pair.next).min()
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// Sends the checks that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        for index in 0..self.pairs.len() {
            if self.pairs[index].next.is_none_or(|next| next > now) {
                continue;
            }
            // A silent pair is not needed any more once another is chosen; a few tries more tell
            // whether it is open.
            let spare = self.selected.is_some_and(|chosen| chosen != index);
            if spare && self.pairs[index].sent >= SPARE_TRIES {
                self.pairs[index].next = None;
            } else {
                self.check(now, index);
            }
        }
    }

    /// Takes a STUN datagram; anything else is ignored.
    pub fn handle(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        let Some(received) = Received::decode(bytes) else { return };
        match received.message.class {
            Class::Request => self.answer(now, from, &received),
            Class::Success | Class::Error => self.answered(now, from, &received),
        }
    }

    fn check(&mut self, now: Instant, index: usize) {
        let Some(remote) = self.remote.clone() else {
            self.pairs[index].next = None;
            return;
        };
        let nominates = self.role == Role::Controlling && self.pairs[index].nominating;
        let mut message = Message::new(Class::Request, stun::transaction());
        message.username = Some(format!("{}:{}", remote.ufrag, self.local.ufrag));
        message.priority = Some((Kind::PeerReflexive.preference() << 24) | (65535 << 8) | 255);
        message.claim = Some(self.claim());
        message.use_candidate = nominates;
        let Ok(bytes) = message.encode(Some(&remote.pwd)) else { return };
        let pair = &mut self.pairs[index];
        self.transmits.push_back(Transmit { to: pair.route, bytes });
        pair.check_sent(now, message.transaction, nominates);
        pair.unanswered += 1;
        if self.selected == Some(index) {
            pair.next = Some(now + CONSENT_AGAIN);
        }
    }

    fn claim(&self) -> Claim {
        match self.role {
            Role::Controlling => Claim::Controlling(self.tie),
            Role::Controlled => Claim::Controlled(self.tie),
        }
    }

    fn answered(&mut self, now: Instant, from: SocketAddr, received: &Received) {
        let transaction = received.message.transaction;
        let found = self
            .pairs
            .iter_mut()
            .enumerate()
            .find_map(|(index, pair)| Some((index, pair.take(transaction)?)));
        let Some((index, check)) = found else {
            self.unmatched += 1;
            return;
        };
        let pair = &mut self.pairs[index];
        if pair.route != from {
            // RFC 8445 section 7.2.5.2.1: an answer from elsewhere does not validate the pair.
            pair.strayed = Some((pair.strayed.map_or(1, |(count, _)| count + 1), from));
            return;
        }
        pair.answered += 1;
        let rtt = now.duration_since(check.sent);
        pair.rtt = Some(pair.rtt.map_or(rtt, |known| known.min(rtt)));
        pair.software = received.message.software.clone().or(pair.software.take());
        match received.message.class {
            Class::Success => self.succeeded(now, index, &check, received),
            _ => self.refused_check(now, index, &check, received),
        }
    }

    fn succeeded(&mut self, now: Instant, index: usize, check: &Outstanding, received: &Received) {
        let ours = self.remote.as_ref().is_some_and(|remote| received.is_signed_with(&remote.pwd));
        let pair = &mut self.pairs[index];
        if !ours {
            pair.last = Some(Answer::Unsigned);
            return;
        }
        pair.last = Some(Answer::Success);
        pair.consented = Some(now);
        pair.unanswered = 0;
        pair.mapped = received.message.mapped.map(stun::plain);
        pair.valid = true;
        pair.nominated |= check.nominates;
        if self.selected == Some(index) {
            pair.next = Some(now + CONSENT);
        } else if pair.nominated {
            self.select(now, index);
        } else if self.role == Role::Controlling && self.selected.is_none() {
            // The first valid pair is good enough, as the bridge's own strategy has it.
            pair.nominating = true;
            pair.check_at(now);
        } else {
            // Not chosen yet: the other side may learn of us only from a later check.
            pair.next = self.selected.is_none().then_some(now + REMIND);
        }
    }

    fn refused_check(
        &mut self,
        now: Instant,
        index: usize,
        check: &Outstanding,
        received: &Received,
    ) {
        let (code, reason) = received.message.error.clone().unwrap_or((0, String::new()));
        let signed = self.remote.as_ref().is_some_and(|r| received.is_signed_with(&r.pwd));
        if code == 487 && signed && !check.nominates {
            // RFC 8445 section 7.2.5.1: change the role and try again.
            self.role = match self.role {
                Role::Controlling => Role::Controlled,
                Role::Controlled => Role::Controlling,
            };
            self.pairs[index].check_at(now);
        }
        self.pairs[index].last = Some(Answer::Error(code, reason));
    }

    pub(super) fn select(&mut self, now: Instant, index: usize) {
        if self.selected.is_some() {
            return;
        }
        self.selected = Some(index);
        for (other, pair) in self.pairs.iter_mut().enumerate() {
            if other == index {
                pair.next = Some(now + CONSENT);
            } else if pair.valid {
                pair.next = None;
            }
        }
    }
}

#[cfg(test)]
#[path = "agent_tests.rs"]
mod tests;
