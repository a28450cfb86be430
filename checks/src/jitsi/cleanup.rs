//! `jitsi.cleanup`

use mxdoctor_model::Finding;
use mxdoctor_probes::conference::{Gone, Guest};

use super::muc;
use crate::facts::{Call, Held};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// The room of the test is gone a moment after both guests have left it.
    ///
    /// ## Why it matters
    /// A room that stays keeps a conference on the focus and on the bridge. Where tests leave rooms
    /// behind, people's calls do too, and the bridge counts them as load.
    ///
    /// ## What makes it fail
    /// The room can still be asked for five seconds after both guests have left.
    ///
    /// ## How to fix it
    /// Look in Jicofo's log for why it stays in the room; a third occupant (a recorder, a
    /// transcriber) or a module that keeps rooms (`muc_room_default_persistent`) does that.
    ///
    /// ## Where it comes from
    /// XEP-0045 section 7.14; Jicofo leaves with the last guest.
    "jitsi.cleanup" at PIC: "the room of the test is gone afterwards"
    causes ["room-left-behind"]
    timeout 170
}

async fn run(cx: &Cx) -> Verdict {
    let held = cx.fact(Call).await?;
    Ok(judge(&held)?.into())
}

fn judge(held: &Held) -> Result<Finding, Unavailable> {
    let joined = |guest: &Guest| matches!(guest.joined, Some(Ok(_)));
    if !held.guests().iter().any(joined) {
        muc::passed(held)?;
    }
    let room = &held.conference.room;
    let finding = match &held.conference.gone {
        Some(Gone::After(time)) => {
            let ms = time.as_secs_f64() * 1e3;
            Finding::pass(format!("the room was gone {ms:.0} ms after both guests had left"))
                .metric("gone_after", ms, "ms")
        }
        Some(Gone::Still(limit)) => Finding::fail(
            "room-left-behind",
            format!("{room} is still there {} s after both guests have left", limit.as_secs()),
        )
        .expected("`item-not-found`")
        .actual("the room answers"),
        Some(Gone::Unknown(why)) => {
            Finding::error(format!("whether {room} is gone could not be asked")).actual(why)
        }
        None => Finding::error("nobody was left to ask whether the room is gone"),
    };
    Ok(finding.evidences(held.timeline()))
}
