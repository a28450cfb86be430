//! `jitsi.focus`

use mxdoctor_model::Finding;
use mxdoctor_probes::conference::Step;
use mxdoctor_probes::focus::FocusError;

use super::stage::{cut_short, wants_a_login};
use super::{need, xmpp_login};
use crate::facts::{Call, Held};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// Jicofo, the focus, answers the request for a conference, and is ready.
    ///
    /// ## Why it matters
    /// The focus makes the room and invites everybody to the bridge. Without it people see
    /// "waiting" or are told that the connection is lost.
    ///
    /// ## What makes it fail
    /// - `service-unavailable` at once: Jicofo is down, or could not log in to Prosody, or the
    ///   proxy component does not know it.
    /// - No such component: `focus.` and the domain is not served.
    /// - No answer, or "not ready" for 20 seconds: Jicofo is stuck while it joins the room.
    /// - The reservation system cannot be reached.
    ///
    /// It is skipped, and says so, where the focus demands a login for new rooms, or a reservation:
    /// such a deployment is healthy. The first conference after a start of Jicofo takes seconds
    /// longer; that is no fault.
    ///
    /// ## How to fix it
    /// Look at the log of the Jicofo container. `JICOFO_AUTH_PASSWORD` must be the same on Jicofo
    /// and Prosody, and a volume of Prosody keeps the old one. `XMPP_SERVER` must be the name of
    /// the Prosody Service.
    ///
    /// ## Where it comes from
    /// Jicofo, `ConferenceIqHandler`; Prosody's `mod_client_proxy`.
    "jitsi.focus" at PIC: "the focus answers the conference request"
    causes [
        "jicofo-unavailable", "focus-component-missing", "focus-stuck", "reservation-unreachable",
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
    need("jitsi.focus", judge(held)?)
}

pub(super) fn judge(held: &Held) -> Result<Finding, Unavailable> {
    xmpp_login::passed(held)?;
    Ok(opinion(held).evidences(held.timeline()))
}

fn opinion(held: &Held) -> Finding {
    let guest = &held.guests()[0];
    let focus = &held.places.focus;
    match guest.focus.last() {
        Some(Err(error)) => refused(focus, error),
        Some(Ok(answer)) if answer.ready => {
            let finding = Finding::pass(format!("{focus} is ready"));
            match guest.step(Step::LoggedIn).zip(guest.step(Step::Focus)) {
                Some((began, ready)) => {
                    let ms = ready.saturating_sub(began).as_secs_f64() * 1e3;
                    finding.metric("focus_ready", ms, "ms")
                }
                None => finding,
            }
        }
        unready => match guest.focus_silent {
            Some(limit) => Finding::fail(
                "focus-stuck",
                format!("{focus} is not ready within {} s", limit.as_secs()),
            )
            .expected("`ready='true'`")
            .actual(if unready.is_some() {
                "not ready, again and again"
            } else {
                "no answer"
            }),
            None => cut_short(guest, "an answer of the focus"),
        },
    }
}

fn refused(focus: &str, error: &FocusError) -> Finding {
    let finding = match error {
        FocusError::Unavailable(_) => {
            Finding::fail("jicofo-unavailable", format!("nobody answers for {focus}"))
        }
        FocusError::Absent(_) => {
            Finding::fail("focus-component-missing", format!("Prosody does not serve {focus}"))
        }
        FocusError::NotAuthorized(_) => wants_a_login("a login is needed to open a room"),
        FocusError::Reservation { code: Some(code), .. } if code.starts_with('4') => {
            Finding::skip(format!("rooms need a reservation, and ours has none (code {code})"))
        }
        FocusError::Reservation { .. } => {
            Finding::fail("reservation-unreachable", "the reservation system does not answer")
        }
        FocusError::Other(_) => Finding::fail(
            "jicofo-unavailable",
            format!("{focus} answers the conference request with an error"),
        )
        .likely(),
        // It may be our request that this release does not like.
        FocusError::SessionInvalid(_) | FocusError::BadRequest(_) | FocusError::Garbled(_) => {
            Finding::error(format!("the conference request came to nothing: {error}"))
        }
    };
    finding.expected("`ready='true'`").actual(error.to_string())
}
