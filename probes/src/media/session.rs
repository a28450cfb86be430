//! Both directions of one guest's media: no sockets, no clock of its own.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::meter::{Heard, Meter};
use super::tag::Tag;
use super::{MediaPlan, VideoPlan, clock};
use crate::rtp::{Extension, Packet, Report, Rtcp, compound_of, is_rtcp};
use crate::srtp::{Srtp, SrtpError};
use crate::stun;

/// Between two packets of sound.
const FRAME: Duration = Duration::from_millis(20);

/// Clock of Opus: a packet has 960 of these.
const AUDIO_RATE: u32 = 48_000;

/// Between two key frames, and the clock of video.
const PICTURE: Duration = Duration::from_millis(100);
const VIDEO_RATE: u32 = 90_000;

/// Between two reports.
const REPORT: Duration = Duration::from_millis(500);

/// Where we come later than this, packets are not made up for.
const STALL: Duration = Duration::from_millis(100);

/// Streams of others that are counted apart.
const MAX_FOREIGN: usize = 16;

/// The audio level sent, in -dB (RFC 6464).
const LEVEL: u8 = 30;

/// One kind of media in both directions.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// Packets sent; their numbers are those below this.
    pub sent: u32,
    /// What came of the other guest.
    pub heard: Heard,
}

/// RTCP in both directions.
#[derive(Debug, Clone, Default)]
pub struct Reports {
    /// Compound packets received.
    pub received: u32,
    /// Sender reports of the other guest among them.
    pub of_peer: u32,
    /// The last report on our sound: what the bridge (or the other guest) got of it.
    pub on_us: Option<Report>,
    /// Shortest time from a sender report of ours to the report that answers it.
    pub rtt: Option<Duration>,
    /// Key frames that were asked for.
    pub key_frames_wanted: u32,
    /// The other guest said goodbye.
    pub bye: bool,
}

/// What came of a guest's media so far.
#[derive(Debug, Clone, Default)]
pub struct Media {
    /// Sound.
    pub audio: Flow,
    /// Picture, where it was planned.
    pub video: Option<Flow>,
    /// RTCP.
    pub reports: Reports,
    /// Datagrams that are not authentic with the keys of the handshake.
    pub undecryptable: u32,
    /// Authentic packets of other streams than the other guest's, by SSRC.
    pub foreign: BTreeMap<u32, u32>,
}

/// A stream of ours.
#[derive(Debug)]
struct Stream {
    ssrc: u32,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    sent: u32,
    bytes: u32,
    limit: u32,
    next: Instant,
}

/// Sends as planned, and measures what comes.
#[derive(Debug)]
pub(crate) struct Session {
    plan: MediaPlan,
    srtp: Srtp,
    begun: Instant,
    audio: (Stream, Meter),
    video: Option<(Stream, Meter)>,
    report_at: Instant,
    outgoing: VecDeque<Vec<u8>>,
    media: Media,
    ended: bool,
}

impl Stream {
    fn new(now: Instant, ssrc: u32, payload_type: u8, limit: u32) -> Self {
        let random = stun::transaction();
        Self {
            ssrc,
            payload_type,
            // In the lower half, so that no stream of ours wraps in its first packets.
            sequence: u16::from_be_bytes([random[0] & 0x7F, random[1]]),
            timestamp: u32::from_be_bytes([random[2], random[3], random[4], random[5]]),
            sent: 0,
            bytes: 0,
            limit,
            next: now,
        }
    }

    fn due(&self) -> Option<Instant> {
        (self.sent < self.limit).then_some(self.next)
    }

