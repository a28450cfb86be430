//! One fault each: the check that sees it, and the cause that it names.

use mxdoctor_model::{Outcome, Vantage};
use serde_json::json;

use super::{config, stack};
use crate::stack::{Answer, Stack, expect};

/// Breaks a healthy stack and holds a check to what it must say.
async fn broken(id: &str, outcome: Outcome, cause: &str, wreck: impl FnOnce(&mut Stack)) {
    let mut stack = stack();
    wreck(&mut stack);
    let running = stack.start().await;
    expect(&running.bare(), id, outcome, Some(cause)).await;
}

async fn fails(id: &str, cause: &str, wreck: impl FnOnce(&mut Stack)) {
    broken(id, Outcome::Fail, cause, wreck).await;
}

async fn warns(id: &str, cause: &str, wreck: impl FnOnce(&mut Stack)) {
    broken(id, Outcome::Warn, cause, wreck).await;
}

const VERSIONS: &str = "GET matrix.example.org/_matrix/client/versions";
const KNOWN: &str = "GET example.org/.well-known/matrix/client";
const CONFIG: &str = "GET element.example.org/config.json";

#[tokio::test]
async fn versions() {
    let id = "synapse.versions";
    fails(id, "homeserver-url-wrong", |s| s.set(VERSIONS, Answer::new(200, "<!doctype html>")))
        .await;
    fails(id, "homeserver-url-wrong", |s| s.set(VERSIONS, Answer::json(200, json!({})))).await;
    let error = || Answer::json(500, json!({"errcode": "M_UNKNOWN"}));
    fails(id, "homeserver-broken", |s| s.set(VERSIONS, error())).await;
    let long = || Answer::new(200, " ".repeat(300_000));
    fails(id, "homeserver-broken", |s| s.set(VERSIONS, long())).await;
    let old = || Answer::json(200, json!({"versions": ["r0.6.1"]}));
    fails(id, "homeserver-too-old", |s| s.set(VERSIONS, old())).await;
}

#[tokio::test]
async fn health_and_software() {
    let health = "GET matrix.example.org/health";
    fails("synapse.health", "homeserver-broken", |s| s.set(health, Answer::new(500, "no"))).await;
    let version = "GET matrix.example.org/_matrix/federation/v1/version";
    let said = |v| Answer::json(200, json!({"server": {"name": "Synapse", "version": v}}));
    let id = "synapse.software";
    warns(id, "homeserver-vulnerable", |s| s.set(version, said("1.100.0"))).await;
    let running = stack().start().await;
    let cx = running.run(Vantage::Public, |target| {
        target.expect.synapse_version = Some("1.148.0".into());
        target.expect.element_version = Some("1.12.11".into());
    });
    expect(&cx, id, Outcome::Fail, Some("version-differs")).await;
    expect(&cx, "element.version", Outcome::Fail, Some("version-differs")).await;
}

#[tokio::test]
async fn other_software_is_not_blamed_for_being_other() {
    let mut stack = stack();
    stack.set(
        "GET matrix.example.org/_matrix/federation/v1/version",
        Answer::json(200, json!({"server": {"name": "conduwuit", "version": "0.5.0"}})),
    );
    stack.remove("GET matrix.example.org/health");
    let running = stack.start().await;
    let cx = running.run(Vantage::Cluster, |target| {
        target.homeserver = "https://matrix.example.org".parse().ok();
    });
    expect(&cx, "synapse.health", Outcome::Skip, None).await;
    expect(&cx, "synapse.software", Outcome::Pass, None).await;
}

