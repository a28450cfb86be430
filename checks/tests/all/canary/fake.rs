//! A homeserver of one account, with as much of the API as a synthetic user needs.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(super) const PASSWORD: &str = "hunter22-right";
pub(super) const SECRET: &str = "shared-by-both";
pub(super) const TOKEN: &str = "syt_token_of_the_canary";
/// What it says that it takes, in bytes.
pub(super) const LIMIT: u64 = 3 << 20;
pub(super) const ROOM: &str = "!room:example.org";

/// What is wrong with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Quirk {
    #[default]
    None,
    /// Answers with this status and body to requests whose method and path begin so.
    Answers(&'static str, u16, &'static str),
    /// Messages do not arrive by `/sync`.
    Deaf,
    /// Messages do not arrive by sliding sync.
    SlidingDeaf,
    /// It has no sliding sync, and says so or not.
    NoSliding(bool),
    /// Each request makes an event of its own.
    Forgetful,
    /// Events come back without their transaction id.
    Anonymous,
    /// One byte of each download is another.
    Altered,
    /// Media are given to anybody.
    Leaky,
    /// Media are given to anybody by the endpoint of before.
    OldMedia,
    /// It has no authenticated media.
    NoNewMedia,
    /// Thumbnails are pages.
    NoPictures,
    /// It says of tokens that they are somebody else's.
    Mistaken,
    /// It loses keys.
    KeyLoss,
    /// Tokens live on.
    Undead,
    /// The room federates.
    Open,
    /// It names TURN servers in a form of its own.
    OddTurn,
}

/// What happened there.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub(super) tokens: BTreeSet<String>,
    pub(super) accounts: Vec<(String, String)>,
    pub(super) deactivated: Vec<String>,
    pub(super) rooms: BTreeSet<String>,
    /// Event id, transaction, text.
    pub(super) messages: Vec<(String, String, String)>,
    pub(super) redacted: BTreeSet<String>,
    pub(super) media: Vec<Bytes>,
    pub(super) keys: Option<Value>,
    pub(super) requests: Vec<String>,
    pub(super) user: String,
    /// The server name.
    pub(super) name: String,
}

pub(super) struct Fake {
    pub(super) name: String,
    pub(super) address: SocketAddr,
    pub(super) events: Arc<Mutex<Events>>,
}

impl Fake {
    pub(super) async fn start(quirk: Quirk) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        // One lease each.
        let name = format!("port{}.example.org", address.port());
        let events = Arc::new(Mutex::new(Events {
            tokens: BTreeSet::from([TOKEN.to_owned()]),
            accounts: vec![("canary".into(), PASSWORD.into())],
            user: format!("@canary:{name}"),
            name: name.clone(),
            ..Events::default()
        }));
        let shared = Arc::clone(&events);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let events = Arc::clone(&shared);
                let service = hyper::service::service_fn(move |request| {
                    let events = Arc::clone(&events);
                    async move { Ok::<_, std::convert::Infallible>(serve(quirk, events, request).await) }
                });
                let io = hyper_util::rt::TokioIo::new(stream);
                tokio::spawn(async move {
                    let http = hyper::server::conn::http1::Builder::new();
                    // Whoever asks may go at any moment.
                    let _ = http.serve_connection(io, service).await;
                });
            }
        });
        Self { name, address, events }
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Events) -> T) -> T {
        look(&mut self.events.lock().expect("the events"))
    }
}

