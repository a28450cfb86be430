//! `ingress.escaped_paths`

use http::Method;
use mxdoctor_model::{EvidenceKind, Finding, Vantage};
use mxdoctor_probes::http::Response;
use serde_json::Value;

use crate::facts::{Ask, Homeserver, Versions, ask, federation_places, gist, send_place, unserved};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// Paths with encoded characters (`%23`, `%2F`, `%24`) arrive at the homeserver as they were
    /// sent: through the ingress of the client API and of the federation API.
    ///
    /// ## Why it matters
    /// Room aliases and event ids stand in paths. Where they are refused, joining by an alias
    /// hangs; where they are decoded, signatures of other servers hold no more.
    ///
    /// ## What makes it fail
    /// - The ingress answers 400 by itself, as Traefik 3.6.4 to 3.6.6 do by default.
    /// - The homeserver does not know the path, while it knows the same one without `%2F`.
    /// - A redirect to the path without the encoding.
    ///
    /// ## How to fix it
    /// Allow encoded characters on every entry point of Traefik (`http.encodedCharacters`), and
    /// pass the path on unchanged in every other proxy.
    ///
    /// ## Where it comes from
    /// RFC 3986, section 2.2; Matrix client-server API, "Room aliases"; server-server API, "Request
    /// authentication" (`uri`); Traefik, `encodedCharacters`.
    "ingress.escaped_paths" at PI: "paths with encoded characters arrive unchanged"
    causes ["encoded-characters-refused", "escaped-paths-decoded"]
    timeout 60
    attempts 2
}

/// How an answer to such a path is to be taken.
#[derive(Debug, PartialEq, Eq)]
enum Arrived {
    /// The homeserver knows it.
    Yes,
    /// The homeserver does not know the path at all.
    Unknown,
    /// Something in front refuses it.
    Refused,
    /// Something in front sends elsewhere.
    Redirected,
    /// Something else is wrong, and others say what.
    Unclear,
}

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    cx.fact(Versions).await?;
    let (word, name) = (ask::fresh_word(), cx.target().server_name.replace(':', "%3A"));
    let alias = |part: &str| format!("/_matrix/client/v3/directory/room/{part}%3A{name}");
    let client = |part: &str| Ask::get(homeserver.url(&alias(part)));
    let hash = sent(cx, client(&format!("%23{word}"))).await?;
    let slash = sent(cx, client(&format!("%23no%2F{word}"))).await?;
    let mut answers = vec![hash.clone(), slash.clone()];
    let mut finding = judge(&hash, None).or_else(|| judge(&slash, Some(&hash)));
    if finding.is_none() && cx.vantage() == Vantage::Public {
        // Where the way of other servers is broken, the checks of federation say so.
        if let Some([plain, slash]) = federation(cx, &word).await {
            finding = match arrived(&plain) {
                Arrived::Unknown | Arrived::Unclear => None,
                _ => judge(&plain, None).or_else(|| judge(&slash, Some(&plain))),
            };
            answers.extend([plain, slash]);
        }
    }
    let arrived = answers.iter().filter(|answer| arrived(answer) == Arrived::Yes).count();
    let finding = finding.unwrap_or_else(|| {
        Finding::pass(format!("{arrived} paths with encoded characters arrive"))
    });
    Ok(answers
        .iter()
        .fold(finding, |finding, answer| finding.evidence(EvidenceKind::Request, answer.line()))
        .into())
}

async fn sent(cx: &Cx, ask: Ask) -> Result<Response, Unavailable> {
    Ok(ask::fetch(cx, ask).await?.last().clone())
}

/// The same by the way of other servers: an event's id, without a signature.
async fn federation(cx: &Cx, word: &str) -> Option<[Response; 2]> {
    let places = federation_places(cx).await.ok()?;
    let place = places.first()?;
    let event = |id: &str| place.ask(Method::GET, &format!("/_matrix/federation/v1/event/{id}"));
    let plain = send_place(cx, place, event(&format!("%24{word}"))).await.ok()?;
    let slash = send_place(cx, place, event(&format!("%24no%2F{word}"))).await.ok()?;
    Some([plain.last().clone(), slash.last().clone()])
}

fn arrived(answer: &Response) -> Arrived {
    let status = answer.status.as_u16();
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match json.get("errcode").and_then(Value::as_str) {
        Some("M_UNRECOGNIZED") => Arrived::Unknown,
        Some(_) => Arrived::Yes,
        None if status == 400 || status == 403 => Arrived::Refused,
        None if answer.status.is_redirection() => Arrived::Redirected,
        None if status == 200 && unserved(answer).is_none() => Arrived::Yes,
        None if status == 404 => Arrived::Unknown,
        None => Arrived::Unclear,
    }
}

/// What is wrong with an answer, where the one that it is held against is fine. A path that the
/// homeserver does not know is only a finding where it knows the other one.
fn judge(answer: &Response, held_to: Option<&Response>) -> Option<Finding> {
    let path = answer.url.path();
    let host = answer.url.host_str().unwrap_or_default();
    let finding = match arrived(answer) {
        Arrived::Yes => return None,
        Arrived::Refused => Finding::fail(
            "encoded-characters-refused",
            format!("{host} refuses {path} before it comes to the homeserver"),
        ),
        Arrived::Redirected => Finding::fail(
            "escaped-paths-decoded",
            format!("{host} sends {path} elsewhere: to {}", answer.header("location")?),
        ),
        Arrived::Unknown if held_to.is_some_and(|other| arrived(other) == Arrived::Yes) => {
            Finding::fail(
                "escaped-paths-decoded",
                format!("the homeserver does not know {path}: `%2F` arrives as a slash"),
            )
        }
        Arrived::Unknown | Arrived::Unclear => {
            Finding::error(format!("{path} is answered in a way that does not tell how it arrived"))
        }
    };
    Some(finding.expected("an answer of the homeserver about this very path").actual(gist(answer)))
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    fn seen(status: u16, headers: &[(&'static str, &str)], body: &str) -> Option<&'static str> {
        let right = answer(404, &[], r#"{"errcode": "M_NOT_FOUND"}"#);
        judge(&answer(status, headers, body), Some(&right)).and_then(|finding| finding.cause)
    }

    #[test]
    fn the_two_causes_are_told_apart() {
        let known = r#"{"errcode": "M_NOT_FOUND"}"#;
        assert_eq!(seen(404, &[], known), None);
        assert_eq!(seen(401, &[], r#"{"errcode": "M_UNAUTHORIZED"}"#), None);
        assert_eq!(seen(400, &[], "Bad Request\n"), Some("encoded-characters-refused"));
        assert_eq!(seen(400, &[], r#"{"errcode": "M_INVALID_PARAM"}"#), None);
        let unknown = r#"{"errcode": "M_UNRECOGNIZED"}"#;
        assert_eq!(seen(404, &[], unknown), Some("escaped-paths-decoded"));
        let elsewhere = &[("location", "/_matrix/x/#no/pe")];
        assert_eq!(seen(308, elsewhere, ""), Some("escaped-paths-decoded"));
    }

    #[test]
    fn what_the_homeserver_does_not_know_at_all_is_no_fault_of_the_path() {
        let unknown = answer(404, &[], r#"{"errcode": "M_UNRECOGNIZED"}"#);
        let finding = judge(&unknown, None).expect("said");
        assert_eq!((finding.outcome, finding.cause), (Outcome::Error, None));
        let finding = judge(&answer(502, &[], ""), None).expect("said");
        assert_eq!(finding.outcome, Outcome::Error);
    }
}