#[tokio::test]
async fn well_known_client() {
    let id = "synapse.well_known_client";
    fails(id, "well-known-client-missing", |s| s.remove(KNOWN)).await;
    let html = || Answer::new(200, "<!doctype html><title>Element</title>");
    fails(id, "well-known-client-wrong", |s| s.set(KNOWN, html())).await;
    let known = |base: &str| Answer::json(200, json!({"m.homeserver": {"base_url": base}}));
    let wrong = "well-known-client-wrong";
    fails(id, wrong, |s| s.set(KNOWN, known("matrix.example.org").cors())).await;
    fails(id, "cors-blocked", |s| s.set(KNOWN, known("https://matrix.example.org"))).await;
    let mut stack = stack();
    stack.set(KNOWN, known("https://gone.example.org").cors());
    let running = stack.start().await;
    let cx = running.run(Vantage::Public, |target| {
        target.homeserver = "https://matrix.example.org".parse().ok();
    });
    expect(&cx, id, Outcome::Fail, Some(wrong)).await;
}

#[tokio::test]
async fn cors() {
    let id = "synapse.cors";
    fails(id, "cors-blocked", |s| s.strip_cors = true).await;
    let twice = || {
        Answer::json(200, json!({"versions": ["v1.12"]}))
            .cors()
            .with("access-control-allow-origin", "*")
    };
    fails(id, "cors-duplicated", |s| s.set(VERSIONS, twice())).await;
    let preflight = "OPTIONS matrix.example.org/_matrix/client/v3/sync";
    fails(id, "cors-blocked", |s| s.set(preflight, Answer::new(405, "").cors())).await;
}

#[tokio::test]
async fn login_flows() {
    let id = "synapse.login_flows";
    let login = "GET matrix.example.org/_matrix/client/v3/login";
    let flows = || Answer::json(200, json!({"flows": [{"type": "m.login.application_service"}]}));
    fails(id, "login-no-flow", |s| s.set(login, flows())).await;
    let whoami = "GET matrix.example.org/_matrix/client/v3/account/whoami";
    let error = || Answer::json(500, json!({"errcode": "M_UNKNOWN"}));
    fails(id, "database-down", |s| s.set(whoami, error())).await;
    let metadata = "GET matrix.example.org/_matrix/client/v1/auth_metadata";
    let issuer = || {
        Answer::json(
            200,
            json!({"issuer": "https://auth.example.org/", "token_endpoint":
                "https://auth.example.org/token", "authorization_endpoint":
                "https://auth.example.org/authorize"}),
        )
    };
    fails(id, "login-not-routed", |s| {
        s.set(metadata, issuer());
        s.remove(login);
    })
    .await;
    fails(id, "auth-service-down", |s| {
        s.set(metadata, issuer());
        s.set(whoami, Answer::json(503, json!({"errcode": "M_UNKNOWN"})));
    })
    .await;
}

#[tokio::test]
async fn what_must_not_be_open() {
    let register = "POST matrix.example.org/_matrix/client/v3/register";
    let open = || Answer::json(401, json!({"flows": [{"stages": ["m.login.dummy"]}]}));
    let id = "synapse.registration_closed";
    fails(id, "registration-open", |s| s.set(register, open())).await;
    let nonce = "GET matrix.example.org/_synapse/admin/v1/register";
    let id = "synapse.admin_private";
    fails(id, "admin-api-public", |s| s.set(nonce, Answer::json(200, json!({"nonce": "x"})))).await;
    let users = "GET matrix.example.org/_synapse/admin/v2/users";
    let refused = || Answer::json(401, json!({"errcode": "M_MISSING_TOKEN"}));
    fails(id, "admin-api-public", |s| s.set(users, refused())).await;
    let metrics = "GET matrix.example.org/_synapse/metrics";
    let id = "synapse.metrics_private";
    let text = || Answer::new(200, "# HELP x y\n# TYPE x counter\nx 1\n");
    fails(id, "metrics-public", |s| s.set(metrics, text())).await;
    let stream = "/_synapse/replication/get_repl_stream_updates/mxdoctor/mxdoctor";
    let stream = format!("GET matrix.example.org{stream}");
    let refused = || Answer::json(400, json!({"errcode": "M_UNKNOWN"}));
    fails(id, "replication-public", |s| s.set(&stream, refused())).await;
}

