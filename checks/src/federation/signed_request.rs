//! `federation.signed_request`

mod identity;
mod judge;
#[cfg(test)]
mod tests;

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::{HttpError, Request, Response};
use mxdoctor_probes::matrix::{Identity, Signable, Visit, VisitEnd};
use mxdoctor_probes::{Net, NetConfig};
use serde_json::{Value, json};

use self::identity::Served;
use self::judge::{Account, judge};
use crate::facts::{Ask, Place, ask, federation_places};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// A correctly signed request of a server that the homeserver has never heard of is accepted,
    /// and one that is changed is not. To believe it, the homeserver has to find that server, fetch
    /// its key and verify with it: the tool serves such an identity itself, under
    /// `--federation-listen`, and keeps account of who comes.
    ///
    /// ## Why it matters
    /// It is the one proof from outside that the homeserver's own way out works: name resolution,
    /// firewall, trust. Where it does not, users join no room of other servers, and nobody can
    /// tell from the homeserver's own API.
    ///
    /// ## What makes it fail
    /// - Nobody comes for the key: the homeserver does not get out. Where the identity has no name
    ///   in the configuration, or a private address, this is an error and no failure.
    /// - Somebody comes for the key, and the signature is still refused.
    /// - It is accepted for a plain path and refused for one with encoded characters.
    /// - A request that was changed after it was signed is accepted.
    ///
    /// That the homeserver refuses our certificate is an error: Synapse verifies certificates
    /// unless told otherwise. It is skipped without `--federation-listen`.
    ///
    /// ## How to fix it
    /// Let the homeserver resolve names and connect to ports 443, 8448 and any other.
    ///
    /// ## What it leaves behind
    /// A row with our key in the homeserver's database. The key is new at each run and lives in
    /// memory only. The transaction that is sent is empty.
    ///
    /// ## Where it comes from
    /// Matrix server-server API, "Request authentication", "Publishing keys", "Transactions".
    "federation.signed_request" at P: "a correctly signed request is accepted"
    causes [
        "federation-outbound-blocked",
        "identity-unreachable",
        "identity-certificate-refused",
        "signed-request-refused",
        "escaped-paths-decoded",
        "federation-accepts-unsigned",
    ]
    timeout 120
}

/// How long the homeserver has for an answer: it waits for our key itself.
const PATIENCE: Duration = Duration::from_secs(40);

async fn run(cx: &Cx) -> Verdict {
    let Some(listen) = cx.target().federation.listen else {
        let reason = "no signing identity of our own: set `--federation-listen ADDR:PORT` to an \
                      address that the homeserver reaches";
        return Ok(Finding::skip(reason).into());
    };
    super::keys::sound(cx).await?;
    let places = federation_places(cx).await?;
    let Some(place) = places.first() else {
        return Ok(Finding::error("there is no address that could be asked").into());
    };
    let served = match identity::serve(cx, listen).await {
        Ok(served) => served,
        Err(reason) => return Ok(Finding::error(reason).into()),
    };
    let account = tell(cx, place, &served).await;
    let mut finding = judge(&account);
    if account.visits.is_empty() {
        let seen = identity::look(cx, &served).await;
        finding = finding.evidence(EvidenceKind::Note, seen);
    }
    let name = served.identity.name();
    let told = format!("our identity: {name}, key {}", served.identity.key_id());
    finding = finding.evidence(EvidenceKind::Note, told);
    let finding = account
        .visits
        .iter()
        .map(describe)
        .fold(finding, |finding, text| finding.evidence(EvidenceKind::Connection, text));
    Ok(account
        .lines
        .iter()
        .fold(finding, |finding, line| finding.evidence(EvidenceKind::Request, line))
        .into())
}

