//! `canary.login`

use mxdoctor_model::{Finding, Outcome};
use mxdoctor_probes::matrix::client::CallError;

use super::stage::{day, ms, trouble};
use crate::facts::Account;
use crate::{Cx, Entry, Unavailable, Verdict, check, synapse};

check! {
    /// ## What it asserts
    /// The synthetic user can log in with its password, as a device that is always the same one;
    /// or its access token is known.
    ///
    /// ## Why it matters
    /// It is the first thing that a person does. It takes the database, the password's hash with
    /// its pepper, and the signing of tokens.
    ///
    /// ## What makes it fail
    /// - The user or the password is refused (403), or the account is deactivated.
    /// - The token is unknown (401): it was logged out, or the account's devices were removed.
    ///
    /// The homeserver permits an account about five logins at once and then one in five minutes: a
    /// run that comes too early is an error, says when to come again, and the next runs keep to
    /// that. Whoever looks more often than every six minutes takes a token.
    ///
    /// ## How to fix it
    /// See `canary.user` and `canary.password_file`, or make the account anew:
    /// `mxdoctor init --canary`. Where people cannot log in either: `password_config` in
    /// homeserver.yaml, above all `pepper`.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Login", "Current account information".
    "canary.login" at PIC: "the synthetic user can log in"
    causes [
        "canary-login-rejected", "canary-token-rejected", "homeserver-broken",
        "homeserver-path-not-routed", "no-http-answer",
    ]
    timeout 110
}

async fn run(cx: &Cx) -> Verdict {
    let day = day(cx, CHECK.id).await?;
    let who = &day.user_id;
    let finding = match (day.account, day.times.login.map(ms)) {
        (Account::Token, _) | (_, None) => Finding::pass(format!("the token is that of {who}")),
        (_, Some(took)) => Finding::pass(format!("{who} logged in within {took:.0} ms"))
            .metric("login", took, "ms"),
    };
    Ok(finding.evidences(day.evidence()).into())
}

/// What keeps the user from coming in.
pub(crate) fn refused(cx: &Cx, error: &CallError) -> Finding {
    if cx.target().canary.token.is_some() && !cx.target().canary.throw_away {
        return trouble(cx, "canary-token-rejected", "showing the token", error)
            .expected("200 with the user id");
    }
    let finding = trouble(cx, "canary-login-rejected", "logging in", error);
    let finding = finding.expected("200 with an access token");
    if finding.cause == Some("canary-login-rejected") { finding.likely() } else { finding }
}

/// Trouble that other checks see, and name better, where the homeserver fails at a login.
pub(crate) async fn deeper(cx: &Cx, error: &CallError) -> Option<Unavailable> {
    let failing = match error {
        CallError::Silent { .. } => true,
        other => other.status().is_some_and(|status| status >= 500),
    };
    if !failing {
        return None;
    }
    const OWNER: &str = "synapse.login_flows";
    match (synapse::login_flows::CHECK.run)(cx).await {
        Err(by) if by.finding.outcome == Outcome::Fail => Some(by),
        Err(_) => None,
        Ok(findings) => findings.0.into_iter().find_map(|entry| match entry {
            Entry::Finding(finding) if finding.outcome == Outcome::Fail => {
                Some(Unavailable::by(OWNER, finding))
            }
            _ => None,
        }),
    }
}
