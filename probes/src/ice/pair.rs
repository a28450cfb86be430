//! One pair of our socket and a remote candidate, with everything that happened on it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Candidate;
use crate::stun::Transaction;

/// Checks that may be unanswered at a time before the oldest is forgotten.
const OUTSTANDING: usize = 16;

/// How the other side answered a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Success, signed with the password that was signalled.
    Success,
    /// Success that is not signed with that password: not from whom we signalled with.
    Unsigned,
    /// An error with its code and reason. 401 and 487 prove the path as much as a success does.
    Error(u16, String),
}

/// A pair of our socket and a remote candidate.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The remote candidate as signalled.
    pub candidate: Candidate,
    /// Where packets really go: the candidate's address unless it is overridden.
    pub route: SocketAddr,
    /// Checks sent.
    pub sent: u32,
    /// Answers received from `route`, of any kind.
    pub answered: u32,
    /// Shortest time from a check to its own answer.
    pub rtt: Option<Duration>,
    /// Where our checks come from, as the other side sees it.
    pub mapped: Option<SocketAddr>,
    /// Software that the other side names.
    pub software: Option<String>,
    /// The last answer.
    pub last: Option<Answer>,
    /// Answers that came from another address than the check was sent to, and from where.
    pub strayed: Option<(u32, SocketAddr)>,
    /// The other side's own checks, answered by us.
    pub asked: u32,
    /// What our own system said when sending failed.
    pub unsendable: Option<String>,
    /// A check was answered with a signed success.
    pub valid: bool,
    /// The controlling side chose it.
    pub nominated: bool,
    /// When the last check was answered with a signed success.
    pub consented: Option<Instant>,
    /// Checks sent since.
    pub(super) unanswered: u32,
    pub(super) outstanding: Vec<Outstanding>,
    pub(super) next: Option<Instant>,
    pub(super) nominating: bool,
    tries: u32,
}

/// A check that waits for its answer.
#[derive(Debug, Clone)]
pub(super) struct Outstanding {
    pub(super) transaction: Transaction,
    pub(super) sent: Instant,
    pub(super) nominates: bool,
}

impl Pair {
    pub(super) fn new(candidate: Candidate, route: SocketAddr, next: Option<Instant>) -> Self {
        Self {
            candidate,
            route,
            sent: 0,
            answered: 0,
            rtt: None,
            mapped: None,
            software: None,
            last: None,
            strayed: None,
            asked: 0,
            unsendable: None,
            valid: false,
            nominated: false,
            consented: None,
            unanswered: 0,
            outstanding: Vec::new(),
            next,
            nominating: false,
            tries: 0,
        }
    }

    /// Whether anything at all came back on this pair: the path is open both ways.
    pub fn is_open(&self) -> bool {
        self.answered > 0 || self.asked > 0
    }

    /// Notes a check that leaves now, and when the next try is due. Each try is a transaction of
    /// its own, so that an answer tells which packet it answers and the time is exact.
    pub(super) fn check_sent(&mut self, now: Instant, transaction: Transaction, nominates: bool) {
        self.sent += 1;
        if self.outstanding.len() == OUTSTANDING {
            self.outstanding.remove(0);
        }
        self.outstanding.push(Outstanding { transaction, sent: now, nominates });
        let wait = 100 << self.tries.min(3);
        self.tries += 1;
        self.next = Some(now + Duration::from_millis(wait));
    }

    /// Starts the tries afresh, the first at that time.
    pub(super) fn check_at(&mut self, at: Instant) {
        self.tries = 0;
        self.next = Some(at);
    }

    /// The check with that transaction, if it still waits for its answer.
    pub(super) fn take(&mut self, transaction: Transaction) -> Option<Outstanding> {
        let index = self.outstanding.iter().position(|o| o.transaction == transaction)?;
        Some(self.outstanding.remove(index))
    }
}