    /// The next packet but for its payload, and the time until the one after it.
    fn packet(&mut self, now: Instant, begun: Instant, rate: u32, each: Duration) -> Packet {
        if now.saturating_duration_since(self.next) > STALL {
            self.next = now;
        }
        let time = self.next.saturating_duration_since(begun).as_micros();
        let ticks = time * u128::from(rate) / 1_000_000;
        let packet = Packet {
            payload_type: self.payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp.wrapping_add(ticks as u32),
            ssrc: self.ssrc,
            ..Packet::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.sent += 1;
        self.next += each;
        packet
    }

    fn report(&self, now: Instant, begun: Instant, rate: u32, reports: Vec<Report>) -> Rtcp {
        if self.sent == 0 {
            return Rtcp::ReceiverReport { ssrc: self.ssrc, reports };
        }
        let passed = now.saturating_duration_since(begun).as_micros();
        let ticks = (passed * u128::from(rate) / 1_000_000) as u32;
        Rtcp::SenderReport {
            ssrc: self.ssrc,
            ntp: clock::ntp(now),
            timestamp: self.timestamp.wrapping_add(ticks),
            packets: self.sent,
            bytes: self.bytes,
            reports,
        }
    }
}

impl Session {
    pub(crate) fn new(now: Instant, plan: MediaPlan, srtp: Srtp) -> Self {
        let audio = Stream::new(now, plan.ssrc, plan.payload_type, plan.packets);
        let meter = Meter::new(plan.peer, plan.run, AUDIO_RATE, Tag::of_audio);
        let video = plan.video.map(|VideoPlan { ssrc, payload_type, peer, frames }| {
            let stream = Stream::new(now, ssrc, payload_type, frames);
            (stream, Meter::new(peer, plan.run, VIDEO_RATE, Tag::of_video))
        });
        let media = Media { video: video.as_ref().map(|_| Flow::default()), ..Media::default() };
        Self {
            plan,
            srtp,
            begun: now,
            audio: (audio, meter),
            video,
            report_at: now,
            outgoing: VecDeque::new(),
            media,
            ended: false,
        }
    }

    /// What came of it so far.
    pub(crate) fn media(&self) -> &Media {
        &self.media
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.ended {
            return None;
        }
        let video = self.video.as_ref().and_then(|(stream, _)| stream.due());
        [self.audio.0.due(), video, Some(self.report_at)].into_iter().flatten().min()
    }

    /// The next datagram to send.
    pub(crate) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front()
    }

