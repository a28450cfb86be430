//! Puts what arrives into an order that the library bears.

use std::collections::BTreeMap;

use super::Side;
use super::wire::whole_records;

/// Records kept aside at most.
const MOST: usize = 64;

const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
const HELLO_VERIFY_REQUEST: u8 = 3;
const SERVER_HELLO_DONE: u8 = 14;

/// Records of a handshake as they come, which on real networks is in any order.
///
/// `rtc-dtls` ends the handshake with an alert where a part of the server's flight comes before its
/// first message, forgets its timer with each part, and drops a `Finished` that comes before the
/// change of its epoch. So a client gives it that flight as a whole, nothing of it a second time,
/// and both sides give it what is sealed only after the change.
#[derive(Debug)]
pub(super) struct Arrivals {
    side: Side,
    /// Parts of the server's flight, as long as it is not complete.
    flight: Vec<Vec<u8>>,
    /// The message that the flight begins with: one later after each demand for a cookie.
    first: u16,
    /// What is sealed, as long as the change has not come.
    sealed: Vec<Vec<u8>>,
    changed: bool,
    /// We have answered the server's flight.
    pub(super) answered: bool,
}

impl Arrivals {
    pub(super) fn new(side: Side) -> Self {
        let (flight, sealed) = (Vec::new(), Vec::new());
        Self { side, flight, first: 0, sealed, changed: false, answered: false }
    }

    /// What is to be read now that this has come; may be nothing.
    pub(super) fn take(&mut self, datagram: &[u8]) -> Vec<u8> {
        let mut due = Vec::new();
        for (kind, epoch, record) in whole_records(datagram) {
            match (kind, epoch) {
                (HANDSHAKE, 0) if self.side == Side::Client => {
                    // Repeated, it says that our answer was lost: the timer sees to that.
                    if !self.answered {
                        keep(&mut self.flight, record);
                        due.extend(self.complete_flight());
                    }
                }
                (_, 1..) if !self.changed => keep(&mut self.sealed, record),
                (CHANGE_CIPHER_SPEC, 0) => {
                    self.changed = true;
                    due.extend_from_slice(record);
                    due.extend(self.sealed.drain(..).flatten());
                }
                _ => due.extend_from_slice(record),
            }
        }
        due
    }

    fn complete_flight(&mut self) -> Vec<u8> {
        let mut messages: BTreeMap<u16, Message> = BTreeMap::new();
        for record in &self.flight {
            for part in parts(&record[13..]) {
                let message = messages.entry(part.number).or_default();
                (message.kind, message.length) = (part.kind, part.length);
                message.parts.push((part.offset, part.offset + part.count));
            }
        }
        let from_first = messages.range(self.first..).zip(self.first..);
        for ((number, message), due) in from_first {
            if *number != due || !message.is_complete() {
                break;
            }
            if message.kind == HELLO_VERIFY_REQUEST {
                self.first = number.saturating_add(1);
            }
            if matches!(message.kind, HELLO_VERIFY_REQUEST | SERVER_HELLO_DONE) {
                return self.flight.drain(..).flatten().collect();
            }
        }
        Vec::new()
    }
}

/// Keeps a record, unless one that says the same is there.
fn keep(records: &mut Vec<Vec<u8>>, record: &[u8]) {
    let known = records.iter().any(|known| known[13..] == record[13..]);
    if !known && records.len() < MOST {
        records.push(record.to_vec());
    }
}

/// A message of a handshake, as far as its parts are there.
#[derive(Default)]
struct Message {
    kind: u8,
    length: usize,
    parts: Vec<(usize, usize)>,
}

impl Message {
    fn is_complete(&self) -> bool {
        let mut parts = self.parts.clone();
        parts.sort_unstable();
        let reach = |end: usize, (from, to): (usize, usize)| (from <= end).then(|| to.max(end));
        parts.into_iter().try_fold(0, reach).is_some_and(|end| end >= self.length)
    }
}

/// A part of a message (RFC 6347 section 4.2.2), often all of it.
struct Part {
    kind: u8,
    length: usize,
    number: u16,
    offset: usize,
    count: usize,
}

fn parts(mut body: &[u8]) -> impl Iterator<Item = Part> {
    std::iter::from_fn(move || {
        let (header, rest) = body.split_at_checked(12)?;
        let long = |at: usize| {
            header[at..at + 3].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        };
        let part = Part {
            kind: header[0],
            length: long(1),
            number: u16::from_be_bytes([header[4], header[5]]),
            offset: long(6),
            count: long(9),
        };
        body = rest.split_at_checked(part.count)?.1;
        Some(part)
    })
}
