//! A TCP stream that remembers the first bytes it received.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How many bytes are remembered.
const HEAD: usize = 64;

/// What a peer says that does not speak the expected protocol is told by its first bytes.
#[derive(Debug)]
pub(crate) struct Tap {
    stream: TcpStream,
    head: Vec<u8>,
}

impl Tap {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, head: Vec::new() }
    }

    /// The first bytes received, at most 64.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let wanted = HEAD - self.head.len();
        let received = &buf.filled()[before..];
        self.head.extend_from_slice(&received[..received.len().min(wanted)]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
