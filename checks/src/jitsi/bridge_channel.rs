//! `jitsi.bridge_channel`

use mxdoctor_model::{Evidence, Finding, Vantage};
use mxdoctor_probes::conference::{Guest, Talk};
use mxdoctor_probes::sctp::ChannelState;
use url::Url;

use super::{dtls, session};
use crate::facts::{Call, Held, Jitsi, Paths};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The bridge channel that the invitation offers opens for both guests, as a data channel or
    /// as a WebSocket, and a message of each comes to the other one. Where both kinds are offered
    /// both are tried.
    ///
    /// ## Why it matters
    /// Browsers say over it whose video they want and how large. Without it they see at most one
    /// small picture, dominant speakers do not change, and messages between browsers are lost.
    ///
    /// ## What makes it fail
    /// - The offer names no channel at all.
    /// - The data channel (SCTP over DTLS) is not answered.
    /// - The WebSocket is answered with a page, 403 or 404: it is not routed to that bridge.
    /// - The channel opens and carries nothing.
    ///
    /// A kind that is broken while the other one works is a warning. The bridge names one address
    /// for everybody: from inside, where that host is not the one that is looked at, a WebSocket
    /// that does not open is no matter.
    ///
    /// ## How to fix it
    /// `ENABLE_SCTP` the same on jvb and Jicofo; or `ENABLE_COLIBRI_WEBSOCKET=1` on web and jvb,
    /// with `JVB_WS_DOMAIN`, `JVB_WS_SERVER_ID` and a `COLIBRI_WEBSOCKET_REGEX` on web that fits.
    ///
    /// ## Where it comes from
    /// RFC 8831, RFC 8832; the bridge's `EndpointMessageTransport`.
    "jitsi.bridge_channel" at PIC: "the bridge channel opens and carries a message"
    causes ["bridge-channel-unavailable", "bridge-channel-silent"]
    timeout 170
}

async fn run(cx: &Cx) -> Verdict {
    let held = cx.fact(Call).await?;
    session::passed(&held)?;
    let paths = cx.fact(Paths).await?;
    dtls::passed(cx, &paths).await?;
    let own = cx.fact(Jitsi).await?.base.host_str().map(str::to_owned);
    let outside = cx.vantage() == Vantage::Public;
    let meant = |url: &Url| outside || url.host_str() == own.as_deref();
    Ok(judge(&held, meant).evidences(held.timeline()).into())
}

/// How far one kind of channel came, of the guest that came less far.
enum Came {
    /// A message came to both.
    Through,
    /// It opened, and a message did not come.
    Open(String),
    /// It did not open, and why.
    Nowhere(String),
}

/// `meant` says of a WebSocket's address whether it is meant for who looks from here.
pub(super) fn judge(held: &Held, meant: impl Fn(&Url) -> bool) -> Finding {
    let offered = held.guests().iter().filter_map(Guest::invitation);
    let transports: Vec<_> = offered.map(|offer| &offer.transport).collect();
    let sctp = transports.iter().any(|it| it.sctp_port.is_some());
    let socket = transports
        .iter()
        .any(|it| !it.web_sockets.is_empty() || !it.unusable_web_sockets.is_empty());
    let data = sctp.then(|| ("data channel", came(held, |guest| guest.data_channel.as_ref())));
    let socket = socket.then(|| ("WebSocket", came(held, |guest| guest.bridge_socket.as_ref())));
    let elsewhere = transports.iter().flat_map(|it| &it.web_sockets).find(|url| !meant(url));
    let through = |came: &Came| matches!(came, Came::Through);
    let socket = socket.filter(|(_, came)| elsewhere.is_none() || through(came));
    if let (None, None, Some(url)) = (&data, &socket, elsewhere) {
        let host = url.host_str().unwrap_or_default();
        return Finding::skip(format!(
            "the bridge's WebSocket is at {host}, which is not the host that is looked at from here"
        ));
    }
    let kinds: Vec<(&str, Came)> = data.into_iter().chain(socket).collect();
    let talks = held.guests().iter().flat_map(|guest| {
        [&guest.data_channel, &guest.bridge_socket].map(|talk| (guest, talk.as_ref()))
    });
    let evidence = talks.filter_map(|(guest, talk)| Some(line(guest, talk?)));
    let finding = opinion(&kinds).evidences(evidence);
    match slowest(held) {
        Some(ms) => finding.metric("channel_open", ms, "ms"),
        None => finding,
    }
}

