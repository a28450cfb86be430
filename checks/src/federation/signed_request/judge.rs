//! What became of the signed requests.

use mxdoctor_model::Finding;
use mxdoctor_probes::http::Response;
use mxdoctor_probes::matrix::{Visit, VisitEnd};
use serde_json::Value;

use crate::facts::gist;

/// Everything that was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    /// A path without encoded characters.
    pub(super) plain: Option<Response>,
    /// One with them.
    pub(super) escaped: Option<Response>,
    /// A signature of another request.
    pub(super) changed: Option<Response>,
    /// An empty transaction.
    pub(super) sent: Option<Response>,
    /// Who came for our key.
    pub(super) visits: Vec<Visit>,
    /// The operator wrote down our name.
    pub(super) named: bool,
    /// Our address is private or reserved.
    pub(super) private: bool,
    /// Nobody vouches for our certificate.
    pub(super) self_signed: bool,
    /// The requests.
    pub(super) lines: Vec<String>,
}

fn error_of(answer: &Response) -> (String, String) {
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let part = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    (part("errcode"), part("error"))
}

/// The homeserver has a list of servers that it talks to, and we are not on it.
fn is_denied(answer: &Response) -> bool {
    answer.status.as_u16() == 403 && error_of(answer).1.starts_with("Federation denied")
}

/// Whether the homeserver went on to the request itself: that there is no such user, or that it
/// does not tell, is its answer to a server that it believes.
pub(super) fn is_accepted(answer: &Response) -> bool {
    let (errcode, _) = error_of(answer);
    match answer.status.as_u16() {
        200 => serde_json::from_slice::<Value>(&answer.body).is_ok_and(|json| json.is_object()),
        404 => errcode == "M_NOT_FOUND",
        403 => errcode == "M_FORBIDDEN" && !is_denied(answer),
        _ => false,
    }
}

pub(super) fn judge(account: &Account) -> Finding {
    let Some(plain) = &account.plain else {
        return match account.visits.is_empty() {
            true => unvisited(account, None),
            false => {
                Finding::error("the signed request is not answered, and our key was asked for")
            }
        };
    };
    if is_accepted(plain) {
        return further(account);
    }
    if is_denied(plain) {
        let reason = "the homeserver talks to the servers of its list only \
                      (`federation_domain_whitelist`), and our identity is not on it";
        return Finding::skip(reason);
    }
    if plain.status.as_u16() != 401 {
        let summary = "the signed request is neither accepted nor refused";
        return Finding::error(summary).actual(gist(plain));
    }
    if account.visits.iter().any(Visit::has_key) {
        return Finding::fail(
            "signed-request-refused",
            "the homeserver has our key and refuses what is signed with it",
        )
        .expected("an answer about a user that does not exist: 404 and M_NOT_FOUND")
        .actual(gist(plain));
    }
    refused(account).unwrap_or_else(|| unvisited(account, Some(plain)))
}

/// Somebody came, and left without the key.
fn refused(account: &Account) -> Option<Finding> {
    let refusal = |visit: &&Visit| matches!(visit.end, VisitEnd::Refused(_) | VisitEnd::Silent);
    if let Some(visit) = account.visits.iter().find(refusal) {
        let how = match &visit.end {
            VisitEnd::Refused(alert) => format!("with the TLS alert {alert}"),
            _ => "by hanging up after the TLS handshake".to_owned(),
        };
        let kind =
            if account.self_signed { "the certificate that we made" } else { "our certificate" };
        let summary = format!(
            "the homeserver comes for our key from {} and refuses {kind}, {how}",
            visit.from.ip()
        );
        let finding = Finding::error_of("identity-certificate-refused", summary);
        return Some(finding.expected("a certificate that the homeserver trusts"));
    }
    let visit = account.visits.first()?;
    let summary = format!("{} came, and did not ask for our key", visit.from.ip());
    Some(Finding::error_of("identity-unreachable", summary))
}

/// Nobody came. Only where the operator vouches for our name is that the homeserver's trouble.
fn unvisited(account: &Account, answer: Option<&Response>) -> Finding {
    let actual = match answer {
        Some(answer) => gist(answer),
        None => "no answer within the time".to_owned(),
    };
    let finding = if account.named && !account.private {
        let summary = "nobody came to fetch the key of a server that the homeserver did not know";
        Finding::fail("federation-outbound-blocked", summary).likely()
    } else {
        let why = if account.private { "is private" } else { "is not in the configuration" };
        let summary = format!("nobody came to fetch our key, whose address {why}");
        Finding::error_of("identity-unreachable", summary)
    };
    finding.expected("a request for /_matrix/key/v2/server of our identity").actual(actual)
}

/// The first one is accepted: so must be the others, but the one that was changed.
fn further(account: &Account) -> Finding {
    if let Some(answer) = account.changed.as_ref().filter(|answer| is_accepted(answer)) {
        let summary = "a request that was changed after it was signed is accepted";
        return Finding::fail("federation-accepts-unsigned", summary)
            .expected("401 and M_UNAUTHORIZED")
            .actual(gist(answer));
    }
    let refused = |answer: &&Response| answer.status.as_u16() == 401;
    if let Some(answer) = account.escaped.as_ref().filter(refused) {
        let summary = "the same signature holds for a plain path, and not for one with encoded \
                       characters";
        return Finding::fail("escaped-paths-decoded", summary)
            .expected("404 and M_NOT_FOUND")
            .actual(gist(answer));
    }
    if let Some(answer) = account.sent.as_ref().filter(|answer| !is_accepted(answer)) {
        let summary = "a signed query is accepted, and a signed transaction is not";
        return Finding::fail("signed-request-refused", summary)
            .expected("200 and an object with `pdus`")
            .actual(gist(answer));
    }
    if account.escaped.is_none() || account.changed.is_none() || account.sent.is_none() {
        return Finding::error("one of the signed requests is not answered");
    }
    let by = account.visits.iter().find(|visit| visit.has_key());
    Finding::pass(match by {
        Some(visit) => format!(
            "fetched our key from {} after {} ms, and accepts what is signed with it",
            visit.from.ip(),
            visit.after.as_millis()
        ),
        None => "accepts what is signed with our key".to_owned(),
    })
}
