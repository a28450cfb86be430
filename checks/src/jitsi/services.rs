//! `jitsi.services`

use mxdoctor_model::{Evidence, Finding};
use mxdoctor_probes::xmpp::Info;

use super::stage::cut_short;
use super::xmpp_login;
use crate::facts::{Call, Held};
use crate::{Cx, Unavailable, Verdict, check};

/// Components of the release, by the type under which they are advertised.
const COMPONENTS: [&str; 7] = [
    "av_moderation",
    "breakout_rooms",
    "end_conference",
    "lobbyrooms",
    "polls",
    "room_metadata",
    "speakerstats",
];

check! {
    /// ## What it asserts
    /// The deployment's domain advertises the components of the release: lobby, moderation,
    /// breakout rooms, polls, room metadata, speaker statistics, the end of a meeting for all.
    ///
    /// ## Why it matters
    /// A component that did not start takes its buttons with it, and room metadata also the
    /// settings of a meeting. Calls go on without them.
    ///
    /// ## What makes it fail
    /// Nothing: what is missing is a warning. It may be switched off on purpose (`ENABLE_LOBBY`,
    /// `ENABLE_BREAKOUT_ROOMS`, `ENABLE_AV_MODERATION`). That no TURN server is offered is normal
    /// and only noted.
    ///
    /// ## How to fix it
    /// Look for `error` in the log of the Prosody container at its start.
    ///
    /// ## Where it comes from
    /// XEP-0030; XEP-0215; docker-jitsi-meet, `jitsi-meet.cfg.lua`.
    "jitsi.services" at PIC: "the components of the release are advertised"
    causes ["components-missing"]
    timeout 170
}

async fn run(cx: &Cx) -> Verdict {
    let held = cx.fact(Call).await?;
    Ok(judge(&held)?.into())
}

fn judge(held: &Held) -> Result<Finding, Unavailable> {
    xmpp_login::passed(held)?;
    let guest = &held.guests()[0];
    let finding = match &guest.components {
        Some(Ok(info)) => components(info),
        Some(Err(error)) => Finding::warn(
            "components-missing",
            format!("{} does not say what it serves", held.places.deployment),
        )
        .expected("identities of components")
        .actual(error.to_string()),
        None => cut_short(guest, "an answer about components"),
    };
    Ok(finding.evidences([turn(held)]))
}

fn components(info: &Info) -> Finding {
    let missing: Vec<&str> =
        COMPONENTS.into_iter().filter(|kind| info.component(kind).is_none()).collect();
    let found = COMPONENTS.len() - missing.len();
    let finding = if missing.is_empty() {
        Finding::pass(format!("all {found} components of the release are advertised"))
    } else {
        Finding::warn("components-missing", format!("not advertised: {}", missing.join(", ")))
            .expected(COMPONENTS.join(", "))
            .actual(format!("{found} of {}", COMPONENTS.len()))
    };
    finding.metric("components", found as f64, "count")
}

fn turn(held: &Held) -> Evidence {
    Evidence::note(match &held.guests()[0].services {
        Some(Ok(services)) if !services.is_empty() => {
            let each = services.iter().map(|service| format!("{} {}", service.kind, service.host));
            format!("offered: {}", each.collect::<Vec<_>>().join(", "))
        }
        Some(Ok(_)) => "no TURN or STUN server is offered".to_owned(),
        Some(Err(error)) => format!("no TURN or STUN server is offered ({error}), as is usual"),
        None => "TURN and STUN servers were not told".to_owned(),
    })
}
