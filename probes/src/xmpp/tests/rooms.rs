//! In the rooms of a real Prosody.

use super::helpers::{BOTH, PATIENCE, guest, next};
use crate::focus::{
    Guest, JoinError, MucEvent, Occupant, endpoint_id, join, leave, muc_event, room_name,
};
use crate::testing::Prosody;
use crate::xmpp::{Carrier, Client, Element, iq, ns};

/// Somebody who may be in a room.
struct Visitor {
    client: Client,
    jid: String,
    endpoint: String,
}

impl Visitor {
    async fn new(prosody: &Prosody, carrier: Carrier, scheme: &str) -> Self {
        let (client, login) = guest(prosody, carrier, scheme).await;
        Self { client, endpoint: endpoint_id(&login.jid), jid: login.jid }
    }

    /// Asks to be let in, and the first event that is about it.
    async fn join(&mut self, room: &str, password: Option<&str>) -> MucEvent {
        let guest = Guest { endpoint: &self.endpoint, name: "mxdoctor", password, video: false };
        self.client.send(&join(room, &guest)).await.expect("sent");
        loop {
            let event = self.event(room).await;
            if matches!(event, MucEvent::SelfJoined { .. } | MucEvent::Error(_)) {
                return event;
            }
        }
    }

    async fn refused(&mut self, room: &str, password: Option<&str>) -> JoinError {
        match self.join(room, password).await {
            MucEvent::Error(error) => error,
            other => panic!("{other:?}"),
        }
    }

    /// The next presence of the room.
    async fn event(&mut self, room: &str) -> MucEvent {
        loop {
            let stanza = next(&mut self.client).await;
            if let Some(event) = muc_event(&stanza, room, &self.endpoint) {
                return event;
            }
        }
    }

    /// Changes the room's configuration, as its owner.
    async fn configure(&mut self, room: &str, name: &str, value: &str) {
        let field = |name: &str, value: &str| {
            let value = Element::new("value", ns::DATA).text(value);
            Element::new("field", ns::DATA).attr("var", name).child(value)
        };
        let form = Element::new("x", ns::DATA)
            .attr("type", "submit")
            .child(field("FORM_TYPE", "http://jabber.org/protocol/muc#roomconfig"))
            .child(field(name, value));
        let query = Element::new("query", "http://jabber.org/protocol/muc#owner").child(form);
        let id = self.client.next_id();
        let answer = self.client.ask(&iq("set", &id, room).child(query), PATIENCE).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.get_attr("type"), Some("result"), "{answer}");
    }
}

fn room() -> String {
    format!("{}@muc.meet.jitsi", room_name())
}

#[tokio::test]
async fn two_guests_meet_and_part() {
    let prosody = Prosody::start().await;
    for (carrier, scheme) in BOTH {
        let room = room();
        let mut a = Visitor::new(&prosody, carrier, scheme).await;
        let mut b = Visitor::new(&prosody, carrier, scheme).await;
        let MucEvent::SelfJoined { codes, occupant } = a.join(&room, None).await else {
            panic!("A is in")
        };
        assert_eq!((codes, &occupant.nick), (vec![110, 201], &a.endpoint));
        assert_eq!(occupant.role.as_deref(), Some("moderator"));
        let MucEvent::SelfJoined { codes, occupant } = b.join(&room, None).await else {
            panic!("B is in")
        };
        assert_eq!((codes, occupant.role.as_deref()), (vec![110], Some("participant")));
        let MucEvent::Occupant(Occupant { nick, name, jid, .. }) = a.event(&room).await else {
            panic!("A sees B")
        };
        assert_eq!((&nick, name.as_deref()), (&b.endpoint, Some("mxdoctor")));
        assert_eq!(jid.as_ref(), Some(&b.jid), "an owner sees addresses");
        b.client.send(&leave(&room, &b.endpoint)).await.expect("sent");
        let MucEvent::Left(left) = b.event(&room).await else { panic!("B left") };
        assert!(left.myself && left.codes.contains(&110), "{left:?}");
        let MucEvent::Left(left) = a.event(&room).await else { panic!("A sees B leave") };
        assert!(!left.myself && left.nick == b.endpoint, "{left:?}");
        futures_util::join!(a.client.close(), b.client.close());
    }
}

