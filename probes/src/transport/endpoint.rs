//! The endpoint: sockets, and what is behind them.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use super::Traffic;
use super::sockets::Sockets;
use crate::colibri::Message;
use crate::dtls::{Dtls, Fingerprint, Identity, Side, looks_like_dtls};
use crate::ice::{Agent, Candidate, Credentials, Role};
use crate::media::{Media, MediaPlan, Session};
use crate::net::Overrides;
use crate::sctp::{Channel, Open};
use crate::srtp::Srtp;
use crate::stun::looks_like_stun;

/// Media datagrams kept until media begins; the oldest go first.
const EARLY: usize = 256;

/// Label and protocol of the bridge channel.
const CHANNEL: (&str, &str) = ("JVB data channel", "http://jitsi.org/protocols/colibri");

/// One endpoint's way over UDP.
#[derive(Debug)]
pub struct Transport {
    sockets: Sockets,
    overrides: Overrides,
    agent: Agent,
    dtls: Option<Dtls>,
    media: Option<Session>,
    channel: Option<Channel>,
    /// Media that came before ours began.
    early: VecDeque<(Instant, Bytes)>,
    traffic: Traffic,
}

impl Transport {
    /// Opens fresh ports of both families, as far as this machine has them.
    ///
    /// # Errors
    /// Neither family can be had: nothing can be said of any target.
    pub fn open(role: Role, overrides: Overrides) -> io::Result<Self> {
        Ok(Self {
            sockets: Sockets::open()?,
            overrides,
            agent: Agent::new(role, Credentials::random()),
            dtls: None,
            media: None,
            channel: None,
            early: VecDeque::new(),
            traffic: Traffic::default(),
        })
    }

    /// Our credentials, to be signalled.
    pub fn local(&self) -> &Credentials {
        self.agent.local()
    }

    /// Our ports over IPv4 and IPv6, as far as this machine has them.
    pub fn local_ports(&self) -> (Option<u16>, Option<u16>) {
        self.sockets.ports()
    }

    /// Takes the other side's credentials and candidates; checks begin with the next drive.
    ///
    /// Other credentials than before start ICE anew, with new credentials of ours to be
    /// signalled. DTLS and what is in it go on over the new pair; where the other side is
    /// another one, begin DTLS anew.
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

    /// What came of media so far, once begun.
    pub fn media(&self) -> Option<&Media> {
        self.media.as_ref().map(Session::media)
    }

    /// The bridge channel, once opened.
    pub fn channel(&self) -> Option<&Channel> {
        self.channel.as_ref()
    }

    /// What was sent and received.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Begins DTLS on the nominated pair, or before the nomination on the first valid one. Once
    /// another pair is nominated, it goes on there. What was in an association before this one
    /// ends.
    ///
    /// # Errors
    /// No pair is valid, or [`Dtls::new`] says why not.
    pub fn begin_dtls(
        &mut self,
        side: Side,
        identity: &Identity,
        signalled: Vec<Fingerprint>,
    ) -> Result<(), String> {
        let now = Instant::now();
        let peer = self.agent.usable(now).ok_or("no pair is valid")?.route;
        self.dtls = Some(Dtls::new(now, side, identity, peer, signalled)?);
        (self.media, self.channel) = (None, None);
        Ok(())
    }

    /// Repeats our part of the handshake at once, where nothing of the other side has come.
    pub fn hurry_dtls(&mut self) {
        if let Some(dtls) = &mut self.dtls {
            dtls.hurry(Instant::now());
        }
    }

    /// Begins to send media as planned, and to measure what comes; what came already counts from
    /// its own time on.
    ///
    /// # Errors
    /// DTLS is not over, or came to no keys.
    pub fn begin_media(&mut self, plan: MediaPlan) -> Result<(), String> {
        let outcome = self.dtls.as_ref().and_then(Dtls::outcome);
        let secured = outcome.and_then(|outcome| outcome.as_ref().ok());
        let srtp = Srtp::new(&secured.ok_or("there are no keys for media")?.keys)?;
        let mut session = Session::new(Instant::now(), plan, srtp);
        for (at, datagram) in self.early.drain(..) {
            session.handle(at, &datagram);
        }
        self.media = Some(session);
        Ok(())
    }

    /// Ends our media with a goodbye, which leaves with the next drive; what comes is still
    /// measured.
    pub fn end_media(&mut self) {
        if let Some(media) = &mut self.media {
            media.end(Instant::now());
        }
    }

    /// Opens the bridge channel as data channel: associates, opens it, and says hello.
    ///
    /// # Errors
    /// DTLS is not over, or what SCTP says.
    pub fn open_channel(&mut self) -> Result<(), String> {
        let secured = matches!(self.dtls.as_ref().and_then(Dtls::outcome), Some(Ok(_)));
        if !secured {
            return Err("there is no association for the channel".into());
        }
        let now = Instant::now();
        let open = Open { label: CHANNEL.0.into(), protocol: CHANNEL.1.into() };
        let mut channel = Channel::client(now, open)?;
        channel.send(now, &Message::ClientHello.to_string())?;
        self.channel = Some(channel);
        Ok(())
    }

