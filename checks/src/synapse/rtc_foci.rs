//! `synapse.rtc_foci`.

use http::header::{
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, ORIGIN,
};
use http::{HeaderValue, Method};
use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::http::{Exchange, HttpError, Request, Response};
use serde_json::Value;
use url::Url;

use super::cors::allowed_origin;
use crate::facts::{WellKnownClient, bare, below, gist, web_url};
use crate::{Cx, Verdict, check};

check! {
    /// Where calls by Element Call are announced, the service behind them answers.
    ///
    /// ## What it asserts
    /// Each LiveKit focus in `org.matrix.msc4143.rtc_foci` of the client well-known has an https
    /// URL; the service there that gives out tokens refuses an empty request as its own (a JSON
    /// error at `/sfu/get`, or at `/get_token` of later versions), and lets pages of other origins
    /// ask.
    ///
    /// ## Why it matters
    /// Element Call and Element X take the focus from there. With none that answers, a call says
    /// `MISSING_MATRIX_RTC_FOCUS`, or rings and never connects.
    ///
    /// ## What makes it fail
    /// Foci without a usable URL; no answer, a gateway's page or 404 in place of the service; no
    /// `Access-Control-Allow-Origin`. It is skipped where no focus is announced. The address of the
    /// LiveKit server itself is told only in exchange for a person's token, and is not looked at.
    ///
    /// ## How to fix it
    /// Publish `livekit_service_url` as the address at which `lk-jwt-service` is routed, without
    /// `/sfu/get`; look at its pod, and at the rule that routes `/sfu/get` to it.
    ///
    /// ## Where it comes from
    /// MSC4143, "Discovery of foci"; MSC4195; `lk-jwt-service`.
    "synapse.rtc_foci" at P: "announced MatrixRTC foci answer"
    causes ["rtc-focus-wrong", "rtc-focus-down"]
    timeout 40
    attempts 2
}

const KEY: &str = "org.matrix.msc4143.rtc_foci";

/// Foci that are looked at.
const MOST: usize = 8;

/// Stands for a page of Element Call; never asked itself.
const PAGE: &str = "https://call.invalid";

async fn run(cx: &Cx) -> Verdict {
    let known = cx.fact(WellKnownClient).await?;
    let Ok(document) = &known.document else {
        let reason = "the client well-known cannot be read: see synapse.well_known_client";
        return Ok(Finding::skip(reason).into());
    };
    let Some(announced) = document.get(KEY) else {
        return Ok(Finding::skip("no MatrixRTC focus is announced").into());
    };
    let services = match services(announced) {
        Ok(services) if services.is_empty() => {
            return Ok(Finding::skip("no LiveKit focus is announced").into());
        }
        Ok(services) => services,
        Err(why) => {
            let finding = Finding::fail("rtc-focus-wrong", format!("{KEY} is of no use: {why}"));
            let finding = finding.expected("a list of objects with `livekit_service_url`, https");
            return Ok(finding
                .actual(announced.to_string().chars().take(200).collect::<String>())
                .into());
        }
    };
    let names: Vec<Focus> = services.into_iter().map(Focus).collect();
    Ok(cx.each(names, |focus| async move { Ok(look(cx, &focus.0).await.into()) }).await)
}

/// A LiveKit service, shown without its scheme's noise.
struct Focus(Url);

impl std::fmt::Display for Focus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&bare(&self.0))
    }
}

/// The LiveKit services of the list; other types of foci are left out.
fn services(announced: &Value) -> Result<Vec<Url>, String> {
    let list = announced.as_array().ok_or("it is not a list")?;
    let mut services = Vec::new();
    for focus in list.iter().take(MOST) {
        match focus.get("type").and_then(Value::as_str) {
            Some("livekit") => {}
            Some(_) => continue,
            None => return Err("a focus has no type".into()),
        }
        let text = focus.get("livekit_service_url").and_then(Value::as_str);
        let text = text.ok_or("a focus has no livekit_service_url")?;
        let url = web_url(text).ok_or_else(|| format!("`{text}` is not a URL"))?;
        if url.scheme() != "https" {
            return Err(format!("`{text}` is not https, and browsers refuse it"));
        }
        if !services.contains(&url) {
            services.push(url);
        }
    }
    Ok(services)
}

async fn look(cx: &Cx, service: &Url) -> Finding {
    let ask = |path: &'static str| cx.net().http(request(below(service, path)));
    let permit = cx.net().http(preflight(below(service, "/sfu/get")));
    let (old, new, permit) = futures_util::join!(ask("/sfu/get"), ask("/get_token"), permit);
    let lines: Vec<Evidence> = [&old, &new, &permit]
        .into_iter()
        .map(|answer| match answer {
            Ok(exchange) => Evidence::new(EvidenceKind::Request, exchange.last().line()),
            Err(error) => Evidence::new(EvidenceKind::Request, error.to_string()),
        })
        .collect();
    judge(service, old, new, permit).evidences(lines)
}

/// A request for a token that names nobody and no room: it is refused and changes nothing.
fn request(url: Url) -> Request {
    let mut request = Request::get(url);
    request.method = Method::POST;
    request.body = "{}".into();
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.headers.insert(ORIGIN, HeaderValue::from_static(PAGE));
    request
}