fn opinion(kinds: &[(&str, Came)]) -> Finding {
    let through: Vec<&str> = kinds
        .iter()
        .filter(|(_, came)| matches!(came, Came::Through))
        .map(|(kind, _)| *kind)
        .collect();
    let broken = kinds.iter().find_map(|(kind, came)| match came {
        Came::Through => None,
        Came::Nowhere(why) => {
            Some(("bridge-channel-unavailable", format!("the {kind} does not open"), why))
        }
        Came::Open(why) => {
            Some(("bridge-channel-silent", format!("the {kind} opens and carries no message"), why))
        }
    });
    let Some((cause, summary, actual)) = broken else {
        return match through.as_slice() {
            [] => Finding::fail(
                "bridge-channel-unavailable",
                "the invitation offers no bridge channel of either kind",
            )
            .expected("a data channel, or a WebSocket")
            .actual("neither"),
            kinds => Finding::pass(format!("messages come through: {}", kinds.join(" and "))),
        };
    };
    let finding = if through.is_empty() {
        Finding::fail(cause, summary)
    } else {
        Finding::warn(cause, format!("{summary}, the {} does", through.join(" and the ")))
    };
    finding.expected("a message from each guest to the other").actual(actual)
}

fn came<'a>(held: &'a Held, talk: impl Fn(&'a Guest) -> Option<&'a Talk>) -> Came {
    let mut silent = None;
    for guest in held.guests() {
        let name = guest.name;
        let Some(talk) = talk(guest) else {
            return Came::Nowhere(format!("guest {name} did not come to try it"));
        };
        if talk.opened.is_none() {
            return Came::Nowhere(format!("guest {name}: {}", why(talk, "no answer")));
        }
        if talk.heard.is_none() {
            silent.get_or_insert(format!("guest {name}: {}", why(talk, "no message")));
        }
    }
    silent.map_or(Came::Through, Came::Open)
}

/// Why a channel came no further, where that is known.
fn why(talk: &Talk, otherwise: &str) -> String {
    if let Some(error) = &talk.refused {
        return error.to_string();
    }
    match &talk.state {
        Some(ChannelState::Associating) => "SCTP is not answered".to_owned(),
        Some(ChannelState::Associated) => "SCTP is there, the channel is not answered".to_owned(),
        Some(ChannelState::Closed(why)) => why.clone(),
        Some(ChannelState::Open) | None => otherwise.to_owned(),
    }
}

fn line(guest: &Guest, talk: &Talk) -> Evidence {
    let mut text = format!("guest {}, {}: ", guest.name, talk.place);
    match talk.opened {
        Some(opened) => {
            text.push_str(&format!("open after {:.0} ms", opened.as_secs_f64() * 1e3));
        }
        None => text.push_str("not open"),
    }
    text.push_str(if talk.hello { ", hello of the bridge" } else { ", no hello of the bridge" });
    if let Some(heard) = talk.heard {
        let ms = heard.as_secs_f64() * 1e3;
        text.push_str(&format!(", message of the other after {ms:.0} ms"));
    }
    if let Some(refusal) = &talk.refused {
        text.push_str(&format!(", {refusal}"));
    }
    Evidence::note(text)
}

fn slowest(held: &Held) -> Option<f64> {
    let talks = held.guests().iter().flat_map(|it| [&it.data_channel, &it.bridge_socket]);
    let opened = talks.flatten().filter_map(|talk| talk.opened).max()?;
    Some(opened.as_secs_f64() * 1e3)
}
