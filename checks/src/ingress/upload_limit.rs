//! `ingress.upload_limit`.

use std::time::Duration;

use http::Method;
use http::header::CONTENT_TYPE;
use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::http::{Exchange, Filler, HttpError, Request, Response};
use serde_json::Value;
use url::Url;

use crate::facts::{Canary, Homeserver, Software, Versions, gist};
use crate::{Cx, Verdict, check};

check! {
    /// What the homeserver takes, the ingress takes as well.
    ///
    /// ## What it asserts
    /// An upload that is announced (`Content-Length`) as just below the homeserver's limit is not
    /// refused on its way. The limit is what the synthetic user is told (`m.upload.size`, with
    /// `--allow canary`), else `expect.upload_limit`; where neither is known, Synapse's own default
    /// of 50 MiB is tried. Both, where they are known, must be the same. The request carries no token and no body, so that
    /// nothing is stored and nothing is sent: who refuses by length answers at once, and everybody
    /// else waits for the body. With `--slow` the body is sent as well, as zeros, which the
    /// homeserver refuses for want of a token; only this shows limits that count what has arrived.
    /// How a body just above the limit fares is noted.
    ///
    /// ## Why it matters
    /// Clients ask the homeserver how large a file may be and let people send it. The ingress then
    /// ends the upload with 413, often without CORS, and people read "failed to upload".
    ///
    /// ## What makes it fail
    /// - fail: 413 for less than the homeserver's limit, or that limit is not `expect.upload_limit`.
    /// - warn: 413 for 50 MiB, where it is not known how much the homeserver takes.
    ///
    /// It is skipped for other homeservers than Synapse without `expect.upload_limit`.
    ///
    /// ## How to fix it
    /// nginx: `client_max_body_size 50m;` Traefik: `buffering.maxRequestBodyBytes`. Cloudflare: 100
    /// MB on the Free and Pro plans, whatever is set behind it; `max_upload_size` must be below.
    ///
    /// ## Where it comes from
    /// RFC 9110, section 15.5.14; Matrix client-server API, "Content repository"; Synapse
    /// documentation, "Using a reverse proxy with Synapse".
    "ingress.upload_limit" at PI: "the ingress takes bodies as large as the homeserver"
    causes ["ingress-upload-limit", "upload-limit-differs"]
    timeout 120
    attempts 2
}

/// Synapse's `max_upload_size` where it is not set.
const DEFAULT: u64 = 50 << 20;

/// How far below and above the limit is tried.
const MARGIN: u64 = 1024;

/// The least that a refusal is waited for, besides four times what another answer took.
const LEAST: Duration = Duration::from_millis(1000);
/// The most.
const MOST: Duration = Duration::from_secs(4);
/// How long a body that is sent may take.
const SENT: Duration = Duration::from_secs(90);

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    let versions = cx.fact(Versions).await?;
    let expected = cx.target().expect.upload_limit;
    let told = told(cx).await;
    if let (Some(expected), Some(told)) = (expected, told)
        && expected != told
    {
        let summary = "the homeserver takes files of another size than is written down";
        return Ok(Finding::fail("upload-limit-differs", summary)
            .expected(in_words(expected))
            .actual(format!("m.upload.size {told}"))
            .into());
    }
    let written = told.or(expected);
    if written.is_none() && !cx.fact(Software).await.is_ok_and(|software| software.is_synapse()) {
        let reason = "the homeserver's upload limit is not known";
        return Ok(Finding::skip(reason).remedy("write down `expect.upload_limit`").into());
    }
    let limit = written.unwrap_or(DEFAULT);
    let url = homeserver.url("/_matrix/media/v3/upload");
    let t = versions.exchange.last().timings;
    let took = t.resolve + t.connect + t.handshake + t.first_byte;
    let patience = (LEAST + took * 4).min(MOST);
    let announce = |length| ask(cx, &url, length, true, patience);
    let (below, above) = futures_util::join!(
        announce(limit.saturating_sub(MARGIN).max(1)),
        announce(limit.saturating_add(1 << 20)),
    );
    let mut tries = vec![below, above];
    if cx.target().slow && tries[0].seen == Seen::Taken {
        tries.insert(0, ask(cx, &url, limit.saturating_sub(MARGIN).max(1), false, SENT).await);
    }
    let lines: Vec<Evidence> =
        tries.iter().map(|one| Evidence::new(EvidenceKind::Request, one.line.clone())).collect();
    Ok(judge(&tries[0], limit, written.is_some()).evidences(lines).into())
}

/// The limit that the synthetic user is told, where there is one in this run.
async fn told(cx: &Cx) -> Option<u64> {
    match Canary::withheld(cx) {
        Some(_) => None,
        None => cx.fact(Canary).await.ok()?.upload_limit,
    }
}

/// An upload that was tried.
struct Tried {
    seen: Seen,
    sent: bool,
    line: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    /// Nobody refused its length.
    Taken,
    /// 413 from what stands before the homeserver.
    Refused(String),
    /// 413 from the homeserver.
    RefusedByHomeserver(String),
    /// It cannot be told.
    Unknown(String),
}

