//! The way to the server: datagrams, or frames on a stream.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UdpSocket;
use tokio::sync::OwnedSemaphorePermit;

use super::error::TurnError;
use super::frame::{Frame, next};
use super::session::{Carrier, Server};
use crate::Net;
use crate::tls::{self, Alpn};

/// The longest datagram read, in bytes.
const DATAGRAM: usize = 4096;

pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// An open way to the server.
pub(super) enum Link {
    Udp(UdpSocket),
    Stream { io: Box<dyn Io>, inbox: BytesMut, _permit: Option<OwnedSemaphorePermit> },
}

/// What came, in one piece.
pub(super) enum Arrived {
    Message(Vec<u8>),
    Channel(u16, Vec<u8>),
}

impl Link {
    /// Opens it; the TLS session is given also where its certificate is refused.
    pub(super) async fn open(
        net: &Net,
        server: &Server,
        address: SocketAddr,
    ) -> Result<(Self, Option<Arc<tls::Session>>), TurnError> {
        let stream = |io, permit| Self::Stream { io, inbox: BytesMut::new(), _permit: permit };
        match server.carrier {
            Carrier::Udp => {
                let really = net.config().overrides.address(address);
                Ok((Self::Udp(connect(really).await?), None))
            }
            Carrier::Tcp => {
                let dialled = net.dial(address).await?;
                Ok((stream(Box::new(dialled.stream), dialled.permit), None))
            }
            Carrier::Tls => {
                let dialled = net.dial(address).await?;
                let secured = net.secure(&server.host, dialled, Alpn::None).await;
                let secured = secured.map_err(TurnError::Handshake)?;
                if !secured.session.verification.accepted() {
                    return Err(TurnError::Certificate(secured.session));
                }
                let io = Box::new(secured.stream);
                Ok((stream(io, secured.permit), Some(secured.session)))
            }
        }
    }

    /// Whether frames are padded, and lost ones come by themselves.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self, Self::Stream { .. })
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), TurnError> {
        match self {
            Self::Udp(socket) => socket.send(bytes).await.map(drop),
            Self::Stream { io, .. } => match io.write_all(bytes).await {
                Ok(()) => io.flush().await,
                Err(error) => Err(error),
            },
        }
        .map_err(|error| failure(&error))
    }

    /// The next frame. Cancel-safe.
    pub(super) async fn receive(&mut self) -> Result<Arrived, TurnError> {
        match self {
            Self::Udp(socket) => loop {
                let mut buffer = Vec::with_capacity(DATAGRAM);
                socket.recv_buf(&mut buffer).await.map_err(|error| failure(&error))?;
                // A stray datagram is nobody's answer.
                if let Ok(Some((frame, _))) = next(&buffer) {
                    return Ok(owned(&frame));
                }
                if let Some(frame) = unpadded(&buffer) {
                    return Ok(frame);
                }
            },
            Self::Stream { io, inbox, .. } => loop {
                let wrong = |_| TurnError::NotTurn(first_line(inbox));
                if let Some((frame, taken)) = next(inbox).map_err(wrong)? {
                    let frame = owned(&frame);
                    inbox.advance(taken);
                    return Ok(frame);
                }
                if io.read_buf(inbox).await.map_err(|error| failure(&error))? == 0 {
                    return Err(TurnError::Closed);
                }
            },
        }
    }
}

/// A datagram of a channel need not be padded over UDP (RFC 8656 section 12.5).
fn unpadded(datagram: &[u8]) -> Option<Arrived> {
    let (head, data) = datagram.split_at_checked(4)?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let channel = (0x40..=0x4f).contains(&head[0]).then(|| [head[0], head[1]])?;
    Some(Arrived::Channel(u16::from_be_bytes(channel), data.get(..length)?.to_vec()))
}

fn owned(frame: &Frame<'_>) -> Arrived {
    match frame {
        Frame::Message(bytes) => Arrived::Message(bytes.to_vec()),
        Frame::Channel(channel, data) => Arrived::Channel(*channel, data.to_vec()),
    }
}

/// A socket of our own that hears just this address, ICMP included.
async fn connect(to: SocketAddr) -> Result<UdpSocket, TurnError> {
    let any = match to {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let ours = |error: std::io::Error| TurnError::Ours(format!("no UDP to {to}: {error}"));
    let socket = UdpSocket::bind(any).await.map_err(ours)?;
    socket.connect(to).await.map_err(ours)?;
    Ok(socket)
}

fn failure(error: &std::io::Error) -> TurnError {
    match error.kind() {
        ErrorKind::ConnectionRefused => TurnError::Refused,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::UnexpectedEof
        | ErrorKind::BrokenPipe => TurnError::Closed,
        _ => TurnError::Ours(error.to_string()),
    }
}

fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line[..line.len().min(60)].trim_ascii().escape_ascii().to_string()
}
