//! `canary.cleanup`

use mxdoctor_model::{Evidence, EvidenceKind, Finding};

use super::stage::{day, trouble};
use crate::facts::Trouble;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// What the synthetic user did is taken back, of this run and of earlier ones that were cut
    /// short: its messages are redacted, it is logged out and its token is dead; a throw-away
    /// account has left and forgotten its rooms and is deactivated and erased.
    ///
    /// ## Why it matters
    /// A test that leaves something each time becomes a burden. And people as well want to be able
    /// to take back what they wrote, to log out and to leave for good.
    ///
    /// ## What stays
    /// A fixed account keeps its room, with redacted messages. The picture, of 4 kB, stays as well:
    /// only an admin can remove media. With `canary.admin_token_file` it is removed at each run;
    /// else set `media_retention` in homeserver.yaml. A throw-away account stays in the database as
    /// a deactivated one, whose name nobody can have again.
    ///
    /// ## What makes it fail
    /// Redacting, leaving, logging out or deactivating is refused, or a token is still taken after
    /// the logout. What was not undone is tried again at the next run.
    ///
    /// ## How to fix it
    /// See which step failed. `POST /_synapse/admin/v1/deactivate/@USER:SERVER` removes an account
    /// by hand.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Redactions", "Leaving rooms", "Logout", "Account deactivation".
    "canary.cleanup" at PIC: "nothing of the test is left behind"
    causes [
        "canary-left-behind", "homeserver-broken", "homeserver-path-not-routed", "no-http-answer",
    ]
    timeout 110
}

async fn run(cx: &Cx) -> Verdict {
    let day = day(cx, CHECK.id).await?;
    const CAUSE: &str = "canary-left-behind";
    let mut done = Vec::new();
    let mut bad = None;
    for (what, step) in &day.ended.steps {
        match step {
            Ok(text) => done.push(format!("{what}: {text}")),
            Err(Trouble::Call(error)) => {
                bad.get_or_insert_with(|| trouble(cx, CAUSE, what, error));
            }
            Err(Trouble::Effect(text)) => {
                bad.get_or_insert_with(|| {
                    Finding::fail(CAUSE, format!("{what}: {text}")).actual(text.clone())
                });
            }
            Err(Trouble::Ours(text)) => {
                bad.get_or_insert_with(|| Finding::error(format!("{what}: {text}")));
            }
        }
    }
    let evidence = done.iter().map(|text| Evidence::new(EvidenceKind::Note, text.clone()));
    let finding = match bad {
        Some(finding) => finding.expected("everything is taken back"),
        None if done.is_empty() => Finding::error("nothing was taken back"),
        None => Finding::pass("everything was taken back"),
    };
    Ok(finding.evidences(evidence).into())
}
