//! `canary.register`

use mxdoctor_model::Finding;
use mxdoctor_probes::matrix::client::CallError;

use super::stage::{day, ms, trouble};
use crate::facts::Account;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// With `canary.throw_away = true`: an account can be made by the registration secret, or by an
    /// admin's token.
    ///
    /// ## Why it matters
    /// A throw-away account proves what a fixed one does not: that accounts can still be made. Each
    /// leaves rows in the database for ever, even deactivated and erased; the fixed account is the
    /// normal way, and this check is then a skip.
    ///
    /// ## What makes it fail
    /// - The secret is not `registration_shared_secret` of homeserver.yaml, or there is none there.
    /// - The admin token is not an admin's.
    /// - `/_synapse/admin` is not reached: outside the cluster it should not be, so give its inner
    ///   address as `canary.homeserver`.
    ///
    /// ## How to fix it
    /// Give the secret in `canary.shared_secret_file`, and `canary.homeserver =
    /// "http://synapse.app-matrix.svc:8008"`.
    ///
    /// ## Where it comes from
    /// Synapse, "Shared-Secret Registration", "User Admin API".
    "canary.register" at PIC: "an account can be made"
    causes [
        "canary-register-refused", "homeserver-broken", "homeserver-path-not-routed",
        "no-http-answer",
    ]
    timeout 110
}

async fn run(cx: &Cx) -> Verdict {
    let day = day(cx, CHECK.id).await?;
    if day.account != Account::ThrowAway {
        let reason = "the account is a fixed one: only `canary.throw_away = true` makes accounts";
        return Ok(Finding::skip(reason).into());
    }
    let took = day.times.register.map(ms).unwrap_or_default();
    Ok(Finding::pass(format!("{} was made in {took:.0} ms", day.user_id))
        .metric("register", took, "ms")
        .into())
}

/// What keeps the account from being made.
pub(crate) fn refused(cx: &Cx, error: &CallError) -> Finding {
    let finding = trouble(cx, "canary-register-refused", "making an account", error);
    finding.expected("200 with the new user id")
}
