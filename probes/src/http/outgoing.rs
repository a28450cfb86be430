//! The body of a request: bytes, or a length that is filled with zeros or never sent.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::{Filler, Request};

/// Zeros that are sent at a time.
const CHUNK: usize = 16 * 1024;

static ZEROS: [u8; CHUNK] = [0; CHUNK];

/// What goes over the wire after the head.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// These bytes.
    Bytes(Bytes),
    /// So many zeros more.
    Zeros(u64),
    /// Announced, and never sent.
    Withheld(u64),
}

impl Outgoing {
    pub(super) fn of(request: &Request) -> Self {
        match request.filler {
            None => Self::Bytes(request.body.clone()),
            Some(Filler { length, withheld: true }) => Self::Withheld(length),
            Some(Filler { length, withheld: false }) => Self::Zeros(length),
        }
    }

    fn left(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Zeros(left) | Self::Withheld(left) => *left,
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left() == 0 {
            return Poll::Ready(None);
        }
        let data = match &mut *self {
            Self::Bytes(bytes) => std::mem::take(bytes),
            Self::Zeros(left) => {
                let size = CHUNK.min(usize::try_from(*left).unwrap_or(CHUNK));
                *left -= size as u64;
                Bytes::from_static(&ZEROS[..size])
            }
            // Nobody wakes it: the answer, or the end of patience, ends the request.
            Self::Withheld(_) => return Poll::Pending,
        };
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}
