//! One association with one channel in it.
//!
//! The SCTP is that of `sctp-proto`, which str0m lives on: it bounds messages and reassembly by
//! its configuration, and its timers can be told to suit a measurement of seconds.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use sctp_proto::PayloadProtocolIdentifier as Kind;
use sctp_proto::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Event,
    Payload, ServerConfig, StreamEvent, Transmit, TransportConfig,
};

use super::Open;
use super::dcep::ACK;
use crate::dtls::Side;

/// Stream of the channel: even, as we are DTLS client (RFC 8832 section 6).
const STREAM: u16 = 0;

/// The longest message taken and sent, in bytes.
const MAX_MESSAGE: u32 = 64 * 1024;

/// Bytes that wait for the rest of their message, and for being read.
const MAX_BUFFER: u32 = 256 * 1024;

/// Streams of the other side.
const MAX_STREAMS: u16 = 16;

/// Messages kept; the oldest go first.
const MAX_KEPT: usize = 256;

/// Messages that wait for the association.
const MAX_WAITING: usize = 64;

/// Datagrams that wait for being sent.
const MAX_OUTGOING: usize = 256;

/// Times until something is sent again, in milliseconds: first, least and most.
const AGAIN: (u64, u64, u64) = (500, 400, 2000);

/// How far the channel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelState {
    /// The handshake of SCTP is under way, or waited for.
    Associating,
    /// There is an association, and no channel in it yet.
    Associated,
    /// The channel is open.
    Open,
    /// It is over, with the reason.
    Closed(String),
}

/// A message received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// When.
    pub at: Instant,
    /// Its text.
    pub text: String,
}

/// Chunk type, the first byte after the common header.
const INIT: u8 = 1;

/// An association with one channel in it.
pub struct Channel {
    endpoint: Endpoint,
    association: Option<(AssociationHandle, Association)>,
    open: Option<Open>,
    side: Side,
    state: ChannelState,
    stream: u16,
    waiting: VecDeque<String>,
    outgoing: VecDeque<Vec<u8>>,
    received: VecDeque<Received>,
    /// When the association came about.
    pub associated_at: Option<Instant>,
    /// When the channel was open.
    pub opened_at: Option<Instant>,
    /// Messages that are no text, and text beyond those kept.
    pub dropped: u32,
}

impl Channel {
    /// Begins as client: makes the association, and opens the channel in it.
    ///
    /// # Errors
    /// What `sctp-proto` says.
    pub fn client(now: Instant, open: Open) -> Result<Self, String> {
        let mut channel = Self::new(Side::Client, Some(open));
        // The other side may begin as well (RFC 8841 section 9.3); ours is the one that counts.
        channel.endpoint.reject_new_associations();
        let mut config = ClientConfig::new();
        config.transport = Arc::new(transport());
        let made = channel.endpoint.connect(config, peer());
        channel.association = Some(made.map_err(|error| error.to_string())?);
        channel.pump(now);
        Ok(channel)
    }

    /// Waits as server for an association and for one channel in it, as the bridge does.
    pub fn server() -> Self {
        Self::new(Side::Server, None)
    }

    fn new(side: Side, open: Option<Open>) -> Self {
        // A client needs it too: without one `sctp-proto` panics when the other side begins.
        let mut server = ServerConfig::default();
        server.transport = Arc::new(transport());
        Self {
            endpoint: Endpoint::new(Arc::new(EndpointConfig::new()), Some(Arc::new(server))),
            association: None,
            open,
            side,
            state: ChannelState::Associating,
            stream: STREAM,
            waiting: VecDeque::new(),
            outgoing: VecDeque::new(),
            received: VecDeque::new(),
            associated_at: None,
            opened_at: None,
            dropped: 0,
        }
    }

    /// How far it is.
    pub fn state(&self) -> &ChannelState {
        &self.state
    }