    /// Sends a text over the bridge channel, at once or as soon as it is open.
    ///
    /// # Errors
    /// There is no channel, or [`Channel::send`] says why not.
    pub fn send_channel(&mut self, text: &str) -> Result<(), String> {
        let channel = self.channel.as_mut().ok_or("no channel was opened")?;
        channel.send(Instant::now(), text)
    }

    /// Sends and receives until `done` says so or the time has come; what `done` said last.
    /// Dropping the future loses nothing, and another drive goes on from there.
    pub async fn drive(&mut self, until: Instant, done: impl Fn(&Self) -> bool) -> bool {
        loop {
            self.tick(Instant::now()).await;
            if done(self) {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            let wake = self.due().map_or(until, |due| due.min(until));
            let arrived = tokio::select! {
                () = tokio::time::sleep_until(wake.into()) => None,
                arrived = self.sockets.receive() => Some(arrived),
            };
            if let Some((from, datagram)) = arrived {
                self.take(Instant::now(), from, &datagram);
            }
        }
    }

    /// Says goodbye in RTCP, SCTP and DTLS.
    pub async fn close(&mut self) {
        let now = Instant::now();
        self.end_media();
        if let Some(channel) = &mut self.channel {
            channel.close(now);
        }
        self.flush(now).await;
        if let Some(dtls) = &mut self.dtls {
            dtls.close(now);
        }
        self.flush(now).await;
    }

    fn due(&self) -> Option<Instant> {
        let dtls = self.dtls.as_ref().and_then(Dtls::poll_timeout);
        let media = self.media.as_ref().and_then(Session::poll_timeout);
        let channel = self.channel.as_ref().and_then(Channel::poll_timeout);
        [self.agent.poll_timeout(), dtls, media, channel].into_iter().flatten().min()
    }

    async fn tick(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        if let Some(dtls) = &mut self.dtls {
            dtls.handle_timeout(now);
        }
        if let Some(media) = &mut self.media {
            media.handle_timeout(now);
        }
        if let Some(channel) = &mut self.channel {
            channel.handle_timeout(now);
        }
        self.flush(now).await;
    }

    async fn flush(&mut self, now: Instant) {
        while let Some(transmit) = self.agent.poll_transmit() {
            match self.sockets.send(transmit.to, &transmit.bytes).await {
                Ok(()) => self.traffic.stun.0.add(transmit.bytes.len()),
                Err(error) => self.agent.unsendable(transmit.to, &error.to_string()),
            }
        }
        if let (Some(dtls), Some(channel)) = (&mut self.dtls, &mut self.channel) {
            while let Some(datagram) = channel.poll_transmit() {
                // What is lost here is sent again, as what is lost on the way.
                let _ = dtls.write(now, &datagram);
            }
        }
        let Some(to) = self.agent.usable(now).map(|pair| pair.route) else { return };
        while let Some(datagram) = self.dtls.as_mut().and_then(Dtls::poll_transmit) {
            if self.sockets.send(to, &datagram).await.is_ok() {
                self.traffic.dtls.0.add(datagram.len());
            }
        }
        while let Some(datagram) = self.media.as_mut().and_then(Session::poll_transmit) {
            if self.sockets.send(to, &datagram).await.is_ok() {
                self.traffic.media.0.add(datagram.len());
            }
        }
    }

    fn take(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let pair = self.agent.pairs().iter().find(|pair| pair.route == from);
        // Anybody could send an alert in the clear, or old media.
        let peer = pair.is_some_and(|pair| pair.valid);
        if pair.is_none() {
            self.traffic.stranger(from);
        }
        if looks_like_stun(datagram) {
            self.traffic.stun.1.add(datagram.len());
            self.agent.handle(now, from, datagram);
        } else if looks_like_dtls(datagram) {
            self.traffic.dtls.1.add(datagram.len());
            if let Some(dtls) = self.dtls.as_mut().filter(|_| peer) {
                dtls.handle(now, datagram);
                while let Some(data) = dtls.read() {
                    if let Some(channel) = &mut self.channel {
                        channel.handle(now, &data);
                    }
                }
            }
        } else if datagram.first().is_some_and(|first| (128..192).contains(first)) {
            self.traffic.media.1.add(datagram.len());
            match &mut self.media {
                _ if !peer => {}
                Some(media) => media.handle(now, datagram),
                None => {
                    if self.early.len() == EARLY {
                        self.early.pop_front();
                    }
                    self.early.push_back((now, Bytes::copy_from_slice(datagram)));
                }
            }
        } else {
            self.traffic.other.add(datagram.len());
        }
    }
}
