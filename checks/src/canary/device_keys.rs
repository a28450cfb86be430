//! `canary.device_keys`

use mxdoctor_model::Finding;

use super::stage::{day, trouble};
use crate::facts::KeysKept;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Keys of a device are taken, and are there when they are asked for.
    ///
    /// ## Why it matters
    /// Without each other's device keys nobody can read an encrypted message: "unable to decrypt".
    ///
    /// ## What makes it fail
    /// The upload is refused, or what comes back is not what went up. With a token that is kept the
    /// device may have keys of its own, which are left alone: a skip.
    ///
    /// ## How to fix it
    /// Read the homeserver's log at that moment; with workers, see that `/keys/upload` and
    /// `/keys/query` are routed to ones that may serve them.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Key management API".
    "canary.device_keys" at PIC: "keys of a device are kept and found"
    causes [
        "device-keys-lost", "homeserver-broken", "homeserver-path-not-routed", "no-http-answer",
    ]
    timeout 110
}

async fn run(cx: &Cx) -> Verdict {
    let day = day(cx, CHECK.id).await?;
    let finding = match &day.device_keys {
        Err(error) => trouble(cx, "device-keys-lost", "uploading and asking for keys", error),
        Ok(KeysKept::NotSent(reason)) => Finding::skip(reason.clone()),
        Ok(KeysKept::Asked { sent, kept }) if kept.as_ref().as_ref() == Some(&**sent) => {
            Finding::pass("the keys of the device are there as they were sent")
        }
        Ok(KeysKept::Asked { kept, .. }) => {
            let actual = if kept.is_some() { "other keys" } else { "none" };
            Finding::fail("device-keys-lost", "the keys of the device are not there as sent")
                .expected("the keys that were sent a moment before")
                .actual(actual)
        }
    };
    Ok(finding.into())
}
