//! `canary.sliding_sync`

use mxdoctor_model::Finding;

use super::stage::day;
use super::{send, sync};
use crate::facts::{Versions, Waited};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The message comes by simplified sliding sync as well, where the homeserver announces it.
    ///
    /// ## Why it matters
    /// Element X knows no other way. A homeserver that announces it and does not deliver by it
    /// leaves everyone on a phone without messages while the web works.
    ///
    /// ## What makes it fail
    /// The message does not come within 12 seconds, or the request is refused although
    /// `unstable_features` says `org.matrix.simplified_msc3575`. Where it is not announced, and not
    /// known, this is a skip.
    ///
    /// ## How to fix it
    /// Route `/_matrix/client/unstable/org.matrix.simplified_msc3575/sync` to the same homeserver
    /// as `/_matrix/client`; an old sliding sync proxy can go.
    ///
    /// ## Where it comes from
    /// MSC4186; Synapse implements it since 1.114.
    "canary.sliding_sync" at PIC: "a message arrives by sliding sync"
    causes [
        "message-not-delivered", "sync-refused", "homeserver-broken",
        "homeserver-path-not-routed", "no-http-answer",
    ]
    timeout 110
}

async fn run(cx: &Cx) -> Verdict {
    let day = day(cx, CHECK.id).await?;
    let versions = cx.fact(Versions).await?;
    let talk = send::passed(cx, &day)?;
    let announced = versions.feature("org.matrix.simplified_msc3575");
    let unknown = matches!(&talk.sliding, Waited::Failed(error) if error.is_unknown_endpoint());
    if unknown && !announced {
        let reason = "the homeserver does not announce simplified sliding sync, and has none";
        return Ok(Finding::skip(reason).into());
    }
    Ok(sync::judge(cx, talk, &talk.sliding, "sliding sync").into())
}
