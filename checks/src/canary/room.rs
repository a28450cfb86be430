//! `canary.room`

use mxdoctor_model::Finding;

use super::stage::{day, ms, trouble};
use crate::facts::{Day, Room, RoomTrouble};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// The synthetic user has a room of its own: the one that is configured, else the one that it
    /// made at its first run and finds again by its type. It is private and does not federate.
    ///
    /// ## Why it matters
    /// One room that is kept costs the database a message a run. A room that strangers can join, or
    /// that other homeservers have a part in, is no place for tests.
    ///
    /// ## What makes it fail
    /// - `canary.room` is a room that the account is not in.
    /// - The homeserver makes no room.
    ///
    /// A room that is public or federates is a warning.
    ///
    /// ## How to fix it
    /// Join the account to `canary.room`, or leave that key out. Where making rooms is refused:
    /// `room_list_publication_rules`, modules and rate limits in homeserver.yaml.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Creation", "Room membership".
    "canary.room" at PIC: "the synthetic user has a room of its own"
    causes [
        "canary-room-unusable", "canary-room-exposed", "homeserver-broken",
        "homeserver-path-not-routed", "no-http-answer",
    ]
    timeout 110
}

async fn run(cx: &Cx) -> Verdict {
    let day = day(cx, CHECK.id).await?;
    Ok(judge(cx, &day).into())
}

fn judge(cx: &Cx, day: &Day) -> Finding {
    const CAUSE: &str = "canary-room-unusable";
    match &day.room {
        Ok(room) => judge_room(room),
        Err(RoomTrouble::NotJoined(id)) => {
            let summary = format!("{} is not in the room {id} of `canary.room`", day.user_id);
            Finding::fail(CAUSE, summary).expected("a room that the account is in")
        }
        Err(RoomTrouble::Call(error)) => {
            trouble(cx, CAUSE, "finding or making the room", error).expected("a room")
        }
    }
}

fn judge_room(room: &Room) -> Finding {
    let id = &room.id;
    if room.join_rule == "public" || room.federates {
        let what = if room.join_rule == "public" { "anybody can join" } else { "federates" };
        return Finding::warn("canary-room-exposed", format!("the room {id}: {what}"))
            .expected("an invitation to join, and `m.federate` false")
            .actual(format!("join_rule {}, m.federate {}", room.join_rule, room.federates));
    }
    match room.made.map(ms) {
        None => Finding::pass(format!("the room {id} is there")),
        Some(took) => Finding::pass(format!("the room {id} was made in {took:.0} ms")).metric(
            "create_room",
            took,
            "ms",
        ),
    }
}

/// What needs a room.
pub(super) fn passed(cx: &Cx, day: &Day) -> Result<(), Unavailable> {
    match &day.room {
        Ok(_) => Ok(()),
        Err(_) => Err(Unavailable::by("canary.room", judge(cx, day))),
    }
}