async fn ask(cx: &Cx, url: &Url, length: u64, withheld: bool, patience: Duration) -> Tried {
    let mut request = Request::get(url.clone());
    request.method = Method::POST;
    request.filler = Some(Filler { length, withheld });
    request.patience = Some(patience);
    let kind = http::HeaderValue::from_static("application/octet-stream");
    request.headers.insert(CONTENT_TYPE, kind);
    let what = if withheld { "announced" } else { "sent" };
    let answer = cx.net().http(request).await;
    let line = match &answer {
        Ok(exchange) => format!("{length} bytes {what}: {}", exchange.last().line()),
        Err(error) => format!("{length} bytes {what}: {error}"),
    };
    Tried { seen: see(answer, withheld), sent: !withheld, line }
}

fn see(answer: Result<Exchange, HttpError>, withheld: bool) -> Seen {
    match answer {
        Ok(exchange) => see_answer(exchange.last()),
        // Everybody waits for the body, as is right.
        Err(HttpError::TimedOut { .. }) if withheld => Seen::Taken,
        Err(error) => Seen::Unknown(error.to_string()),
    }
}

fn see_answer(answer: &Response) -> Seen {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let of_homeserver = document.get("errcode").is_some();
    match answer.status.as_u16() {
        413 if of_homeserver => Seen::RefusedByHomeserver(gist(answer)),
        413 => Seen::Refused(gist(answer)),
        400..=403 if of_homeserver => Seen::Taken,
        _ => Seen::Unknown(gist(answer)),
    }
}

fn judge(tried: &Tried, limit: u64, written: bool) -> Finding {
    let size = in_words(limit);
    match &tried.seen {
        Seen::Taken if tried.sent => Finding::pass(format!("a body of {size} arrives")),
        Seen::Taken => Finding::pass(format!("a body of {size} is not refused for its length")),
        Seen::Refused(actual) if written => {
            let summary = format!("files of less than {size} are refused before the homeserver");
            Finding::fail("ingress-upload-limit", summary)
                .expected(format!("bodies of {size} pass the ingress"))
                .actual(actual)
        }
        Seen::Refused(actual) => {
            let summary = format!(
                "files of {size}, which Synapse takes unless told otherwise, are refused before it"
            );
            Finding::warn("ingress-upload-limit", summary)
                .expected(format!("bodies of {size} pass the ingress, or `expect.upload_limit`"))
                .actual(actual)
        }
        Seen::RefusedByHomeserver(actual) if written => {
            let summary = format!("the homeserver itself takes less than {size}");
            Finding::fail("upload-limit-differs", summary).expected(&size).actual(actual)
        }
        Seen::RefusedByHomeserver(_) => Finding::pass(format!(
            "the homeserver itself takes less than {size}: the ingress takes enough"
        )),
        Seen::Unknown(why) => {
            Finding::error(format!("whether {size} pass cannot be told: {why}")).transient()
        }
    }
}

fn in_words(bytes: u64) -> String {
    match bytes {
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome::{self, Error, Fail, Pass, Warn};

    use super::*;
    use crate::facts::tests::answer;

    fn judged(seen: Seen, written: bool) -> (Outcome, Option<&'static str>) {
        let tried = Tried { seen, sent: false, line: String::new() };
        let finding = judge(&tried, 50 << 20, written);
        (finding.outcome, finding.cause)
    }

    #[test]
    fn who_refuses_is_told_apart() {
        let missing = r#"{"errcode":"M_MISSING_TOKEN","error":"Missing access token"}"#;
        assert_eq!(see_answer(&answer(401, &[], missing)), Seen::Taken);
        let page = "<html><center>nginx</center>";
        assert!(matches!(see_answer(&answer(413, &[], page)), Seen::Refused(_)));
        let large = r#"{"errcode":"M_TOO_LARGE","error":"Upload request body is too large"}"#;
        assert!(matches!(see_answer(&answer(413, &[], large)), Seen::RefusedByHomeserver(_)));
        for (status, body) in [(502, "Bad Gateway"), (404, "404 page not found"), (401, "<html>")] {
            assert!(matches!(see_answer(&answer(status, &[], body)), Seen::Unknown(_)), "{status}");
        }
        let limit = Duration::from_secs(1);
        let address = ([192, 0, 2, 1], 443).into();
        let silent = || Err(HttpError::TimedOut { address, limit });
        assert_eq!(see(silent(), true), Seen::Taken);
        assert!(matches!(see(silent(), false), Seen::Unknown(_)));
    }

    #[test]
    fn what_is_written_down_is_held_to() {
        let refused = || Seen::Refused("413".into());
        assert_eq!(judged(Seen::Taken, true), (Pass, None));
        assert_eq!(judged(refused(), true), (Fail, Some("ingress-upload-limit")));
        assert_eq!(judged(refused(), false), (Warn, Some("ingress-upload-limit")));
        let own = || Seen::RefusedByHomeserver("413".into());
        assert_eq!(judged(own(), true), (Fail, Some("upload-limit-differs")));
        assert_eq!(judged(own(), false), (Pass, None));
        assert_eq!(judged(Seen::Unknown("502".into()), true), (Error, None));
        assert_eq!(in_words(50 << 20), "50 MiB");
        assert_eq!(in_words(3000), "3000 bytes");
    }
}
