//! `synapse.admin_private`.

use futures_util::future::join_all;
use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome};
use mxdoctor_probes::http::Response;
use serde_json::Value;

use crate::facts::{Homeserver, Versions, ask};
use crate::{Cx, Verdict, check};

check! {
    /// Synapse's admin API cannot be reached from outside.
    ///
    /// ## What it asserts
    /// None of three requests below `/_synapse/admin` reaches Synapse from here: the nonce of the
    /// shared-secret registration and the server's version, which Synapse gives to anybody, and the
    /// list of users, which it refuses without a token. Nor does one below `/_synapse/mas`, by which
    /// the authentication service makes and removes accounts.
    ///
    /// ## Why it matters
    /// Who learns the shared secret or one administrator's token can do everything: make accounts,
    /// read metadata, delete rooms. The nonce permits guessing the secret from outside.
    ///
    /// ## What makes it fail
    /// Any answer of Synapse's own. A 401 for the list of users looks protected and means that the
    /// API is exposed. An ingress that answers for itself (403, 404) is right; so is a Synapse that
    /// says `M_UNRECOGNIZED`, because then the API is not on this listener.
    ///
    /// ## How to fix it
    /// Route only `/_matrix` and `/_synapse/client` to Synapse in
    /// `apps/base/matrix/networking/synapse-ingress.yaml`, and give the TunnelBinding's subject the
    /// same path; for administration use a port-forward or a name that exists only inside.
    ///
    /// ## Where it comes from
    /// Synapse documentation, "Using a reverse proxy with Synapse" and "Admin API".
    "synapse.admin_private" at P: "the admin API cannot be reached from outside"
    causes ["admin-api-public"]
    timeout 40
}

const PATHS: &[&str] = &[
    "/_synapse/admin/v1/register",
    "/_synapse/admin/v1/server_version",
    "/_synapse/admin/v2/users?limit=1",
    "/_synapse/mas/is_localpart_available",
];

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    cx.fact(Versions).await?;
    let answers = join_all(PATHS.iter().map(|path| ask::any(cx, homeserver.url(path)))).await;
    let mut seen = Vec::new();
    let mut lines = Vec::new();
    let mut unknown = None;
    for (path, answer) in PATHS.iter().zip(answers) {
        match answer {
            Ok(exchange) => {
                let answer = exchange.last();
                lines.push(Evidence::new(EvidenceKind::Request, answer.line()));
                seen.extend(judge(answer).map(|what| format!("{path}: {what}")));
            }
            // A connection that is cut instead of an answer keeps people out as well.
            Err(by) if by.finding.outcome == Outcome::Fail => {}
            Err(by) => unknown = Some(by.finding.summary),
        }
    }
    let finding = match (seen.is_empty(), unknown) {
        (false, _) => Finding::fail("admin-api-public", "Synapse's admin API answers from outside")
            .expected("nothing of Synapse's own")
            .actual(seen.join("; "))
            .remedy(format!(
                "stop routing /_synapse/admin of {} to Synapse; only /_matrix and \
                 /_synapse/client belong outside",
                homeserver.host()
            )),
        (true, Some(why)) => Finding::error(why),
        (true, None) => Finding::pass("the admin API does not answer from outside"),
    };
    Ok(finding.evidences(lines).into())
}

/// What shows that an answer is the admin API's, if it is.
fn judge(answer: &Response) -> Option<&'static str> {
    let document: Value = serde_json::from_slice(&answer.body).ok()?;
    let has = |key: &str| document.get(key).is_some_and(Value::is_string);
    let errcode = document.get("errcode").and_then(Value::as_str);
    match (answer.status.as_u16(), errcode) {
        (200, _) if has("nonce") => Some("a nonce for making accounts"),
        (200, _) if has("server_version") => Some("the server's version"),
        (200, _) if document.get("users").is_some() => Some("the list of users, to anybody"),
        (401, Some("M_MISSING_TOKEN" | "M_UNKNOWN_TOKEN")) => {
            Some("asks for an administrator's token")
        }
        // Its own word for a secret that is not the authentication service's.
        (403, Some(_)) if answer.url.path().contains("/_synapse/mas/") => {
            Some("asks for the authentication service's secret")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    fn judged(status: u16, body: &str) -> bool {
        judge(&answer(status, &[], body)).is_some()
    }

    #[test]
    fn synapses_own_answers_are_recognised() {
        assert!(judged(200, r#"{"nonce":"abc"}"#));
        assert!(judged(200, r#"{"server_version":"1.147.0"}"#));
        assert!(judged(401, r#"{"errcode":"M_MISSING_TOKEN","error":"Missing access token"}"#));
    }

    #[test]
    fn others_answers_are_not_taken_for_them() {
        assert!(!judged(404, r#"{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}"#));
        assert!(!judged(403, "Forbidden"));
        assert!(!judged(404, "404 page not found"));
        assert!(!judged(200, "<!doctype html><title>Element</title>"));
        assert!(!judged(401, r#"{"message":"log in at the proxy"}"#));
        assert!(!judged(200, "{}"));
    }
}