fn preflight(url: Url) -> Request {
    let mut request = Request::get(url);
    request.method = Method::OPTIONS;
    let headers = &mut request.headers;
    headers.insert(ORIGIN, HeaderValue::from_static(PAGE));
    headers.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST"));
    headers.insert(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static("content-type"));
    request
}

type Answer = Result<Exchange, HttpError>;

fn judge(service: &Url, old: Answer, new: Answer, permit: Answer) -> Finding {
    let down = |why: String| {
        Finding::fail("rtc-focus-down", format!("the focus {} does not answer", bare(service)))
            .expected("400 with a JSON error at /sfu/get")
            .actual(why)
            .transient()
    };
    let (old, new) = match (old, new) {
        (Err(HttpError::Ours(why)), _) => return Finding::error(why),
        (Err(error), Err(_)) => return down(error.to_string()),
        (old, new) => (old.ok(), new.ok()),
    };
    let answers = || [&old, &new].into_iter().flatten().map(Exchange::last);
    let Some(answer) = answers().find(|answer| is_service(answer)) else {
        return match answers().next() {
            Some(answer) => down(gist(answer)),
            None => down("no answer".into()),
        };
    };
    // Browsers ask before they post JSON, and read no answer that does not permit it.
    let permitted = permit.map_err(|error| error.to_string()).and_then(|exchange| {
        let answer = exchange.last();
        let status = answer.status.as_u16();
        if !answer.status.is_success() {
            return Err(format!("the preflight is answered with {status}"));
        }
        allowed_origin(&answer.headers, Some(PAGE)).map_err(|refusal| refusal.to_string())
    });
    let permitted = permitted.and_then(|()| {
        allowed_origin(&answer.headers, Some(PAGE)).map_err(|refusal| refusal.to_string())
    });
    match permitted {
        Ok(()) => Finding::pass(format!("the focus {} answers", bare(service))),
        Err(why) => {
            let summary = format!("browsers may not ask the focus {}: {why}", bare(service));
            Finding::fail("rtc-focus-wrong", summary)
                .expected("a preflight with 2xx, and Access-Control-Allow-Origin once")
                .actual(why)
        }
    }
}

/// Whether the service that gives out tokens says itself that the request is of no use.
fn is_service(answer: &Response) -> bool {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let errcode = document.get("errcode").and_then(Value::as_str);
    matches!(answer.status.as_u16(), 400..=403)
        && errcode.is_some_and(|code| code != "M_UNRECOGNIZED")
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;
    use serde_json::json;

    use super::*;
    use crate::facts::tests::answer;

    const CORS: &[(&str, &str)] = &[("access-control-allow-origin", "*")];
    const REFUSED: &str = r#"{"errcode":"M_BAD_JSON","error":"The JSON body is wrong"}"#;

    fn exchange(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        Ok(Exchange { hops: vec![answer(status, headers, body)], redirect_trouble: None })
    }

    fn judged(old: Answer, new: Answer, permit: Answer) -> (Outcome, Option<&'static str>) {
        let service = "https://rtc.example.org/livekit/jwt".parse().expect("a URL");
        let finding = judge(&service, old, new, permit);
        (finding.outcome, finding.cause)
    }

    #[test]
    fn foci_are_read() {
        let url = "https://rtc.example.org/livekit/jwt";
        let right = json!([{"type": "livekit", "livekit_service_url": url}, {"type": "full_mesh"}]);
        assert_eq!(services(&right).expect("foci")[0].as_str(), url);
        for wrong in [
            json!({}),
            json!([{"livekit_service_url": url}]),
            json!([{"type": "livekit"}]),
            json!([{"type": "livekit", "livekit_service_url": "rtc.example.org"}]),
            json!([{"type": "livekit", "livekit_service_url": "http://rtc.example.org"}]),
        ] {
            assert!(services(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_service_that_refuses_is_there() {
        let gone = || exchange(404, &[], "404 page not found");
        let there = || exchange(400, CORS, REFUSED);
        let permit = || exchange(200, CORS, "");
        assert_eq!(judged(there(), gone(), permit()), (Outcome::Pass, None));
        assert_eq!(judged(gone(), there(), permit()), (Outcome::Pass, None));
        let down = (Outcome::Fail, Some("rtc-focus-down"));
        assert_eq!(judged(gone(), gone(), permit()), down);
        let page = || exchange(200, CORS, "<html>");
        assert_eq!(judged(page(), page(), permit()), down);
        let bad = || exchange(502, &[], "Bad Gateway");
        assert_eq!(judged(bad(), bad(), bad()), down);
        let wrong = (Outcome::Fail, Some("rtc-focus-wrong"));
        assert_eq!(judged(there(), gone(), exchange(405, CORS, "")), wrong);
        assert_eq!(judged(exchange(400, &[], REFUSED), gone(), permit()), wrong);
        let ours = || Err(HttpError::Ours("no file descriptors".into()));
        assert_eq!(judged(ours(), ours(), ours()).0, Outcome::Error);
    }
}
