//! `jitsi.media`

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::conference::{Guest, Step};
use mxdoctor_probes::media::{Flow, Heard, Media};

use super::dtls;
use super::stage::cut_short;
use crate::facts::{Call, Held, PathRoute, Paths, UdpPaths};
use crate::{Cx, Verdict, check};

/// Loss that people hear.
const LOSSY: f64 = 0.1;

/// Loss that leaves nothing to understand.
const LOST: f64 = 0.5;

/// Packets at the end that may still be under way, or were sent after the other guest had left.
const TAIL: u32 = 50;

check! {
    /// ## What it asserts
    /// Sound flows both ways through the video bridge: what one guest sends, encrypted, in packets
    /// of its own mark, the other one receives, decrypts and knows again.
    ///
    /// ## Why it matters
    /// It is what a call is for. Everything before may be well and people still hear nothing.
    ///
    /// ## How it looks
    /// Each guest sends 50 small packets a second for a second or two, with the number and the
    /// time of sending in each, under 200 kbit/s in all. Only the bridge connects the two, so what
    /// is heard has gone through it. With `jitsi.video` a short burst of video is sent as well.
    /// Where no conference comes about, two endpoints made over the bridge's private interface do
    /// the same, if that is known (`jitsi.jvb_rest`).
    ///
    /// ## What makes it fail
    /// - Nothing is heard, both ways or one way.
    /// - More than half is lost; from a tenth on it is a warning.
    /// - Video that was sent is not forwarded, or `config.js` asks for none (`channelLastN` of 0,
    ///   a warning).
    ///
    /// A guest whom the deployment lets begin muted and who is not heard is no fault: the check is
    /// skipped then, and says so.
    ///
    /// ## How to fix it
    /// One way alone points at a filter of UDP in that direction. Loss points at the node of the
    /// bridge: its CPU limit, its network, its UDP buffers.
    ///
    /// ## Where it comes from
    /// RFC 3550, RFC 3711, RFC 7714.
    "jitsi.media" at PIC: "sound flows both ways through the bridge"
    causes ["media-silent", "media-one-way", "media-lossy", "last-n-zero"]
    timeout 170
}

async fn run(cx: &Cx) -> Verdict {
    let paths = cx.fact(Paths).await?;
    dtls::passed(cx, &paths).await?;
    Ok(match paths.route {
        PathRoute::Conference => judge(&*cx.fact(Call).await?),
        PathRoute::Direct => judge_direct(&paths),
    }
    .into())
}

/// One of two endpoints, and what it sent and heard.
type End<'a> = (&'a str, &'a Media);

pub(super) fn judge(held: &Held) -> Finding {
    let [a, b] = held.guests();
    let (Some(by_a), Some(by_b)) = (&a.media, &b.media) else {
        let guest = if a.media.is_none() { a } else { b };
        return cut_short(guest, "its media").evidences(held.timeline());
    };
    let finding = match muted([(a, by_b), (b, by_a)]) {
        Some(finding) => finding,
        None => heard([(a.name, by_a), (b.name, by_b)], held.places.last_n),
    };
    let finding = match held.took(None, Step::Heard) {
        Some(ms) => finding.metric("began_ms", held.began.as_secs_f64() * 1e3, "ms").metric(
            "first_media_ms",
            ms,
            "ms",
        ),
        None => finding,
    };
    finding.evidences(held.timeline())
}

/// What a deployment keeps from being heard by its own wish: the invitation says that the guest
/// begins muted, as Jicofo has it for whom moderation of sound has the bridge silence. `guests` are
/// each with what the other one heard. Not where the other way is silent too: that is another
/// matter.
fn muted(guests: [(&Guest, &Media); 2]) -> Option<Finding> {
    let silenced = |guest: &Guest| {
        let offer = guest.invitation();
        offer.and_then(|offer| offer.start_muted).is_some_and(|muted| muted.audio)
    };
    let silent = |heard: &Media| heard.audio.heard.received == 0;
    let [(_, by_one), (_, by_other)] = guests;
    let (guest, _) = guests.into_iter().find(|(guest, by)| silenced(guest) && silent(by))?;
    (silent(by_one) != silent(by_other)).then(|| {
        Finding::skip(format!("guest {} begins muted, and is not heard", guest.name))
            .actual("the invitation has `startmuted audio='true'`, and the other way has sound")
            .remedy(
                "nothing, where new rooms are meant to begin with moderation of sound; else look \
                 for the module of Prosody that sets it in the room's metadata",
            )
    })
}

fn judge_direct(paths: &UdpPaths) -> Finding {
    match &paths.sound {
        Some(Ok(sound)) => heard([("A", &sound.first), ("B", &sound.second)], None),
        Some(Err(why)) => {
            Finding::error("sound could not be tried between two endpoints").actual(why)
        }
        None => Finding::skip("no sound was tried over the bridge's private interface"),
    }
    .evidences(paths.evidence())
}

fn heard(ends: [End<'_>; 2], last_n: Option<i64>) -> Finding {
    let directions = [direction(ends[0], ends[1]), direction(ends[1], ends[0])];
    let mut finding = opinion(&directions, ends.map(|(_, media)| media), last_n);
    for (metric, value, unit) in metrics(&directions) {
        if let Some(value) = value {
            finding = finding.metric(metric, value, unit);
        }
    }
    finding.evidences(ends.map(|(name, media)| evidence(name, media)))
}

/// What was heard of one endpoint by the other.
struct Direction<'a> {
    from: &'a str,
    to: &'a str,
    sent: u32,
    heard: &'a Heard,
}

