//! Requests that are signed, wrongly or not at all, to a homeserver that verifies.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::FutureExt as _;
use mxdoctor_checks::{FederationProbe, Target};
use mxdoctor_model::{Finding, Outcome, Vantage};
use mxdoctor_probes::http::Request;
use mxdoctor_probes::matrix::{decode_base64, verify_signature};
use mxdoctor_probes::{Net, NetConfig};
use serde_json::{Map, Value, json};

use super::stack;
use crate::stack::{Answer, Responder, Running, Seen, expect, finding};

/// How the homeserver of these tests goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// As it must.
    Right,
    /// It trusts the certificates of authorities only.
    Strict,
    /// It does not get out.
    Inside,
    /// It believes everybody.
    Credulous,
    /// It believes who has a key, whatever is signed.
    Careless,
    /// It believes nobody.
    Suspicious,
    /// A proxy decodes the path before it.
    Decoded,
    /// A proxy takes the header away before it.
    Stripped,
    /// Something in front answers.
    Guarded,
}

fn homeserver(manner: Manner) -> Responder {
    Arc::new(move |seen| respond(manner, seen).boxed())
}

async fn respond(manner: Manner, seen: Seen) -> Option<Answer> {
    if !seen.path.starts_with("/_matrix/federation/v1/") || seen.path.ends_with("/version") {
        return None;
    }
    let no = |status: u16, text: &str| {
        Some(Answer::json(status, json!({"errcode": "M_UNAUTHORIZED", "error": text})))
    };
    let yes = || match seen.path.contains("/send/") {
        true => Some(Answer::json(200, json!({"pdus": {}}))),
        false => Some(Answer::json(404, json!({"errcode": "M_NOT_FOUND", "error": "no such"}))),
    };
    let header = seen.authorization.as_deref().filter(|_| manner != Manner::Stripped);
    let header = match (manner, header) {
        (Manner::Guarded, _) => return Some(Answer::new(403, "<h1>Forbidden</h1>")),
        (Manner::Credulous, _) => return yes(),
        (_, None) => return no(401, "Missing Authorization headers"),
        (_, Some(header)) => header,
    };
    let part = |name: &str| {
        let parts = header.strip_prefix("X-Matrix ")?.split(',');
        let mut values = parts.filter_map(|part| part.strip_prefix(&format!("{name}=\"")));
        Some(values.next()?.strip_suffix('"')?.to_owned())
    };
    let (Some(origin), Some(destination), Some(key), Some(signature)) =
        (part("origin"), part("destination"), part("key"), part("sig"))
    else {
        return no(400, "Malformed Authorization header");
    };
    if destination != "example.org" {
        return no(401, "Destination mismatch in auth header");
    }
    if origin == "example.org" {
        return no(401, "Invalid signature for server example.org");
    }
    let Some(bytes) = fetch(manner, &origin, &key).await else {
        return no(401, "Failed to find any key to satisfy");
    };
    let path = match manner {
        Manner::Decoded => seen.path.replace("%2F", "/").replace("%24", "$"),
        _ => seen.path.clone(),
    };
    let mut object = Map::new();
    for (name, value) in [
        ("method", seen.method.as_str()),
        ("uri", path.as_str()),
        ("origin", origin.as_str()),
        ("destination", destination.as_str()),
    ] {
        object.insert(name.into(), json!(value));
    }
    if !seen.body.is_empty() {
        object.insert("content".into(), serde_json::from_str(&seen.body).expect("JSON"));
    }
    let signature = decode_base64(&signature).unwrap_or_default();
    let holds = verify_signature(&object, &bytes, &signature) == Ok(true);
    match manner {
        Manner::Careless => yes(),
        Manner::Suspicious => no(401, "Invalid signature"),
        _ if holds => yes(),
        _ => no(401, "Invalid signature"),
    }
}

/// The key of a server, from that server itself.
async fn fetch(manner: Manner, origin: &str, key: &str) -> Option<Vec<u8>> {
    if manner == Manner::Inside {
        return None;
    }
    let url = format!("https://{origin}/_matrix/key/v2/server").parse().ok()?;
    let mut request = Request::get(url);
    request.accept_any_certificate = manner != Manner::Strict;
    let origin_address: SocketAddr =
        format!("127.0.0.1:{}", origin.rsplit(':').next()?).parse().ok()?;
    let mut config = NetConfig { system_roots: false, ..NetConfig::default() };
    let name = ("localhost".to_owned(), origin_address.port());
    config.overrides.names.insert(name, vec![origin_address]);
    let exchange = Net::new(config).http(request).await.ok()?;
    let document: Value = serde_json::from_slice(&exchange.last().body).ok()?;
    decode_base64(document["verify_keys"][key]["key"].as_str()?)
}

