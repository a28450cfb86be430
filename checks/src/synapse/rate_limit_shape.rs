//! `synapse.rate_limit_shape`.

use futures_util::future::join_all;
use http::header::RETRY_AFTER;
use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::http::Response;
use serde_json::Value;

use super::shared::registration;
use super::{error_shapes, media_config};
use crate::facts::{Homeserver, Versions, ask, gist};
use crate::{Cx, Verdict, check};

check! {
    /// Who is limited is told so in the way that clients understand.
    ///
    /// ## What it asserts
    /// An answer that limits our rate (429) is the homeserver's own: JSON with `errcode`
    /// `M_LIMIT_EXCEEDED`, and says how long to wait, by `Retry-After` or `retry_after_ms`. Only
    /// answers that came in the course of the run are judged (above all that to the question
    /// whether registration is open, which Synapse limits). None is provoked: that would lock out
    /// the people behind the same address.
    ///
    /// ## Why it matters
    /// Clients wait for as long as they are told. Told nothing, or given a page, they go on asking
    /// at once and stay limited, or show an error that nobody understands.
    ///
    /// ## What makes it fail
    /// 429 as a page of the edge or the ingress (its own limit is below the homeserver's), without
    /// `M_LIMIT_EXCEEDED`, or without a time. All are warnings. Where nothing was limited the check
    /// is skipped.
    ///
    /// ## How to fix it
    /// Take rate limits of the ingress (`rateLimit` middleware) and of the edge off `/_matrix`, or
    /// set them far above what one Element asks at its start, some hundred requests.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Rate limiting"; RFC 6585, section 4; RFC 9110, section 10.2.3.
    "synapse.rate_limit_shape" at P: "a limited answer has the specified shape"
    causes ["rate-limited-by-edge", "rate-limit-shape-wrong"]
    timeout 40
}

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    cx.fact(Versions).await?;
    let name = &cx.target().server_name;
    // Asked by other checks as well: nothing is sent twice for this one.
    let cases = error_shapes::CASES.iter().chain(media_config::CASES);
    let asks = cases.map(|case| case.ask(&homeserver, name)).chain([registration(&homeserver)]);
    let answers = join_all(asks.map(|ask| ask::fetch(cx, ask))).await;
    let answers = answers.into_iter().filter_map(Result::ok);
    let limited: Vec<_> = answers.filter(|answer| answer.last().status.as_u16() == 429).collect();
    let Some(first) = limited.first() else {
        let reason = "nothing was limited in this run, and no limit is provoked";
        return Ok(Finding::skip(reason).into());
    };
    let worst = limited.iter().map(|answer| judge(answer.last())).max_by_key(|f| f.outcome);
    let finding = worst.unwrap_or_else(|| judge(first.last()));
    let lines = limited.iter().map(|it| Evidence::new(EvidenceKind::Request, it.last().line()));
    Ok(finding.evidences(lines).into())
}

fn judge(answer: &Response) -> Finding {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let Some(errcode) = document.get("errcode").and_then(Value::as_str) else {
        let summary = "our rate is limited by what stands before the homeserver, not by itself";
        return Finding::warn("rate-limited-by-edge", summary)
            .expected("JSON with M_LIMIT_EXCEEDED, from the homeserver")
            .actual(gist(answer));
    };
    let header = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let header = header.is_some_and(|text| {
        text.trim().parse::<u32>().is_ok() || jiff::fmt::rfc2822::parse(text).is_ok()
    });
    let field = document.get("retry_after_ms").is_some_and(Value::is_u64);
    let wrong = |summary: &str| {
        Finding::warn("rate-limit-shape-wrong", summary)
            .expected("M_LIMIT_EXCEEDED, with Retry-After or retry_after_ms")
            .actual(gist(answer))
    };
    if errcode != "M_LIMIT_EXCEEDED" {
        return wrong("a limited answer does not say M_LIMIT_EXCEEDED");
    }
    if !header && !field {
        return wrong("a limited answer does not say how long to wait");
    }
    Finding::pass("a limited answer says so, and how long to wait")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    #[test]
    fn limits_are_told_as_specified() {
        let cause =
            |headers: &[(&'static str, &str)], body| judge(&answer(429, headers, body)).cause;
        let synapse =
            r#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":5000}"#;
        assert_eq!(cause(&[("retry-after", "5")], synapse), None);
        assert_eq!(cause(&[], synapse), None);
        let newer = r#"{"errcode":"M_LIMIT_EXCEEDED","error":"x"}"#;
        assert_eq!(cause(&[("retry-after", "5")], newer), None);
        assert_eq!(cause(&[("retry-after", "Mon, 05 Jan 2026 10:00:00 GMT")], newer), None);
        assert_eq!(cause(&[], newer), Some("rate-limit-shape-wrong"));
        assert_eq!(cause(&[("retry-after", "soon")], newer), Some("rate-limit-shape-wrong"));
        let other = r#"{"errcode":"M_UNKNOWN","error":"x","retry_after_ms":1}"#;
        assert_eq!(cause(&[], other), Some("rate-limit-shape-wrong"));
        assert_eq!(cause(&[], "error code: 1015"), Some("rate-limited-by-edge"));
        assert_eq!(cause(&[], "<html>Too many requests</html>"), Some("rate-limited-by-edge"));
    }
}
