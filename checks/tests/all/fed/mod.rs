//! Federation and Jitsi's web part.

mod federation;
mod jitsi;
mod prosody;
mod signed;
mod signing;

use mxdoctor_probes::matrix::{canonical_json, encode_base64};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::stack::{Answer, Stack};

const KNOWN: &str = "GET example.org/.well-known/matrix/server";
const KEYS: &str = "GET matrix.example.org:443/_matrix/key/v2/server";
const VERSION: &str = "GET matrix.example.org:443/_matrix/federation/v1/version";

/// A stack that other servers find by its well-known.
fn stack() -> Stack {
    let mut stack = crate::app::stack();
    stack.set(KNOWN, Answer::json(200, json!({"m.server": "matrix.example.org:443"})));
    let version = json!({"server": {"name": "Synapse", "version": "1.147.0"}});
    stack.set(VERSION, Answer::json(200, version));
    stack.set(KEYS, Answer::json(200, keys(7, "example.org")));
    let page = "<script src='libs/lib-jitsi-meet.min.js'></script>";
    stack.set("GET meet.example.org/", Answer::new(200, page).with("content-type", "text/html"));
    for path in ["external_api.js", "libs/lib-jitsi-meet.min.js"] {
        let script = Answer::new(200, "!function(){}()").with("content-type", "text/javascript");
        stack.set(&format!("GET meet.example.org/{path}"), script);
    }
    config_js(&mut stack, "meet.example.org");
    stack
}

/// Sets `config.js` as the web container makes it of that host in `PUBLIC_URL`.
fn config_js(stack: &mut Stack, host: &str) {
    let text = format!(
        "var subdir = '';\nvar subdomain = '';\nconfig = {{}};\nconfig.hosts = {{}};\n\
         config.hosts.domain = 'meet.jitsi';\n\
         config.hosts.muc = 'muc.' + subdomain + 'meet.jitsi';\n\
         config.bosh = 'https://{host}/' + subdir + 'http-bind';\n\
         config.websocket = 'wss://{host}/' + subdir + 'xmpp-websocket';\n"
    );
    let answer = Answer::new(200, text).with("content-type", "application/javascript");
    stack.set("GET meet.example.org/config.js", answer);
}

/// A key document signed with a key of that seed.
fn keys(seed: u8, server_name: &str) -> Value {
    keys_changed(seed, server_name, |_| {})
}

/// The same, with something changed before it is signed.
fn keys_changed(seed: u8, server_name: &str, change: impl FnOnce(&mut Value)) -> Value {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a key");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let until = now.expect("after 1970").as_millis() as i64 + 24 * 3_600_000;
    let mut document = json!({
        "server_name": server_name,
        "valid_until_ts": until,
        "verify_keys": { "ed25519:a_1": { "key": encode_base64(pair.public_key().as_ref()) } },
        "old_verify_keys": {},
    });
    change(&mut document);
    let text = canonical_json(&document).expect("no floats");
    let signature = encode_base64(pair.sign(text.as_bytes()).as_ref());
    document["signatures"] = json!({ server_name: { "ed25519:a_1": signature } });
    document
}
