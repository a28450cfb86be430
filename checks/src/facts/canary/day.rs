//! What the synthetic user does between login and goodbye.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join;
use mxdoctor_probes::http::HttpError;
use mxdoctor_probes::matrix::client::{
    CallError, Client, DeviceKeys, NewRoom, Synced, TurnAnswer, picture,
};
use serde_json::Value;

use super::observed::{KeysKept, Proof, Times};
use super::session::Session;
use super::{
    Account, Day, Ended, NAME, Pictures, ROOM_TYPE, Room, RoomTrouble, SPEECH, Talk, Waited,
};
use crate::facts::ask::fresh_word;
use crate::facts::federation_places;
use crate::{Cx, Unavailable};

/// How long a message is waited for.
const PATIENCE: Duration = Duration::from_secs(12);
/// How long one request waits for it: shorter than the patience of proxies.
const POLL: Duration = Duration::from_secs(6);

pub(super) async fn live(cx: &Cx, session: &Session) -> Day {
    let word = fresh_word();
    let talking = async {
        let room = room(session).await;
        let talk = match &room {
            Ok(room) => Some(talk(&session.client, &room.id, &word).await),
            Err(_) => None,
        };
        (room, talk)
    };
    let ((room, talk), pictures, openid, device_keys, turn, limit) = futures_util::join!(
        talking,
        pictures(&session.client, &word),
        prove(cx, session),
        device_keys(session),
        turn(session),
        session.client.upload_limit(),
    );
    Day {
        account: session.account,
        user_id: session.user_id.clone(),
        times: Times::default(),
        room,
        talk,
        pictures,
        openid,
        device_keys,
        turn,
        upload_limit: limit.ok().flatten(),
        ended: Ended::default(),
        lines: Vec::new(),
    }
}

async fn room(session: &Session) -> Result<Room, RoomTrouble> {
    let client = &session.client;
    let joined = client.joined_rooms().await.map_err(RoomTrouble::Call)?;
    let found = match &session.room {
        Some(wanted) if joined.contains(wanted) => Some(wanted.clone()),
        Some(wanted) => return Err(RoomTrouble::NotJoined(wanted.clone())),
        None => {
            let ours = session.rooms_of_ours(joined).await.map_err(RoomTrouble::Call)?;
            ours.into_iter().next()
        }
    };
    let began = Instant::now();
    let (id, made) = match found {
        Some(id) => (id, None),
        None => {
            let room = NewRoom { name: "mxdoctor canary", kind: ROOM_TYPE };
            let id = client.create_room(room).await.map_err(RoomTrouble::Call)?;
            (id, Some(began.elapsed()))
        }
    };
    let (create, rules) = futures_util::join!(
        client.state(&id, "m.room.create"),
        client.state(&id, "m.room.join_rules"),
    );
    let create = create.map_err(RoomTrouble::Call)?;
    let rules = rules.map_err(RoomTrouble::Call)?;
    let federates = create.get("m.federate").and_then(Value::as_bool).unwrap_or(true);
    let rule = rules.get("join_rule").and_then(Value::as_str).unwrap_or_default();
    Ok(Room { id, made, federates, join_rule: rule.chars().take(64).collect() })
}

/// Sends a message while waiting for it, as a person in the room would.
async fn talk(client: &Client, room: &str, word: &str) -> Talk {
    let (text, transaction) = (format!("{SPEECH}{word}"), format!("{word}-1"));
    let since = client.sync(room, None, Duration::ZERO).await;
    let began = Instant::now();
    let hearing = async {
        Ok(match &since {
            Ok(from) => {
                let poll = |next: Option<String>, wait| async move {
                    client.sync(room, Some(&next.unwrap_or_else(|| from.next.clone())), wait).await
                };
                wait(began, &text, poll).await
            }
            Err(error) => Waited::Failed(error.clone()),
        })
    };
    let (sent, sync) = match try_join(client.send(room, &transaction, &text), hearing).await {
        Ok(both) => both,
        Err(error) => {
            let (sync, sliding) = (Waited::NotTried, Waited::NotTried);
            return Talk { sent: Err(error), again: None, sync, sliding };
        }
    };
    let again = client.send(room, &transaction, &text).await.map(|(event, _)| event);
    let began = Instant::now();
    let poll = |next: Option<String>, wait| async move {
        client.sliding_sync(room, next.as_deref(), wait).await
    };
    let sliding = wait(began, &text, poll).await;
    Talk { sent: Ok(sent), again: Some(again), sync, sliding }
}