fn direction<'a>(from: End<'a>, to: End<'a>) -> Direction<'a> {
    Direction { from: from.0, to: to.0, sent: from.1.audio.sent, heard: &to.1.audio.heard }
}

impl Direction<'_> {
    /// `A to B`
    fn name(&self) -> String {
        format!("{} to {}", self.from, self.to)
    }

    /// What is missing of what was sent while both could hear, from 0 to 1.
    fn loss(&self) -> f64 {
        let Some((first, last)) = self.heard.numbers else { return 1.0 };
        // A stream that breaks off is lost to its end; a few may be under way.
        let end = if last + 1 + TAIL < self.sent { self.sent } else { last + 1 };
        let due = end.saturating_sub(first).max(1);
        1.0 - f64::from(self.heard.received.min(due)) / f64::from(due)
    }
}

fn opinion(directions: &[Direction<'_>; 2], media: [&Media; 2], last_n: Option<i64>) -> Finding {
    let silent = |it: &&Direction<'_>| it.heard.received == 0;
    let quiet: Vec<&Direction<'_>> = directions.iter().filter(silent).collect();
    match quiet.as_slice() {
        [] => {}
        [one] => return one_way(one),
        _ => return both_silent(media),
    }
    let [first, second] = directions;
    let worst = if first.loss() >= second.loss() { first } else { second };
    let loss = worst.loss();
    if loss > LOSSY {
        let summary = format!("{:.0} % of the sound from {} is lost", loss * 100.0, worst.name());
        let finding = if loss > LOST {
            Finding::fail("media-lossy", summary)
        } else {
            Finding::warn("media-lossy", summary)
        };
        return finding.expected("less than 10 %").actual(format!("{:.1} %", loss * 100.0));
    }
    if let Some(finding) = video(media, last_n) {
        return finding;
    }
    let delay = directions.iter().filter_map(|it| it.heard.delay()).map(|it| it.median).max();
    let delay = delay.map_or_else(String::new, |it| format!(", {:.1} ms", it.as_secs_f64() * 1e3));
    Finding::pass(format!("sound flows both ways, {:.1} % lost{delay} one way", loss * 100.0))
}

fn one_way(silent: &Direction<'_>) -> Finding {
    let (from, to) = (silent.from, silent.to);
    let summary = format!("{from} hears {to}, and {to} does not hear {from}");
    Finding::fail("media-one-way", summary).expected("sound both ways").actual(format!(
        "{} packets sent from {}, none came",
        silent.sent,
        silent.name()
    ))
}

fn both_silent(media: [&Media; 2]) -> Finding {
    let sent: u32 = media.iter().map(|it| it.audio.sent).sum();
    let sealed: u32 = media.iter().map(|it| it.undecryptable).sum();
    let actual = if sealed > 0 {
        format!("{sent} packets sent, {sealed} came that the agreed keys do not open")
    } else {
        format!("{sent} packets sent, none came")
    };
    Finding::fail("media-silent", "both endpoints are connected, and neither hears the other")
        .expected("the packets that the other one sent")
        .actual(actual)
}

/// What is wrong with video where sound is well.
fn video(media: [&Media; 2], last_n: Option<i64>) -> Option<Finding> {
    let flows: Vec<&Flow> = media.iter().filter_map(|it| it.video.as_ref()).collect();
    let sent: u32 = flows.iter().map(|flow| flow.sent).sum();
    if sent > 0 && flows.iter().all(|flow| flow.heard.received == 0) {
        let finding = Finding::fail("last-n-zero", "sound is forwarded, and video is not")
            .expected("the video that was asked for")
            .actual(format!("{sent} packets sent, none came"));
        return Some(finding.likely());
    }
    (last_n == Some(0)).then(|| {
        Finding::warn("last-n-zero", "config.js tells browsers to ask for no video")
            .expected("`channelLastN` of -1, or of some videos")
            .actual("`channelLastN` is 0")
    })
}

fn metrics(directions: &[Direction<'_>; 2]) -> [(&'static str, Option<f64>, &'static str); 3] {
    let ms = |it: std::time::Duration| it.as_secs_f64() * 1e3;
    let loss = directions.iter().map(Direction::loss).fold(0.0, f64::max);
    let jitter = directions.iter().map(|it| it.heard.jitter).max().map(ms);
    let delays = directions.iter().filter_map(|it| it.heard.delay());
    let delay = delays.map(|delay| delay.median).max().map(ms);
    [("loss_ratio", Some(loss), "ratio"), ("jitter", jitter, "ms"), ("delay", delay, "ms")]
}

/// What one endpoint sent and heard, and what it was told of its own.
fn evidence(name: &str, media: &Media) -> Evidence {
    let (flow, heard) = (&media.audio, &media.audio.heard);
    let mut text = format!(
        "{name}: {} packets sent, {} heard, {} late, {} twice",
        flow.sent, heard.received, heard.late, heard.duplicate
    );
    if let Some(delay) = heard.delay() {
        let [min, median, max] =
            [delay.min, delay.median, delay.max].map(|it| it.as_secs_f64() * 1e3);
        text.push_str(&format!(", {min:.1}/{median:.1}/{max:.1} ms on the way"));
    }
    for (count, what) in [
        (heard.corrupt, "changed on the way"),
        (media.undecryptable, "not opened by the keys"),
        (media.foreign.values().sum(), "of other streams"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    match &media.reports.on_us {
        Some(report) => {
            let lost = f64::from(report.fraction) / 2.56;
            text.push_str(&format!("; the bridge reports {lost:.0} % of ours as lost"));
        }
        None => text.push_str("; the bridge reports nothing of ours"),
    }
    Evidence::new(EvidenceKind::Packets, text)
}