/// Sends the requests, one after the other: the first makes the homeserver come for the key.
async fn tell(cx: &Cx, place: &Place, served: &Served) -> Account {
    let net = Net::new(NetConfig { request_timeout: PATIENCE, ..cx.net().config().clone() });
    let name = cx.target().server_name.as_str();
    let word = ask::fresh_word();
    let profile = |user: &str| {
        format!("/_matrix/federation/v1/query/profile?user_id={user}&field=displayname")
    };
    let plain = profile(&format!("@{word}:{name}"));
    let escaped = format!("/_matrix/federation/v1/event/%24no%2F{word}");
    let other = profile(&format!("@{word}x:{name}"));
    let send = format!("/_matrix/federation/v1/send/{word}");
    let empty = json!({
        "origin": served.identity.name().text,
        "origin_server_ts": jiff::Timestamp::now().as_millisecond(),
        "pdus": [],
        "edus": [],
    });
    let get = |path: &str, signed: &str| {
        signed_ask(place, &served.identity, name, Method::GET, path, signed, None)
    };
    let mut account = Account {
        named: cx.target().federation.name.is_some(),
        private: served.private,
        self_signed: served.self_signed,
        ..Account::default()
    };
    let mut lines = Vec::new();
    account.plain = answer(&net, get(&plain, &plain), &mut lines).await;
    if account.plain.as_ref().is_some_and(judge::is_accepted) {
        account.escaped = answer(&net, get(&escaped, &escaped), &mut lines).await;
        account.changed = answer(&net, get(&other, &plain), &mut lines).await;
        let put =
            signed_ask(place, &served.identity, name, Method::PUT, &send, &send, Some(&empty));
        account.sent = answer(&net, put, &mut lines).await;
    }
    account.lines = lines;
    account.visits = served.server.visits();
    account
}

/// A request for a path, signed as if it were for another one.
fn signed_ask(
    place: &Place,
    identity: &Identity,
    destination: &str,
    method: Method,
    path: &str,
    signed: &str,
    content: Option<&Value>,
) -> Option<Ask> {
    let signable = Signable { method: method.as_str(), uri: signed, destination, content };
    let header = identity.authorization(&signable).ok()?;
    let mut header = HeaderValue::try_from(header).ok()?;
    header.set_sensitive(true);
    let mut ask = place.ask(method.clone(), path).header(AUTHORIZATION, header);
    if let Some(content) = content {
        let json = HeaderValue::from_static("application/json");
        ask = ask.header(CONTENT_TYPE, json).body(content.to_string());
    }
    Some(ask)
}

/// The answer, if there is one; what came of the request is noted in any case.
async fn answer(net: &Net, ask: Option<Ask>, lines: &mut Vec<String>) -> Option<Response> {
    let request: Request = ask?.request();
    let what = format!("{} {}", request.method, request.url);
    let sent: Result<_, HttpError> = net.http(request).await;
    match sent {
        Ok(exchange) => {
            lines.push(exchange.last().line());
            Some(exchange.last().clone())
        }
        Err(error) => {
            lines.push(format!("{what}: {error}"));
            None
        }
    }
}

/// `after 35 ms 198.51.100.20:40000 (SNI probe.example.org): GET … → 200, Synapse/1.147.1`.
fn describe(visit: &Visit) -> String {
    let sni = match &visit.sni {
        Some(sni) => format!("SNI {sni}"),
        None => "no SNI".to_owned(),
    };
    let end = match &visit.end {
        VisitEnd::Refused(alert) => format!("refused our certificate with the alert {alert}"),
        VisitEnd::NoSession(why) => format!("no TLS session: {why}"),
        VisitEnd::Silent => "a TLS session, and no request".to_owned(),
        VisitEnd::Asked { line, host, agent, status } => {
            let host = host.as_deref().unwrap_or("none");
            let agent = agent.as_deref().unwrap_or("no user agent");
            format!("{line} (Host {host}, {agent}) → {status}")
        }
    };
    format!("after {} ms from {} ({sni}): {end}", visit.after.as_millis(), visit.from)
}