    /// Label and protocol; on the server's side once the client opened the channel.
    pub fn open(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// The messages received, the oldest first; at most the last 256.
    pub fn received(&self) -> impl Iterator<Item = &Received> {
        self.received.iter()
    }

    /// Sends a text, at once or as soon as there is an association. As in browsers, the client
    /// does not wait for the answer to its opening of the channel.
    ///
    /// # Errors
    /// The channel is closed, or the text is too long, or too many wait.
    pub fn send(&mut self, now: Instant, text: &str) -> Result<(), String> {
        if let ChannelState::Closed(why) = &self.state {
            return Err(format!("the channel is closed: {why}"));
        }
        if text.len() > MAX_MESSAGE as usize || self.waiting.len() == MAX_WAITING {
            return Err("the message is too long, or too many wait".into());
        }
        self.waiting.push_back(text.to_owned());
        self.pump(now);
        Ok(())
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.association.as_ref()?.1.poll_timeout()
    }

    /// Sends again what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        if let Some((_, association)) = &mut self.association {
            association.handle_timeout(now);
        }
        self.pump(now);
    }

    /// Takes a datagram; anything that is not SCTP of this association is ignored.
    pub fn handle(&mut self, now: Instant, datagram: &[u8]) {
        // `sctp-proto` panics where a client is asked for an association (RFC 9260 section 3.3.2).
        if self.side == Side::Client && datagram.get(12) == Some(&INIT) {
            return;
        }
        let bytes = Bytes::copy_from_slice(datagram);
        let event = self.endpoint.handle(now, peer(), None, None, bytes);
        match (event, &mut self.association) {
            (Some((handle, DatagramEvent::NewAssociation(association))), known @ None) => {
                *known = Some((handle, association));
                self.endpoint.reject_new_associations();
            }
            (Some((handle, DatagramEvent::AssociationEvent(event))), Some((ours, association)))
                if handle == *ours =>
            {
                association.handle_event(event);
            }
            _ => {}
        }
        self.pump(now);
    }

    /// Ends the association.
    pub fn close(&mut self, now: Instant) {
        if let Some((_, association)) = &mut self.association {
            // One that is not there yet needs no goodbye.
            let _ = association.shutdown();
        }
        self.pump(now);
        self.end("closed by us");
    }

    fn end(&mut self, why: &str) {
        if !matches!(self.state, ChannelState::Closed(_)) {
            self.state = ChannelState::Closed(why.to_owned());
            self.waiting.clear();
        }
    }

    /// Lets events, messages and datagrams out, until nothing more comes of them.
    fn pump(&mut self, now: Instant) {
        while let Some(event) = self.association.as_mut().and_then(|(_, a)| a.poll()) {
            self.on(now, event);
        }
        self.read(now);
        self.write();
        let Some((handle, association)) = &mut self.association else { return };
        while let Some(event) = association.poll_endpoint_event() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                association.handle_event(event);
            }
        }
        let mut ready = Vec::new();
        ready.extend(std::iter::from_fn(|| self.endpoint.poll_transmit()));
        ready.extend(std::iter::from_fn(|| association.poll_transmit(now)));
        for datagram in ready.into_iter().flat_map(datagrams) {
            // What does not fit in is lost, and sent again.
            if self.outgoing.len() < MAX_OUTGOING {
                self.outgoing.push_back(datagram);
            }
        }
    }

    fn on(&mut self, now: Instant, event: Event) {
        match event {
            Event::Connected => {
                self.associated_at = Some(now);
                self.state = ChannelState::Associated;
                if let (Side::Client, Some(open)) = (self.side, &self.open)
                    && let Some((_, association)) = &mut self.association
                    && let Ok(mut stream) = association.open_stream(STREAM, Kind::String)
                {
                    // Sent again until it arrives; a failure is the association's and is told.
                    let _ = stream.write_with_ppi(&open.encode(), Kind::Dcep);
                }
            }
            Event::HandshakeFailed { reason } | Event::AssociationLost { reason } => {
                self.end(&reason.to_string());
            }
            Event::Stream(StreamEvent::Finished { id }) if id == self.stream => {
                self.end("the other side closed the channel");
            }
            _ => {}
        }
    }

    /// Reads whole messages of all streams.
    fn read(&mut self, now: Instant) {
        let Some((_, association)) = &mut self.association else { return };
        while association.accept_stream().is_some() {}
        let mut all = Vec::new();
        for id in association.stream_ids() {
            let Ok(mut stream) = association.stream(id) else { continue };
            while let Ok(Some(chunks)) = stream.read_sctp() {
                let mut bytes = vec![0; chunks.len()];
                if chunks.read(&mut bytes).is_ok() {
                    all.push((id, chunks.ppi, bytes));
                }
            }
        }
        for (id, kind, bytes) in all {
            self.take(now, id, kind, bytes);
        }
    }

    fn take(&mut self, now: Instant, id: u16, kind: Kind, bytes: Vec<u8>) {
        let open = self.state == ChannelState::Open;
        match kind {
            Kind::Dcep if self.side == Side::Server && !open => {
                let Some(asked) = Open::decode(&bytes) else { return };
                (self.open, self.stream) = (Some(asked), id);
                self.answer(&[ACK], Kind::Dcep);
                self.opened(now);
            }
            Kind::Dcep if id == self.stream && !open && bytes.first() == Some(&ACK) => {
                self.opened(now);
            }
            Kind::String | Kind::StringEmpty if id == self.stream => {
                // RFC 8831 section 6.6: an empty text is one byte that does not count.
                let text = if kind == Kind::StringEmpty { Vec::new() } else { bytes };
                let Ok(text) = String::from_utf8(text) else {
                    self.dropped += 1;
                    return;
                };
                // RFC 8832 section 6: a message proves as much as an answer does.
                if !open {
                    self.opened(now);
                }
                if self.received.len() == MAX_KEPT {
                    self.received.pop_front();
                    self.dropped += 1;
                }
                self.received.push_back(Received { at: now, text });
            }
            Kind::Dcep => {}
            _ => self.dropped += 1,
        }
    }

    fn opened(&mut self, now: Instant) {
        if self.state == ChannelState::Associated {
            self.state = ChannelState::Open;
            self.opened_at = Some(now);
        }
    }

    /// Writes what waits, as soon as it may.
    fn write(&mut self) {
        let may = match self.side {
            Side::Client => matches!(self.state, ChannelState::Associated | ChannelState::Open),
            Side::Server => self.state == ChannelState::Open,
        };
        while may && let Some(text) = self.waiting.pop_front() {
            match text.as_bytes() {
                [] => self.answer(&[0], Kind::StringEmpty),
                bytes => self.answer(bytes, Kind::String),
            }
        }
    }

    fn answer(&mut self, bytes: &[u8], kind: Kind) {
        let Some((_, association)) = &mut self.association else { return };
        let written = match association.stream(self.stream) {
            Ok(mut stream) => stream.write_with_ppi(bytes, kind),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            self.end(&error.to_string());
        }
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("side", &self.side).field("state", &self.state).finish()
    }
}

/// There is no address inside DTLS; any that is the same each time will do.
fn peer() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 5000))
}

fn transport() -> TransportConfig {
    TransportConfig::default()
        .with_max_receive_message_size(MAX_MESSAGE)
        .with_max_send_message_size(MAX_MESSAGE)
        .with_max_receive_buffer_size(MAX_BUFFER)
        .with_max_num_inbound_streams(MAX_STREAMS)
        .with_max_num_outbound_streams(MAX_STREAMS)
        // Whoever drives it has a deadline of its own.
        .with_max_init_retransmits(None)
        .with_rto_initial_ms(AGAIN.0)
        .with_rto_min_ms(AGAIN.1)
        .with_rto_max_ms(AGAIN.2)
}

fn datagrams(transmit: Transmit) -> Vec<Vec<u8>> {
    match transmit.payload {
        Payload::RawEncode(all) => all.into_iter().map(|bytes| bytes.to_vec()).collect(),
        Payload::PartialDecode(_) => Vec::new(),
    }
}

#[cfg(test)]
#[path = "channel_tests.rs"]
mod tests;
