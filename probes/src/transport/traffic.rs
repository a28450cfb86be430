//! What was sent and received.

use std::collections::BTreeMap;
use std::net::SocketAddr;

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
    pub(super) fn add(&mut self, bytes: usize) {
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

impl Traffic {
    pub(super) fn stranger(&mut self, from: SocketAddr) {
        if self.strangers.len() < STRANGERS || self.strangers.contains_key(&from) {
            *self.strangers.entry(from).or_default() += 1;
        }
    }
}
