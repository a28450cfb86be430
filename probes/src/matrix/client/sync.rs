//! Both ways of hearing what happens in a room.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Call, CallError, Client};

/// Events of a timeline that are read.
const MOST_EVENTS: usize = 100;

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Event id.
    pub event_id: String,
    /// The transaction under which this device sent it, where it did and the server says so.
    pub transaction: Option<String>,
    /// Its text.
    pub body: String,
}

/// One answer of `/sync`, or of sliding sync.
#[derive(Debug, Clone)]
pub struct Synced {
    /// From where to go on: `next_batch` or `pos`.
    pub next: String,
    /// The room's messages that it holds.
    pub heard: Vec<Heard>,
}

impl Client {
    /// `/sync` for the messages of one room, waiting up to `wait` for one (Matrix client-server
    /// API, "Syncing").
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn sync(
        &self,
        room: &str,
        since: Option<&str>,
        wait: Duration,
    ) -> Result<Synced, CallError> {
        let filter = json!({
            "room": {
                "rooms": [room],
                "timeline": {"limit": 20, "types": ["m.room.message"]},
                "state": {"types": []},
                "ephemeral": {"types": []},
                "account_data": {"types": []},
            },
            "presence": {"types": []},
            "account_data": {"types": []},
        });
        let mut call = Call::get("/_matrix/client/v3/sync")
            .query("filter", filter.to_string())
            .query("set_presence", "offline")
            .query("timeout", wait.as_millis().to_string());
        if let Some(since) = since {
            call = call.query("since", since);
        }
        let reply = self.call(call).await?;
        let timeline = reply.json.get("rooms").and_then(|rooms| rooms.get("join"));
        let timeline = timeline.and_then(|join| join.get(room)?.get("timeline")?.get("events"));
        Ok(Synced { next: reply.text("next_batch")?, heard: heard(timeline) })
    }

    /// Simplified sliding sync (MSC4186) for one room, waiting up to `wait`.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn sliding_sync(
        &self,
        room: &str,
        since: Option<&str>,
        wait: Duration,
    ) -> Result<Synced, CallError> {
        const PATH: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
        let body = json!({
            "conn_id": "mxdoctor",
            "room_subscriptions": {room: {"timeline_limit": 20, "required_state": []}},
        });
        let mut call = Call::post(PATH, &body).query("timeout", wait.as_millis().to_string());
        if let Some(since) = since {
            call = call.query("pos", since);
        }
        let reply = self.call(call).await?;
        let timeline = reply.json.get("rooms").and_then(|rooms| rooms.get(room)?.get("timeline"));
        Ok(Synced { next: reply.text("pos")?, heard: heard(timeline) })
    }
}

fn heard(timeline: Option<&Value>) -> Vec<Heard> {
    let events = timeline.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let read = |event: &Value| {
        Some(Heard {
            event_id: text(event.get("event_id"))?,
            transaction: text(event.get("unsigned").and_then(|it| it.get("transaction_id"))),
            body: text(event.get("content").and_then(|it| it.get("body"))).unwrap_or_default(),
        })
    };
    events.iter().take(MOST_EVENTS).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_is_read_for_its_messages_alone() {
        let timeline = json!([
            {"event_id": "$1", "content": {"body": "a"}, "unsigned": {"transaction_id": "t"}},
            {"event_id": 1}, null, {"event_id": "$2", "content": 3},
        ]);
        let heard = heard(Some(&timeline));
        assert_eq!(heard.len(), 2);
        assert_eq!((heard[0].transaction.as_deref(), heard[0].body.as_str()), (Some("t"), "a"));
        assert_eq!((heard[1].event_id.as_str(), heard[1].body.as_str()), ("$2", ""));
        assert!(super::heard(Some(&json!({}))).is_empty());
    }
}
