//! The sockets of an endpoint.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Socket, Type};
use tokio::net::UdpSocket;

use crate::stun::plain;

/// The longest datagram read, in bytes; longer ones are cut and then refused by their parsers.
const DATAGRAM: usize = 2048;

/// A socket of each family, or why there is none.
#[derive(Debug)]
pub(super) struct Sockets {
    v4: Result<UdpSocket, String>,
    v6: Result<UdpSocket, String>,
}

impl Sockets {
    /// On fresh ports.
    pub(super) fn open() -> io::Result<Self> {
        let v4 = open(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        let v6 = open(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)));
        if let (Err(error), Err(_)) = (&v4, &v6) {
            return Err(io::Error::new(error.kind(), error.to_string()));
        }
        Ok(Self {
            v4: v4.map_err(|error| error.to_string()),
            v6: v6.map_err(|error| error.to_string()),
        })
    }

    pub(super) fn ports(&self) -> (Option<u16>, Option<u16>) {
        let port = |socket: &Result<UdpSocket, String>| {
            Some(socket.as_ref().ok()?.local_addr().ok()?.port())
        };
        (port(&self.v4), port(&self.v6))
    }

    pub(super) async fn send(&self, to: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        let socket = if to.is_ipv4() { &self.v4 } else { &self.v6 };
        let socket = socket.as_ref().map_err(|error| io::Error::other(error.clone()))?;
        socket.send_to(datagram, to).await.map(drop)
    }

    /// The next datagram of either family.
    pub(super) async fn receive(&self) -> (SocketAddr, Vec<u8>) {
        let (mut four, mut six) = ([0; DATAGRAM], [0; DATAGRAM]);
        tokio::select! {
            (length, from) = receive(&self.v4, &mut four) => (plain(from), four[..length].to_vec()),
            (length, from) = receive(&self.v6, &mut six) => (plain(from), six[..length].to_vec()),
        }
    }
}

/// Whether nothing listens at that address: an ICMP "port unreachable" came back for a datagram.
/// Sent from a port of its own, and only such an answer counts; silence says nothing.
pub async fn is_refused(to: SocketAddr, datagram: &[u8], limit: std::time::Duration) -> bool {
    let any = match to {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let ask = async {
        let socket = open(any)?;
        socket.connect(to).await?;
        socket.send(datagram).await?;
        socket.recv(&mut [0; DATAGRAM]).await
    };
    let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    matches!(tokio::time::timeout(limit, ask).await, Ok(Err(error)) if refused(&error))
}

async fn receive(socket: &Result<UdpSocket, String>, buffer: &mut [u8]) -> (usize, SocketAddr) {
    let Ok(socket) = socket else { return std::future::pending().await };
    loop {
        // An error is an ICMP message for some datagram sent before; the socket goes on.
        match socket.recv_from(buffer).await {
            Ok(arrived) => return arrived,
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}
