//! `synapse.login_flows`.

use http::HeaderValue;
use http::header::AUTHORIZATION;
use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome};
use mxdoctor_probes::http::{Exchange, Response};
use serde_json::Value;

use crate::facts::{Ask, Homeserver, Located, Versions, ask, gist};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// People can log in: a usable way is offered, and what it needs answers.
    ///
    /// ## What it asserts
    /// `GET /_matrix/client/v3/login` offers at least one flow that a person can use (password,
    /// single sign-on, token), or the homeserver announces OAuth 2.0 with consistent metadata. And
    /// a request with an access token that nobody has is refused with 401, which the homeserver can
    /// only know from its database (or from its authentication service).
    ///
    /// ## Why it matters
    /// Synapse stays up without its database: `/health` is 200, `versions` is answered, and nobody
    /// can log in, send or read. The token is made up anew each time because Synapse caches the
    /// answers to known ones.
    ///
    /// ## What makes it fail
    /// No flow for people; a login that is not routed to the Matrix Authentication Service that
    /// does it; 500 or no answer to the made-up token. No password is tried and no limit is
    /// touched.
    ///
    /// ## How to fix it
    /// Where the token gets 500: look at the database, `kubectl -n app-matrix get cluster
    /// matrix-db`, and at Synapse's log for `OperationalError`. Where flows are missing:
    /// `password_config` in `homeserver.yaml`, or route `/_matrix/client/*/login`, `logout` and
    /// `refresh` to the authentication service.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Login", "Using access tokens", "OAuth 2.0 API".
    "synapse.login_flows" at PI: "people can log in, and the database behind it answers"
    causes ["login-no-flow", "login-not-routed", "auth-service-down", "database-down"]
    timeout 40
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    cx.fact(Versions).await?;
    let (login, metadata, whoami) = futures_util::join!(
        ask::get(cx, homeserver.url("/_matrix/client/v3/login")),
        ask::any(cx, homeserver.url("/_matrix/client/v1/auth_metadata")),
        ask_who(cx, &homeserver),
    );
    let metadata = metadata.ok().and_then(|exchange| read_metadata(exchange.last()));
    let database = judge_who(whoami, metadata.is_some())?;
    let login = match login {
        Ok(exchange) => exchange,
        Err(by) => return ask::own(by),
    };
    let flows = judge_login(login.last(), metadata.as_ref());
    let finding = match (flows, database) {
        (Ok(flows), Ok(())) => Finding::pass(format!("{flows}; the database answers")),
        (_, Err(finding)) if finding.outcome == Outcome::Fail => finding,
        (Err(finding), _) | (Ok(_), Err(finding)) => finding,
    };
    Ok(finding.evidence(EvidenceKind::Request, login.last().line()).into())
}

/// Whether the database behind the homeserver answers.
///
/// # Errors
/// What this check says where it does not.
pub(crate) async fn database(cx: &Cx) -> Result<(), Unavailable> {
    let homeserver = cx.fact(Homeserver).await?;
    let who = ask_who(cx, &homeserver).await;
    match judge_who(who, false)? {
        Err(finding) if finding.outcome == Outcome::Fail => {
            Err(Unavailable::by("synapse.login_flows", finding))
        }
        _ => Ok(()),
    }
}

async fn ask_who(cx: &Cx, homeserver: &Located) -> Result<std::sync::Arc<Exchange>, Unavailable> {
    let mut ask = Ask::get(homeserver.url("/_matrix/client/v3/account/whoami"));
    if let Ok(token) = HeaderValue::from_str(&format!("Bearer {}", ask::fresh_word())) {
        ask = ask.header(AUTHORIZATION, token);
    }
    ask::fetch(cx, ask).await
}

/// Whether the homeserver could look up the token; the inner error is the finding.
fn judge_who(
    answer: Result<std::sync::Arc<Exchange>, Unavailable>,
    delegated: bool,
) -> Result<Result<(), Finding>, Unavailable> {
    match answer {
        Ok(exchange) => Ok(judge_token(exchange.last(), delegated)
            .map_err(|finding| finding.evidence(EvidenceKind::Request, exchange.last().line()))),
        // The homeserver answers what needs no database, and hangs on what does.
        Err(by) if matches!(by.finding.cause, Some("no-http-answer" | "gateway-timeout")) => {
            Ok(Err(no_lookup(delegated, by.finding.summary, by.finding.evidence)))
        }
        Err(by) if by.owner.starts_with("ingress.") => {
            Ok(Err(Finding { instance: None, ..*by.finding }))
        }
        Err(by) => Err(by),
    }
}

fn judge_token(answer: &Response, delegated: bool) -> Result<(), Finding> {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match answer.status.as_u16() {
        401 | 403 if document.get("errcode").is_some() => Ok(()),
        status @ 500.. => {
            let evidence = Vec::new();
            Err(no_lookup(delegated, format!("{status}: {}", gist(answer)), evidence))
        }
        429 => Err(Finding::error("the homeserver limits our rate").transient()),
        status => Err(Finding::error(format!(
            "an access token that nobody has is answered with {status}: whether the database \
             answers cannot be told"
        ))
        .expected("401 M_UNKNOWN_TOKEN")
        .actual(gist(answer))),
    }
}

fn no_lookup(delegated: bool, actual: String, evidence: Vec<Evidence>) -> Finding {
    let (cause, what) = if delegated {
        ("auth-service-down", "its authentication service or its database")
    } else {
        ("database-down", "its database")
    };
    Finding::fail(
        cause,
        format!("the homeserver is up and cannot look up an access token: {what} does not answer"),
    )
    .expected("401 M_UNKNOWN_TOKEN for a token that nobody has")
    .actual(actual)
    .evidences(evidence)
    .likely()
    .transient()
}

