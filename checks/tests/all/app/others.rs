//! Homeservers that are not Synapse: what only Synapse does is not asked of them.

use mxdoctor_checks::REGISTRY;
use mxdoctor_model::{Outcome, Vantage};
use serde_json::json;

use super::stack;
use crate::stack::{Answer, Stack, finding, refusal};

const VERSION: &str = "GET matrix.example.org/_matrix/federation/v1/version";

fn named(stack: &mut Stack, name: &str, version: &str) {
    let said = json!({"server": {"name": name, "version": version}});
    stack.set(VERSION, Answer::json(200, said));
    for health in ["/health", "/"] {
        stack.remove(&format!("GET matrix.example.org{health}"));
    }
}

fn versions(stack: &mut Stack, versions: &[&str]) {
    let said = json!({"versions": versions, "unstable_features": {}});
    let route = "GET matrix.example.org/_matrix/client/versions";
    stack.set(route, Answer::json(200, said).cors());
}

fn set(stack: &mut Stack, route: &str, answer: Answer) {
    let (method, path) = route.split_once(' ').expect("a method and a path");
    stack.set(&format!("{method} matrix.example.org{path}"), answer);
}

/// As `setup/base` and `clientapi/routing` of Dendrite answer: an API that it has not is Go's own
/// 404, `HEAD` is no method of a route, media are those without authentication.
fn dendrite() -> Stack {
    let mut stack = stack();
    named(&mut stack, "Dendrite", "0.13.8+f7ac0a2");
    versions(&mut stack, &["r0.0.1", "r0.6.1", "v1.0", "v1.1", "v1.2"]);
    let go = || Answer::new(404, "404 page not found\n").with("content-type", "text/plain");
    set(&mut stack, "GET /_matrix/mxdoctor", go());
    set(&mut stack, "GET /_matrix/static", go());
    set(&mut stack, "HEAD /_matrix/client/versions", Answer::new(405, ""));
    set(&mut stack, "POST /_matrix/client/versions", Answer::new(405, ""));
    set(&mut stack, "DELETE /_matrix/client/v3/login", Answer::new(405, ""));
    set(&mut stack, "POST /_matrix/client/v3/login", refusal(400, "M_BAD_JSON"));
    for path in ["config", "download/example.org/mxdoctor"] {
        stack.remove(&format!("GET matrix.example.org/_matrix/client/v1/media/{path}"));
    }
    stack
}

/// As the Conduit family answers (`src/router` of tuwunel): 405 with a body, preflights with 200,
/// other words for the same refusals.
fn conduit(name: &str) -> Stack {
    let mut stack = stack();
    named(&mut stack, name, "1.4.2");
    versions(&mut stack, &["r0.5.0", "r0.6.0", "v1.1", "v1.5", "v1.11", "v1.12"]);
    let preflight = || {
        Answer::new(200, "")
            .with("access-control-allow-origin", "*")
            .with("access-control-allow-methods", "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT")
            .with(
                "access-control-allow-headers",
                "accept,authorization,content-type,origin,x-requested-with",
            )
    };
    for path in [
        "/_matrix/client/v3/login",
        "/_matrix/client/v3/sync",
        "/_matrix/client/v3/keys/query",
        "/_matrix/client/v1/media/config",
        "/_matrix/media/v3/upload",
    ] {
        set(&mut stack, &format!("OPTIONS {path}"), preflight());
    }
    let unrecognized = json!({"errcode": "M_UNRECOGNIZED", "error": "M_UNRECOGNIZED: Not Found"});
    for route in ["GET /_matrix/client/v3/mxdoctor", "GET /_matrix/mxdoctor"] {
        set(&mut stack, route, Answer::json(404, unrecognized.clone()));
    }
    set(&mut stack, "POST /_matrix/client/v3/login", refusal(400, "M_BAD_JSON"));
    set(&mut stack, "GET /", Answer::new(200, "hewwo from tuwunel woof!"));
    stack.remove("GET matrix.example.org/_matrix/client/v3/voip/turnServer");
    set(
        &mut stack,
        "GET /_matrix/client/v3/directory/room/%23mx%2Fdoctor%3Aexample.org",
        refusal(400, "M_INVALID_PARAM"),
    );
    stack
}

async fn nothing_fails(stack: Stack, name: &str) {
    let running = stack.start().await;
    let cx = running.run(Vantage::Public, |target| {
        target.homeserver = "https://matrix.example.org".parse().ok();
    });
    let of_the_homeserver = |id: &str| {
        id.starts_with("synapse.")
            || ["ingress.client_address", "ingress.upload_limit"].contains(&id)
    };
    let mut seen = 0;
    for check in REGISTRY.iter().filter(|check| of_the_homeserver(check.id)) {
        let finding = finding(&cx, check.id).await;
        let fine = matches!(finding.outcome, Outcome::Pass | Outcome::Skip);
        assert!(fine, "{name}, {}: {finding:#?}", check.id);
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
    let software = finding(&cx, "synapse.software").await;
    assert_eq!(software.outcome, Outcome::Pass);
    assert!(software.summary.contains(name), "{}", software.summary);
}

#[tokio::test]
async fn nothing_of_synapses_own_is_asked_of_dendrite() {
    nothing_fails(dendrite(), "Dendrite").await;
}

#[tokio::test]
async fn nothing_of_synapses_own_is_asked_of_the_conduit_family() {
    for name in ["Conduit", "continuwuity", "Tuwunel"] {
        nothing_fails(conduit(name), name).await;
    }
}

#[tokio::test]
async fn others_are_held_to_what_all_do() {
    for mut stack in [dendrite(), conduit("Conduit")] {
        let page = Answer::new(404, "404 page not found\n");
        set(&mut stack, "POST /_matrix/media/v3/upload", page);
        let running = stack.start().await;
        let finding = finding(&running.bare(), "synapse.media_config").await;
        assert_eq!(finding.cause, Some("homeserver-path-not-routed"), "{finding:#?}");
    }
}
