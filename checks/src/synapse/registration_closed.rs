//! `synapse.registration_closed`.

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;
use serde_json::Value;

use super::shared::registration;
use crate::facts::{Homeserver, Versions, ask, gist};
use crate::{Cx, Verdict, check};

check! {
    /// Strangers cannot make themselves an account.
    ///
    /// ## What it asserts
    /// Registration is off, or it asks for something that a program does not have: a registration
    /// token, a confirmed e-mail address or telephone number, or a solved captcha.
    ///
    /// ## Why it matters
    /// An open homeserver is found within days and used to flood the rooms of the federation; other
    /// servers then shut it out.
    ///
    /// ## What makes it fail
    /// `POST /register` with an empty object is answered with a flow that asks for nothing
    /// (`m.login.dummy`) or only for agreeing to terms. The request names no user and finishes no
    /// stage, so no account comes of it; whether a made-up user name is free is asked to confirm
    /// it. Guest accounts are not looked at, because asking for one makes one.
    ///
    /// ## How to fix it
    /// `enable_registration: false` in `apps/base/matrix/config/synapse-config.yaml`, or
    /// `registration_requires_token: true`. Accounts can still be made with the shared secret.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Account registration" and "User-Interactive Authentication API".
    "synapse.registration_closed" at P: "strangers cannot make themselves an account"
    causes ["registration-open"]
    timeout 40
}

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    cx.fact(Versions).await?;
    let sent = ask::fetch(cx, registration(&homeserver)).await;
    let exchange = match sent {
        Ok(exchange) => exchange,
        Err(by) => return ask::own(by),
    };
    let answer = exchange.last();
    let mut finding = judge(answer).evidence(EvidenceKind::Request, answer.line());
    if finding.cause.is_some() {
        let name = ask::fresh_word();
        let path = format!("/_matrix/client/v3/register/available?username={name}");
        if let Ok(confirmed) = ask::any(cx, homeserver.url(&path)).await {
            finding = finding.evidence(EvidenceKind::Request, confirmed.last().line());
        }
    }
    Ok(finding.into())
}

fn judge(answer: &Response) -> Finding {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match answer.status.as_u16() {
        200 => {
            Finding::fail("registration-open", "an account was made without asking for anything")
                .expected("403 M_FORBIDDEN")
                .actual(match document.get("user_id").and_then(Value::as_str) {
                    Some(user) => format!("200, {user}: deactivate it"),
                    None => gist(answer),
                })
        }
        401 => match read_flows(&document) {
            Some(flows) => judge_flows(&flows),
            None => Finding::error("registration is answered in no known way").actual(gist(answer)),
        },
        403 | 404 | 405 | 410 | 501 => Finding::pass("registration is closed"),
        429 => Finding::error("the homeserver limits our rate: registration cannot be told now"),
        status => {
            Finding::error(format!("registration is answered with {status}, in no known way"))
                .expected("403, or 401 with `flows`")
                .actual(gist(answer))
        }
    }
}

fn read_flows(document: &Value) -> Option<Vec<Vec<String>>> {
    let flows = document.get("flows")?.as_array()?;
    flows
        .iter()
        .map(|flow| {
            let stages = flow.get("stages")?.as_array()?;
            stages.iter().map(|stage| Some(stage.as_str()?.to_owned())).collect()
        })
        .collect()
}

fn judge_flows(flows: &[Vec<String>]) -> Finding {
    if flows.is_empty() {
        return Finding::pass("registration has no way to the end");
    }
    let open = flows.iter().find(|stages| !stages.iter().any(|stage| guards(stage)));
    match open {
        Some(stages) => {
            let stages = stages.join(", ");
            Finding::fail(
                "registration-open",
                "anybody can make an account, by a program and without being asked for anything",
            )
            .expected(
                "403 M_FORBIDDEN, or a token, captcha, e-mail or telephone stage in each flow",
            )
            .actual(if stages.is_empty() {
                "a flow without stages".to_owned()
            } else {
                format!("a flow of {stages}")
            })
        }
        None => {
            let ways: Vec<String> = flows.iter().map(|stages| stages.join(" and ")).collect();
            Finding::pass(format!("registration is protected: {}", ways.join("; or ")))
        }
    }
}

/// Whether a stage keeps programs out.
fn guards(stage: &str) -> bool {
    !matches!(stage, "m.login.dummy" | "m.login.terms" | "m.login.password")
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    fn judged(status: u16, body: &str) -> Finding {
        judge(&answer(status, &[], body))
    }

    fn flows(stages: &str) -> String {
        format!(r#"{{"session":"x","flows":[{{"stages":[{stages}]}}]}}"#)
    }

    #[test]
    fn closed_is_closed() {
        let body = r#"{"errcode":"M_FORBIDDEN","error":"Registration has been disabled"}"#;
        assert_eq!(judged(403, body).outcome, Outcome::Pass);
        assert_eq!(judged(404, "404 page not found").outcome, Outcome::Pass);
    }

    #[test]
    fn open_is_open_whatever_it_shows_on_the_way() {
        for stages in [r#""m.login.dummy""#, "", r#""m.login.terms","m.login.dummy""#] {
            let finding = judged(401, &flows(stages));
            assert_eq!(finding.cause, Some("registration-open"), "{stages}");
        }
        assert_eq!(judged(200, r#"{"user_id":"@a:b"}"#).cause, Some("registration-open"));
    }

    #[test]
    fn one_open_flow_among_protected_ones_is_enough() {
        let body = r#"{"flows":[{"stages":["m.login.recaptcha"]},{"stages":["m.login.dummy"]}]}"#;
        assert_eq!(judged(401, body).cause, Some("registration-open"));
    }

    #[test]
    fn a_guard_protects() {
        for stage in ["m.login.registration_token", "m.login.recaptcha", "m.login.email.identity"] {
            let finding = judged(401, &flows(&format!("{stage:?},\"m.login.dummy\"")));
            assert_eq!(finding.outcome, Outcome::Pass, "{stage}");
        }
    }

    #[test]
    fn what_says_nothing_is_no_verdict() {
        for (status, body) in [(429, "{}"), (400, "{}"), (500, ""), (401, "{}"), (401, "<html>")] {
            assert_eq!(judged(status, body).outcome, Outcome::Error, "{status} {body}");
        }
    }
}
