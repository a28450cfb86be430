//! `canary.send`

use mxdoctor_model::Finding;

use super::room;
use super::stage::{day, ms, trouble};
use crate::facts::{Day, Talk};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// A message is taken, and sent again under the same transaction id it stays one message.
    ///
    /// ## Why it matters
    /// Clients on bad networks send again what they had no answer to. A homeserver, or a balancer
    /// between two, that forgets the id shows every message twice.
    ///
    /// ## What makes it fail
    /// - The message is refused.
    /// - The second sending gives another event id.
    ///
    /// ## How to fix it
    /// Read the homeserver's words. For messages that come twice: let all requests of one device
    /// come to the same event persister, and let no proxy repeat requests with another path.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Sending events to a room", "Transaction identifiers".
    "canary.send" at PIC: "a message is taken, and once"
    causes [
        "message-not-accepted", "message-sent-twice", "homeserver-broken",
        "homeserver-path-not-routed", "no-http-answer",
    ]
    timeout 110
}

const CAUSE: &str = "message-not-accepted";

async fn run(cx: &Cx) -> Verdict {
    let day = day(cx, CHECK.id).await?;
    let talk = talk(cx, &day)?;
    let (event, took) = match &talk.sent {
        Ok((event, took)) => (event, ms(*took)),
        Err(error) => return Ok(refused(cx, error).into()),
    };
    let finding = match &talk.again {
        Some(Ok(again)) if again == event => {
            Finding::pass(format!("a message was taken in {took:.0} ms, and once"))
        }
        Some(Ok(again)) => {
            let summary = "the same transaction sent twice gives two messages";
            Finding::fail("message-sent-twice", summary)
                .expected(format!("{event} again"))
                .actual(again.clone())
        }
        Some(Err(error)) => trouble(cx, CAUSE, "sending the message again", error),
        None => Finding::error("the message was not sent again"),
    };
    Ok(finding.metric("send", took, "ms").into())
}

fn refused(cx: &Cx, error: &mxdoctor_probes::matrix::client::CallError) -> Finding {
    trouble(cx, CAUSE, "sending a message", error).expected("200 with an event id")
}

fn talk<'d>(cx: &Cx, day: &'d Day) -> Result<&'d Talk, Unavailable> {
    room::passed(cx, day)?;
    let none = || Finding::error("internal: a room, and nothing said in it");
    day.talk.as_ref().ok_or_else(|| Unavailable::by("canary.send", none()))
}

/// What needs a message that was sent.
pub(super) fn passed<'d>(cx: &Cx, day: &'d Day) -> Result<&'d Talk, Unavailable> {
    let talk = talk(cx, day)?;
    match &talk.sent {
        Ok(_) => Ok(talk),
        Err(error) => Err(Unavailable::by("canary.send", refused(cx, error))),
    }
}
