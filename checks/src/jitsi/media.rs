//! `jitsi.media`

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::conference::{Guest, Step};
use mxdoctor_probes::media::{Flow, Heard, Media};

use super::stage::cut_short;
use super::{dtls, session};
use crate::facts::{Call, Held, Paths};
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
    ///
    /// ## What makes it fail
    /// - Nothing is heard, both ways or one way.
    /// - More than half is lost; from a tenth on it is a warning.
    /// - Video that was sent is not forwarded, or `config.js` asks for none (`channelLastN` of 0,
    ///   a warning).
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
    let held = cx.fact(Call).await?;
    session::passed(&held)?;
    let paths = cx.fact(Paths).await?;
    dtls::passed(cx, &paths).await?;
    Ok(judge(&held).into())
}

/// What was heard of one guest by the other.
struct Direction<'a> {
    from: &'a Guest,
    to: &'a Guest,
    sent: u32,
    heard: &'a Heard,
}

impl Direction<'_> {
    /// `A to B`
    fn name(&self) -> String {
        format!("{} to {}", self.from.name, self.to.name)
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

fn judge(held: &Held) -> Finding {
    let [a, b] = held.guests();
    let (Some(by_a), Some(by_b)) = (&a.media, &b.media) else {
        let guest = if a.media.is_none() { a } else { b };
        return cut_short(guest, "its media").evidences(held.timeline());
    };
    let directions = [direction(a, b, by_a, by_b), direction(b, a, by_b, by_a)];
    let mut finding = opinion(held, &directions, [by_a, by_b]);
    for (metric, value, unit) in metrics(held, &directions) {
        if let Some(value) = value {
            finding = finding.metric(metric, value, unit);
        }
    }
    let packets = [(a, by_a), (b, by_b)].map(|(guest, media)| evidence(guest, media));
    finding.evidences(packets).evidences(held.timeline())
}

fn direction<'a>(
    from: &'a Guest,
    to: &'a Guest,
    sender: &'a Media,
    receiver: &'a Media,
) -> Direction<'a> {
    Direction { from, to, sent: sender.audio.sent, heard: &receiver.audio.heard }
}

fn opinion(held: &Held, directions: &[Direction<'_>; 2], media: [&Media; 2]) -> Finding {
    let silent = |it: &&Direction<'_>| it.heard.received == 0;
    let quiet: Vec<&Direction<'_>> = directions.iter().filter(silent).collect();
    match quiet.as_slice() {
        [] => {}
        [one] => return one_way(one),
        _ => return both_silent(media),
    }
    let worst = directions.iter().max_by(|a, b| a.loss().total_cmp(&b.loss()));
    let loss = worst.map_or(0.0, Direction::loss);
    let name = worst.map(Direction::name).unwrap_or_default();
    if loss > LOSSY {
        let summary = format!("{:.0} % of the sound from {name} is lost", loss * 100.0);
        let finding = if loss > LOST {
            Finding::fail("media-lossy", summary)
        } else {
            Finding::warn("media-lossy", summary)
        };
        return finding.expected("less than 10 %").actual(format!("{:.1} %", loss * 100.0));
    }
    if let Some(finding) = video(held, media) {
        return finding;
    }
    let delay = directions.iter().filter_map(|it| it.heard.delay()).map(|it| it.median).max();
    let delay = delay.map_or_else(String::new, |it| format!(", {:.1} ms", it.as_secs_f64() * 1e3));
    Finding::pass(format!("sound flows both ways, {:.1} % lost{delay} one way", loss * 100.0))
}

fn one_way(silent: &Direction<'_>) -> Finding {
    let (from, to) = (silent.from.name, silent.to.name);
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
    Finding::fail("media-silent", "both guests are connected, and neither hears the other")
        .expected("the packets that the other one sent")
        .actual(actual)
}

/// What is wrong with video where sound is well.
fn video(held: &Held, media: [&Media; 2]) -> Option<Finding> {
    let flows: Vec<&Flow> = media.iter().filter_map(|it| it.video.as_ref()).collect();
    let sent: u32 = flows.iter().map(|flow| flow.sent).sum();
    if sent > 0 && flows.iter().all(|flow| flow.heard.received == 0) {
        let summary = "sound is forwarded, and video is not";
        let finding = Finding::fail("last-n-zero", summary)
            .expected("the video that was asked for")
            .actual(format!("{sent} packets sent, none came"));
        return Some(finding.likely());
    }
    (held.places.last_n == Some(0)).then(|| {
        Finding::warn("last-n-zero", "config.js tells browsers to ask for no video")
            .expected("`channelLastN` of -1, or of some videos")
            .actual("`channelLastN` is 0")
    })
}

type Measured = (&'static str, Option<f64>, &'static str);

fn metrics(held: &Held, directions: &[Direction<'_>; 2]) -> [Measured; 4] {
    let ms = |it: std::time::Duration| it.as_secs_f64() * 1e3;
    let loss = directions.iter().map(Direction::loss).fold(0.0, f64::max);
    let jitter = directions.iter().map(|it| it.heard.jitter).max().map(ms);
    let delays = directions.iter().filter_map(|it| it.heard.delay());
    let delay = delays.map(|delay| delay.median).max().map(ms);
    [
        ("loss_ratio", Some(loss), "ratio"),
        ("jitter", jitter, "ms"),
        ("delay", delay, "ms"),
        ("first_media_ms", held.took(None, Step::Heard), "ms"),
    ]
}

/// What one guest sent and heard, and what it was told of its own.
fn evidence(guest: &Guest, media: &Media) -> Evidence {
    let (flow, heard) = (&media.audio, &media.audio.heard);
    let mut text = format!(
        "guest {}: {} packets sent, {} heard, {} late, {} twice",
        guest.name, flow.sent, heard.received, heard.late, heard.duplicate
    );
    let delay = heard.delay().map(|it| (it.min, it.median, it.max));
    if let Some((min, median, max)) = delay {
        let [min, median, max] = [min, median, max].map(|it| it.as_secs_f64() * 1e3);
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
