//! How an agent answers the checks of the other side (RFC 8445 section 7.3).

use std::net::SocketAddr;
use std::time::Instant;

use super::agent::MAX_PAIRS;
use super::{Agent, Candidate, Kind, Manner, Pair, Role, Transmit};
use crate::stun::{self, Claim, Class, Message, Received};

impl Agent {
    pub(super) fn answer(&mut self, now: Instant, from: SocketAddr, received: &Received) {
        let request = &received.message;
        let ours = format!("{}:", self.local.ufrag);
        let known = request.username.as_ref().is_some_and(|name| name.starts_with(&ours));
        if !known || !received.is_signed_with(&self.local.pwd) {
            self.refused += 1;
            let (code, reason) = match (received.is_signed(), self.manner) {
                (true, Manner::Plain) => (401, "Unauthorized"),
                (true, Manner::Ice4j) => (401, "Wrong MESSAGE-INTEGRITY value"),
                (false, _) => (400, "Bad Request"),
            };
            self.reply_error(from, received, code, reason, false);
            return;
        }
        if !self.settle_roles(from, received) {
            return;
        }
        let index = match self.pairs.iter().position(|pair| pair.route == from) {
            Some(index) => index,
            None if self.pairs.len() < MAX_PAIRS => {
                let priority = request.priority.unwrap_or(0);
                let kind = Kind::PeerReflexive;
                self.pairs.push(Pair::new(Candidate { address: from, kind, priority }, from, None));
                self.pairs.len() - 1
            }
            None => return,
        };
        self.reply_success(from, received);
        self.triggered(now, index, request.use_candidate);
    }

    /// RFC 8445 section 7.3.1.1; whether to go on with the request.
    fn settle_roles(&mut self, from: SocketAddr, received: &Received) -> bool {
        let (same, theirs) = match (self.role, received.message.claim) {
            (Role::Controlling, Some(Claim::Controlling(tie)))
            | (Role::Controlled, Some(Claim::Controlled(tie))) => (true, tie),
            _ => (false, 0),
        };
        if !same {
            return true;
        }
        let stays = (self.tie >= theirs) == (self.role == Role::Controlling);
        if !stays {
            self.role = match self.role {
                Role::Controlling => Role::Controlled,
                Role::Controlled => Role::Controlling,
            };
            return true;
        }
        let reason = if self.manner == Manner::Ice4j { "Unknown Error" } else { "Role Conflict" };
        self.reply_error(from, received, 487, reason, true);
        false
    }

    /// RFC 8445 section 7.3.1.4 and 7.3.1.5: a check back at once, and the nomination.
    fn triggered(&mut self, now: Instant, index: usize, use_candidate: bool) {
        let selected = self.selected.is_some();
        let pair = &mut self.pairs[index];
        pair.asked += 1;
        if self.role == Role::Controlled && use_candidate {
            pair.nominated = true;
        }
        if pair.valid && pair.nominated {
            self.select(now, index);
        } else if !pair.valid && !selected && pair.unsendable.is_none() {
            pair.check_at(now);
        }
    }

    fn reply_success(&mut self, to: SocketAddr, request: &Received) {
        let mut message = Message::new(Class::Success, request.message.transaction);
        message.mapped = Some(stun::plain(to));
        if self.manner == Manner::Ice4j {
            message.username = request.message.username.clone();
            message.software = Some("ice4j.org".into());
        }
        if let Ok(bytes) = message.encode(Some(&self.local.pwd)) {
            self.transmits.push_back(Transmit { to, bytes });
        }
    }

    fn reply_error(
        &mut self,
        to: SocketAddr,
        request: &Received,
        code: u16,
        reason: &str,
        signed: bool,
    ) {
        let mut message = Message::new(Class::Error, request.message.transaction);
        message.error = Some((code, reason.to_owned()));
        if self.manner == Manner::Ice4j {
            message.software = Some("ice4j.org".into());
            message.unknown_attributes = (code == 401).then(Vec::new);
        }
        if let Ok(bytes) = message.encode(signed.then_some(self.local.pwd.as_str())) {
            self.transmits.push_back(Transmit { to, bytes });
        }
    }
}
