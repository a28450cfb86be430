//! The homeserver's client side and Element Web.

mod discovery;
mod faults;
mod healthy;
mod others;
mod surface;

use serde_json::json;

use crate::stack::{Answer, Stack, refusal};

/// A stack as the reference deployment answers when all is well.
pub(crate) fn stack() -> Stack {
    let mut stack =
        Stack { routes: Default::default(), strip_cors: false, everything: None, respond: None };
    let hs = |path: &str| format!("GET matrix.example.org{path}");
    let known = json!({"m.homeserver": {"base_url": "https://matrix.example.org"}});
    stack.set("GET example.org/.well-known/matrix/client", Answer::json(200, known).cors());
    let versions = json!({"versions": ["r0.6.1", "v1.1", "v1.12"], "unstable_features": {}});
    let versions = Answer::json(200, versions).cors().with("server", "Synapse/1.147.0");
    stack.set(&hs("/_matrix/client/versions"), versions);
    let version = json!({"server": {"name": "Synapse", "version": "1.147.0"}});
    stack.set(&hs("/_matrix/federation/v1/version"), Answer::json(200, version));
    stack.set(&hs("/health"), Answer::new(200, "OK"));
    let flows = json!({"flows": [{"type": "m.login.password"}]});
    stack.set(&hs("/_matrix/client/v3/login"), Answer::json(200, flows).cors());
    let unknown = json!({"errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token passed."});
    stack.set(&hs("/_matrix/client/v3/account/whoami"), Answer::json(401, unknown).cors());
    let closed = json!({"errcode": "M_FORBIDDEN", "error": "Registration has been disabled"});
    stack.set(
        "POST matrix.example.org/_matrix/client/v3/register",
        Answer::json(403, closed).cors(),
    );
    client_side(&mut stack);
    element(&mut stack);
    stack.set("GET meet.example.org/", Answer::new(200, "<script src=libs/lib-jitsi-meet.min.js>"));
    stack
}

/// What Synapse says to those who have no token.
fn client_side(stack: &mut Stack) {
    let mut set = |route: &str, answer: Answer| {
        let (method, path) = route.split_once(' ').expect("a method and a path");
        stack.set(&format!("{method} matrix.example.org{path}"), answer);
    };
    for route in [
        "GET /_matrix/client/v3/sync",
        "GET /_matrix/client/v3/capabilities",
        "GET /_matrix/client/v3/voip/turnServer",
        "POST /_matrix/client/v3/keys/query",
        "POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
        "GET /_matrix/client/v1/media/config",
        "GET /_matrix/client/v1/media/download/example.org/mxdoctor",
        "GET /_matrix/media/v3/config",
        "POST /_matrix/media/v3/upload",
    ] {
        set(route, refusal(401, "M_MISSING_TOKEN"));
    }
    set("HEAD /_matrix/client/versions", Answer::new(200, "").cors());
    set("POST /_matrix/client/versions", refusal(405, "M_UNRECOGNIZED"));
    set("DELETE /_matrix/client/v3/login", refusal(405, "M_UNRECOGNIZED"));
    set("POST /_matrix/client/v3/login", refusal(400, "M_NOT_JSON"));
    for path in [
        "/_matrix/client/v3/directory/room/%23mxdoctor%3Aexample.org",
        "/_matrix/client/v3/directory/room/%23mx%2Fdoctor%3Aexample.org",
        "/_matrix/media/v3/download/example.org/mxdoctor",
    ] {
        set(&format!("GET {path}"), refusal(404, "M_NOT_FOUND"));
    }
    set("GET /", Answer::new(302, "").with("location", "/_matrix/static/"));
    let contact = json!({"role": "m.role.admin", "matrix_id": "@admin:example.org"});
    let support = Answer::json(200, json!({"contacts": [contact]})).cors();
    stack.set("GET example.org/.well-known/matrix/support", support);
}

fn element(stack: &mut Stack) {
    let page = "<!doctype html><title>Element</title><section id=\"matrixchat\"></section>\
                <script src=\"bundles/0a1b2c/bundle.js\"></script>";
    let page = Answer::new(200, page)
        .with("content-type", "text/html")
        .with("cache-control", "no-cache")
        .with("x-frame-options", "SAMEORIGIN")
        .with("x-content-type-options", "nosniff");
    stack.set("GET element.example.org/", page);
    stack.set(
        "GET element.example.org/bundles/0a1b2c/bundle.js",
        Answer::new(200, "(()=>{})()").with("content-type", "application/javascript"),
    );
    let widget = Answer::new(200, "<!doctype html><body id=\"jitsiContainer\">")
        .with("content-type", "text/html")
        .with("x-frame-options", "SAMEORIGIN");
    stack.set("GET element.example.org/jitsi.html", widget);
    config(stack, json!({"preferred_domain": "meet.example.org"}));
    stack.set(
        "GET element.example.org/sw.js",
        Answer::new(200, "addEventListener('fetch',()=>{})")
            .with("content-type", "application/javascript"),
    );
    let version = Answer::new(200, "1.12.10\n").with("cache-control", "no-cache");
    stack.set("GET element.example.org/version", version);
}

/// Sets Element's configuration with that `jitsi` object.
fn config(stack: &mut Stack, jitsi: serde_json::Value) {
    let homeserver =
        json!({"base_url": "https://matrix.example.org", "server_name": "example.org"});
    let config = json!({"default_server_config": {"m.homeserver": homeserver}, "jitsi": jitsi});
    let answer = Answer::json(200, config).with("cache-control", "no-cache");
    stack.set("GET element.example.org/config.json", answer);
}
