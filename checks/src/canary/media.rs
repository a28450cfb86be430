//! `canary.media`

use mxdoctor_model::Finding;

use super::stage::{day, ms, trouble};
use crate::facts::Day;
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// A picture goes up, and comes down again byte for byte.
    ///
    /// ## Why it matters
    /// Media take another way than messages: a disk of their own, often a proxy's limits and an
    /// edge that means well and compresses.
    ///
    /// ## What makes it fail
    /// - The upload is refused: the disk is full or not writable, or a proxy limits bodies.
    /// - The download is refused, or is not what went up.
    ///
    /// ## How to fix it
    /// Look at the volume behind `media_store_path`; take image optimisation (Polish, Mirage,
    /// compression middlewares) off `/_matrix`.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Content repository".
    "canary.media" at PIC: "a picture goes up and comes down unaltered"
    causes [
        "media-upload-refused", "media-download-refused", "media-altered", "homeserver-broken",
        "homeserver-path-not-routed", "no-http-answer",
    ]
    timeout 110
}

async fn run(cx: &Cx) -> Verdict {
    let day = day(cx, CHECK.id).await?;
    let (_, up) = uploaded(cx, &day)?;
    let pictures = &day.pictures;
    let finding = match &pictures.download {
        Some(Ok((stored, true))) => {
            let (up, down) = (ms(up), ms(stored.took));
            let size = pictures.size;
            Finding::pass(format!("{size} bytes went up in {up:.0} ms and down in {down:.0} ms"))
                .metric("upload", up, "ms")
                .metric("download", down, "ms")
        }
        Some(Ok((stored, false))) => {
            let summary = "what comes down is not what went up";
            Finding::fail("media-altered", summary)
                .expected(format!("image/png, {} bytes", pictures.size))
                .actual(format!("{}, {} bytes", stored.kind, stored.bytes.len()))
        }
        Some(Err(error)) => trouble(cx, "media-download-refused", "downloading a picture", error)
            .expected("200 with its bytes"),
        None => Finding::error("the picture was not downloaded"),
    };
    Ok(finding.into())
}

/// What needs a picture that went up.
pub(super) fn uploaded<'d>(
    cx: &Cx,
    day: &'d Day,
) -> Result<(&'d mxdoctor_probes::matrix::client::Mxc, std::time::Duration), Unavailable> {
    match &day.pictures.upload {
        Ok((mxc, took)) => Ok((mxc, *took)),
        Err(error) => {
            let finding = trouble(cx, "media-upload-refused", "uploading a picture", error);
            Err(Unavailable::by("canary.media", finding.expected("200 with a content_uri")))
        }
    }
}
