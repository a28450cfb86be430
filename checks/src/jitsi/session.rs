//! `jitsi.session`

use mxdoctor_model::Finding;
use mxdoctor_probes::conference::{Guest, Step};
use mxdoctor_probes::jingle::Initiate;

use super::stage::cut_short;
use super::{muc, need};
use crate::facts::{Call, Held};
use crate::{Cx, Unavailable, Verdict, check};

/// Invitations that no stable bridge needs.
const TOO_MANY: usize = 3;

check! {
    /// ## What it asserts
    /// The focus invites both guests to a session with the bridge, the offer can be used, and the
    /// focus takes their answers.
    ///
    /// ## Why it matters
    /// The invitation carries the bridge's addresses and keys. Without it a browser has nobody to
    /// send its sound to.
    ///
    /// ## What makes it fail
    /// - No invitation within 20 seconds although both are in the room and a bridge is there.
    /// - An offer without a transport, without a fingerprint, or without sound.
    /// - The focus refuses the answer, or ends the session and does not come back.
    /// - Session after session: the bridge fails again and again.
    ///
    /// A second invitation is a warning.
    ///
    /// ## How to fix it
    /// Look at the logs of Jicofo and the bridge at that moment; where one of both was restarted,
    /// restart the other one. `ENABLE_SCTP` must be the same on both.
    ///
    /// ## Where it comes from
    /// XEP-0166, XEP-0167, XEP-0176, XEP-0320; Jicofo, `JingleSession`.
    "jitsi.session" at PIC: "both guests are invited, and their answers are taken"
    causes [
        "focus-does-not-invite", "offer-unusable", "accept-refused", "bridge-unstable",
        "xmpp-stream-broken",
    ]
    timeout 170
}

async fn run(cx: &Cx) -> Verdict {
    let held = cx.fact(Call).await?;
    Ok(judge(&held)?.into())
}

/// The stages after this one.
pub(super) fn passed(held: &Held) -> Result<(), Unavailable> {
    need("jitsi.session", judge(held)?)
}

/// What kept the call from coming to a way over UDP.
pub(crate) fn obstacle(held: &Held) -> Unavailable {
    match passed(held) {
        Err(by) => by,
        Ok(()) => Unavailable::by(
            "jitsi.session",
            Finding::error("both were invited, and no way over UDP was begun"),
        ),
    }
}

pub(super) fn judge(held: &Held) -> Result<Finding, Unavailable> {
    muc::passed(held)?;
    Ok(opinion(held).evidences(held.timeline()))
}

fn opinion(held: &Held) -> Finding {
    let trouble = held.guests().iter().find_map(uninvited);
    if let Some(finding) = trouble.or_else(|| held.guests().iter().find_map(unaccepted)) {
        return finding;
    }
    let most = held.guests().iter().map(|guest| guest.invitations.len()).max().unwrap_or(0);
    if most > 1 {
        return again(most);
    }
    let offered = held.guests()[0].invitation().map(contents).unwrap_or_default();
    let finding = Finding::pass(format!("both were invited and accepted: {offered}"));
    let finding = match held.took(Some(Step::Joined), Step::Invited) {
        Some(ms) => finding.metric("invited", ms, "ms"),
        None => finding,
    };
    match held.took(Some(Step::Invited), Step::Accepted) {
        Some(ms) => finding.metric("accepted", ms, "ms"),
        None => finding,
    }
}

/// `audio, data, bridge WebSocket`
fn contents(offer: &Initiate) -> String {
    let mut names: Vec<&str> = offer.contents.iter().map(|it| it.name.as_str()).take(4).collect();
    if !offer.transport.web_sockets.is_empty() {
        names.push("bridge WebSocket");
    }
    names.join(", ")
}

fn uninvited(guest: &Guest) -> Option<Finding> {
    let name = guest.name;
    if let Some(offer) = guest.invitation() {
        let silent = offer.audio.is_none();
        return silent.then(|| {
            Finding::fail("offer-unusable", format!("guest {name} is offered no sound"))
                .expected("a content for audio")
                .actual(contents(offer))
        });
    }
    if let Some(Err(error)) = guest.invitations.last() {
        return Some(
            Finding::fail("offer-unusable", format!("the offer to guest {name} cannot be used"))
                .expected("a transport with ufrag, password and fingerprint")
                .actual(error.to_string()),
        );
    }
    if let Some((reason, text)) = &guest.terminated {
        return Some(ended(guest, reason.as_deref(), text.as_deref()));
    }
    Some(match guest.invitation_silent {
        Some(limit) => Finding::fail(
            "focus-does-not-invite",
            format!("guest {name} is not invited within {} s", limit.as_secs()),
        )
        .expected("`session-initiate` of the focus")
        .actual("nothing, and the focus does not say that it lacks a bridge"),
        None => cut_short(guest, "its invitation"),
    })
}

fn unaccepted(guest: &Guest) -> Option<Finding> {
    if let Some(Err(error)) = &guest.accepted {
        return Some(
            Finding::fail(
                "accept-refused",
                format!("the focus does not take the answer of guest {}", guest.name),
            )
            .expected("an empty result")
            .actual(error.to_string()),
        );
    }
    let (reason, text) = guest.terminated.as_ref()?;
    // What ended after the call had come to its end is none of our concern.
    guest.step(Step::Heard).is_none().then(|| ended(guest, reason.as_deref(), text.as_deref()))
}

fn ended(guest: &Guest, reason: Option<&str>, text: Option<&str>) -> Finding {
    let said: Vec<&str> = [reason, text].into_iter().flatten().collect();
    let summary = format!("the focus ended the session of guest {}", guest.name);
    Finding::fail("bridge-unstable", summary)
        .expected("a session that lasts")
        .actual(format!("session-terminate, {}", said.join(": ")))
}

fn again(count: usize) -> Finding {
    let summary = format!("a guest was invited {count} times: the session broke in between");
    let finding = if count < TOO_MANY {
        Finding::warn("bridge-unstable", summary)
    } else {
        Finding::fail("bridge-unstable", summary)
    };
    finding.expected("one invitation").actual(format!("{count} invitations"))
}