/// OAuth 2.0 metadata, where the homeserver announces any.
fn read_metadata(answer: &Response) -> Option<Value> {
    if answer.status.as_u16() != 200 {
        return None;
    }
    serde_json::from_slice::<Value>(&answer.body).ok().filter(|json| json.get("issuer").is_some())
}

/// The ways to log in, in words.
fn judge_login(answer: &Response, metadata: Option<&Value>) -> Result<String, Finding> {
    if let Some(metadata) = metadata {
        judge_metadata(metadata)?;
    }
    let flows = match answer.status.as_u16() {
        200 => read_flows(&answer.body),
        404 | 405 if metadata.is_some() => {
            return Err(Finding::fail(
                "login-not-routed",
                "login is not routed to the authentication service that the homeserver announces",
            )
            .expected("200 with `flows`")
            .actual(gist(answer)));
        }
        _ => None,
    };
    let Some(flows) = flows else {
        return Err(Finding::fail("login-no-flow", "the homeserver does not say how to log in")
            .expected("200 with `flows`")
            .actual(gist(answer)));
    };
    let usable: Vec<&str> = flows.iter().filter_map(|flow| usable(flow)).collect();
    match (usable.as_slice(), metadata) {
        ([], None) => Err(Finding::fail("login-no-flow", "no way to log in is there for people")
            .expected("m.login.password, m.login.sso or m.login.token")
            .actual(if flows.is_empty() { "none".into() } else { flows.join(", ") })),
        ([], Some(_)) => Ok("login by OAuth 2.0".into()),
        (usable, Some(_)) => Ok(format!("login by OAuth 2.0, {}", usable.join(", "))),
        (usable, None) => Ok(format!("login by {}", usable.join(", "))),
    }
}

fn read_flows(body: &[u8]) -> Option<Vec<String>> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let flows = document.get("flows")?.as_array()?;
    flows.iter().map(|flow| Some(flow.get("type")?.as_str()?.to_owned())).collect()
}

fn usable(flow: &str) -> Option<&'static str> {
    match flow {
        "m.login.password" => Some("password"),
        "m.login.sso" | "m.login.cas" => Some("single sign-on"),
        "m.login.token" => Some("token"),
        "org.matrix.login.jwt" => Some("JWT"),
        _ => None,
    }
}

fn judge_metadata(metadata: &Value) -> Result<(), Finding> {
    let missing = ["issuer", "authorization_endpoint", "token_endpoint"]
        .into_iter()
        .find(|key| !metadata.get(*key).and_then(Value::as_str).is_some_and(is_https));
    match missing {
        None => Ok(()),
        Some(key) => {
            let seen = metadata.get(key).map_or("nothing".to_owned(), Value::to_string);
            Err(Finding::fail(
                "login-not-routed",
                format!("the OAuth 2.0 metadata has no https URL as {key}: clients cannot log in"),
            )
            .expected("https URLs")
            .actual(seen))
        }
    }
}

fn is_https(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| url.scheme() == "https")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    fn login(status: u16, body: &str, metadata: Option<Value>) -> Result<String, Finding> {
        judge_login(&answer(status, &[], body), metadata.as_ref())
    }

    #[test]
    fn one_flow_for_people_is_enough() {
        let body =
            r#"{"flows":[{"type":"m.login.password"},{"type":"m.login.application_service"}]}"#;
        assert_eq!(login(200, body, None).expect("flows"), "login by password");
        for (status, body) in [
            (200, r#"{"flows":[{"type":"m.login.application_service"}]}"#),
            (200, r#"{"flows":[]}"#),
            (200, "<html>"),
            (404, "{}"),
        ] {
            assert_eq!(
                login(status, body, None).expect_err("a finding").cause,
                Some("login-no-flow")
            );
        }
    }

    #[test]
    fn oauth_is_a_way_too_if_it_is_consistent() {
        let metadata = serde_json::json!({
            "issuer": "https://account.example.org/",
            "authorization_endpoint": "https://account.example.org/authorize",
            "token_endpoint": "https://account.example.org/token",
        });
        assert!(login(200, r#"{"flows":[]}"#, Some(metadata.clone())).is_ok());
        let unrouted = login(404, r#"{"errcode":"M_UNRECOGNIZED"}"#, Some(metadata.clone()));
        assert_eq!(unrouted.expect_err("a finding").cause, Some("login-not-routed"));
        let mut wrong = metadata;
        wrong["token_endpoint"] = "http://account.example.org/token".into();
        assert!(login(200, r#"{"flows":[]}"#, Some(wrong)).is_err());
    }

    #[test]
    fn a_made_up_token_shows_whether_the_database_answers() {
        let cause = |status, delegated| {
            judge_token(&answer(status, &[], r#"{"errcode":"M_UNKNOWN_TOKEN"}"#), delegated)
                .err()
                .map(|f| (f.outcome, f.cause))
        };
        assert_eq!(cause(401, false), None);
        assert_eq!(cause(500, false), Some((Outcome::Fail, Some("database-down"))));
        assert_eq!(cause(503, true), Some((Outcome::Fail, Some("auth-service-down"))));
        assert_eq!(cause(429, false), Some((Outcome::Error, None)));
        assert_eq!(cause(200, false), Some((Outcome::Error, None)));
        assert!(judge_token(&answer(401, &[], "log in at the proxy"), false).is_err());
    }
}