    /// Makes the packets that are due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.ended {
            return;
        }
        while self.audio.0.due().is_some_and(|due| due <= now) {
            self.sound(now);
        }
        while self.video.as_ref().and_then(|(stream, _)| stream.due()).is_some_and(|d| d <= now) {
            self.picture(now);
        }
        if self.report_at <= now {
            self.report(now, None);
            self.report_at = now + REPORT;
        }
    }

    /// Says goodbye; nothing is sent after it.
    pub(crate) fn end(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.ended, true) {
            let video = self.video.iter().map(|(stream, _)| stream.ssrc);
            let sources = std::iter::once(self.audio.0.ssrc).chain(video).collect();
            self.report(now, Some(Rtcp::Bye(sources)));
        }
    }

    /// Takes a datagram of the range of RTP.
    pub(crate) fn handle(&mut self, now: Instant, datagram: &[u8]) {
        if is_rtcp(datagram) {
            match self.srtp.unprotect_rtcp(datagram) {
                Ok(compound) => self.take_reports(now, &compound_of(&compound)),
                Err(SrtpError::Repeated) => {}
                Err(_) => self.media.undecryptable += 1,
            }
        } else {
            match self.srtp.unprotect(datagram) {
                Ok(packet) => self.take_packet(now, &packet),
                Err(SrtpError::Repeated) => self.repeated(datagram),
                Err(_) => self.media.undecryptable += 1,
            }
        }
    }

    fn take_packet(&mut self, now: Instant, packet: &Packet) {
        if let Some((meter, flow)) = self.meter(packet.ssrc) {
            meter.take(now, packet, &mut flow.heard);
        } else {
            let room = self.media.foreign.len() < MAX_FOREIGN;
            if room || self.media.foreign.contains_key(&packet.ssrc) {
                *self.media.foreign.entry(packet.ssrc).or_default() += 1;
            }
        }
    }

    fn repeated(&mut self, datagram: &[u8]) {
        let Some(read) = Packet::decode(datagram) else { return };
        if let Some((_, flow)) = self.meter(read.packet.ssrc) {
            flow.heard.duplicate += 1;
        }
    }

    fn meter(&mut self, ssrc: u32) -> Option<(&mut Meter, &mut Flow)> {
        if self.audio.1.ssrc == ssrc {
            return Some((&mut self.audio.1, &mut self.media.audio));
        }
        let (_, meter) = self.video.as_mut().filter(|(_, meter)| meter.ssrc == ssrc)?;
        Some((meter, self.media.video.as_mut()?))
    }

    fn take_reports(&mut self, now: Instant, compound: &[Rtcp]) {
        self.media.reports.received += 1;
        for packet in compound {
            match packet {
                Rtcp::SenderReport { ssrc, ntp, reports, .. } => {
                    if let Some((meter, _)) = self.meter(*ssrc) {
                        meter.reported(now, *ntp);
                        self.media.reports.of_peer += 1;
                    }
                    self.take_blocks(now, reports);
                }
                Rtcp::ReceiverReport { reports, .. } => self.take_blocks(now, reports),
                Rtcp::KeyFrameWanted { ssrc } => self.key_frame_wanted(now, *ssrc),
                Rtcp::Bye(sources) => {
                    self.media.reports.bye |= sources.contains(&self.plan.peer);
                }
                Rtcp::Description { .. } | Rtcp::Other(..) => {}
            }
        }
    }

    fn take_blocks(&mut self, now: Instant, blocks: &[Report]) {
        for block in blocks.iter().filter(|block| block.ssrc == self.plan.ssrc) {
            self.media.reports.on_us = Some(*block);
            if block.last_report == 0 {
                continue;
            }
            // RFC 3550 section 6.4.1; what comes out negative is no time.
            let passed = clock::middle(clock::ntp(now)).wrapping_sub(block.last_report);
            if let Some(rtt) = passed.checked_sub(block.delay).map(clock::span)
                && rtt < now.duration_since(self.begun)
            {
                let known = self.media.reports.rtt.unwrap_or(rtt);
                self.media.reports.rtt = Some(known.min(rtt));
            }
        }
    }

    /// The next key frame leaves at once.
    fn key_frame_wanted(&mut self, now: Instant, ssrc: u32) {
        if let Some((stream, _)) = self.video.as_mut().filter(|(stream, _)| stream.ssrc == ssrc) {
            self.media.reports.key_frames_wanted += 1;
            stream.next = stream.next.min(now);
        }
    }

    fn sound(&mut self, now: Instant) {
        let stream = &mut self.audio.0;
        let tag = Tag::new(&self.plan, stream.sent, clock::micros(now));
        let mut packet = stream.packet(now, self.begun, AUDIO_RATE, FRAME);
        packet.marker = tag.number == 0;
        packet.payload = tag.as_audio();
        if let Some(id) = self.plan.level_extension {
            packet.extensions.push(Extension { id, data: vec![LEVEL] });
        }
        stream.bytes = stream.bytes.wrapping_add(packet.payload.len() as u32);
        self.media.audio.sent = stream.sent;
        self.send(&packet);
    }

    fn picture(&mut self, now: Instant) {
        let Some((stream, _)) = &mut self.video else { return };
        let tag = Tag::new(&self.plan, stream.sent, clock::micros(now));
        let mut packet = stream.packet(now, self.begun, VIDEO_RATE, PICTURE);
        packet.marker = true;
        packet.payload = tag.as_video();
        stream.bytes = stream.bytes.wrapping_add(packet.payload.len() as u32);
        if let Some(flow) = &mut self.media.video {
            flow.sent = stream.sent;
        }
        self.send(&packet);
    }

    fn send(&mut self, packet: &Packet) {
        // A packet that cannot be encrypted counts as sent and is missed on the other side.
        if let Ok(bytes) = self.srtp.protect(packet) {
            self.outgoing.push_back(bytes);
        }
    }

    /// SR (RR before the first packet) with SDES for each stream of ours, and goodbye at the end.
    fn report(&mut self, now: Instant, goodbye: Option<Rtcp>) {
        let cname: String = self.plan.from.iter().map(|byte| format!("{byte:02x}")).collect();
        let begun = self.begun;
        let mut compound = Vec::new();
        let audio = (&mut self.audio, &self.media.audio.heard, AUDIO_RATE);
        let video = self.video.iter_mut().zip(&self.media.video);
        let video = video.map(|(both, flow)| (both, &flow.heard, VIDEO_RATE));
        for ((stream, meter), heard, rate) in std::iter::once(audio).chain(video) {
            let reports = meter.report(now, heard).into_iter().collect();
            compound.push(stream.report(now, begun, rate, reports));
            compound.push(Rtcp::Description { ssrc: stream.ssrc, cname: cname.clone() });
        }
        compound.extend(goodbye);
        let parts: Result<Vec<_>, _> = compound.iter().map(Rtcp::encode).collect();
        let bytes = parts.and_then(|parts| self.srtp.protect_rtcp(&parts.concat()));
        self.outgoing.extend(bytes);
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
