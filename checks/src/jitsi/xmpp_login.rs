//! `jitsi.xmpp_login`

use mxdoctor_model::Finding;
use mxdoctor_probes::conference::Step;
use mxdoctor_probes::xmpp::{Carrier, LoggedIn, LoginError};

use super::bosh::mismatch;
use super::need;
use super::stage::{cut_short, wants_a_login};
use crate::facts::{Call, Held, Visitor};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// Two guests log in to the XMPP server, the way that a browser does, and each gets an address
    /// of its own.
    ///
    /// ## Why it matters
    /// Whoever joins a call logs in first, mostly without knowing it.
    ///
    /// ## How it looks
    /// This is the first stage of a real conference of two guests, in a room with a long random
    /// name that is gone some seconds later. It goes by WebSocket, and by BOSH where that does not
    /// open. One conference at a time is held from one machine.
    ///
    /// ## What makes it fail
    /// - Prosody does not serve the domain that `config.js` names.
    /// - `config.js` names a domain for guests, and Prosody lets none in there.
    /// - Prosody takes the connection for an insecure one and offers no way to log in.
    /// - The stream ends on the way.
    ///
    /// A deployment that lets in nobody without a login is healthy: the check is skipped, and says
    /// what to configure. A password or token of our own configuration that is refused is an error.
    ///
    /// ## How to fix it
    /// Give web, Prosody, Jicofo and the bridge the same `XMPP_DOMAIN`; with `ENABLE_AUTH=1` set
    /// `ENABLE_GUESTS` to the same value on web and Prosody.
    ///
    /// ## Where it comes from
    /// RFC 7395; RFC 6120 sections 6 and 7; XEP-0175.
    "jitsi.xmpp_login" at PIC: "two guests log in over XMPP"
    causes [
        "xmpp-domain-mismatch", "guests-not-allowed", "xmpp-no-mechanisms", "xmpp-stream-broken",
        "jitsi-password-wrong", "jitsi-token-refused",
    ]
    timeout 170
}

async fn run(cx: &Cx) -> Verdict {
    let held = cx.fact(Call).await?;
    Ok(judge(&held).into())
}

/// The stages after this one.
pub(super) fn passed(held: &Held) -> Result<(), Unavailable> {
    need("jitsi.xmpp_login", judge(held))
}

pub(super) fn judge(held: &Held) -> Finding {
    opinion(held).evidences(held.timeline())
}

fn opinion(held: &Held) -> Finding {
    let mut last = None;
    for guest in held.guests() {
        match &guest.login {
            Some(Ok(logged_in)) => last = Some((guest, logged_in)),
            Some(Err(error)) => return refused(held, error),
            None => return cut_short(guest, "its login"),
        }
    }
    let Some((guest, logged_in)) = last else { return Finding::error("there was no guest") };
    let way = match guest.carrier {
        Some(Carrier::Bosh) => "BOSH",
        Some(Carrier::WebSocket) | None => "WebSocket",
    };
    let LoggedIn { mechanism, .. } = logged_in;
    let summary = format!("two guests logged in to {} over {way} with {mechanism}", held.domain);
    let finding = Finding::pass(summary);
    match held.took(Some(Step::Connected), Step::LoggedIn) {
        Some(ms) => finding.metric("login", ms, "ms"),
        None => finding,
    }
}

fn refused(held: &Held, error: &LoginError) -> Finding {
    let domain = &held.domain;
    match error {
        LoginError::HostUnknown { error, .. } => mismatch(domain).actual(error.to_string()),
        LoginError::NoMechanisms { said } => {
            let summary = format!("{domain} offers no way to log in");
            Finding::fail("xmpp-no-mechanisms", summary)
                .expected("ANONYMOUS, or another mechanism")
                .actual(said.as_deref().unwrap_or("none"))
        }
        LoginError::NotOffered { wanted, opened } => {
            let offered = opened.features.mechanisms.join(", ");
            not_offered(held).expected(*wanted).actual(offered)
        }
        LoginError::Refused { condition, text, .. } => {
            let said = text.as_ref().map_or(String::new(), |text| format!(": {text}"));
            turned_away(held, condition).actual(format!("{condition}{said}"))
        }
        LoginError::PlainInTheClear(_) | LoginError::Unproven { .. } | LoginError::Ours(_) => {
            Finding::error(error.to_string())
        }
        LoginError::BindRefused(_) | LoginError::Garbled(_) | LoginError::Stream(_) => {
            let summary = format!("the login to {domain} does not come to its end: {error}");
            Finding::fail("xmpp-stream-broken", summary).expected("an address").transient()
        }
    }
}

fn not_offered(held: &Held) -> Finding {
    let domain = &held.domain;
    match held.visitor {
        Visitor::Account => Finding::error(format!("{domain} takes no passwords"))
            .remedy("set `jitsi.domain` to the domain of the user, or leave `jitsi.user` out"),
        _ if held.places.for_guests && *domain == held.places.domain => Finding::fail(
            "guests-not-allowed",
            format!("config.js sends guests to {domain}, which lets none in"),
        ),
        Visitor::Guest | Visitor::Token => {
            wants_a_login(format!("{domain} lets in nobody without a login"))
        }
    }
}

fn turned_away(held: &Held, condition: &str) -> Finding {
    let domain = &held.domain;
    match held.visitor {
        Visitor::Account => Finding::error_of(
            "jitsi-password-wrong",
            format!("{domain} does not take the user and password of `jitsi.user`"),
        ),
        Visitor::Token => Finding::error_of(
            "jitsi-token-refused",
            format!("{domain} does not take the token of `jitsi.token`"),
        ),
        Visitor::Guest if matches!(condition, "not-allowed" | "not-authorized") => {
            wants_a_login(format!("{domain} lets in nobody without a token"))
        }
        Visitor::Guest => {
            Finding::fail("xmpp-stream-broken", format!("{domain} refuses the login of a guest"))
                .expected("success")
        }
    }
}
