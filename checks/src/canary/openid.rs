//! `canary.openid`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;
use serde_json::Value;

use super::stage::{day, is_ours, trouble};
use crate::facts::{Day, Endpoint, Page, classify, gist};
use crate::{Cx, Verdict, check, ingress};

check! {
    /// ## What it asserts
    /// The homeserver gives the synthetic user a token for third parties, and its federation API
    /// says to whoever shows it whose it is.
    ///
    /// ## Why it matters
    /// By such tokens integration managers, Jitsi's authentication and Element Call's LiveKit service
    /// know who somebody is. They ask over federation, the way that closed deployments do not route.
    ///
    /// ## What makes it fail
    /// - No token is given, or it names another server.
    /// - `/_matrix/federation/v1/openid/userinfo` is not served, does not know the token, or names
    ///   somebody else.
    ///
    /// ## How to fix it
    /// Serve `federation` or `openid` among the resources of Synapse's listener, and route
    /// `/_matrix/federation/v1/openid/userinfo`.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "OpenID"; server-server API, "OpenID".
    "canary.openid" at PIC: "third parties can learn who somebody is"
    causes [
        "openid-broken", "homeserver-broken", "homeserver-path-not-routed",
        "federation-not-served", "no-http-answer",
    ]
    timeout 110
}

const CAUSE: &str = "openid-broken";

async fn run(cx: &Cx) -> Verdict {
    let day = day(cx, CHECK.id).await?;
    let proof = match &day.openid {
        Ok(proof) => proof,
        Err(error) => return Ok(trouble(cx, CAUSE, "asking for an OpenID token", error).into()),
    };
    let name = &cx.target().server_name;
    if proof.server_name != *name || proof.holds <= 0 {
        let actual = format!("{}, {} s", proof.server_name, proof.holds);
        return Ok(Finding::fail(CAUSE, "the OpenID token is of no use to others")
            .expected(format!("`matrix_server_name` {name}, and time to use it"))
            .actual(actual)
            .into());
    }
    let answer = match &proof.userinfo {
        Err(by) => return Err(by.clone()),
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            let what = "the federation API does not say whose the token is";
            let finding = if is_ours(error) {
                Finding::error(what)
            } else {
                Finding::fail("no-http-answer", what).transient()
            };
            return Ok(finding.actual(error.to_string()).into());
        }
    };
    Ok(judge(cx, &day, answer).evidence(EvidenceKind::Request, answer.line()).into())
}

fn judge(cx: &Cx, day: &Day, answer: &Response) -> Finding {
    if let Some(Page::NotRouted(by)) = classify(answer) {
        let what = "the federation API is not routed where an OpenID token is to be shown";
        return Finding::fail("federation-not-served", what)
            .expected(format!("200 with `sub` {}", day.user_id))
            .actual(format!("{} of {by}", answer.status.as_u16()));
    }
    if let (Some(page), Some(endpoint)) = (classify(answer), Endpoint::of(&answer.url)) {
        return ingress::reachable::judge(&endpoint, cx.target(), answer, &page);
    }
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let sub = document.get("sub").and_then(Value::as_str);
    let expected = format!("200 with `sub` {}", day.user_id);
    match (answer.status.as_u16(), sub) {
        (200, Some(sub)) if sub == day.user_id => {
            Finding::pass("the federation API says whose the token is")
        }
        (429, _) => Finding::error("could not be measured: the homeserver limits our rate"),
        (500.., _) => {
            Finding::fail("homeserver-broken", "the federation API answers with an error")
                .expected(expected)
                .actual(gist(answer))
                .transient()
        }
        _ => Finding::fail(CAUSE, "the federation API does not say whose the token is")
            .expected(expected)
            .actual(gist(answer)),
    }
}
