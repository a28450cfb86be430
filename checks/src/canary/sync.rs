//! `canary.sync`

use mxdoctor_model::Finding;

use super::send;
use super::stage::{day, ms, trouble};
use crate::facts::{Talk, Waited};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Who waits in `/sync` hears the message: the same event, under the same transaction id.
    ///
    /// ## Why it matters
    /// It is how people see that others wrote. The time from sending to hearing is what they feel,
    /// and is kept as the metric `latency`.
    ///
    /// ## What makes it fail
    /// - The message does not come within 12 seconds: replication between workers is broken, or
    ///   `/sync` is answered out of a cache.
    /// - `/sync` is cut off by a proxy that does not let requests wait.
    /// - Another event comes, or comes without its transaction id: clients then show it twice.
    ///
    /// ## How to fix it
    /// Look at Synapse's log and, with workers, at Redis; let proxies wait at least 60 s for
    /// `/_matrix/client/*/sync` and keep nothing of it.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Syncing", "Local echo".
    "canary.sync" at PIC: "a message arrives by sync"
    causes [
        "message-not-delivered", "sync-refused", "transaction-id-lost", "homeserver-broken",
        "homeserver-path-not-routed", "no-http-answer",
    ]
    timeout 110
}

async fn run(cx: &Cx) -> Verdict {
    let day = day(cx, CHECK.id).await?;
    let talk = send::passed(cx, &day)?;
    let finding = judge(cx, talk, &talk.sync, "/sync");
    let Waited::Came { heard, .. } = &talk.sync else { return Ok(finding.into()) };
    // Whoever sent it must know it again.
    if finding.outcome == mxdoctor_model::Outcome::Pass && heard.transaction.is_none() {
        let lost = Finding::warn(
            "transaction-id-lost",
            "the message comes back to the device that sent it without its transaction id",
        )
        .expected("`unsigned.transaction_id`");
        return Ok(Finding { metrics: finding.metrics, ..lost }.into());
    }
    Ok(finding.into())
}

/// Whether the message came by that way.
pub(super) fn judge(cx: &Cx, talk: &Talk, waited: &Waited, way: &str) -> Finding {
    let event = talk.sent.as_ref().map(|(event, _)| event.as_str()).unwrap_or_default();
    match waited {
        Waited::Came { after, heard } if heard.event_id == event => {
            let after = ms(*after);
            Finding::pass(format!("the message came by {way} within {after:.0} ms"))
                .metric("latency", after, "ms")
        }
        Waited::Came { heard, .. } => {
            let summary = format!("the message comes by {way} as another event");
            Finding::fail("message-not-delivered", summary)
                .expected(event.to_owned())
                .actual(heard.event_id.clone())
        }
        Waited::Missed(limit) => {
            let summary = format!("the message was taken and does not come by {way}");
            Finding::fail("message-not-delivered", summary)
                .expected(format!("{event} within {} s", limit.as_secs()))
                .actual("answers without it")
        }
        Waited::Failed(error) => {
            trouble(cx, "sync-refused", &format!("waiting in {way}"), error).expected("200")
        }
        Waited::NotTried => Finding::error(format!("{way} was not waited in")),
    }
}
