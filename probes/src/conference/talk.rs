//! The media of a guest: ICE, DTLS, sound, and the bridge channel.

use std::time::{Duration, Instant};

use super::attend::{Attendance, Stop, span};
use super::observed::{Step, Talk};
use crate::colibri::Message;
use crate::dtls::{DtlsError, Fingerprint, Side};
use crate::ice::{Answer, Pair};
use crate::jingle::Initiate;
use crate::media::{MediaPlan, VideoPlan};
use crate::sctp::Channel;
use crate::transport::Transport;
use crate::way::{IceStage, Way, closed, is_settled};

/// Packets that are still under way when the sending ends are waited for.
const DRAIN: Duration = Duration::from_millis(300);

/// A message over the data channel is said again until the other guest has one: a bridge forwards
/// to channels that are open, and drops the rest.
const REPEAT: Duration = Duration::from_millis(300);

/// Where the focus ended the session, how long another invitation is waited for.
const MOVING: Duration = Duration::from_secs(3);

/// How long an ICMP "port unreachable" is waited for.
const REFUSAL: Duration = Duration::from_millis(400);

/// Packets planned at most: two minutes.
const MOST_PACKETS: u32 = 6000;

/// The number of Opus in every offer of Jicofo, for one that does not name it.
const OPUS: u8 = 111;

/// URI of the header extension that tells how loud a packet is (RFC 6464).
const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// Frames of a video burst, 10 a second.
const FRAMES: u32 = 8;