#[tokio::test]
async fn refused_joins_are_named() {
    let prosody = Prosody::start().await;
    for (carrier, scheme) in BOTH {
        let (locked, members) = (room(), room());
        let mut a = Visitor::new(&prosody, carrier, scheme).await;
        let mut b = Visitor::new(&prosody, carrier, scheme).await;
        a.join(&locked, None).await;
        a.configure(&locked, "muc#roomconfig_roomsecret", "pencil").await;
        assert!(matches!(b.refused(&locked, None).await, JoinError::Password(_)));
        assert!(matches!(b.refused(&locked, Some("pen")).await, JoinError::Password(_)));
        let joined = b.join(&locked, Some("pencil")).await;
        assert!(matches!(joined, MucEvent::SelfJoined { .. }), "{joined:?}");
        a.join(&members, None).await;
        a.configure(&members, "muc#roomconfig_membersonly", "1").await;
        let error = b.refused(&members, None).await;
        assert!(matches!(error, JoinError::MembersOnly { lobby: None, .. }), "{error:?}");
        let full = format!("{}@full.meet.jitsi", room_name());
        a.join(&full, None).await;
        assert!(matches!(b.refused(&full, None).await, JoinError::MaxUsers(_)));
        let restricted = format!("{}@focus-only.meet.jitsi", room_name());
        let error = a.refused(&restricted, None).await;
        assert!(matches!(error, JoinError::CreationRestricted(_)), "{error:?}");
        let taken = room();
        a.join(&taken, None).await;
        b.endpoint.clone_from(&a.endpoint);
        assert!(matches!(b.refused(&taken, None).await, JoinError::Conflict(_)));
        let nowhere = format!("{}@muc.other.example", room_name());
        let error = a.refused(&nowhere, None).await;
        assert!(matches!(error, JoinError::NoService(_)), "{error:?}");
        futures_util::join!(a.client.close(), b.client.close());
    }
}

fn said(room: &str, words: &str) -> Element {
    Element::new("message", ns::CLIENT)
        .attr("to", room)
        .attr("type", "groupchat")
        .child(Element::new("body", ns::CLIENT).text(words))
}

/// What a run that is cut short leaves behind: nothing. Nor does one that is cut short while it
/// is leaving.
#[tokio::test]
async fn a_dropped_client_says_farewell() {
    let prosody = Prosody::start().await;
    for ((carrier, scheme), closing) in BOTH.into_iter().flat_map(|c| [(c, false), (c, true)]) {
        let room = room();
        let mut a = Visitor::new(&prosody, carrier, scheme).await;
        let mut b = Visitor::new(&prosody, carrier, scheme).await;
        b.join(&room, None).await;
        a.join(&room, None).await;
        let farewell = vec![said(&room, "goodbye"), leave(&room, &a.endpoint)];
        a.client.set_farewell(farewell);
        if closing {
            let mut close = Box::pin(a.client.close());
            assert!(futures_util::poll!(&mut close).is_pending());
        } else {
            drop(a.client);
        }
        let mut heard = Vec::new();
        loop {
            let stanza = next(&mut b.client).await;
            heard.extend(stanza.get("body", ns::CLIENT).map(Element::get_text));
            if let Some(MucEvent::Left(left)) = muc_event(&stanza, &room, &b.endpoint) {
                assert_eq!(left.nick, a.endpoint);
                break;
            }
        }
        assert_eq!(heard, ["goodbye"]);
        prosody.net.cleaned_up(PATIENCE).await;
        b.client.close().await;
    }
}

/// Reading is given up over and over again, and nothing is lost or out of order.
#[tokio::test]
async fn receiving_can_be_cancelled_at_any_time() {
    const COUNT: usize = 300;
    let prosody = Prosody::start().await;
    for (carrier, scheme) in BOTH {
        let mut a = Visitor::new(&prosody, carrier, scheme).await;
        let mut b = Visitor::new(&prosody, carrier, scheme).await;
        let jid = a.jid.clone();
        let sending = async {
            for number in 0..COUNT {
                let words = format!("{number}{}", " ".repeat(number * 7 % 900));
                let body = Element::new("body", ns::CLIENT).text(words);
                let message = Element::new("message", ns::CLIENT).attr("to", &jid).child(body);
                b.client.send(&message).await.expect("sent");
            }
        };
        let receiving = async {
            let mut numbers = Vec::new();
            while numbers.len() < COUNT {
                tokio::select! {
                    biased;
                    stanza = a.client.receive() => {
                        let body = stanza.expect("a stanza").get("body", ns::CLIENT).cloned();
                        let number = body.expect("a message").get_text().trim().parse::<usize>();
                        numbers.push(number.expect("a number"));
                    }
                    () = tokio::task::yield_now() => {}
                }
            }
            numbers
        };
        let both = async { futures_util::join!(sending, receiving) };
        let ((), numbers) = tokio::time::timeout(PATIENCE, both).await.expect("in time");
        assert_eq!(numbers, (0..COUNT).collect::<Vec<_>>(), "{scheme}");
        futures_util::join!(a.client.close(), b.client.close());
    }
}
