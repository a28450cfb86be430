//! Proof that an allocation relays: a datagram goes out by it and one comes in.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::error::TurnError;
use super::relay::Relay;
use super::session::{Family, Server};
use crate::{Net, stun};

/// How long one datagram is waited for.
const WAIT: Duration = Duration::from_millis(500);

/// How often it is sent.
const TRIES: u32 = 4;

/// Between which two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Two allocations of the same server: needs nothing of our own network.
    TwoAllocations,
    /// The allocation and a UDP socket of ours: for servers that do not relay to themselves.
    OwnSocket,
}

/// What came through.
#[derive(Debug, Clone)]
pub struct Proven {
    /// Datagrams sent and received, out by the allocation.
    pub outward: (u32, u32),
    /// Datagrams sent and received, in by the allocation.
    pub inward: (u32, u32),
    /// There and back, where both came.
    pub rtt: Option<Duration>,
}

impl Proven {
    /// Whether datagrams go both ways.
    pub fn both_ways(&self) -> bool {
        self.outward.1 > 0 && self.inward.1 > 0
    }
}

/// One way tried.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Between which ends.
    pub way: Way,
    /// What came through, or what kept us from trying.
    pub outcome: Result<Proven, TurnError>,
}

impl Relay {
    /// Tries whether the allocation relays: to another allocation of the same server, and where
    /// that does not come about, to a socket of our own. Gives what was tried, the last one being
    /// the best.
    pub async fn prove(&mut self, net: &Net, server: &Server) -> Vec<Proof> {
        let two = Proof { way: Way::TwoAllocations, outcome: self.with_another(net, server).await };
        if matches!(&two.outcome, Ok(proven) if proven.both_ways()) {
            return vec![two];
        }
        vec![two, Proof { way: Way::OwnSocket, outcome: self.with_ourselves(net).await }]
    }

    async fn with_another(&mut self, net: &Net, server: &Server) -> Result<Proven, TurnError> {
        let ours = self.allocation.relayed;
        let family = if ours.is_ipv4() { Family::V4 } else { Family::V6 };
        let address = self.allocation.server;
        let mut other = net.turn(server, address, family).await.outcome?;
        let theirs = other.allocation.relayed;
        self.permit(theirs).await?;
        other.permit(ours).await?;
        let (there, back) = (tag(), tag());
        let mut proven = Proven { outward: (0, 0), inward: (0, 0), rtt: None };
        while proven.inward.1 == 0 && proven.outward.0 < TRIES {
            let begun = Instant::now();
            self.send_to(&there, theirs).await?;
            proven.outward.0 += 1;
            if heard(&mut other, &there).await?.is_none() {
                continue;
            }
            proven.outward.1 += 1;
            other.send_to(&back, ours).await?;
            proven.inward.0 += 1;
            if heard(self, &back).await?.is_some() {
                proven.inward.1 += 1;
                proven.rtt = Some(begun.elapsed());
            }
        }
        // What is proven stays so; a server that does not answer this ends it by itself.
        let _ = other.close().await;
        Ok(proven)
    }

    /// A NAT on our side lets in what comes from where we sent to before, so we begin.
    async fn with_ourselves(&mut self, net: &Net) -> Result<Proven, TurnError> {
        let relayed = self.allocation.relayed;
        let mapped = self.allocation.mapped;
        let mapped =
            mapped.ok_or_else(|| TurnError::Ours("our own address is not known".into()))?;
        let any = match relayed {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let ours = |error: std::io::Error| TurnError::Ours(format!("no UDP from here: {error}"));
        let socket = UdpSocket::bind(any).await.map_err(ours)?;
        self.permit(mapped).await?;
        let (there, back) = (tag(), tag());
        let to = net.config().overrides.address(relayed);
        let mut proven = Proven { outward: (0, 0), inward: (0, 0), rtt: None };
        while proven.outward.1 == 0 && proven.inward.0 < TRIES {
            let begun = Instant::now();
            socket.send_to(&there, to).await.map_err(ours)?;
            proven.inward.0 += 1;
            let Some(from) = heard(self, &there).await? else { continue };
            proven.inward.1 += 1;
            self.send_to(&back, from).await?;
            proven.outward.0 += 1;
            let hearing = async {
                let mut buffer = [0; 64];
                loop {
                    if let Ok((length, _)) = socket.recv_from(&mut buffer).await
                        && buffer[..length] == back
                    {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            };
            if timeout(WAIT, hearing).await.is_ok() {
                proven.outward.1 += 1;
                proven.rtt = Some(begun.elapsed());
            }
        }
        Ok(proven)
    }
}

/// Bytes that nobody else sends.
fn tag() -> Vec<u8> {
    [&b"mxdoctor"[..], &stun::transaction()].concat()
}

/// Where the tag came from, if it came in time.
async fn heard(relay: &mut Relay, tag: &[u8]) -> Result<Option<SocketAddr>, TurnError> {
    let hearing = async {
        loop {
            match relay.receive_from().await {
                Ok((data, from)) if data == tag => return Ok(from),
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
    };
    timeout(WAIT, hearing).await.ok().transpose()
}