async fn start(manner: Manner) -> Running {
    let mut stack = stack();
    stack.respond = Some(homeserver(manner));
    stack.start().await
}

/// What the check says with an identity on a port of the loopback interface.
async fn said(manner: Manner, set: impl FnOnce(&mut Target)) -> Finding {
    let running = start(manner).await;
    let cx = running.run(Vantage::Public, |target| {
        target.federation.listen = "127.0.0.1:0".parse().ok();
        target.routable = vec!["127.0.0.0/8".parse().expect("a range")];
        set(target);
    });
    finding(&cx, "federation.signed_request").await
}

#[tokio::test]
async fn a_homeserver_that_verifies_passes() {
    let finding = said(Manner::Right, |_| {}).await;
    assert_eq!(finding.outcome, Outcome::Pass, "{finding:#?}");
    assert!(finding.summary.starts_with("fetched our key from 127.0.0.1"), "{}", finding.summary);
    let shown: Vec<_> = finding.evidence.iter().map(|one| one.text.as_str()).collect();
    let visit = shown.iter().find(|text| text.contains("/_matrix/key/v2/server"));
    assert!(visit.is_some_and(|visit| visit.contains("no SNI")), "{shown:#?}");
    assert!(shown.iter().all(|text| !text.contains("sig=")), "{shown:#?}");
}

#[tokio::test]
async fn the_causes_are_told_apart() {
    for (manner, outcome, cause) in [
        (Manner::Strict, Outcome::Error, "identity-certificate-refused"),
        (Manner::Inside, Outcome::Error, "identity-unreachable"),
        (Manner::Suspicious, Outcome::Fail, "signed-request-refused"),
        (Manner::Careless, Outcome::Fail, "federation-accepts-unsigned"),
        (Manner::Credulous, Outcome::Fail, "federation-accepts-unsigned"),
        (Manner::Decoded, Outcome::Fail, "escaped-paths-decoded"),
    ] {
        let finding = said(manner, |_| {}).await;
        assert_eq!((finding.outcome, finding.cause), (outcome, Some(cause)), "{finding:#?}");
    }
}

#[tokio::test]
async fn the_operators_word_makes_it_the_homeservers_trouble() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr();
    let port = port.expect("an address").port();
    let probe = |target: &mut Target| {
        target.federation = FederationProbe {
            listen: Some(([127, 0, 0, 1], port).into()),
            name: format!("localhost:{port}").parse().ok(),
            certificate: None,
        };
    };
    let finding = said(Manner::Inside, probe).await;
    let cause = Some("federation-outbound-blocked");
    assert_eq!((finding.outcome, finding.cause), (Outcome::Fail, cause), "{finding:#?}");
    let finding = said(Manner::Right, probe).await;
    assert_eq!(finding.outcome, Outcome::Pass, "{finding:#?}");
    let sni = finding.evidence.iter().any(|one| one.text.contains("SNI localhost"));
    assert!(sni, "{finding:#?}");
}

#[tokio::test]
async fn without_a_port_it_is_skipped_and_a_taken_one_is_our_trouble() {
    let running = start(Manner::Right).await;
    expect(&running.bare(), "federation.signed_request", Outcome::Skip, None).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().ok();
    let finding = said(Manner::Right, |target| target.federation.listen = listen).await;
    assert_eq!((finding.outcome, finding.cause), (Outcome::Error, None), "{finding:#?}");
}

#[tokio::test]
async fn wrong_requests_must_be_refused() {
    for (manner, outcome, cause) in [
        (Manner::Right, Outcome::Pass, None),
        (Manner::Credulous, Outcome::Fail, Some("federation-accepts-unsigned")),
        (Manner::Stripped, Outcome::Fail, Some("authorization-header-lost")),
        (Manner::Guarded, Outcome::Fail, Some("federation-refusal-replaced")),
    ] {
        let running = start(manner).await;
        expect(&running.bare(), "federation.auth_required", outcome, cause).await;
    }
}
