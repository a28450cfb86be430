//! Where one message ends and the next begins on a stream (RFC 8656 sections 2.1 and 12.5).

use super::message::MAX_BYTES;

/// What one frame holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A STUN or TURN message.
    Message(&'a [u8]),
    /// A datagram on a channel.
    Channel(u16, &'a [u8]),
}

/// Why the bytes are not a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameError;

/// The first frame of these bytes and how many it takes on a stream, with padding. None while it
/// is not there as a whole.
///
/// # Errors
/// [`FrameError`] when they cannot begin a frame, or one beyond the bound.
pub fn next(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let Some(head) = bytes.get(..4) else {
        // What follows a wrong first byte is not worth waiting for.
        let wrong = bytes.first().is_some_and(|first| !matches!(first, 0..=3 | 0x40..=0x4f));
        return if wrong { Err(FrameError) } else { Ok(None) };
    };
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let (header, padded) = match head[0] {
        0..=3 => (20, length),
        0x40..=0x4f => (4, length.next_multiple_of(4)),
        _ => return Err(FrameError),
    };
    if header + length > MAX_BYTES {
        return Err(FrameError);
    }
    let Some(whole) = bytes.get(..header + padded) else { return Ok(None) };
    let frame = match header {
        20 => Frame::Message(whole),
        _ => {
            let channel = u16::from_be_bytes([head[0], head[1]]);
            Frame::Channel(channel, &whole[header..header + length])
        }
    };
    Ok(Some((frame, header + padded)))
}

/// A datagram of a channel as it is sent: on a stream it is padded.
pub(super) fn channel_data(channel: u16, data: &[u8], stream: bool) -> Result<Vec<u8>, String> {
    let length = u16::try_from(data.len()).ok().filter(|_| data.len() + 4 <= MAX_BYTES);
    let length = length.ok_or_else(|| format!("{} bytes are too many to relay", data.len()))?;
    let mut out = [channel.to_be_bytes(), length.to_be_bytes()].concat();
    out.extend(data);
    if stream {
        out.resize(out.len().next_multiple_of(4), 0);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_end_where_they_say() {
        let data = channel_data(0x4001, b"hello", true).expect("short");
        assert_eq!(data.len(), 12);
        assert_eq!(next(&data), Ok(Some((Frame::Channel(0x4001, b"hello"), 12))));
        assert_eq!(next(&data[..11]), Ok(None));
        let message = [&[1, 1, 0, 0][..], &[0; 16]].concat();
        assert_eq!(next(&message), Ok(Some((Frame::Message(&message), 20))));
        assert_eq!(next(b""), Ok(None));
        assert_eq!(next(b"HTTP/1.1 400"), Err(FrameError));
        assert_eq!(next(b"S"), Err(FrameError));
        assert_eq!(next(&[0, 1, 0xff, 0xff]), Err(FrameError));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(Some((_, taken))) = next(&bytes) {
                prop_assert!(taken > 0 && taken <= bytes.len());
            }
        }
    }
}
