//! `ingress.client_address`.

use futures_util::future::join_all;
use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome};
use mxdoctor_probes::http::Response;
use serde_json::Value;
use url::Url;

use crate::facts::{Homeserver, Versions, ask};
use crate::{Cx, Verdict, check};

check! {
    /// The homeserver knows that people come over https, and by which name.
    ///
    /// ## What it asserts
    /// No answer of the homeserver leads from https back to plain http, or to a name of the inside:
    /// not its front page, not its static pages, and not the start of single sign-on where that is
    /// a way to log in. Whether the client's address is forwarded as well cannot be seen without
    /// an account: the canary sees it in its own device, where Synapse notes the address.
    ///
    /// ## Why it matters
    /// Behind an ingress the homeserver sees plain http from the ingress's address. Without
    /// `X-Forwarded-Proto` single sign-on sends people round in a loop; without `X-Forwarded-For`
    /// all people share one rate limit, and one who mistypes a password locks out everybody.
    ///
    /// ## What makes it fail
    /// A redirect to `http://`, or to a host that is not public (`localhost`, a Service's name).
    ///
    /// ## How to fix it
    /// `x_forwarded: true` on the listener in `homeserver.yaml`; at Traefik
    /// `forwardedHeaders.trustedIPs` with the address range of cloudflared's pods; in nginx
    /// `proxy_set_header X-Forwarded-Proto $scheme` and `X-Forwarded-For $remote_addr`.
    ///
    /// ## Where it comes from
    /// Synapse documentation, "Using a reverse proxy with Synapse".
    "ingress.client_address" at PI: "the forwarded scheme and name reach the homeserver"
    causes ["forwarded-scheme-lost"]
    timeout 40
}

const PATHS: &[&str] = &["/", "/_matrix/static"];

/// Where to go after single sign-on: nothing is fetched from there, nobody gets that far.
const SSO: &str = "/_matrix/client/v3/login/sso/redirect?redirectUrl=https%3A%2F%2Felement.invalid";

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    cx.fact(Versions).await?;
    if homeserver.base.scheme() != "https" {
        return Ok(Finding::skip("the homeserver is not asked over https here").into());
    }
    let mut paths = PATHS.to_vec();
    let login = ask::any(cx, homeserver.url("/_matrix/client/v3/login")).await;
    if login.is_ok_and(|login| offers_sso(login.last())) {
        paths.push(SSO);
    }
    let answers = join_all(paths.iter().map(|path| ask::any(cx, homeserver.url(path)))).await;
    let mut lines = Vec::new();
    let mut wrong = Vec::new();
    let mut unknown = None;
    for answer in answers {
        match answer {
            Ok(exchange) => {
                let answer = exchange.last();
                let to = answer.header("location").map(|to| format!("; Location: {to}"));
                let line = format!("{}{}", answer.line(), to.unwrap_or_default());
                lines.push(Evidence::new(EvidenceKind::Request, line));
                wrong.extend(judge(answer));
            }
            Err(by) if by.finding.outcome == Outcome::Fail => {}
            Err(by) => unknown = Some(by.finding.summary),
        }
    }
    let finding = match (wrong.first(), unknown) {
        (Some(first), _) => {
            Finding::fail("forwarded-scheme-lost", format!("the homeserver {first}"))
                .expected("redirects to https, by the name that was asked for")
                .actual(wrong.join("; "))
        }
        (None, Some(why)) => Finding::error(why),
        (None, None) => Finding::pass("no answer leads back to plain http or to an inner name"),
    };
    Ok(finding.evidences(lines).into())
}

fn offers_sso(answer: &Response) -> bool {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let flows = document.get("flows").and_then(Value::as_array);
    let mut kinds = flows.into_iter().flatten().filter_map(|flow| flow.get("type")?.as_str());
    kinds.any(|kind| matches!(kind, "m.login.sso" | "m.login.cas"))
}

/// What is wrong with where an answer leads.
fn judge(answer: &Response) -> Option<String> {
    if !answer.status.is_redirection() {
        return None;
    }
    let to = answer.header("location")?;
    let url: Url = answer.url.join(to).ok()?;
    let path = answer.url.path();
    let host = url.host_str()?;
    let inner = host == "localhost"
        || (!host.contains('.') && !host.contains(':'))
        || [".svc", ".cluster.local", ".internal"].iter().any(|end| host.ends_with(end));
    if url.scheme() == "http" {
        Some(format!("leads from {path} to plain http: {to}"))
    } else if inner && answer.url.host_str() != Some(host) {
        Some(format!("leads from {path} to an inner name: {to}"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    #[test]
    fn only_ways_back_are_wrong() {
        let wrong = |status, to: &str| judge(&answer(status, &[("location", to)], "")).is_some();
        assert!(!wrong(302, "/_matrix/static/"));
        assert!(!wrong(302, "https://matrix.example.org/_matrix/static/"));
        assert!(!wrong(302, "https://idp.example.com/authorize"));
        assert!(!wrong(200, "http://matrix.example.org/"));
        assert!(wrong(302, "http://matrix.example.org/_matrix/static/"));
        assert!(wrong(302, "https://synapse:8008/_matrix/static/"));
        assert!(wrong(307, "https://synapse.app-matrix.svc.cluster.local/x"));
        assert!(wrong(302, "http://localhost:8008/"));
    }

    #[test]
    fn single_sign_on_is_seen() {
        let offers = |body| offers_sso(&answer(200, &[], body));
        assert!(offers(r#"{"flows":[{"type":"m.login.password"},{"type":"m.login.sso"}]}"#));
        assert!(!offers(r#"{"flows":[{"type":"m.login.password"}]}"#));
        assert!(!offers("<html>"));
    }
}
