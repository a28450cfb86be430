//! `canary.thumbnail`

use mxdoctor_model::Finding;

use super::media;
use super::stage::{day, ms, trouble};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// A small version of a picture is made.
    ///
    /// ## Why it matters
    /// Timelines and avatars show small versions. They are made by an image library, which is what
    /// breaks after upgrades while the pictures themselves still come.
    ///
    /// ## What makes it fail
    /// No answer, a refusal, or something that is not a picture.
    ///
    /// ## How to fix it
    /// Look in Synapse's log for `Failed to generate thumbnail`; see `max_image_pixels` and
    /// `dynamic_thumbnails` in homeserver.yaml, and the space on the media volume.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Thumbnails".
    "canary.thumbnail" at PIC: "a small version of a picture is made"
    causes [
        "thumbnail-failed", "homeserver-broken", "homeserver-path-not-routed", "no-http-answer",
    ]
    timeout 110
}

/// How pictures of the kinds that homeservers make begin: PNG, JPEG, GIF, RIFF (WebP).
const BEGINNINGS: [&[u8]; 4] = [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF"];

async fn run(cx: &Cx) -> Verdict {
    let day = day(cx, CHECK.id).await?;
    media::uploaded(cx, &day)?;
    let finding = match &day.pictures.thumbnail {
        Some(Ok(stored)) => {
            let is_picture = BEGINNINGS.iter().any(|begin| stored.bytes.starts_with(begin));
            let (kind, took) = (&stored.kind, ms(stored.took));
            if is_picture && kind.starts_with("image/") {
                Finding::pass(format!("a small version was made in {took:.0} ms")).metric(
                    "thumbnail",
                    took,
                    "ms",
                )
            } else {
                Finding::fail("thumbnail-failed", "what comes as a small version is no picture")
                    .expected("image/png or image/jpeg")
                    .actual(format!("{kind}, {} bytes", stored.bytes.len()))
            }
        }
        Some(Err(error)) => {
            trouble(cx, "thumbnail-failed", "asking for a small version", error).expected("200")
        }
        None => Finding::error("no small version was asked for"),
    };
    Ok(finding.into())
}
