//! One endpoint's way over UDP: a socket for each address family, an ICE agent and a DTLS
//! association behind them, and every datagram counted.
//!
//! Remote credentials, candidates and fingerprints may come from anywhere (colibri2 over REST,
//! Jingle over XMPP): two endpoints of one conference are two of these.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use bytes::Bytes;
use socket2::{Domain, Socket, Type};
use tokio::net::UdpSocket;

use crate::dtls::{Dtls, Fingerprint, Identity, Side, looks_like_dtls};
use crate::ice::{Agent, Candidate, Credentials, Role};
use crate::net::Overrides;
use crate::stun::{looks_like_stun, plain};

/// The longest datagram read, in bytes; longer ones are cut and then refused by their parsers.
const DATAGRAM: usize = 2048;

/// Media datagrams kept until they are taken; the oldest go first.
const MEDIA_KEPT: usize = 1024;

/// Addresses other than those of candidates of which datagrams are counted apart.
const STRANGERS: usize = 16;

/// Datagrams and bytes of one kind and direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Datagrams.
    pub datagrams: u32,
    /// Bytes of payload.
    pub bytes: u64,
}

impl Count {
    fn add(&mut self, bytes: usize) {
        self.datagrams += 1;
        self.bytes += bytes as u64;
    }
}

/// Everything that was sent and received.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// STUN sent and received.
    pub stun: (Count, Count),
    /// DTLS sent and received.
    pub dtls: (Count, Count),
    /// RTP and RTCP sent and received.
    pub media: (Count, Count),
    /// Received, of no known kind.
    pub other: Count,
    /// Received from addresses that no candidate has, by address.
    pub strangers: BTreeMap<SocketAddr, u32>,
}

/// One endpoint's way over UDP.
#[derive(Debug)]
pub struct Transport {
    v4: Result<UdpSocket, String>,
    v6: Result<UdpSocket, String>,
    overrides: Overrides,
    agent: Agent,
    dtls: Option<Dtls>,
    media: VecDeque<Bytes>,
    traffic: Traffic,
}

