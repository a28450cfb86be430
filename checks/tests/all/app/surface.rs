//! The client side, wrong in just one thing, and the check that sees it.

use mxdoctor_model::{Outcome, Vantage};
use serde_json::json;

use super::{config, stack};
use crate::stack::{Answer, Stack, expect, finding, refusal};

async fn told(id: &str, outcome: Outcome, cause: Option<&str>, wrong: impl FnOnce(&mut Stack)) {
    let mut stack = stack();
    wrong(&mut stack);
    let running = stack.start().await;
    expect(&running.bare(), id, outcome, cause).await;
}

async fn fails(id: &str, cause: &str, wrong: impl FnOnce(&mut Stack)) {
    told(id, Outcome::Fail, Some(cause), wrong).await;
}

async fn warns(id: &str, cause: &str, wrong: impl FnOnce(&mut Stack)) {
    told(id, Outcome::Warn, Some(cause), wrong).await;
}

fn at(path: &str) -> String {
    format!("GET matrix.example.org{path}")
}

#[tokio::test]
async fn refusals_keep_their_shape() {
    let id = "synapse.error_shapes";
    let sync = at("/_matrix/client/v3/sync");
    let page = || Answer::new(401, "<html>401</html>").with("content-type", "text/html");
    fails(id, "errors-replaced", |s| s.set(&sync, page())).await;
    let missing = || Answer::new(404, "404 page not found\n");
    fails(id, "homeserver-path-not-routed", |s| s.set(&sync, missing())).await;
    let batch = || Answer::json(200, json!({"next_batch": "s1"})).cors();
    fails(id, "token-not-asked-for", |s| s.set(&sync, batch())).await;
    let bare = || Answer::json(401, json!({"errcode": "M_MISSING_TOKEN"})).cors();
    warns(id, "error-shape-wrong", |s| s.set(&sync, bare())).await;
    let text = || Answer::new(401, r#"{"errcode":"M_MISSING_TOKEN","error":"x"}"#);
    warns(id, "error-shape-wrong", |s| s.set(&sync, text())).await;
    let head = "HEAD matrix.example.org/_matrix/client/versions";
    warns(id, "error-shape-wrong", |s| s.set(head, Answer::new(405, ""))).await;
}

#[tokio::test]
async fn sliding_sync_is_asked_for_where_it_is_announced() {
    let path = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
    let versions = json!({"versions": ["v1.12"],
        "unstable_features": {"org.matrix.simplified_msc3575": true}});
    fails("synapse.error_shapes", "homeserver-path-not-routed", |s| {
        s.set(&at("/_matrix/client/versions"), Answer::json(200, versions).cors());
        s.remove(&format!("POST matrix.example.org{path}"));
    })
    .await;
    told("synapse.error_shapes", Outcome::Pass, None, |s| {
        s.remove(&format!("POST matrix.example.org{path}"));
    })
    .await;
}

#[tokio::test]
async fn a_homeserver_in_trouble_is_no_wrong_shape() {
    let error = || refusal(500, "M_UNKNOWN");
    let sync = at("/_matrix/client/v3/sync");
    told("synapse.error_shapes", Outcome::Pass, None, |s| s.set(&sync, error())).await;
    let limited = || refusal(429, "M_LIMIT_EXCEEDED").with("retry-after", "1");
    told("synapse.error_shapes", Outcome::Pass, None, |s| s.set(&sync, limited())).await;
}

#[tokio::test]
async fn media() {
    let id = "synapse.media_config";
    let config = at("/_matrix/client/v1/media/config");
    fails(id, "authenticated-media-missing", |s| s.remove(&config)).await;
    let upload = "POST matrix.example.org/_matrix/media/v3/upload";
    fails(id, "homeserver-path-not-routed", |s| {
        s.set(upload, Answer::new(404, "404 page not found\n"));
    })
    .await;
    let download = at("/_matrix/client/v1/media/download/example.org/mxdoctor");
    let bytes = || Answer::new(200, "bytes").with("content-type", "image/png");
    fails(id, "token-not-asked-for", |s| s.set(&download, bytes())).await;
}

#[tokio::test]
async fn limits_are_judged_where_they_show() {
    let id = "synapse.rate_limit_shape";
    let register = "POST matrix.example.org/_matrix/client/v3/register";
    let limited = || refusal(429, "M_LIMIT_EXCEEDED");
    told(id, Outcome::Pass, None, |s| s.set(register, limited().with("retry-after", "7"))).await;
    warns(id, "rate-limit-shape-wrong", |s| s.set(register, limited())).await;
    let edge = || Answer::new(429, "error code: 1015");
    warns(id, "rate-limited-by-edge", |s| s.set(register, edge())).await;
    told(id, Outcome::Skip, None, |_| {}).await;
}

#[tokio::test]
async fn support_contact() {
    let id = "synapse.well_known_support";
    let path = "GET example.org/.well-known/matrix/support";
    warns(id, "support-contact-wrong", |s| s.set(path, Answer::json(200, json!({})))).await;
    told(id, Outcome::Skip, None, |s| s.remove(path)).await;
}

#[tokio::test]
async fn foci() {
    let id = "synapse.rtc_foci";
    let announce = |s: &mut Stack, url: &str| {
        let foci = json!([{"type": "livekit", "livekit_service_url": url}]);
        let known = json!({"m.homeserver": {"base_url": "https://matrix.example.org"},
            "org.matrix.msc4143.rtc_foci": foci});
        s.set("GET example.org/.well-known/matrix/client", Answer::json(200, known).cors());
    };
    let url = "https://meet.example.org/livekit/jwt";
    let service = |s: &mut Stack| {
        announce(s, url);
        let get = "POST meet.example.org/livekit/jwt/sfu/get";
        s.set(get, refusal(400, "M_BAD_JSON"));
        let permit = "OPTIONS meet.example.org/livekit/jwt/sfu/get";
        s.set(permit, Answer::new(200, "").cors());
    };
    told(id, Outcome::Pass, None, service).await;
    fails(id, "rtc-focus-down", |s| announce(s, url)).await;
    fails(id, "rtc-focus-down", |s| announce(s, "https://gone.example.org")).await;
    fails(id, "rtc-focus-wrong", |s| announce(s, "http://meet.example.org")).await;
    fails(id, "rtc-focus-wrong", |s| {
        service(s);
        s.remove("OPTIONS meet.example.org/livekit/jwt/sfu/get");
    })
    .await;
}

#[tokio::test]
async fn the_forwarded_scheme() {
    let id = "ingress.client_address";
    told(id, Outcome::Pass, None, |_| {}).await;
    let back =
        || Answer::new(302, "").with("location", "http://matrix.example.org/_matrix/static/");
    fails(id, "forwarded-scheme-lost", |s| s.set(&at("/"), back())).await;
    let flows = || Answer::json(200, json!({"flows": [{"type": "m.login.sso"}]})).cors();
    fails(id, "forwarded-scheme-lost", |s| {
        s.set(&at("/_matrix/client/v3/login"), flows());
        s.set(&at("/_matrix/client/v3/login/sso/redirect"), back());
    })
    .await;
}

#[tokio::test]
async fn the_admin_api_of_the_authentication_service_is_private() {
    let path = "/_synapse/mas/is_localpart_available";
    fails("synapse.admin_private", "admin-api-public", |s| {
        s.set(&at(path), refusal(403, "M_FORBIDDEN"));
    })
    .await;
}

#[tokio::test]
async fn every_class_of_endpoint_permits_web_clients() {
    let id = "synapse.cors";
    let whoami = at("/_matrix/client/v3/account/whoami");
    let unread = || Answer::json(401, json!({"errcode": "M_MISSING_TOKEN", "error": "x"}));
    fails(id, "cors-blocked", |s| s.set(&whoami, unread())).await;
    let keys = "OPTIONS matrix.example.org/_matrix/client/v3/keys/query";
    let twice = || Answer::new(204, "").cors().with("access-control-allow-origin", "*");
    fails(id, "cors-duplicated", |s| s.set(keys, twice())).await;
    let versions = || {
        Answer::json(200, json!({"versions": ["v1.12"]}))
            .cors()
            .with("access-control-allow-credentials", "true")
    };
    fails(id, "cors-blocked", |s| s.set(&at("/_matrix/client/versions"), versions())).await;
}

#[tokio::test]
async fn elements_own_files() {
    let worker = "GET element.example.org/sw.js";
    let id = "element.service_worker";
    fails(id, "service-worker-missing", |s| s.remove(worker)).await;
    fails(id, "service-worker-missing", |s| {
        s.set(worker, Answer::new(200, "<!doctype html>").with("content-type", "text/html"));
    })
    .await;
    fails("element.mixed_content", "mixed-content", |s| {
        let page = s.routes.get_mut("GET element.example.org/").expect("the page");
        page.body.push_str("<script src='http://cdn.example.org/x.js'></script>");
    })
    .await;
}

#[tokio::test]
async fn a_page_for_everything() {
    let mut stack = stack();
    let page = stack.routes["GET element.example.org/"].clone();
    stack.everything = Some(("element.example.org".into(), page));
    let running = stack.start().await;
    let cx = running.bare();
    let id = "element.unknown_path";
    expect(&cx, id, Outcome::Warn, Some("element-unknown-path")).await;
    expect(&cx, "element.config", Outcome::Pass, None).await;
}

#[tokio::test]
async fn what_element_refuses_to_start_with() {
    let homeserver = json!({"m.homeserver": {"base_url": "https://matrix.example.org"}});
    let mixed = json!({"default_server_config": homeserver,
        "default_hs_url": "https://matrix.example.org"});
    let mut stack = stack();
    config(&mut stack, json!({}));
    stack.set("GET element.example.org/config.json", Answer::json(200, mixed));
    let running = stack.start().await;
    let cx = running.run(Vantage::Public, |target| {
        target.element = "https://element.example.org".parse().ok();
    });
    let fatal = Some("element-config-fatal");
    expect(&cx, "element.fatal_combination", Outcome::Fail, fatal).await;
    assert_eq!(finding(&cx, "element.mixed_content").await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn uploads_pass_the_ingress() {
    let id = "ingress.upload_limit";
    let upload = "POST matrix.example.org/_matrix/media/v3/upload";
    let refused = || Answer::new(413, "<html><center>nginx</center></html>");
    told(id, Outcome::Pass, None, |_| {}).await;
    warns(id, "ingress-upload-limit", |s| s.set(upload, refused())).await;
    let written = |limit| {
        move |target: &mut mxdoctor_checks::Target| target.expect.upload_limit = Some(limit)
    };
    for (answer, cause) in
        [(refused(), "ingress-upload-limit"), (refusal(413, "M_TOO_LARGE"), "upload-limit-differs")]
    {
        let mut stack = stack();
        stack.set(upload, answer);
        let running = stack.start().await;
        let cx = running.run(Vantage::Public, written(10 << 20));
        expect(&cx, id, Outcome::Fail, Some(cause)).await;
    }
    let running = stack().start().await;
    let cx = running.run(Vantage::Public, |target| {
        target.expect.upload_limit = Some(3 << 20);
        target.slow = true;
    });
    let finding = finding(&cx, id).await;
    assert_eq!(
        (finding.outcome, finding.summary.as_str()),
        (Outcome::Pass, "a body of 3 MiB arrives")
    );
}

#[tokio::test]
async fn a_minute_is_waited_only_where_it_is_asked_for() {
    told("ingress.long_poll", Outcome::Skip, None, |_| {}).await;
}
