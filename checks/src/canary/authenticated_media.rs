//! `canary.authenticated_media`

use mxdoctor_model::Finding;
use mxdoctor_probes::matrix::client::{CallError, Stored};

use super::media;
use super::stage::{day, trouble};
use crate::facts::{Pictures, Versions};
use crate::synapse::media_config::has_authenticated_media;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// A picture that was just downloaded with a token is not given to somebody without one, neither
    /// by the authenticated endpoint nor by the one of before v1.11.
    ///
    /// ## Why it matters
    /// Synapse marks media as `public` for caches, to be asked about again at each use. An edge that
    /// is told to keep everything, whatever the origin says, hands people's pictures to anybody who
    /// has the link.
    ///
    /// ## What makes it fail
    /// 200 to the authenticated endpoint without a token. The old endpoint's 200 is a warning:
    /// `enable_authenticated_media` is off. A homeserver of before v1.11 is a skip.
    ///
    /// ## How to fix it
    /// Take `/_matrix` out of every cache rule ("cache everything", edge TTL) of the edge, and purge
    /// the cache. Set `enable_authenticated_media: true`, which is the default.
    ///
    /// ## Where it comes from
    /// Matrix client-server API v1.11, "Content repository"; MSC3916.
    "canary.authenticated_media" at PIC: "media are not given to strangers"
    causes [
        "media-without-token", "media-unauthenticated", "homeserver-broken",
        "homeserver-path-not-routed", "authenticated-media-missing", "no-http-answer",
    ]
    timeout 110
}

async fn run(cx: &Cx) -> Verdict {
    let day = day(cx, CHECK.id).await?;
    media::uploaded(cx, &day)?;
    let versions = cx.fact(Versions).await?;
    if !day.pictures.authenticated && has_authenticated_media(&versions) {
        let summary = "authenticated media are announced, and not there";
        return Ok(Finding::fail("authenticated-media-missing", summary)
            .expected("/_matrix/client/v1/media as of v1.11")
            .actual("404 M_UNRECOGNIZED")
            .into());
    }
    Ok(judge(cx, &day.pictures).into())
}

fn judge(cx: &Cx, pictures: &Pictures) -> Finding {
    if !pictures.authenticated {
        return Finding::skip("the homeserver has no authenticated media, which came with v1.11");
    }
    let expected = "401 M_MISSING_TOKEN";
    match &pictures.without_token {
        Some(Ok(stored)) => {
            let who = if stored.cached { "a cache" } else { "the server" };
            let summary = format!("{who} gives a picture to somebody without a token");
            return Finding::fail("media-without-token", summary)
                .expected(expected)
                .actual(told(stored));
        }
        Some(Err(error)) if matches!(error.status(), Some(401 | 403)) => {}
        Some(Err(error)) => return doubtful(cx, error).expected(expected),
        None => return Finding::error("whether media need a token was not asked"),
    }
    match &pictures.before {
        Some(Ok(stored)) => Finding::warn(
            "media-unauthenticated",
            "the endpoint of before v1.11 gives new pictures to anybody who has the link",
        )
        .expected("404 M_NOT_FOUND")
        .actual(told(stored)),
        Some(Err(error)) if matches!(error.status(), Some(400..=428 | 430..=499)) => {
            Finding::pass("media need a token, and the endpoint of before v1.11 has none of them")
        }
        Some(Err(error)) => doubtful(cx, error).expected("404 M_NOT_FOUND"),
        None => Finding::error("the endpoint of before v1.11 was not asked"),
    }
}

fn doubtful(cx: &Cx, error: &CallError) -> Finding {
    trouble(cx, "media-without-token", "asking for a picture without a token", error)
}

fn told(stored: &Stored) -> String {
    format!("200, {}, {} bytes", stored.kind, stored.bytes.len())
}
