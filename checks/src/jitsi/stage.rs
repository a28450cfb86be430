//! What the stages of a call have in common: each needs the one before it.

use mxdoctor_model::{Finding, Outcome};
use mxdoctor_probes::conference::Guest;

use crate::Unavailable;

/// Goes on where the stage of `owner` let it; else what comes after is blocked by it.
pub(super) fn need(owner: &'static str, finding: Finding) -> Result<(), Unavailable> {
    match finding.outcome {
        Outcome::Pass | Outcome::Warn => Ok(()),
        Outcome::Fail | Outcome::Error | Outcome::Skip => Err(Unavailable::by(owner, finding)),
    }
}

/// Why a guest saw nothing more: our own trouble, or a stream that ended. `what` is what it was
/// waiting for.
pub(super) fn cut_short(guest: &Guest, what: &str) -> Finding {
    if let Some(ours) = &guest.ours {
        return Finding::error(ours.clone());
    }
    let name = guest.name;
    match &guest.broken {
        Some(error) => Finding::fail(
            "xmpp-stream-broken",
            format!("the XMPP stream of guest {name} ended before {what}"),
        )
        .expected(format!("a stream that lasts until {what}"))
        .actual(error.to_string())
        .transient(),
        None => Finding::error(format!("guest {name} did not come to {what}")),
    }
}

/// A deployment that wants to know who comes: healthy, and not to be looked at further.
pub(super) fn wants_a_login(what: impl Into<String>) -> Finding {
    Finding::skip(what.into()).remedy(
        "give `jitsi.user` with `jitsi.password_file`, or `jitsi.token` where the deployment takes \
         tokens, of an account for tests; or set `ENABLE_GUESTS=1` on web and Prosody if guests \
         are meant to come",
    )
}
