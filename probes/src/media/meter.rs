//! What is heard of one stream of the other guest.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::clock;
use super::tag::Tag;
use crate::rtp::{Packet, Report};

/// Packets of one stream that are followed; a plan of more than 20 minutes has more.
const MOST: u32 = 65_536;

/// What was heard of a stream.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// Packets that arrived whole, each once.
    pub received: u32,
    /// Packets that came once more.
    pub duplicate: u32,
    /// Packets that came after one that was sent later.
    pub late: u32,
    /// Authentic packets that do not carry what the other guest sent.
    pub corrupt: u32,
    /// Bytes of payload of those received.
    pub bytes: u64,
    /// When the first one arrived.
    pub first_at: Option<Instant>,
    /// When the last one arrived.
    pub last_at: Option<Instant>,
    /// Lowest and highest number heard.
    pub numbers: Option<(u32, u32)>,
    /// Variation of the time on the way (RFC 3550 section 6.4.1, by the exact times of sending).
    pub jitter: Duration,
    seen: Vec<u64>,
    delays: Vec<Duration>,
    transit: Option<Duration>,
}

/// Times on the way from the other guest to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// The shortest.
    pub min: Duration,
    /// Half took less.
    pub median: Duration,
    /// The longest.
    pub max: Duration,
}

impl Heard {
    /// Packets missing between the lowest and the highest number heard. What was sent before the
    /// bridge had us both, and after the last one heard, is not known here: see
    /// [`Self::lost_of`].
    pub fn lost(&self) -> u32 {
        self.numbers.map_or(0, |(first, last)| self.lost_of(first..last + 1))
    }

    /// Packets missing of those numbers, of which the sender knows that it sent them.
    pub fn lost_of(&self, numbers: Range<u32>) -> u32 {
        let seen = numbers.clone().take(MOST as usize).filter(|n| self.has(*n)).count();
        let all = numbers.end.saturating_sub(numbers.start);
        all - u32::try_from(seen).unwrap_or(all).min(all)
    }

    /// Whether the packet of that number came.
    pub fn has(&self, number: u32) -> bool {
        let word = self.seen.get(number as usize / 64);
        word.is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// How long packets were on the way; none before the first.
    pub fn delay(&self) -> Option<Delay> {
        let mut all = self.delays.clone();
        all.sort_unstable();
        let (min, max) = (*all.first()?, *all.last()?);
        Some(Delay { min, median: all[all.len() / 2], max })
    }

    fn take(&mut self, now: Instant, tag: &Tag, bytes: usize) {
        if tag.number >= MOST {
            self.corrupt += 1;
            return;
        }
        if self.has(tag.number) {
            self.duplicate += 1;
            return;
        }
        let word = tag.number as usize / 64;
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        self.seen[word] |= 1 << (tag.number % 64);
        let (first, last) = self.numbers.unwrap_or((tag.number, tag.number));
        self.late += u32::from(tag.number < last);
        self.numbers = Some((first.min(tag.number), last.max(tag.number)));
        self.received += 1;
        self.bytes += bytes as u64;
        self.first_at.get_or_insert(now);
        self.last_at = Some(now);
        let transit = Duration::from_micros(clock::micros(now).saturating_sub(tag.sent));
        if let Some(before) = self.transit.replace(transit) {
            let change = transit.abs_diff(before);
            self.jitter = (self.jitter * 15 + change) / 16;
        }
        self.delays.push(transit);
    }
}

/// The meter of one stream: fills in what was heard, and says what a receiver reports of it.
#[derive(Debug)]
pub(super) struct Meter {
    /// Of the stream.
    pub(super) ssrc: u32,
    run: [u8; 8],
    rate: u32,
    read: fn(&[u8]) -> Option<Tag>,
    /// First and highest sequence number, with their cycles.
    sequences: Option<(u32, u32)>,
    packets: u32,
    /// Expected and received when the last report was made.
    before: (u32, u32),
    /// Time in the last sender report, and when it came.
    reported: Option<(u32, Instant)>,
}

impl Meter {
    pub(super) fn new(ssrc: u32, run: [u8; 8], rate: u32, read: fn(&[u8]) -> Option<Tag>) -> Self {
        Self { ssrc, run, rate, read, sequences: None, packets: 0, before: (0, 0), reported: None }
    }

    /// Takes an authentic packet of the stream.
    pub(super) fn take(&mut self, now: Instant, packet: &Packet, heard: &mut Heard) {
        self.packets += 1;
        self.count(packet.sequence);
        match (self.read)(&packet.payload).filter(|tag| tag.run == self.run) {
            Some(tag) => heard.take(now, &tag, packet.payload.len()),
            None => heard.corrupt += 1,
        }
    }

    /// Takes the time of a sender report of the stream.
    pub(super) fn reported(&mut self, now: Instant, ntp: u64) {
        self.reported = Some((clock::middle(ntp), now));
    }

    /// What to report of the stream; none before its first packet.
    pub(super) fn report(&mut self, now: Instant, heard: &Heard) -> Option<Report> {
        let (first, highest) = self.sequences?;
        let expected = highest.wrapping_sub(first).wrapping_add(1);
        let lost = i64::from(expected) - i64::from(self.packets);
        let (since, came) = (expected - self.before.0, self.packets - self.before.1);
        self.before = (expected, self.packets);
        let missing = since.saturating_sub(came);
        let fraction = (missing * 256).checked_div(since).unwrap_or(0).min(255);
        let units = heard.jitter.as_secs_f64() * f64::from(self.rate);
        let (last_report, delay) = self.reported.map_or((0, 0), |(time, at)| {
            (time, (now.duration_since(at).as_secs_f64() * 65_536.0) as u32)
        });
        Some(Report {
            ssrc: self.ssrc,
            fraction: fraction as u8,
            lost: lost.clamp(-0x80_0000, 0x7F_FFFF) as i32,
            highest,
            jitter: units as u32,
            last_report,
            delay,
        })
    }

    /// Follows the sequence numbers over their cycles.
    fn count(&mut self, sequence: u16) {
        let (first, highest) = *self.sequences.get_or_insert((sequence.into(), sequence.into()));
        let ahead = sequence.wrapping_sub(highest as u16);
        if ahead < 0x8000 {
            self.sequences = Some((first, highest.wrapping_add(ahead.into())));
        }
    }
}

#[cfg(test)]
#[path = "meter_tests.rs"]
mod tests;
