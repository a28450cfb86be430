//! A healthy stack, found by nothing but its server name.

use mxdoctor_checks::REGISTRY;
use mxdoctor_model::{Outcome, Vantage};

use super::stack;
use crate::stack::{expect, finding};

/// Nothing is limited, no call by Element Call is announced, and nobody logs in to hear of TURN.
const ABSENT: &[&str] = &["synapse.rate_limit_shape", "synapse.rtc_foci", "synapse.turn"];

#[tokio::test]
async fn everything_passes_and_is_asked_for_once() {
    let running = stack().start().await;
    let cx = running.bare();
    let checks = REGISTRY.iter().filter(|c| matches!(c.family(), "synapse" | "element"));
    let mut count = 0;
    for check in checks {
        let finding = finding(&cx, check.id).await;
        let outcome = if ABSENT.contains(&check.id) { Outcome::Skip } else { Outcome::Pass };
        assert_eq!(finding.outcome, outcome, "{}: {finding:#?}", check.id);
        count += 1;
    }
    assert_eq!(count, 28);
    let requests = running.requests();
    for once in [
        "GET example.org/.well-known/matrix/client",
        "GET element.example.org/config.json",
        "GET element.example.org/",
        "GET matrix.example.org/_matrix/federation/v1/version",
    ] {
        assert_eq!(requests.iter().filter(|request| *request == once).count(), 1, "{once}");
    }
}

#[tokio::test]
async fn nothing_is_sent_that_could_make_an_account() {
    let running = stack().start().await;
    expect(&running.bare(), "synapse.registration_closed", Outcome::Pass, None).await;
    let posts: Vec<_> =
        running.requests().into_iter().filter(|request| request.starts_with("POST")).collect();
    assert_eq!(posts, ["POST matrix.example.org/_matrix/client/v3/register"]);
}

#[tokio::test]
async fn at_the_other_vantages_only_configured_addresses_count() {
    let running = stack().start().await;
    let cx = running.run(Vantage::Internal, |_| {});
    for id in ["synapse.versions", "element.index", "element.config"] {
        assert_eq!(finding(&cx, id).await.outcome, Outcome::Skip, "{id}");
    }
    assert!(running.requests().is_empty());
    let cx = running.run(Vantage::Cluster, |target| {
        target.homeserver = "https://matrix.example.org".parse().ok();
    });
    expect(&cx, "synapse.versions", Outcome::Pass, None).await;
    expect(&cx, "synapse.health", Outcome::Pass, None).await;
}
