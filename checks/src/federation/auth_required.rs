//! `federation.auth_required`

use futures_util::future::join_all;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;
use mxdoctor_probes::matrix::{encode_base64, x_matrix};
use serde_json::Value;

use crate::facts::{Ask, Page, Place, ask, classify, federation_places, gist, send_place};
use crate::synapse::login_flows;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Requests of other servers that are not signed, or wrongly, or meant for another server, are
    /// refused by the homeserver, and in the way that the specification says.
    ///
    /// ## Why it matters
    /// A signature is all that tells one server from another. And a refusal by the homeserver
    /// itself proves that the signature arrives there: the wrong one bears the homeserver's own
    /// name, so that nobody else has to be asked for a key.
    ///
    /// ## What makes it fail
    /// - An answer where there must be none.
    /// - The `Authorization` header does not arrive.
    /// - A login, a firewall or an error page in the place of the homeserver's refusal.
    ///
    /// It warns where the homeserver itself refuses with another status or error code.
    ///
    /// ## How to fix it
    /// Pass `/_matrix/federation` on to the homeserver with all methods and headers.
    ///
    /// ## Where it comes from
    /// Matrix server-server API, "Request authentication": 401 and `M_UNAUTHORIZED`; what does not
    /// parse may be 400.
    "federation.auth_required" at P: "requests that are not signed are refused"
    causes [
        "federation-accepts-unsigned",
        "authorization-header-lost",
        "federation-refusal-replaced",
        "federation-refusal-unusual",
        "homeserver-broken",
    ]
    timeout 60
    attempts 2
}

/// What a refusal that fails itself comes to.
const BROKEN: &str = "homeserver-broken";

/// A request that must be refused, and how it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Profile,
    Event,
    Transaction,
    Signature,
    Destination,
    Malformed,
}

impl Wrong {
    const ALL: [Self; 6] = [
        Self::Profile,
        Self::Event,
        Self::Transaction,
        Self::Signature,
        Self::Destination,
        Self::Malformed,
    ];

    fn what(self) -> &'static str {
        match self {
            Self::Profile => "a query that is not signed",
            Self::Event => "a request for an event that is not signed",
            Self::Transaction => "a transaction that is not signed",
            Self::Signature => "a query with a wrong signature",
            Self::Destination => "a query that is meant for another server",
            Self::Malformed => "a query with half a signature",
        }
    }

    fn ask(self, place: &Place, name: &str, key: &str) -> Ask {
        let word = ask::fresh_word();
        let query = format!(
            "/_matrix/federation/v1/query/profile?user_id=%40{word}%3A{}&field=displayname",
            name.replace(':', "%3A")
        );
        let signed = |destination: &str, signature: &str| {
            let value = x_matrix(name, destination, key, signature);
            let value = HeaderValue::try_from(value).ok();
            let ask = place.ask(Method::GET, &query);
            match value {
                Some(value) => ask.header(AUTHORIZATION, value),
                None => ask,
            }
        };
        let zero = encode_base64(&[0; 64]);
        match self {
            Self::Profile => place.ask(Method::GET, &query),
            Self::Event => {
                place.ask(Method::GET, &format!("/_matrix/federation/v1/event/%24{word}"))
            }
            Self::Transaction => place
                .ask(Method::PUT, &format!("/_matrix/federation/v1/send/{word}"))
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body("{}"),
            Self::Signature => signed(name, &zero),
            Self::Destination => signed("another.invalid", &zero),
            Self::Malformed => place
                .ask(Method::GET, &query)
                .header(AUTHORIZATION, HeaderValue::from_static("X-Matrix origin=\"")),
        }
    }
}

async fn run(cx: &Cx) -> Verdict {
    let document = super::keys::sound(cx).await?;
    let places = federation_places(cx).await?;
    let (Some(place), Some(key)) = (places.first(), document.verify_keys.first()) else {
        return Ok(Finding::error("there is no address that could be asked").into());
    };
    let name = &cx.target().server_name;
    let asks = Wrong::ALL.map(|wrong| send_place(cx, place, wrong.ask(place, name, &key.id)));
    let mut answers = Vec::new();
    for (wrong, exchange) in Wrong::ALL.into_iter().zip(join_all(asks).await) {
        answers.push((wrong, exchange?.last().clone()));
    }
    let finding = judge(&answers);
    if finding.cause == Some(BROKEN) {
        // To refuse a key, the homeserver looks for it in its database.
        login_flows::database(cx).await?;
    }
    Ok(answers
        .iter()
        .fold(finding, |finding, (wrong, answer)| {
            let line = format!("{}: {}", wrong.what(), answer.line());
            finding.evidence(EvidenceKind::Request, line)
        })
        .into())
}

/// The worst of what each answer comes to.
fn judge(answers: &[(Wrong, Response)]) -> Finding {
    let found: Vec<_> = answers.iter().filter_map(|(wrong, answer)| look(*wrong, answer)).collect();
    let causes = [
        "federation-accepts-unsigned",
        "homeserver-broken",
        "federation-refusal-replaced",
        "authorization-header-lost",
        "federation-refusal-unusual",
    ];
    let worst =
        causes.iter().find_map(|cause| found.iter().find(|finding| finding.cause == Some(*cause)));
    match worst.or_else(|| found.first()) {
        Some(finding) => finding.clone(),
        None => Finding::pass(format!("{} wrong requests refused", answers.len())),
    }
}