#[tokio::test]
async fn element_files() {
    let bundle = "GET element.example.org/bundles/0a1b2c/bundle.js";
    fails("element.index", "element-bundle-missing", |s| {
        s.set(bundle, Answer::new(404, "<html>gone</html>"));
    })
    .await;
    fails("element.config", "element-config-invalid", |s| {
        s.set(CONFIG, Answer::new(200, "{\"default_server_config\": {},}"));
    })
    .await;
    fails("element.config", "element-config-missing", |s| {
        s.set(CONFIG, Answer::new(200, "<!doctype html>"));
    })
    .await;
    warns("element.cache", "element-cached", |s| {
        let page = s.routes.get_mut("GET element.example.org/").expect("the page");
        page.headers.retain(|(name, _)| name != "cache-control");
        page.headers.push(("cache-control".into(), "max-age=86400".into()));
    })
    .await;
    warns("element.headers", "element-headers-missing", |s| {
        let page = s.routes.get_mut("GET element.example.org/").expect("the page");
        page.headers.retain(|(name, _)| !name.starts_with("x-"));
    })
    .await;
    fails("element.headers", "element-frames-blocked", |s| {
        let page = s.routes.get_mut("GET element.example.org/").expect("the page");
        page.headers.push(("content-security-policy".into(), "frame-ancestors 'none'".into()));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_page_where_element_was_configured() {
    let mut stack = stack();
    stack.set("GET element.example.org/", Answer::new(200, "<h1>Welcome to nginx!</h1>"));
    let running = stack.start().await;
    let cx = running.run(Vantage::Public, |target| {
        target.element = "https://element.example.org".parse().ok();
    });
    expect(&cx, "element.index", Outcome::Fail, Some("element-page-wrong")).await;
}

#[tokio::test]
async fn element_leads_elsewhere() {
    let elsewhere = |base: &str, name: &str| {
        let homeserver = json!({"base_url": base, "server_name": name});
        Answer::json(200, json!({"default_server_config": {"m.homeserver": homeserver}}))
    };
    let id = "element.base_url";
    let wrong = "element-base-url-wrong";
    fails(id, wrong, |s| s.set(CONFIG, elsewhere("https://gone.example.org", "example.org"))).await;
    fails(id, wrong, |s| s.set(CONFIG, elsewhere("http://matrix.example.org", "example.org")))
        .await;
    fails("element.server_name", "element-server-name-wrong", |s| {
        s.set(CONFIG, elsewhere("https://matrix.example.org", "matrix.example.org"));
    })
    .await;
}

#[tokio::test]
async fn another_address_of_the_same_homeserver_is_fine() {
    let mut stack = stack();
    let homeserver = json!({"base_url": "https://example.org", "server_name": "example.org"});
    let json = json!({"default_server_config": {"m.homeserver": homeserver}});
    stack.set(CONFIG, Answer::json(200, json));
    let versions = Answer::json(200, json!({"versions": ["v1.12"]}));
    stack.set("GET example.org/_matrix/client/versions", versions);
    let keys = Answer::json(200, json!({"server_name": "example.org"}));
    stack.set("GET example.org/_matrix/key/v2/server", keys);
    let running = stack.start().await;
    expect(&running.bare(), "element.base_url", Outcome::Pass, None).await;
}

#[tokio::test]
async fn calls_go_elsewhere() {
    let id = "element.jitsi_domain";
    fails(id, "element-jitsi-key-ignored", |s| {
        config(s, json!({"preferredDomain": "meet.example.org"}));
    })
    .await;
    fails(id, "element-jitsi-domain-wrong", |s| {
        let known = json!({"m.homeserver": {"base_url": "https://matrix.example.org"},
            "im.vector.riot.jitsi": {"preferredDomain": "meet.jit.si"}});
        s.set(KNOWN, Answer::json(200, known).cors());
    })
    .await;
}
