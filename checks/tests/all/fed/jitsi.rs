//! Jitsi Meet's web part.

use mxdoctor_model::Outcome;

use super::{config_js, stack};
use crate::stack::{Answer, Stack, expect};

const BAD_GATEWAY: &str = "<html><head><title>502 Bad Gateway</title></head><body>\
                           <center><h1>502 Bad Gateway</h1></center><center>nginx</center></body>";

async fn fails(cause: &str, ids: &[&str], wreck: impl FnOnce(&mut Stack)) {
    let mut stack = stack();
    wreck(&mut stack);
    let running = stack.start().await;
    let cx = running.bare();
    for id in ids {
        expect(&cx, id, Outcome::Fail, Some(cause)).await;
    }
}

#[tokio::test]
async fn what_the_web_server_serves_passes() {
    let running = stack().start().await;
    for id in ["jitsi.web", "jitsi.config_js", "jitsi.external_api"] {
        expect(&running.bare(), id, Outcome::Pass, None).await;
    }
}

#[tokio::test]
async fn an_unset_public_url_is_one_cause() {
    let mut stack = stack();
    config_js(&mut stack, "localhost:8443");
    let running = stack.start().await;
    let cx = running.bare();
    let cause = Some("jitsi-public-url-unset");
    expect(&cx, "jitsi.config_js", Outcome::Fail, cause).await;
    expect(&cx, "jitsi.bosh", Outcome::Skip, None).await;
    expect(&cx, "jitsi.websocket", Outcome::Skip, None).await;
}

#[tokio::test]
async fn the_web_servers_files_must_be_themselves() {
    let page = || Answer::new(200, "<!doctype html><script src=lib-jitsi-meet.js>");
    fails("jitsi-config-invalid", &["jitsi.config_js"], |stack| {
        stack.set("GET meet.example.org/config.js", page());
    })
    .await;
    fails("jitsi-scripts-missing", &["jitsi.external_api"], |stack| {
        stack.set("GET meet.example.org/external_api.js", page());
    })
    .await;
    fails("jitsi-public-url-wrong", &["jitsi.config_js"], |stack| {
        config_js(stack, "http://meet.example.org");
    })
    .await;
}

#[tokio::test]
async fn prosody_down_is_one_cause() {
    fails("prosody-down", &["jitsi.bosh", "jitsi.websocket"], |stack| {
        for key in ["GET meet.example.org/http-bind", "POST meet.example.org/http-bind"] {
            stack.set(key, Answer::new(502, BAD_GATEWAY));
        }
        stack.set("GET meet.example.org/xmpp-websocket", Answer::new(502, BAD_GATEWAY));
    })
    .await;
}

#[tokio::test]
async fn upgrades_that_get_lost_are_told_from_a_websocket_that_is_off() {
    let works = "<!DOCTYPE html><html>It works! Now point your WebSocket client to this URL";
    fails("websocket-not-proxied", &["jitsi.websocket"], |stack| {
        stack.set("GET meet.example.org/xmpp-websocket", Answer::new(200, works));
    })
    .await;
    let page = "<!doctype html><script src=libs/lib-jitsi-meet.min.js></script>";
    fails("websocket-disabled", &["jitsi.websocket"], |stack| {
        stack.set("GET meet.example.org/xmpp-websocket", Answer::new(200, page));
    })
    .await;
}