fn look(wrong: Wrong, answer: &Response) -> Option<Finding> {
    let what = wrong.what();
    let status = answer.status.as_u16();
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let part = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default();
    let (errcode, text) = (part("errcode"), part("error"));
    let told =
        |finding: Finding| Some(finding.expected("401 and M_UNAUTHORIZED").actual(gist(answer)));
    let ok = matches!(classify(answer), None | Some(Page::NotRouted(_)));
    if (200..300).contains(&status) && ok && json.is_object() || errcode == "M_NOT_FOUND" {
        return told(Finding::fail("federation-accepts-unsigned", format!("{what} is accepted")));
    }
    if status == 429 {
        return Some(Finding::error(format!("{what} is held back by a limit on requests")));
    }
    if status >= 500 {
        let summary = format!("{what} is answered with {status}");
        return told(Finding::fail(BROKEN, summary).transient());
    }
    if errcode.is_empty() {
        let summary = format!("{what} is answered by something else than the homeserver");
        return told(Finding::fail("federation-refusal-replaced", summary));
    }
    let signed = matches!(wrong, Wrong::Signature | Wrong::Destination | Wrong::Malformed);
    if signed && text.starts_with("Missing Authorization") {
        let summary = format!("{what} is answered as if it were not signed");
        return told(Finding::fail("authorization-header-lost", summary));
    }
    let fine = match (wrong, status) {
        // Before it looks at the signature, a server may look at the body.
        (Wrong::Malformed | Wrong::Transaction, 400) => true,
        // A server that is told to talk to few says so.
        (_, 403) => errcode == "M_FORBIDDEN",
        (_, 401) => errcode == "M_UNAUTHORIZED",
        _ => false,
    };
    if fine {
        return None;
    }
    let summary = format!("{what} is refused with {status} {errcode}");
    told(Finding::warn("federation-refusal-unusual", summary))
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

    /// What Synapse 1.147 says.
    fn right() -> Vec<(Wrong, Response)> {
        let says = |wrong| match wrong {
            Wrong::Profile | Wrong::Event | Wrong::Transaction => {
                (401, "Missing Authorization headers")
            }
            Wrong::Signature => {
                (401, "Invalid signature for server example.org with key ed25519:a")
            }
            Wrong::Destination => (401, "Destination mismatch in auth header"),
            Wrong::Malformed => (400, "Malformed Authorization header"),
        };
        let said = |wrong| {
            let (status, text) = says(wrong);
            let body = serde_json::json!({"errcode": "M_UNAUTHORIZED", "error": text});
            (wrong, answer(status, JSON, &body.to_string()))
        };
        Wrong::ALL.map(said).into()
    }

    fn seen(wrong: Wrong, status: u16, body: &str) -> (Outcome, Option<&'static str>) {
        let mut answers = right();
        for (of, given) in &mut answers {
            if *of == wrong {
                *given = answer(status, JSON, body);
            }
        }
        let finding = judge(&answers);
        (finding.outcome, finding.cause)
    }

    #[test]
    fn the_specified_refusals_pass() {
        assert_eq!(judge(&right()).outcome, Outcome::Pass);
        let body = r#"{"errcode":"M_NOT_JSON","error":"Content not JSON."}"#;
        assert_eq!(seen(Wrong::Transaction, 400, body).0, Outcome::Pass);
        let body = r#"{"errcode":"M_FORBIDDEN","error":"Federation denied with example.org."}"#;
        assert_eq!(seen(Wrong::Profile, 403, body).0, Outcome::Pass);
    }

    #[test]
    fn each_wrong_request_must_be_refused() {
        for wrong in Wrong::ALL {
            let fail = |cause| (Outcome::Fail, Some(cause));
            assert_eq!(seen(wrong, 200, "{}"), fail("federation-accepts-unsigned"), "{wrong:?}");
            let none = r#"{"errcode":"M_NOT_FOUND","error":"Profile was not found"}"#;
            assert_eq!(seen(wrong, 404, none), fail("federation-accepts-unsigned"), "{wrong:?}");
            assert_eq!(seen(wrong, 401, "<html>"), fail("federation-refusal-replaced"));
            assert_eq!(seen(wrong, 200, "<html>"), fail("federation-refusal-replaced"));
            assert_eq!(seen(wrong, 500, "oops"), fail("homeserver-broken"));
            let odd = r#"{"errcode":"M_UNKNOWN","error":"no"}"#;
            let warn = (Outcome::Warn, Some("federation-refusal-unusual"));
            assert_eq!(seen(wrong, 418, odd), warn);
            assert_eq!(seen(wrong, 429, odd), (Outcome::Error, None));
        }
    }

    #[test]
    fn a_lost_header_is_told() {
        let missing = r#"{"errcode":"M_UNAUTHORIZED","error":"Missing Authorization headers"}"#;
        let lost = (Outcome::Fail, Some("authorization-header-lost"));
        assert_eq!(seen(Wrong::Signature, 401, missing), lost);
        assert_eq!(seen(Wrong::Destination, 401, missing), lost);
        assert_eq!(seen(Wrong::Event, 401, missing).0, Outcome::Pass);
    }
}
