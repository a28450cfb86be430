//! An open connection that speaks HTTP.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;

use super::outgoing::Outgoing;
use super::{HttpError, Timings};
use crate::tls::{HandshakeError, Session, alert_in};

/// Bytes of headers that are accepted.
const MOST_HEADER_BYTES: u32 = 64 * 1024;

/// An open connection, its cost still to be told by who asked for it.
pub(crate) struct Link {
    /// Before overrides.
    pub(crate) address: SocketAddr,
    pub(crate) session: Option<Arc<Session>>,
    /// Name to addresses.
    pub(super) resolve: Duration,
    /// TCP.
    pub(super) connect: Duration,
    /// Whether an earlier request opened it.
    pub(super) reused: bool,
    sender: Sender,
    /// Counts among the connections to this address for as long as it is kept.
    _permit: Option<OwnedSemaphorePermit>,
}

enum Sender {
    Http1(http1::SendRequest<Outgoing>),
    Http2(http2::SendRequest<Outgoing>),
}

/// What is known of a connection before it speaks HTTP.
pub(super) struct Ground {
    pub(super) address: SocketAddr,
    pub(super) session: Option<Arc<Session>>,
    pub(super) resolve: Duration,
    pub(super) connect: Duration,
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

impl Link {
    /// Speaks HTTP/2 where ALPN agreed on it, else 1.1.
    pub(super) async fn new<S>(stream: S, ground: Ground) -> Result<Self, HttpError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Ground { address, session, resolve, connect, permit } = ground;
        let io = TokioIo::new(stream);
        let h2 = session.as_ref().is_some_and(|session| session.alpn.as_deref() == Some("h2"));
        let (sender, permit) = if h2 {
            // Many requests share it, and it lives as long as the instruments do: it is not
            // counted any more, so that it cannot keep others from connecting.
            (http2(io).await.map(Sender::Http2), None)
        } else {
            (http1(io).await.map(Sender::Http1), permit)
        };
        let sender = sender.map_err(|error| failure(&error, address))?;
        Ok(Self { address, session, resolve, connect, reused: false, sender, _permit: permit })
    }

    /// The same connection for one more request; only HTTP/2 can share. It costs nothing where
    /// it is reused.
    pub(super) fn share(&self, reused: bool) -> Option<Self> {
        let cost = |took| if reused { Duration::ZERO } else { took };
        match &self.sender {
            Sender::Http2(sender) if !sender.is_closed() => Some(Self {
                address: self.address,
                session: self.session.clone(),
                resolve: cost(self.resolve),
                connect: cost(self.connect),
                reused,
                sender: Sender::Http2(sender.clone()),
                _permit: None,
            }),
            _ => None,
        }
    }

    /// Resolving, connecting and shaking hands; nothing for a connection that was there.
    pub(super) fn cost(&self) -> Timings {
        let handshake = self.session.as_ref().filter(|_| !self.reused);
        Timings {
            resolve: self.resolve,
            connect: self.connect,
            handshake: handshake.map_or(Duration::ZERO, |session| session.handshake),
            ..Timings::default()
        }
    }

    /// Whether a client would go on.
    pub(super) fn is_acceptable(&self) -> bool {
        self.session.as_ref().is_none_or(|session| session.verification.accepted())
    }

    pub(crate) fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    /// Sends a request, and waits for the head of its answer.
    pub(crate) async fn send(
        &mut self,
        request: http::Request<Outgoing>,
    ) -> Result<http::Response<Incoming>, HttpError> {
        let answer = match &mut self.sender {
            Sender::Http1(sender) => sender.send_request(request).await,
            Sender::Http2(sender) => sender.send_request(request).await,
        };
        answer.map_err(|error| failure(&error, self.address))
    }
}

/// The connection itself runs in a task that ends with it, or when nobody needs it any more.
async fn http1<S>(io: TokioIo<S>) -> hyper::Result<http1::SendRequest<Outgoing>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let most = MOST_HEADER_BYTES as usize;
    let (sender, connection) = http1::Builder::new().max_buf_size(most).handshake(io).await?;
    tokio::spawn(connection.with_upgrades());
    Ok(sender)
}

async fn http2<S>(io: TokioIo<S>) -> hyper::Result<http2::SendRequest<Outgoing>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_header_list_size(MOST_HEADER_BYTES)
        .handshake(io)
        .await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// What an error of the connection says of the other side.
pub(super) fn failure(error: &hyper::Error, address: SocketAddr) -> HttpError {
    if let Some(alert) = alert_in(error) {
        return HttpError::Handshake { address, error: HandshakeError::Alert(alert) };
    }
    let garbage = || HttpError::Garbage { address, reason: whole_text(error) };
    if error.is_parse() {
        return garbage();
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() || was_cut(error) {
        return HttpError::Closed { address };
    }
    if error.is_user() { HttpError::Ours(whole_text(error)) } else { garbage() }
}

/// Whether the connection itself broke, or the other side ended it or just this request.
fn was_cut(error: &hyper::Error) -> bool {
    let mut source = error.source();
    while let Some(current) = source {
        if let Some(h2) = current.downcast_ref::<h2::Error>()
            && !h2.is_io()
        {
            return h2.is_remote();
        }
        let inside = current.downcast_ref::<h2::Error>().and_then(h2::Error::get_io);
        if let Some(io) = inside.or(current.downcast_ref::<io::Error>()) {
            return matches!(
                io.kind(),
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::NotConnected
            );
        }
        source = current.source();
    }
    false
}

/// An error and what is behind it, in one line.
pub(super) fn whole_text(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(current) = source {
        let more = current.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = current.source();
    }
    text
}