type Answer = (u16, &'static str, Bytes);

fn ok(value: Value) -> Answer {
    (200, "application/json", value.to_string().into())
}

fn refused(status: u16, errcode: &str) -> Answer {
    let body = json!({"errcode": errcode, "error": "no"}).to_string();
    (status, "application/json", body.into())
}

async fn serve(
    quirk: Quirk,
    events: Arc<Mutex<Events>>,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let path = head.uri.path().to_owned();
    let line = format!("{} {path}", head.method);
    let token = head.headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = token.and_then(|text| text.strip_prefix("Bearer ")).map(str::to_owned);
    let query = head.uri.query().unwrap_or_default().to_owned();
    // Waiting without news takes its time, as it does at a homeserver.
    let waits = query.contains("timeout=") && !query.contains("timeout=0");
    let mut tries = 0;
    let (status, kind, body) = loop {
        let (answer, news) = {
            let mut events = events.lock().expect("the events");
            if tries == 0 {
                events.requests.push(line.clone());
            }
            answer(quirk, &mut events, &line, &query, token.as_deref(), &body)
        };
        tries += 1;
        if news || !waits || tries > 3 {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    Response::builder()
        .status(status)
        .header("content-type", kind)
        .header("server", "Synapse/1.147.1")
        .body(Full::new(body))
        .expect("an answer")
}

/// The answer, and whether it holds news for who waits.
fn answer(
    quirk: Quirk,
    events: &mut Events,
    line: &str,
    query: &str,
    token: Option<&str>,
    body: &Bytes,
) -> (Answer, bool) {
    if let Quirk::Answers(begin, status, text) = quirk
        && line.starts_with(begin)
    {
        let kind = if text.starts_with('<') { "text/html" } else { "application/json" };
        return ((status, kind, Bytes::from_static(text.as_bytes())), true);
    }
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(answer) = open(quirk, events, line, query, &json) {
        return (answer, true);
    }
    let anonymous = quirk == Quirk::Leaky && line.contains("/client/v1/media/download");
    let known = token.is_some_and(|token| events.tokens.contains(token));
    if !known && !anonymous {
        let errcode = if token.is_some() { "M_UNKNOWN_TOKEN" } else { "M_MISSING_TOKEN" };
        return (refused(401, errcode), true);
    }
    if line.ends_with("/v3/sync") || line.ends_with("msc3575/sync") {
        return heard(quirk, events, line);
    }
    (person(quirk, events, line, token, &json, body), true)
}

/// What needs no token.
fn open(
    quirk: Quirk,
    events: &mut Events,
    line: &str,
    query: &str,
    json: &Value,
) -> Option<Answer> {
    Some(match line {
        "GET /_matrix/client/versions" => {
            let sliding = quirk != Quirk::NoSliding(false);
            let newest = if quirk == Quirk::NoNewMedia { "v1.10" } else { "v1.12" };
            ok(json!({
                "versions": ["v1.1", newest],
                "unstable_features": {"org.matrix.simplified_msc3575": sliding},
            }))
        }
        "GET /_matrix/client/v3/login" => ok(json!({"flows": [{"type": "m.login.password"}]})),
        "GET /_matrix/federation/v1/openid/userinfo" => {
            let who = if quirk == Quirk::Mistaken { "@x:example.org" } else { &events.user };
            let known = query == "access_token=openid-token-of-hers";
            if known { ok(json!({"sub": who})) } else { refused(401, "M_UNKNOWN_TOKEN") }
        }
        "GET /_synapse/admin/v1/register" => ok(json!({"nonce": "abcd"})),
        "POST /_synapse/admin/v1/register" => {
            let user = json["username"].as_str().unwrap_or_default().to_owned();
            let password = json["password"].as_str().unwrap_or_default();
            let words = ["abcd", &user, password, "notadmin"].join("\0");
            let key =
                ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes());
            let mac: String = ring::hmac::sign(&key, words.as_bytes())
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            if json["mac"] != mac {
                return Some(refused(403, "M_UNKNOWN"));
            }
            events.accounts.push((user.clone(), password.to_owned()));
            ok(json!({"user_id": format!("@{user}:{}", events.name)}))
        }
        "POST /_matrix/client/v3/login" => {
            let name = json["identifier"]["user"].as_str().unwrap_or_default().to_owned();
            let given = (name.clone(), json["password"].as_str().unwrap_or_default().to_owned());
            if !events.accounts.contains(&given) || events.deactivated.contains(&name) {
                return Some(refused(403, "M_FORBIDDEN"));
            }
            events.user = format!("@{name}:{}", events.name);
            let token = format!("syt_of_{name}");
            events.tokens.insert(token.clone());
            ok(json!({
                "user_id": events.user, "access_token": token, "device_id": json["device_id"],
            }))
        }
        _ if line.starts_with("GET /_matrix/media/v3/") => match quirk {
            Quirk::OldMedia => file(quirk, events, line),
            Quirk::NoNewMedia => file(quirk, events, line),
            _ => refused(404, "M_NOT_FOUND"),
        },
        _ => return None,
    })
}

/// Both kinds of sync, and whether there is news.
fn heard(quirk: Quirk, events: &Events, line: &str) -> (Answer, bool) {
    let sliding = line.starts_with("POST");
    if sliding && matches!(quirk, Quirk::NoSliding(_)) {
        return (refused(404, "M_UNRECOGNIZED"), true);
    }
    let deaf = quirk == if sliding { Quirk::SlidingDeaf } else { Quirk::Deaf };
    let event = |(id, transaction, text): &(String, String, String)| {
        let mut event = json!({"event_id": id, "sender": events.user, "content": {"body": text}});
        if quirk != Quirk::Anonymous {
            event["unsigned"] = json!({"transaction_id": transaction});
        }
        event
    };
    let timeline: Vec<Value> =
        if deaf { Vec::new() } else { events.messages.iter().map(event).collect() };
    let news = !timeline.is_empty();
    let answer = if sliding {
        json!({"pos": "1", "rooms": {ROOM: {"timeline": timeline}}})
    } else {
        let timeline = json!({"events": timeline});
        json!({"next_batch": "s1", "rooms": {"join": {ROOM: {"timeline": timeline}}}})
    };
    (ok(answer), news)
}

/// What somebody who is logged in asks for.
fn person(
    quirk: Quirk,
    events: &mut Events,
    line: &str,
    token: Option<&str>,
    json: &Value,
    body: &Bytes,
) -> Answer {
    let last = line.rsplit('/').next().unwrap_or_default().replace("%24", "$");
    match line {
        "GET /_matrix/client/v3/account/whoami" => ok(json!({"user_id": events.user})),
        "GET /_matrix/client/v3/joined_rooms" => ok(json!({"joined_rooms": events.rooms})),
        "POST /_matrix/client/v3/createRoom" => {
            assert_eq!(json["creation_content"]["m.federate"], false);
            assert_eq!(json["visibility"], "private");
            events.rooms.insert(ROOM.to_owned());
            ok(json!({"room_id": ROOM}))
        }
        "POST /_matrix/media/v3/upload" => {
            events.media.push(body.clone());
            ok(json!({"content_uri": format!("mxc://{}/{}", events.name, events.media.len() - 1)}))
        }
        "GET /_matrix/client/v3/voip/turnServer" if quirk == Quirk::OddTurn => ok(json!({
            "uris": ["turn://turn.example.org"], "username": "1:a", "password": "p", "ttl": 1,
        })),
        "GET /_matrix/client/v3/voip/turnServer" => ok(json!({})),
        "GET /_matrix/client/v1/media/config" => ok(json!({"m.upload.size": LIMIT})),
        "POST /_matrix/client/v3/keys/upload" => {
            events.keys = Some(json["device_keys"].clone());
            ok(json!({"one_time_key_counts": {}}))
        }
        "POST /_matrix/client/v3/keys/query" => {
            let kept = events.keys.clone().filter(|_| quirk != Quirk::KeyLoss);
            let kept = kept.map_or(json!({}), |keys| json!({"MXDOCTOR_CANARY": keys}));
            ok(json!({"device_keys": {events.user.clone(): kept}}))
        }
        "POST /_matrix/client/v3/logout" => end(quirk, events, token),
        "POST /_matrix/client/v3/account/deactivate" => {
            if json.get("auth").is_none() {
                let body = json!({"session": "s", "flows": []}).to_string();
                return (401, "application/json", body.into());
            }
            let user = json["auth"]["identifier"]["user"].as_str().unwrap_or_default().to_owned();
            events.deactivated.push(user);
            end(quirk, events, token)
        }
        _ if line.ends_with("/openid/request_token") => ok(json!({
            "access_token": "openid-token-of-hers", "expires_in": 3600,
            "matrix_server_name": events.name, "token_type": "Bearer",
        })),
        _ if line.contains("/state/m.room.create") => ok(json!({
            "type": "ee.borooka.mxdoctor.canary", "m.federate": quirk == Quirk::Open,
        })),
        _ if line.contains("/state/m.room.join_rules") => ok(json!({"join_rule": "invite"})),
        _ if line.contains("/send/m.room.message/") => {
            let text = json["body"].as_str().unwrap_or_default().to_owned();
            let known = events.messages.iter().find(|(_, transaction, _)| *transaction == last);
            if let Some((id, ..)) = known.filter(|_| quirk != Quirk::Forgetful) {
                return ok(json!({"event_id": id}));
            }
            let id = format!("${}", events.messages.len());
            events.messages.push((id.clone(), last, text));
            ok(json!({"event_id": id}))
        }
        _ if line.contains("/redact/") => {
            let event = line.split("/redact/").nth(1).and_then(|rest| rest.split('/').next());
            events.redacted.insert(event.unwrap_or_default().replace("%24", "$"));
            ok(json!({"event_id": "$redaction"}))
        }
        _ if line.ends_with("/messages") => {
            let shown = events.messages.iter().map(|(id, _, text)| {
                let body = if events.redacted.contains(id) { "" } else { text };
                json!({"event_id": id, "sender": events.user, "content": {"body": body}})
            });
            ok(json!({"chunk": shown.collect::<Vec<_>>()}))
        }
        _ if line.ends_with("/leave") => {
            events.rooms.clear();
            ok(json!({}))
        }
        _ if line.ends_with("/forget") => ok(json!({})),
        _ if line.contains("/client/v1/media/") && quirk == Quirk::NoNewMedia => {
            refused(404, "M_UNRECOGNIZED")
        }
        _ if line.contains("/client/v1/media/") => file(quirk, events, line),
        _ => refused(404, "M_UNRECOGNIZED"),
    }
}

fn end(quirk: Quirk, events: &mut Events, token: Option<&str>) -> Answer {
    if quirk != Quirk::Undead {
        events.tokens.remove(token.unwrap_or_default());
    }
    ok(json!({}))
}

fn file(quirk: Quirk, events: &Events, line: &str) -> Answer {
    if line.contains("/thumbnail/") && quirk == Quirk::NoPictures {
        return (200, "text/html", "<html>".into());
    }
    let id = line.rsplit('/').next().and_then(|id| id.parse::<usize>().ok());
    let Some(bytes) = id.and_then(|id| events.media.get(id)) else {
        return refused(404, "M_NOT_FOUND");
    };
    let mut bytes = bytes.to_vec();
    if quirk == Quirk::Altered && line.contains("/download/") {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    }
    (200, "image/png", bytes.into())
}
