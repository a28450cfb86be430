//! `federation.version`

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use mxdoctor_model::{EvidenceKind, Finding, Vantage};
use mxdoctor_probes::http::Exchange;
use serde_json::Value;

use crate::facts::{
    Ask, Attempt, Endpoint, FederationRoute, Fetched, Homeserver, Lead, Place, ask_place,
    federation_places, unserved,
};
use crate::tls::handshake::describe;
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// `/_matrix/federation/v1/version` is answered by a homeserver, on every address to which the
    /// specification's steps lead, with the `Host` that other homeservers send.
    ///
    /// ## Why it matters
    /// Other homeservers take any of the addresses. One that is broken makes messages late for some
    /// servers and not for others, which is hard to find.
    ///
    /// ## What makes it fail
    /// - The federation API is not routed, or not among the resources of Synapse's listener.
    /// - The delegation leads to a host that is no homeserver, while the homeserver's own host
    ///   answers: `serve_server_wellknown` of Synapse names `<server name>:443`.
    /// - One address does not answer while others do. Where that is a host of the stack with a
    ///   broken TLS session on one address, `tls.addresses_agree` says so instead.
    ///
    /// It warns where the content type is not JSON: Synapse as a peer insists on it.
    ///
    /// ## How to fix it
    /// Route `/_matrix` as a whole to the homeserver, and remove addresses from DNS that do not
    /// lead there.
    ///
    /// ## Where it comes from
    /// Matrix server-server API, `GET /_matrix/federation/v1/version`.
    "federation.version" at PIC: "the federation API answers on every address"
    causes [
        "content-type-not-json",
        "federation-not-served", "delegation-leads-elsewhere", "homeserver-broken", "one-address-broken", "no-http-answer",
    ]
    timeout 60
    attempts 2
}

const PATH: &str = "/_matrix/federation/v1/version";

async fn run(cx: &Cx) -> Verdict {
    let places = federation_places(cx).await?;
    let looks = places.iter().map(|place| ask_place(cx, place, PATH, true, false));
    let asked = join_all(looks).await;
    let broken = broken_sessions(cx).await;
    match judge(&places, asked, &broken) {
        Err(by) if by.finding.cause == Some("federation-not-served") => {
            let by = led_astray(cx).await.unwrap_or(by);
            Err(Unavailable { finding: shown(cx, *by.finding).await.into(), ..by })
        }
        judged => judged.map(Into::into),
    }
}

/// A finding with the way that leads to where it was made.
async fn shown(cx: &Cx, finding: Finding) -> Finding {
    if cx.vantage() != Vantage::Public {
        return finding;
    }
    match cx.fact(FederationRoute).await {
        Ok(route) => route.shown(finding),
        Err(_) => finding,
    }
}

/// The finding where the delegation leads past a homeserver that answers on its own host.
async fn led_astray(cx: &Cx) -> Option<Unavailable> {
    if cx.vantage() != Vantage::Public {
        return None;
    }
    let route = cx.fact(FederationRoute).await.ok()?;
    let homeserver = cx.fact(Homeserver).await.ok()?;
    let led = matches!(route.lead, Lead::WellKnown | Lead::WellKnownSrv);
    let right = Endpoint::of(&homeserver.base).filter(|right| led && *right != route.endpoint())?;
    let there = cx.fact(Fetched(Ask::get(homeserver.url(PATH)))).await.ok()?;
    let json: Value = serde_json::from_slice(&there.last().body).ok()?;
    json.get("server")?.get("name")?.as_str()?;
    let name = &cx.target().server_name;
    let Endpoint { host, port } = &right;
    let finding = Finding::fail(
        "delegation-leads-elsewhere",
        format!(
            "{name} delegates to {}, where no homeserver answers, while {right} is one",
            route.to
        ),
    )
    .expected(format!("`m.server` is {host}:{port}"))
    .actual(format!("`m.server` is {}", route.to))
    .remedy(format!("write `{{\"m.server\": \"{host}:{port}\"}}` in the well-known of {name}"))
    .evidence(EvidenceKind::Request, there.last().line());
    Some(Unavailable::by("federation.version", finding))
}

/// Addresses without an acceptable session that nobody else reports.
async fn broken_sessions(cx: &Cx) -> Vec<(SocketAddr, String)> {
    if cx.vantage() != Vantage::Public {
        return Vec::new();
    }
    let Ok(route) = cx.fact(FederationRoute).await else { return Vec::new() };
    let broken = route.attempts.iter().filter(|attempt| !route.in_stack && !attempt.accepted());
    broken.map(|attempt: &Attempt| (attempt.address, describe(attempt))).collect()
}

fn judge(
    places: &[Place],
    asked: Vec<Result<Arc<Exchange>, Unavailable>>,
    broken: &[(SocketAddr, String)],
) -> Result<Finding, Unavailable> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (place, asked) in places.iter().zip(asked) {
        match asked {
            Ok(exchange) => match unserved(exchange.last()) {
                None => good.push((place, exchange)),
                Some(why) => {
                    let finding = why.finding(place, exchange.last());
                    bad.push((place, Unavailable::by("federation.version", finding)));
                }
            },
            Err(by) => bad.push((place, by)),
        }
    }
    if good.is_empty() {
        return match bad.into_iter().next() {
            Some((_, by)) => Err(by),
            None => Ok(Finding::error("there is no address that could be asked")),
        };
    }
    let mut troubles: Vec<String> =
        bad.iter().map(|(place, by)| format!("{}: {}", place.label, by.finding.summary)).collect();
    troubles.extend(broken.iter().map(|(_, text)| text.clone()));
    let finding = match troubles.first() {
        Some(_) => Finding::fail(
            "one-address-broken",
            format!("{} of {} addresses fail", troubles.len(), troubles.len() + good.len()),
        )
        .expected("an answer from every address")
        .actual(troubles.join("; ")),
        None => answered(&good),
    };
    Ok(good.iter().fold(finding, |finding, (place, exchange)| {
        let line = format!("{}: {}", place.label, exchange.last().line());
        finding.evidence(EvidenceKind::Request, line)
    }))
}

fn answered(good: &[(&Place, Arc<Exchange>)]) -> Finding {
    let response = good[0].1.last();
    let json: Option<Value> = serde_json::from_slice(&response.body).ok();
    let part = |key: &str| json.as_ref()?.get("server")?.get(key)?.as_str().map(str::to_owned);
    let name = part("name").unwrap_or_else(|| "a homeserver without a name".into());
    let version = part("version").map(|version| format!(" {version}")).unwrap_or_default();
    let places =
        if good.len() == 1 { String::new() } else { format!(" on {} addresses", good.len()) };
    let kind = response.header("content-type").unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/json") {
        return Finding::warn(
            "content-type-not-json",
            format!("{name}{version} answers{places} with the content type `{kind}`"),
        )
        .expected("application/json");
    }
    Finding::pass(format!("{name}{version} answers{places}"))
}
