//! `jitsi.muc`

use mxdoctor_model::Finding;
use mxdoctor_probes::conference::{Guest, Step};
use mxdoctor_probes::focus::JoinError;

use super::stage::{cut_short, wants_a_login};
use super::{focus, need};
use crate::facts::{Call, Held, lacks_a_bridge};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// Two guests join the same room, see one another and the focus there, and the focus has a
    /// bridge for them.
    ///
    /// ## Why it matters
    /// This is what a person sees as "joining". A focus without a bridge leaves everybody in the
    /// room, silent.
    ///
    /// ## What makes it fail
    /// - The focus says `bridgeNotAvailable`: no video bridge has logged in to Prosody and joined
    ///   the brewery, or none is healthy.
    /// - "Room creation is restricted": the focus is in a room of another domain.
    /// - No answer to the join, or a room without a focus: the same, or the focus is stuck.
    /// - Both are in the room and neither sees the other: there are two Prosodys.
    /// - The server limits the rate: all guests come from the address of one proxy.
    ///
    /// A lobby, a password or a login for every new room is how some deployments are meant to be:
    /// the check is skipped and says which.
    ///
    /// ## How to fix it
    /// Give Jicofo, the bridge, web and Prosody the same `XMPP_MUC_DOMAIN`,
    /// `XMPP_INTERNAL_MUC_DOMAIN`, `XMPP_AUTH_DOMAIN` and passwords, from one ConfigMap and one
    /// Secret; run one replica of Prosody.
    ///
    /// ## Where it comes from
    /// XEP-0045; Jicofo's presence; docker-jitsi-meet, `jitsi-meet.cfg.lua`.
    "jitsi.muc" at PIC: "two guests meet in a room with a focus and a bridge"
    causes [
        "bridge-unavailable", "bridge-unhealthy", "focus-not-in-room",
        "room-creation-restricted", "rooms-not-shared", "room-refused", "room-full", "muc-missing", "xmpp-rate-limited", "xmpp-stream-broken",
    ]
    timeout 170
}

async fn run(cx: &Cx) -> Verdict {
    let held = cx.fact(Call).await?;
    Ok(judge(&held)?.into())
}

/// The stages after this one.
pub(super) fn passed(held: &Held) -> Result<(), Unavailable> {
    need("jitsi.muc", judge(held)?)
}

pub(super) fn judge(held: &Held) -> Result<Finding, Unavailable> {
    focus::passed(held)?;
    Ok(opinion(held).evidences(held.timeline()))
}

fn opinion(held: &Held) -> Finding {
    for guest in held.guests() {
        if let Some(finding) = outside(held, guest) {
            return finding;
        }
    }
    let [a, b] = held.guests();
    if a.focus_presence.is_none() && b.focus_presence.is_none() {
        return Finding::fail("focus-not-in-room", "both joined a room without a focus")
            .expected("an occupant `focus`")
            .actual("none");
    }
    // Who was invited was in the room with the other, whatever was seen.
    let invited = [a, b].iter().any(|guest| !guest.invitations.is_empty());
    if !a.saw_other && !b.saw_other && !invited {
        return Finding::fail("rooms-not-shared", "two guests joined one room, and each is alone")
            .expected("each sees the other")
            .actual("neither does");
    }
    if !invited && [a, b].into_iter().any(lacks_a_bridge) {
        return no_bridge(held);
    }
    let finding = Finding::pass("both joined, the focus is there");
    match held.took(Some(Step::Focus), Step::Joined).or(held.took(None, Step::Joined)) {
        Some(ms) => finding.metric("joined", ms, "ms"),
        None => finding,
    }
}

/// The focus drops a bridge that is ill, and says no more than of one that never came.
fn no_bridge(held: &Held) -> Finding {
    let summary = "the focus has no bridge for the conference";
    let finding = match held.health.as_ref().filter(|health| !health.status.is_success()) {
        Some(health) => {
            let told = format!("{summary}, and the bridge says {}: {}", health.status, health.text);
            Finding::fail("bridge-unhealthy", told)
        }
        None => Finding::fail("bridge-unavailable", summary),
    };
    finding.expected("a bridge").actual("`bridgeNotAvailable` in the focus' presence")
}

/// Why a guest is not in the room.
fn outside(held: &Held, guest: &Guest) -> Option<Finding> {
    if let Some(leaving) = &guest.expelled {
        let reason = leaving.reason.as_ref().or(leaving.destroyed.as_ref());
        let actual = reason.cloned().unwrap_or_else(|| format!("status {:?}", leaving.codes));
        return Some(
            Finding::fail("room-refused", format!("guest {} was put out of the room", guest.name))
                .expected("to stay until it leaves")
                .actual(actual),
        );
    }
    match &guest.joined {
        Some(Ok(_)) => None,
        Some(Err(error)) => {
            Some(refused(held, error).expected("our own presence").actual(error.to_string()))
        }
        None => Some(match guest.join_silent {
            Some(limit) => Finding::fail(
                "focus-not-in-room",
                format!("the join is not answered within {} s", limit.as_secs()),
            )
            .expected("our own presence, or an error")
            .actual("nothing: the room waits for the focus")
            .likely(),
            None => cut_short(guest, "its join"),
        }),
    }
}

fn refused(held: &Held, error: &JoinError) -> Finding {
    let muc = &held.places.muc;
    match error {
        JoinError::Password(_) => {
            Finding::skip("every new room has a password here, and ours is not known")
        }
        JoinError::MembersOnly { waiting_for_host: true, .. } => {
            Finding::skip("every new room waits for its host here")
        }
        JoinError::MembersOnly { .. } => {
            Finding::skip("every new room has a lobby here, and nobody lets us in")
        }
        JoinError::AuthenticationRequired(_) => wants_a_login("a login is needed to join a room"),
        JoinError::CreationRestricted(_) => Finding::fail(
            "room-creation-restricted",
            format!("the focus says that it is ready, and is not in the room at {muc}"),
        ),
        JoinError::NoService(_) => {
            Finding::fail("muc-missing", format!("Prosody does not serve rooms at {muc}"))
        }
        JoinError::MaxUsers(_) => {
            Finding::fail("room-full", "a new room is full, or nobody serves it")
        }
        JoinError::RateLimit(_) => {
            Finding::fail("xmpp-rate-limited", "the server limits how fast people join").transient()
        }
        JoinError::NotAllowed(_) | JoinError::Other(_) => {
            Finding::fail("room-refused", "the room lets our guest not in")
        }
        // Both are our own doing.
        JoinError::DisplayName(_) | JoinError::Conflict(_) => {
            Finding::error(format!("the join came to nothing: {error}"))
        }
    }
}
