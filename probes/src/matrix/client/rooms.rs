//! Rooms, messages, and taking both back.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Call, CallError, Client, segment};

/// Rooms of an account that are looked at.
const MOST_ROOMS: usize = 1000;
/// Messages of a room that are looked back at.
const LOOK_BACK: usize = 100;

/// What a room is made with.
#[derive(Debug, Clone, Copy)]
pub struct NewRoom<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type (`type` in the content of `m.room.create`).
    pub kind: &'a str,
}

/// A message of a room's past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Event id.
    pub event_id: String,
    /// Who sent it.
    pub sender: String,
    /// Its text; empty once it is redacted.
    pub body: String,
}

impl Client {
    /// Ids of the rooms that the account is in.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn joined_rooms(&self) -> Result<Vec<String>, CallError> {
        let reply = self.call(Call::get("/_matrix/client/v3/joined_rooms")).await?;
        let rooms = reply.json.get("joined_rooms").and_then(Value::as_array);
        let rooms = rooms.ok_or_else(|| reply.lacks("no list `joined_rooms`"))?;
        let texts = rooms.iter().filter_map(Value::as_str);
        Ok(texts.take(MOST_ROOMS).map(str::to_owned).collect())
    }

    /// Makes a private room that does not federate; its id.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn create_room(&self, room: NewRoom<'_>) -> Result<String, CallError> {
        let body = json!({
            "preset": "private_chat",
            "visibility": "private",
            "name": room.name,
            "creation_content": {"m.federate": false, "type": room.kind},
        });
        let reply = self.call(Call::post("/_matrix/client/v3/createRoom", &body)).await?;
        reply.text("room_id")
    }

    /// The content of a piece of a room's state with an empty key.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn state(&self, room: &str, kind: &str) -> Result<Map<String, Value>, CallError> {
        let (room, kind) = (segment(room), segment(kind));
        let path = format!("/_matrix/client/v3/rooms/{room}/state/{kind}/");
        Ok(self.call(Call::get(path)).await?.json)
    }

    /// Sends a notice under a transaction id; its event id, and how long that took.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn send(
        &self,
        room: &str,
        transaction: &str,
        text: &str,
    ) -> Result<(String, Duration), CallError> {
        let (room, transaction) = (segment(room), segment(transaction));
        let path = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/{transaction}");
        let body = json!({"msgtype": "m.notice", "body": text});
        let reply = self.call(Call::put(path, &body)).await?;
        Ok((reply.text("event_id")?, reply.took))
    }

    /// Takes a message's content back.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn redact(
        &self,
        room: &str,
        event: &str,
        transaction: &str,
    ) -> Result<String, CallError> {
        let [room, event, transaction] = [room, event, transaction].map(segment);
        let path = format!("/_matrix/client/v3/rooms/{room}/redact/{event}/{transaction}");
        self.call(Call::put(path, &json!({}))).await?.text("event_id")
    }

    /// The last messages of a room, the newest first.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn recent(&self, room: &str) -> Result<Vec<Message>, CallError> {
        let path = format!("/_matrix/client/v3/rooms/{}/messages", segment(room));
        let call = Call::get(path)
            .query("dir", "b")
            .query("limit", LOOK_BACK.to_string())
            .query("filter", r#"{"types":["m.room.message"]}"#);
        let reply = self.call(call).await?;
        let chunk = reply.json.get("chunk").and_then(Value::as_array);
        let chunk = chunk.ok_or_else(|| reply.lacks("no list `chunk`"))?;
        Ok(chunk.iter().take(LOOK_BACK).filter_map(message).collect())
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn leave(&self, room: &str) -> Result<(), CallError> {
        let path = format!("/_matrix/client/v3/rooms/{}/leave", segment(room));
        self.call(Call::post(path, &json!({}))).await.map(|_| ())
    }

    /// Forgets a room that was left.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn forget(&self, room: &str) -> Result<(), CallError> {
        let path = format!("/_matrix/client/v3/rooms/{}/forget", segment(room));
        self.call(Call::post(path, &json!({}))).await.map(|_| ())
    }
}

fn message(event: &Value) -> Option<Message> {
    let text = |field: &str| event.get(field)?.as_str().map(str::to_owned);
    let body = event.get("content").and_then(|content| content.get("body"));
    let body = body.and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Message { event_id: text("event_id")?, sender: text("sender")?, body })
}
