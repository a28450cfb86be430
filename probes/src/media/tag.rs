//! What a packet carries.

use ring::digest::{SHA256, digest};

use super::MediaPlan;

/// TOC of an Opus packet (RFC 6716 section 3.1): CELT, full band, 20 ms, mono, one frame.
const TOC: u8 = 0xF8;

/// Bytes of a tag on the wire.
const LENGTH: usize = 32;

/// The tag of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    /// See [`MediaPlan::run`].
    pub run: [u8; 8],
    /// See [`MediaPlan::from`].
    pub from: [u8; 8],
    /// Of the packet in its stream, from 0 on.
    pub number: u32,
    /// When it was sent: microseconds by the clock of the sender's process.
    pub sent: u64,
}

impl Tag {
    pub(super) fn new(plan: &MediaPlan, number: u32, sent: u64) -> Self {
        Self { run: plan.run, from: plan.from, number, sent }
    }

    /// A payload that looks like 20 ms of Opus.
    pub fn as_audio(&self) -> Vec<u8> {
        std::iter::once(TOC).chain(self.bytes()).collect()
    }

    /// The tag of such a payload; none when it is not whole.
    pub fn of_audio(payload: &[u8]) -> Option<Self> {
        match payload {
            [TOC, rest @ ..] => Self::read(rest),
            _ => None,
        }
    }

    /// A payload that looks like a VP8 key frame of one packet: payload descriptor (RFC 7741
    /// section 4.2) with picture id and level index, frame header (RFC 6386 section 9.1) of
    /// 320x180.
    pub fn as_video(&self) -> Vec<u8> {
        let id = (self.number & 0x7FFF) as u16 | 0x8000;
        let mut bytes = vec![0x90, 0xE0];
        bytes.extend(id.to_be_bytes());
        bytes.extend([(self.number & 0xFF) as u8, 0x20]);
        // Key frame, version 0, shown; the size of the first partition above these five bits.
        let frame = 1 << 4 | (LENGTH as u32) << 5;
        bytes.extend(&frame.to_le_bytes()[..3]);
        bytes.extend([0x9D, 0x01, 0x2A]);
        bytes.extend(320u16.to_le_bytes());
        bytes.extend(180u16.to_le_bytes());
        bytes.extend(self.bytes());
        bytes
    }

    /// The tag of such a payload. The bridge rewrites the descriptor's picture id and index, and
    /// may leave them out.
    pub fn of_video(payload: &[u8]) -> Option<Self> {
        let at = payload.len().checked_sub(LENGTH)?;
        let start = [0x9D, 0x01, 0x2A];
        let begins = payload[..at].windows(3).any(|window| window == start);
        begins.then(|| Self::read(&payload[at..])).flatten()
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend(self.run);
        bytes.extend(self.from);
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.sent.to_be_bytes());
        bytes.extend(check(&bytes));
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (tag, sum) = bytes.split_at_checked(LENGTH - 4)?;
        let (run, rest) = tag.split_first_chunk()?;
        let (from, rest) = rest.split_first_chunk()?;
        let (number, sent) = rest.split_first_chunk()?;
        (check(tag) == sum).then_some(Self {
            run: *run,
            from: *from,
            number: u32::from_be_bytes(*number),
            sent: u64::from_be_bytes(sent.try_into().ok()?),
        })
    }
}

/// Four bytes that tell a tag from what was changed on the way.
fn check(bytes: &[u8]) -> [u8; 4] {
    let digest = digest(&SHA256, bytes);
    let mut sum = [0; 4];
    sum.copy_from_slice(&digest.as_ref()[..4]);
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tags_are_read_as_written_and_changes_are_seen(
            run in any::<[u8; 8]>(), from in any::<[u8; 8]>(), number in any::<u32>(),
            sent in any::<u64>(), at in 0..32usize, flip in 1..=255u8
        ) {
            let tag = Tag { run, from, number, sent };
            let (mut audio, mut video) = (tag.as_audio(), tag.as_video());
            prop_assert_eq!(Tag::of_audio(&audio), Some(tag));
            prop_assert_eq!(Tag::of_video(&video), Some(tag));
            audio[1 + at] ^= flip;
            let length = video.len();
            video[length - 32 + at] ^= flip;
            prop_assert_eq!(Tag::of_audio(&audio), None);
            prop_assert_eq!(Tag::of_video(&video), None);
        }

        #[test]
        fn arbitrary_payloads_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..100)
        ) {
            let _ = (Tag::of_audio(&bytes), Tag::of_video(&bytes));
        }
    }
}
