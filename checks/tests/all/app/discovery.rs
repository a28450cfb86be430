//! How the parts are found.

use mxdoctor_checks::Cx;
use mxdoctor_checks::facts::{Element, Found, Homeserver, Hosts, Jitsi, Role};
use mxdoctor_model::Outcome;
use serde_json::json;

use super::config;
use crate::stack::{Answer, expect, finding};

async fn homeserver(cx: &Cx) -> Result<(String, Found), Outcome> {
    let found = cx.fact(Homeserver).await;
    found.map(|at| (at.base.to_string(), at.found)).map_err(|by| by.finding.outcome)
}

#[tokio::test]
async fn the_homeserver_is_found_in_the_order_of_trust() {
    let matrix = || "https://matrix.example.org/".to_owned();
    let known = "GET example.org/.well-known/matrix/client";

    let running = super::stack().start().await;
    assert_eq!(homeserver(&running.bare()).await, Ok((matrix(), Found::ClientWellKnown)));
    let cx = running.run(mxdoctor_model::Vantage::Public, |target| {
        target.homeserver = "https://elsewhere.example".parse().ok();
    });
    let configured = ("https://elsewhere.example/".to_owned(), Found::Configured);
    assert_eq!(homeserver(&cx).await, Ok(configured));

    let mut stack = super::stack();
    stack.remove(known);
    let running = stack.start().await;
    assert_eq!(homeserver(&running.bare()).await, Ok((matrix(), Found::ElementConfig)));

    let mut stack = super::stack();
    stack.set(known, Answer::new(200, "<!doctype html>"));
    stack.remove("GET element.example.org/config.json");
    let running = stack.start().await;
    assert_eq!(homeserver(&running.bare()).await, Ok((matrix(), Found::Name)));

    let mut stack = super::stack();
    stack.remove(known);
    stack.remove("GET element.example.org/config.json");
    stack.remove("GET matrix.example.org/_matrix/client/versions");
    let running = stack.start().await;
    assert_eq!(homeserver(&running.bare()).await, Err(Outcome::Skip));
}

#[tokio::test]
async fn without_a_well_known_all_else_goes_on() {
    let mut stack = super::stack();
    stack.remove("GET example.org/.well-known/matrix/client");
    let running = stack.start().await;
    let cx = running.bare();
    let id = "synapse.well_known_client";
    expect(&cx, id, Outcome::Fail, Some("well-known-client-missing")).await;
    for id in ["synapse.versions", "synapse.login_flows", "element.base_url", "synapse.cors"] {
        expect(&cx, id, Outcome::Pass, None).await;
    }
}

#[tokio::test]
async fn an_element_for_another_homeserver_is_not_ours() {
    let mut stack = super::stack();
    let other = json!({"default_server_config":
        {"m.homeserver": {"base_url": "https://matrix.invalid", "server_name": "invalid"}}});
    stack.set("GET element.example.org/config.json", Answer::json(200, other));
    let running = stack.start().await;
    let cx = running.bare();
    let by = cx.fact(Element).await.expect_err("not found");
    assert_eq!(by.finding.outcome, Outcome::Skip);
    assert!(by.finding.summary.contains("https://matrix.invalid"), "{}", by.finding.summary);
    assert_eq!(finding(&cx, "element.config").await.outcome, Outcome::Skip);
}

#[tokio::test]
async fn an_element_with_a_broken_configuration_is_ours_by_its_name() {
    let mut stack = super::stack();
    stack.set("GET element.example.org/config.json", Answer::new(200, "{\"brand\": \"x\",}"));
    let running = stack.start().await;
    let cx = running.bare();
    expect(&cx, "element.config", Outcome::Fail, Some("element-config-invalid")).await;
    expect(&cx, "element.index", Outcome::Pass, None).await;
    assert_eq!(finding(&cx, "element.base_url").await.outcome, Outcome::Skip);
}

#[tokio::test]
async fn jitsi_is_named_or_found_and_never_a_strangers() {
    let jitsi = async |stack: crate::stack::Stack| {
        let running = stack.start().await;
        let found = running.bare().fact(Jitsi).await;
        found.map(|at| (at.host().to_owned(), at.found)).map_err(|by| by.finding.summary)
    };
    let ours = |found| Ok(("meet.example.org".to_owned(), found));
    assert_eq!(jitsi(super::stack()).await, ours(Found::ElementConfig));

    let mut old = super::stack();
    config(&mut old, json!({"preferredDomain": "meet.example.org"}));
    assert_eq!(jitsi(old).await, ours(Found::ElementConfig));

    let mut default = super::stack();
    config(&mut default, json!({}));
    assert_eq!(jitsi(default).await, ours(Found::Name));

    let mut strangers = super::stack();
    config(&mut strangers, json!({"preferred_domain": "meet.element.io"}));
    strangers.remove("GET meet.example.org/");
    let why = jitsi(strangers).await.expect_err("none");
    assert!(why.contains("meet.element.io") && why.contains("not this deployment's"), "{why}");

    let mut announced = super::stack();
    config(&mut announced, json!({}));
    let known = json!({"m.homeserver": {"base_url": "https://matrix.example.org"},
        "im.vector.riot.jitsi": {"preferredDomain": "meet.example.org"}});
    announced.set("GET example.org/.well-known/matrix/client", Answer::json(200, known).cors());
    assert_eq!(jitsi(announced).await, ours(Found::ClientWellKnown));
}

#[tokio::test]
async fn the_hosts_are_known_with_their_roles() {
    let running = super::stack().start().await;
    let hosts = running.bare().fact(Hosts).await.expect("hosts");
    let hosts: Vec<_> = hosts.iter().map(|host| (host.host.as_str(), host.roles[0])).collect();
    let expected = [
        ("example.org", Role::ServerName),
        ("matrix.example.org", Role::Homeserver),
        ("element.example.org", Role::Element),
        ("meet.example.org", Role::Jitsi),
    ];
    assert_eq!(hosts, expected);
}