impl Attendance<'_> {
    /// Does what has become possible: each step begins as soon as the one before it allows.
    pub(super) fn advance(&mut self) {
        let Some(way) = &mut self.way else { return };
        let pairs = way.agent().pairs();
        let answered = pairs.iter().any(|pair| pair.answered > 0);
        let valid = pairs.iter().any(|pair| pair.valid);
        let nominated = way.agent().selected().is_some();
        if valid && way.dtls().is_none() {
            let offer = self.seen.invitation();
            let signalled = offer.map(signalled).unwrap_or_default();
            // What keeps it from beginning shows as a handshake that never began.
            let _ = way.begin_dtls(Side::Client, self.identity, signalled);
        }
        if nominated && self.seen.step(Step::Nominated).is_none() {
            // The bridge may not have listened before.
            way.hurry_dtls();
        }
        let secured = matches!(way.dtls().and_then(|dtls| dtls.outcome()), Some(Ok(_)));
        for (reached, step) in [
            (answered, Step::UdpAnswered),
            (valid, Step::Valid),
            (nominated, Step::Nominated),
            (secured, Step::Secured),
        ] {
            if reached {
                self.reached(step);
            }
        }
        if secured && self.secured.is_none() {
            self.secured = Some(Instant::now());
            self.begin_media();
        }
        self.note_media();
    }

    fn begin_media(&mut self) {
        let plan = self.plan();
        let sctp = self.seen.invitation().is_some_and(|offer| offer.transport.sctp_port.is_some());
        let Some(way) = &mut self.way else { return };
        // Only without keys could it not begin.
        let _ = way.begin_media(plan);
        if sctp {
            self.seen.data_channel = Some(Talk { place: "data channel".into(), ..Talk::default() });
            let _ = way.open_channel();
        }
        let now = Instant::now();
        self.shared.update(self.index, |progress| progress.secured = Some(now));
    }

    fn plan(&self) -> MediaPlan {
        let offer = self.seen.invitation();
        let (audio, video) =
            offer.map_or((None, None), |offer| (offer.audio.as_ref(), offer.video.as_ref()));
        let extension = audio.and_then(|audio| audio.extension(AUDIO_LEVEL));
        let vp8 = video.and_then(|video| video.payload_type("VP8"));
        let video = vp8.filter(|_| self.options.video).map(|vp8| VideoPlan {
            ssrc: self.picture_ssrc(),
            payload_type: vp8.id,
            peer: self.sources[1 - self.index] ^ 1,
            frames: FRAMES,
        });
        let mut from = [0; 8];
        let endpoint = self.seen.endpoint.bytes();
        from.iter_mut().zip(endpoint).for_each(|(to, byte)| *to = byte);
        MediaPlan {
            run: self.shared.run,
            from,
            ssrc: self.ssrc(),
            payload_type: audio
                .and_then(|audio| audio.payload_type("opus"))
                .map_or(OPUS, |opus| opus.id),
            level_extension: extension.and_then(|id| u8::try_from(id).ok()),
            peer: self.sources[1 - self.index],
            packets: MOST_PACKETS,
            video,
        }
    }

    /// Notes what was heard, and tells the other guest.
    fn note_media(&mut self) {
        let Some(way) = &self.way else { return };
        let heard = way.media().map_or(0, span);
        let open = way.channel().is_some_and(|channel| channel.opened_at.is_some());
        let told = self.is_told();
        for (reached, step) in [(heard > 0, Step::Heard), (open, Step::Channel), (told, Step::Told)]
        {
            if reached {
                self.reached(step);
            }
        }
        if open && self.options.video && self.seen.step(Step::Channel).is_none() {
            self.want_pictures();
        }
        if told && let Some(talk) = &mut self.seen.data_channel {
            let since = self.secured.map(|at| at.elapsed());
            talk.heard = talk.heard.or(since);
        }
        self.shared.update(self.index, |progress| {
            progress.span = heard;
            progress.channel = open;
            progress.told = told;
        });
    }

    /// Asks for pictures: a bridge forwards none before.
    fn want_pictures(&mut self) {
        let wish = Message::ReceiverVideoConstraints { max_height: 180 };
        if let Some(way) = &mut self.way {
            // A channel that closed meanwhile is seen as such.
            let _ = way.send_channel(&wish.to_string());
        }
    }

    /// Comes to a pair and to keys.
    pub(super) async fn connect(&mut self) -> Result<(), Stop> {
        let limits = self.options.limits;
        let first = self.first_check.unwrap_or_else(Instant::now);
        let over = |me: &Self| me.is_answered() || me.is_hopeless() || me.is_over();
        self.until(first + limits.udp, over).await?;
        if !self.is_answered() {
            return Err(Stop::Stage);
        }
        let chosen = |me: &Self| me.is_nominated() && me.has_pair();
        let over = |me: &Self| chosen(me) || me.is_hopeless() || me.is_over();
        self.until(first + limits.ice, over).await?;
        let deadline = Instant::now() + limits.dtls;
        self.until(deadline, |me| me.is_shaken() || !me.has_pair() || me.is_over()).await?;
        if self.secured.is_some() { Ok(()) } else { Err(Stop::Stage) }
    }

    /// Talks to the other guest until both have heard enough, over media and over the channel.
    pub(super) async fn talk(&mut self) -> Result<(), Stop> {
        let limits = self.options.limits;
        let patience = limits.ice + limits.dtls;
        let met = |me: &Self| me.other().secured.is_some() || me.other().stuck || me.is_over();
        self.until(Instant::now() + patience, met).await?;
        if self.other().secured.is_none() {
            return Err(Stop::Stage);
        }
        let started = Instant::now();
        loop {
            self.tell();
            let over = |me: &Self| me.is_satisfied(started.elapsed()) || me.is_over();
            if self.until(Instant::now() + REPEAT, over).await? {
                break;
            }
        }
        self.shared.update(self.index, |progress| progress.done = true);
        let done = |me: &Self| me.other().done || me.other().stuck;
        self.until(Instant::now() + limits.media, done).await?;
        if let Some(way) = &mut self.way {
            way.end_media();
        }
        self.until(Instant::now() + DRAIN, |_| false).await?;
        Ok(())
    }

    /// Says our word over the data channel, as long as the other guest has not heard it.
    fn tell(&mut self) {
        let other = 1 - self.index;
        let word = Message::nonce(&self.shared.endpoint(other), &self.shared.nonce(self.index));
        let heard = self.other().told;
        if let Some(way) = self.way.as_mut().filter(|_| !heard)
            && way.channel().is_some_and(|channel| channel.opened_at.is_some())
        {
            // A channel that closed meanwhile is seen as such.
            let _ = way.send_channel(&word.to_string());
        }
    }

    fn is_told(&self) -> bool {
        let nonce = self.shared.nonce(1 - self.index);
        let channel = self.way.as_ref().and_then(|way| way.channel());
        let mut messages = channel.into_iter().flat_map(messages);
        messages.any(|message| message.as_nonce() == Some(nonce.as_str()))
    }

    /// Whether nothing is left to wait for, `passed` after both could hear.
    fn is_satisfied(&self, passed: Duration) -> bool {
        let (mine, other) = (self.shared.guest(self.index), self.other());
        let limits = self.options.limits;
        if passed > limits.media.max(limits.channel) || other.stuck {
            return true;
        }
        let heard = passed > limits.media
            || mine.span >= self.options.packets && other.span >= self.options.packets;
        let data = self.seen.data_channel.is_none() || mine.told && other.told;
        heard && (passed > limits.channel || data && self.socket.is_none())
    }

    /// The session was ended, and no other invitation came.
    pub(super) fn is_over(&self) -> bool {
        let ended = self.terminated_at.filter(|_| self.seen.terminated.is_some());
        ended.is_some_and(|at| at.elapsed() > MOVING) || self.seen.expelled.is_some()
    }

    fn pairs(&self) -> &[Pair] {
        self.way.as_ref().map_or(&[], |way| way.agent().pairs())
    }

    fn is_answered(&self) -> bool {
        self.pairs().iter().any(Pair::is_open)
    }

    fn has_pair(&self) -> bool {
        self.pairs().iter().any(|pair| pair.valid)
    }

    fn is_nominated(&self) -> bool {
        self.way.as_ref().is_some_and(|way| way.agent().selected().is_some())
    }

    fn is_shaken(&self) -> bool {
        let dtls = self.way.as_ref().and_then(Transport::dtls);
        dtls.is_some_and(|dtls| dtls.outcome().is_some())
    }

    /// Nothing can be sent, or the same refusal comes again and again.
    pub(super) fn is_hopeless(&self) -> bool {
        let refused = |pair: &Pair| {
            !pair.valid && pair.answered >= 3 && matches!(pair.last, Some(Answer::Error(401, _)))
        };
        let hopeless = |pair: &Pair| pair.unsendable.is_some() || refused(pair);
        self.way.is_some() && self.pairs().iter().all(hopeless)
    }

    /// Keeps what the way over UDP came to, and closes it.
    pub(super) async fn note_way(&mut self) {
        let Some(mut way) = self.way.take() else { return };
        way.close().await;
        self.seen.media = way.media().cloned();
        if let (Some(talk), Some(channel)) = (&mut self.seen.data_channel, way.channel()) {
            let opened = channel.opened_at.zip(self.secured);
            talk.opened = opened.map(|(at, since)| at.saturating_duration_since(since));
            talk.hello = messages(channel).any(|it| matches!(it, Message::ServerHello(_)));
            talk.state = Some(channel.state().clone());
        }
        let first = self.first_check.unwrap_or(self.started);
        let nominated = self.seen.step(Step::Nominated).map(|at| self.started + at);
        let until = nominated.unwrap_or_else(Instant::now);
        let mut seen = observed(&way, until.saturating_duration_since(first));
        if let Some(offer) = self.seen.invitation() {
            let silent = |pair: &&Pair| !is_settled(pair);
            let silent: Vec<Pair> = way.agent().pairs().iter().filter(silent).cloned().collect();
            seen.closed = closed(&silent, &offer.credentials, REFUSAL).await;
        }
        self.seen.way = Some(seen);
    }
}

fn messages(channel: &Channel) -> impl Iterator<Item = Message> {
    channel.received().filter_map(|received| Message::parse(&received.text).ok())
}

fn signalled(offer: &Initiate) -> Vec<Fingerprint> {
    offer.transport.fingerprints.iter().map(|(fingerprint, _)| fingerprint.clone()).collect()
}

fn observed(way: &Transport, elapsed: Duration) -> Way {
    let agent = way.agent();
    let dtls = way.dtls().map(|dtls| {
        let outcome = dtls.outcome().cloned().unwrap_or(Err(DtlsError::GaveUp(dtls.sent)));
        (outcome, dtls.hello_came())
    });
    Way {
        pairs: agent.pairs().to_vec(),
        closed: Vec::new(),
        dropped: agent.dropped,
        ice: IceStage { elapsed, selected: agent.selected().cloned(), refused: agent.refused },
        dtls,
        media: way.media().cloned(),
        traffic: way.traffic().clone(),
    }
}