/// Asks until the message is there.
async fn wait<F>(began: Instant, text: &str, poll: impl Fn(Option<String>, Duration) -> F) -> Waited
where
    F: Future<Output = Result<Synced, CallError>>,
{
    let mut next = None;
    while began.elapsed() < PATIENCE {
        let asked = Instant::now();
        let left = PATIENCE.saturating_sub(began.elapsed()).min(POLL);
        match poll(next.clone(), left).await {
            Err(error) => return Waited::Failed(error),
            Ok(synced) => {
                if let Some(heard) = synced.heard.into_iter().find(|heard| heard.body == text) {
                    return Waited::Came { after: began.elapsed(), heard };
                }
                // One that answers at once without news would be asked without end.
                if asked.elapsed() < Duration::from_millis(100) {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                next = Some(synced.next);
            }
        }
    }
    Waited::Missed(PATIENCE)
}

async fn pictures(client: &Client, word: &str) -> Pictures {
    let nothing = |size, upload| Pictures {
        size,
        upload,
        download: None,
        authenticated: true,
        without_token: None,
        before: None,
        thumbnail: None,
    };
    let png = match picture() {
        Ok(png) => bytes::Bytes::from(png),
        Err(why) => {
            let error = Box::new(HttpError::Ours(why));
            return nothing(0, Err(CallError::Silent { call: "upload".into(), error }));
        }
    };
    let name = format!("{NAME}{word}.png");
    let upload = client.upload(&name, png.clone()).await;
    let Ok((mxc, _)) = &upload else { return nothing(png.len(), upload) };
    let first = client.download(mxc, false).await;
    let authenticated = !matches!(&first, Err(error) if error.is_unknown_endpoint());
    let down = if authenticated { first } else { client.download_before_v1_11(mxc).await };
    let down = down.map(|stored| {
        let same = stored.bytes == png;
        (stored, same)
    });
    let without =
        async { if authenticated { Some(client.download(mxc, true).await) } else { None } };
    let before =
        async { if authenticated { Some(client.download_before_v1_11(mxc).await) } else { None } };
    let (without_token, before, thumbnail) =
        futures_util::join!(without, before, client.thumbnail(mxc, !authenticated));
    Pictures {
        size: png.len(),
        download: Some(down),
        authenticated,
        without_token,
        before,
        thumbnail: Some(thumbnail),
        upload,
    }
}

/// A token for third parties, and what the federation API says to one who shows it.
async fn prove(cx: &Cx, session: &Session) -> Result<Proof, CallError> {
    let (token, server_name, holds) = session.client.openid_token(&session.user_id).await?;
    let userinfo = match federation_places(cx).await {
        Err(by) => Err(by),
        Ok(places) => match places.first() {
            None => {
                let finding = mxdoctor_model::Finding::error("there is no address to be asked");
                Err(Unavailable::by("federation.resolve", finding))
            }
            Some(place) => {
                let encoded: String =
                    url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
                let path = format!("/_matrix/federation/v1/openid/userinfo?access_token={encoded}");
                Ok(cx.net().http(place.request(&path)).await.and_then(|mut exchange| {
                    let answer = exchange.hops.pop();
                    let mut answer = answer.ok_or_else(|| HttpError::Ours("no answer".into()))?;
                    answer.url.set_query(None);
                    answer.body = session.client.scrub(&answer.text()).into();
                    Ok(Arc::new(answer))
                }))
            }
        },
    };
    Ok(Proof { server_name, holds, userinfo })
}

/// Uploads keys of a device that ends with this run, and asks for them.
async fn device_keys(session: &Session) -> Result<KeysKept, CallError> {
    let device = match (&session.device, session.account) {
        (Some(device), Account::Password | Account::ThrowAway) => device,
        _ => {
            let reason = "the device of a token that is kept has keys of its own, or none";
            return Ok(KeysKept::NotSent(reason.into()));
        }
    };
    let sent = match DeviceKeys::generate(&session.user_id, device) {
        Ok(keys) => keys,
        Err(why) => return Ok(KeysKept::NotSent(why)),
    };
    session.client.upload_keys(&sent).await?;
    let kept = session.client.keys_of(&session.user_id, device).await?;
    Ok(KeysKept::Asked { sent: Box::new(sent), kept: Box::new(kept) })
}

async fn turn(session: &Session) -> Result<TurnAnswer, CallError> {
    session.client.turn_server().await
}
