//! TCP connections, each timed, to one address or to the first of several that answers.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::{Net, Tap};
use crate::tls::ConnectError;

/// Head start of one address before the next one is tried as well (RFC 8305 section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Addresses of one name that are tried at most.
const MOST_ADDRESSES: usize = 8;

/// An open TCP connection.
pub(crate) struct Dialled {
    /// Before overrides.
    pub(crate) address: SocketAddr,
    pub(crate) stream: Tap,
    /// How long it took.
    pub(crate) took: Duration,
    /// Counts among those to this address for as long as it is kept.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

impl Net {
    /// Connects with TCP only; how long it took.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(&self, address: SocketAddr) -> Result<Duration, ConnectError> {
        self.dial(address).await.map(|dialled| dialled.took)
    }

    pub(crate) async fn dial(&self, address: SocketAddr) -> Result<Dialled, ConnectError> {
        let permit = self.permit(address).await;
        let really = self.config().overrides.address(address);
        let limit = self.config().connect_timeout;
        let start = Instant::now();
        let stream = match tokio::time::timeout(limit, TcpStream::connect(really)).await {
            Err(_) => return Err(ConnectError::TimedOut(limit)),
            Ok(Err(error)) => return Err(failure(&error, really)),
            Ok(Ok(stream)) => stream,
        };
        let took = start.elapsed();
        // Only a matter of speed.
        let _ = stream.set_nodelay(true);
        Ok(Dialled { address, stream: Tap::new(stream), took, permit })
    }

    /// Connects to the first address that answers, in the order given, each with a head start.
    /// The error is the last one that says something of the other side.
    pub(crate) async fn dial_first(
        &self,
        addresses: &[SocketAddr],
    ) -> Result<Dialled, Option<(SocketAddr, ConnectError)>> {
        let mut waiting = addresses.iter().copied().take(MOST_ADDRESSES).peekable();
        let mut attempts = FuturesUnordered::new();
        let mut failed: Option<(SocketAddr, ConnectError)> = None;
        loop {
            if let Some(address) = waiting.next() {
                attempts.push(async move { (address, self.dial(address).await) });
            }
            let stagger = if waiting.peek().is_some() { STAGGER } else { Duration::MAX };
            match tokio::time::timeout(stagger, attempts.next()).await {
                Err(_) => {}
                Ok(Some((_, Ok(dialled)))) => return Ok(dialled),
                Ok(Some((address, Err(error)))) => {
                    if failed.is_none() || !matches!(error, ConnectError::Ours(_)) {
                        failed = Some((address, error));
                    }
                }
                Ok(None) => return Err(failed),
            }
        }
    }
}

fn failure(error: &io::Error, address: SocketAddr) -> ConnectError {
    match error.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => ConnectError::Refused,
        ErrorKind::HostUnreachable => ConnectError::Unreachable("no route to host".into()),
        ErrorKind::NetworkUnreachable if has_route(address) => {
            ConnectError::Unreachable("network unreachable".into())
        }
        ErrorKind::NetworkUnreachable if address.is_ipv6() => {
            ConnectError::Ours("this machine has no way to IPv6 addresses".into())
        }
        // What the kernel gives after its own retries, where ours is longer.
        ErrorKind::TimedOut => ConnectError::Unreachable("no answer".into()),
        _ => ConnectError::Ours(error.to_string()),
    }
}

/// Whether this machine itself knows a way there: connecting a datagram socket sends nothing.
fn has_route(address: SocketAddr) -> bool {
    let local: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    std::net::UdpSocket::bind(local).and_then(|socket| socket.connect(address)).is_ok()
}
