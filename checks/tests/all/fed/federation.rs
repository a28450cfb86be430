//! How other servers find this one.

use mxdoctor_model::{Outcome, Vantage};
use serde_json::json;

use super::{KEYS, KNOWN, VERSION, keys, stack};
use crate::stack::{Answer, Stack, expect, finding};

const ALL: &[&str] = &[
    "federation.server_name",
    "federation.well_known",
    "federation.resolve",
    "federation.tls",
    "federation.version",
    "federation.keys",
];

/// Breaks a healthy stack: one check fails for the cause, and each other one passes or is blocked,
/// or says the same.
async fn only(id: &str, cause: &str, wreck: impl FnOnce(&mut Stack)) {
    let mut stack = stack();
    wreck(&mut stack);
    let running = stack.start().await;
    let cx = running.bare();
    expect(&cx, id, Outcome::Fail, Some(cause)).await;
    for other in ALL.iter().filter(|other| **other != id) {
        let said = finding(&cx, other).await;
        let fine = matches!(said.outcome, Outcome::Pass | Outcome::Skip);
        assert!(fine || said.cause == Some(cause), "{other}: {said:#?}");
    }
}

#[tokio::test]
async fn a_healthy_stack_passes() {
    let running = stack().start().await;
    let cx = running.bare();
    for id in ALL {
        expect(&cx, id, Outcome::Pass, None).await;
    }
    let resolved = finding(&cx, "federation.resolve").await;
    assert_eq!(
        resolved.summary,
        "by the well-known: port 443, Host matrix.example.org:443, SNI and certificate \
         matrix.example.org"
    );
    assert!(running.requests().iter().any(|request| request == VERSION), "the exact Host");
}

#[tokio::test]
async fn inside_the_homeserver_itself_is_asked() {
    let mut stack = stack();
    let inner = KEYS.replace(":443", "");
    stack.set(&inner, Answer::json(200, keys(7, "example.org")));
    let running = stack.start().await;
    let cx = running.run(Vantage::Internal, |target| {
        target.homeserver = "https://matrix.example.org".parse().ok();
    });
    expect(&cx, "federation.version", Outcome::Pass, None).await;
    expect(&cx, "federation.keys", Outcome::Pass, None).await;
}

#[tokio::test]
async fn the_delegation_file_is_to_blame() {
    only("federation.resolve", "well-known-server-missing", |stack| stack.remove(KNOWN)).await;
    let page = || Answer::new(200, "<!doctype html><title>Element</title>");
    only("federation.well_known", "well-known-not-json", |stack| stack.set(KNOWN, page())).await;
    let scheme = json!({"m.server": "https://matrix.example.org"});
    only("federation.well_known", "well-known-server-malformed", |stack| {
        stack.set(KNOWN, Answer::json(200, scheme));
    })
    .await;
    only("federation.well_known", "well-known-server-broken", |stack| {
        stack.set(KNOWN, Answer::new(500, "oops"));
    })
    .await;
}

#[tokio::test]
async fn a_delegation_needs_its_port() {
    let bare = json!({"m.server": "matrix.example.org"});
    only("federation.resolve", "delegation-needs-port", |stack| {
        stack.set(KNOWN, Answer::json(200, bare));
    })
    .await;
    let closed = json!({"m.server": "matrix.example.org:1"});
    only("federation.resolve", "federation-port-closed", |stack| {
        stack.set(KNOWN, Answer::json(200, closed));
    })
    .await;
}

#[tokio::test]
async fn an_unserved_federation_api_is_one_cause() {
    let unknown = || Answer::json(404, json!({"errcode": "M_UNRECOGNIZED"}));
    only("federation.version", "federation-not-served", |stack| {
        stack.set(VERSION, unknown());
        stack.set(KEYS, unknown());
    })
    .await;
    only("federation.keys", "federation-not-served", |stack| stack.set(KEYS, unknown())).await;
}

#[tokio::test]
async fn a_name_of_another_server_is_told() {
    only("federation.server_name", "server-name-is-another", |stack| {
        stack.set(KEYS, Answer::json(200, keys(7, "elsewhere.example")));
    })
    .await;
    // The delegated host, typed where the server name belongs.
    let mut stack = stack();
    let own = "GET matrix.example.org/_matrix/key/v2/server";
    stack.set(own, Answer::json(200, keys(7, "example.org")));
    let running = stack.start().await;
    let cx = running.run(Vantage::Public, |target| {
        target.server_name = "matrix.example.org".into();
    });
    let cause = Some("server-name-is-another");
    expect(&cx, "federation.server_name", Outcome::Fail, cause).await;
    expect(&cx, "federation.resolve", Outcome::Skip, None).await;
}

#[tokio::test]
async fn keys_must_be_signed_and_one() {
    only("federation.keys", "signing-key-differs-between-servers", |stack| {
        stack.set(&format!("{KEYS} #2"), Answer::json(200, keys(8, "example.org")));
    })
    .await;
    only("federation.keys", "key-signature-invalid", |stack| {
        let mut changed = keys(7, "example.org");
        changed["added"] = json!(1);
        stack.set(KEYS, Answer::json(200, changed));
    })
    .await;
    only("federation.keys", "key-document-invalid", |stack| {
        let body = keys(7, "example.org").to_string();
        stack.set(KEYS, Answer::new(200, body).with("content-type", "text/html"));
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_none_is_told() {
    let running = stack().start().await;
    let cx = running.run(Vantage::Public, |target| target.server_name = "exa_mple.org".into());
    let cause = Some("server-name-invalid");
    expect(&cx, "federation.server_name", Outcome::Fail, cause).await;
    expect(&cx, "federation.keys", Outcome::Skip, None).await;
}