impl Transport {
    /// Opens fresh ports of both families, as far as this machine has them.
    ///
    /// # Errors
    /// Neither family can be had: nothing can be said of any target.
    pub fn open(role: Role, overrides: Overrides) -> io::Result<Self> {
        let v4 = open(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        let v6 = open(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)));
        if let (Err(error), Err(_)) = (&v4, &v6) {
            return Err(io::Error::new(error.kind(), error.to_string()));
        }
        Ok(Self {
            v4: v4.map_err(|error| error.to_string()),
            v6: v6.map_err(|error| error.to_string()),
            overrides,
            agent: Agent::new(role, Credentials::random()),
            dtls: None,
            media: VecDeque::new(),
            traffic: Traffic::default(),
        })
    }

    /// Our credentials, to be signalled.
    pub fn local(&self) -> &Credentials {
        self.agent.local()
    }

    /// Our ports over IPv4 and IPv6, as far as this machine has them.
    pub fn local_ports(&self) -> (Option<u16>, Option<u16>) {
        let port = |socket: &Result<UdpSocket, String>| {
            Some(socket.as_ref().ok()?.local_addr().ok()?.port())
        };
        (port(&self.v4), port(&self.v6))
    }

    /// Takes the other side's credentials and candidates; checks begin with the next drive.
    pub fn set_remote(&mut self, credentials: Credentials, candidates: &[Candidate]) {
        let now = Instant::now();
        self.agent.set_remote(now, credentials);
        for candidate in candidates {
            self.add_candidate(candidate.clone());
        }
    }

    /// Takes one more candidate.
    pub fn add_candidate(&mut self, candidate: Candidate) {
        let route = self.overrides.address(candidate.address);
        self.agent.add_candidate(Instant::now(), candidate, route);
    }

    /// The agent with its pairs.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The DTLS association, once begun.
    pub fn dtls(&self) -> Option<&Dtls> {
        self.dtls.as_ref()
    }

    /// What was sent and received.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Begins DTLS on the nominated pair.
    ///
    /// # Errors
    /// No pair is nominated, or [`Dtls::new`] says why not.
    pub fn begin_dtls(
        &mut self,
        side: Side,
        identity: &Identity,
        signalled: Vec<Fingerprint>,
    ) -> Result<(), String> {
        let peer = self.agent.selected().ok_or("no pair is nominated")?.route;
        self.dtls = Some(Dtls::new(Instant::now(), side, identity, peer, signalled)?);
        Ok(())
    }

    /// Sends and receives until `done` says so or the time has come; what `done` said last.
    pub async fn drive(&mut self, until: Instant, done: impl Fn(&Self) -> bool) -> bool {
        let mut buffers = ([0; DATAGRAM], [0; DATAGRAM]);
        loop {
            self.tick(Instant::now()).await;
            if done(self) {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            let wake = self.due().map_or(until, |due| due.min(until));
            let (four, six) = (&self.v4, &self.v6);
            let arrived = tokio::select! {
                () = tokio::time::sleep_until(wake.into()) => None,
                arrived = receive(four, &mut buffers.0) => Some((arrived, true)),
                arrived = receive(six, &mut buffers.1) => Some((arrived, false)),
            };
            if let Some(((length, from), four)) = arrived {
                let buffer = if four { &buffers.0 } else { &buffers.1 };
                self.take(Instant::now(), plain(from), &buffer[..length]);
            }
        }
    }

    /// Sends a datagram (SRTP, SRTCP) over the nominated pair.
    ///
    /// # Errors
    /// No pair is nominated, or what the socket says.
    pub async fn send_media(&mut self, datagram: &[u8]) -> io::Result<()> {
        let to = self.agent.selected().ok_or(io::ErrorKind::NotConnected)?.route;
        send(self.socket(to), to, datagram).await?;
        self.traffic.media.0.add(datagram.len());
        Ok(())
    }

    /// The next media datagram received.
    pub fn take_media(&mut self) -> Option<Bytes> {
        self.media.pop_front()
    }

    /// Says goodbye in DTLS.
    pub async fn close(&mut self) {
        if let Some(dtls) = &mut self.dtls {
            dtls.close(Instant::now());
        }
        self.flush().await;
    }

    fn due(&self) -> Option<Instant> {
        let dtls = self.dtls.as_ref().and_then(Dtls::poll_timeout);
        self.agent.poll_timeout().into_iter().chain(dtls).min()
    }

    async fn tick(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        if let Some(dtls) = &mut self.dtls {
            dtls.handle_timeout(now);
        }
        self.flush().await;
    }

    async fn flush(&mut self) {
        while let Some(transmit) = self.agent.poll_transmit() {
            match send(self.socket(transmit.to), transmit.to, &transmit.bytes).await {
                Ok(()) => self.traffic.stun.0.add(transmit.bytes.len()),
                Err(error) => self.agent.unsendable(transmit.to, &error.to_string()),
            }
        }
        let Some(to) = self.agent.selected().map(|pair| pair.route) else { return };
        while let Some(datagram) = self.dtls.as_mut().and_then(Dtls::poll_transmit) {
            if send(self.socket(to), to, &datagram).await.is_ok() {
                self.traffic.dtls.0.add(datagram.len());
            }
        }
    }

    /// The socket of that address' family.
    fn socket(&self, to: SocketAddr) -> &Result<UdpSocket, String> {
        if to.is_ipv4() { &self.v4 } else { &self.v6 }
    }

    fn take(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let known = self.agent.pairs().iter().any(|pair| pair.route == from);
        let room = self.traffic.strangers.len() < STRANGERS;
        if !known && (room || self.traffic.strangers.contains_key(&from)) {
            *self.traffic.strangers.entry(from).or_default() += 1;
        }
        if looks_like_stun(datagram) {
            self.traffic.stun.1.add(datagram.len());
            self.agent.handle(now, from, datagram);
        } else if looks_like_dtls(datagram) {
            self.traffic.dtls.1.add(datagram.len());
            // From the peer only: anybody could send an alert in the clear.
            let peer = self.agent.selected().is_some_and(|pair| pair.route == from);
            if let Some(dtls) = self.dtls.as_mut().filter(|_| peer) {
                dtls.handle(now, datagram);
            }
        } else if datagram.first().is_some_and(|first| (128..192).contains(first)) {
            self.traffic.media.1.add(datagram.len());
            if self.media.len() == MEDIA_KEPT {
                self.media.pop_front();
            }
            self.media.push_back(Bytes::copy_from_slice(datagram));
        } else {
            self.traffic.other.add(datagram.len());
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

async fn send(
    socket: &Result<UdpSocket, String>,
    to: SocketAddr,
    datagram: &[u8],
) -> io::Result<()> {
    let socket = socket.as_ref().map_err(|error| io::Error::other(error.clone()))?;
    socket.send_to(datagram, to).await.map(drop)
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
