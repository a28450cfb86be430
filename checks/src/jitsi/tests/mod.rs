//! Conferences made by hand, each wrong in one way, and what each stage says of them.

mod stages;
mod ways;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mxdoctor_model::{Finding, Outcome};
use mxdoctor_probes::conference::{Conference, Gone, Guest, Step, Talk};
use mxdoctor_probes::dtls::{Fingerprint, Secured, SrtpKeys};
use mxdoctor_probes::focus::{Answer, FocusPresence};
use mxdoctor_probes::ice::{self, Agent, Candidate, Credentials, Kind, Pair};
use mxdoctor_probes::jingle::{self, Initiate};
use mxdoctor_probes::media::Media;
use mxdoctor_probes::way::{IceStage, Way};
use mxdoctor_probes::xmpp::{
    Carrier, Element, Features, Identity, Info, LoggedIn, Opened, StanzaError, parse,
};

use crate::facts::{Held, Visitor, XmppPlaces};

const CAPTURE: &str = include_str!("../../../../fixtures/captures/jitsi/healthy-full.jsonl");

const PUBLIC: &str = "198.51.100.20:10000";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn error(condition: &str) -> StanzaError {
    StanzaError {
        from: None,
        kind: "cancel".into(),
        condition: condition.into(),
        text: None,
        details: Vec::new(),
    }
}

/// The invitation of a real Jicofo, with a data channel and one public candidate.
fn offer() -> Initiate {
    let frames = CAPTURE.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        line["frame"].as_str().unwrap_or_default().to_owned()
    });
    let frame = frames.into_iter().find(|frame| frame.contains("session-initiate"));
    let element = parse(&frame.expect("an invitation")).expect("XML");
    let mut offer = jingle::initiate(&element).expect("an offer");
    offer.transport.candidates = vec![candidate(PUBLIC, Kind::Host)];
    offer.transport.sctp_port = Some(5000);
    offer.transport.web_sockets.clear();
    offer
}

fn candidate(address: &str, kind: Kind) -> Candidate {
    Candidate { address: address.parse().expect("an address"), kind, priority: 1 }
}

/// A pair of a candidate on which nothing happened, and checks were sent.
fn silent(candidate: &Candidate) -> Pair {
    let mut agent = Agent::new(ice::Role::Controlled, Credentials::random());
    agent.set_remote(Instant::now(), Credentials::random());
    agent.add_candidate(Instant::now(), candidate.clone(), candidate.address);
    let mut pair = agent.pairs()[0].clone();
    pair.sent = 8;
    pair
}

fn answered(candidate: &Candidate) -> Pair {
    let mut pair = silent(candidate);
    pair.answered = 3;
    pair.asked = 2;
    pair.valid = true;
    pair.last = Some(ice::Answer::Success);
    pair.rtt = Some(ms(20));
    pair
}

/// A way that came to keys over its first pair.
fn way(pairs: Vec<Pair>) -> Way {
    let fingerprint = Fingerprint { hash: "sha-256".into(), value: "AB:CD".into() };
    let keys = SrtpKeys { local: Default::default(), remote: Default::default() };
    let secured = Secured {
        version: "DTLSv1.2".into(),
        cipher: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".into(),
        profile: "SRTP_AEAD_AES_128_GCM".into(),
        fingerprint,
        elapsed: ms(60),
        keys,
    };
    let selected = pairs.first().filter(|pair| pair.valid).cloned();
    Way {
        dtls: selected.as_ref().map(|_| (Ok(secured), true)),
        ice: IceStage { elapsed: ms(200), selected, refused: 0 },
        pairs,
        closed: Vec::<SocketAddr>::new(),
        dropped: 0,
        media: None,
        traffic: Default::default(),
    }
}

fn media() -> Media {
    let mut media = Media::default();
    media.audio.sent = 64;
    media.audio.heard.received = 62;
    media.audio.heard.numbers = Some((2, 63));
    media
}

fn talk() -> Talk {
    Talk {
        place: "SCTP over DTLS".into(),
        opened: Some(ms(80)),
        hello: true,
        heard: Some(ms(90)),
        ..Talk::default()
    }
}

fn features() -> Features {
    Features {
        mechanisms: vec!["ANONYMOUS".into()],
        offers_sasl: true,
        element: Element::new("features", "http://etherx.jabber.org/streams"),
    }
}

fn opened() -> Opened {
    Opened { from: None, id: None, features: features(), elapsed: ms(10) }
}

fn identity(kind: &str) -> Identity {
    Identity {
        category: "component".into(),
        kind: kind.into(),
        name: Some(format!("{kind}.meet.jitsi")),
    }
}

/// A guest for whom all went well.
fn guest(name: &'static str) -> Guest {
    let kinds = [
        "av_moderation",
        "breakout_rooms",
        "end_conference",
        "lobbyrooms",
        "polls",
        "room_metadata",
        "speakerstats",
    ];
    let identities = kinds.iter().map(|kind| identity(kind)).collect();
    let ready = Answer {
        ready: true,
        focus_jid: None,
        room: None,
        session_id: None,
        identity: None,
        vnode: None,
        properties: Vec::new(),
    };
    let steps = [
        Step::Connected,
        Step::LoggedIn,
        Step::Focus,
        Step::Joined,
        Step::Together,
        Step::Invited,
        Step::UdpAnswered,
        Step::Accepted,
        Step::Valid,
        Step::Nominated,
        Step::Secured,
        Step::Heard,
        Step::Channel,
        Step::Told,
        Step::Left,
    ];
    Guest {
        name,
        endpoint: "7c8d1d77".into(),
        no_websocket: None,
        carrier: Some(Carrier::WebSocket),
        login: Some(Ok(LoggedIn {
            jid: "a@meet.jitsi/b".into(),
            mechanism: "ANONYMOUS",
            opened: opened(),
            features: features(),
            authenticated: ms(20),
            elapsed: ms(30),
        })),
        components: Some(Ok(Info { identities, features: Vec::new(), fields: Vec::new() })),
        services: Some(Err(error("service-unavailable"))),
        focus: vec![Ok(ready)],
        focus_silent: None,
        joined: Some(Ok(vec![100, 110])),
        join_silent: None,
        focus_presence: Some(FocusPresence { bridge_available: true, ..FocusPresence::default() }),
        saw_other: true,
        invitations: vec![Ok(offer())],
        invitation_silent: None,
        accepted: Some(Ok(())),
        terminated: None,
        expelled: None,
        way: Some(way(vec![answered(&candidate(PUBLIC, Kind::Host))])),
        media: Some(media()),
        data_channel: Some(talk()),
        bridge_socket: None,
        broken: None,
        ours: None,
        left: true,
        steps: (1_u64..).zip(steps).map(|(at, step)| (step, ms(at * 20))).collect(),
    }
}

/// A conference in which all went well.
fn healthy() -> Held {
    let places = XmppPlaces {
        domain: "meet.jitsi".into(),
        for_guests: false,
        deployment: "meet.jitsi".into(),
        muc: "muc.meet.jitsi".into(),
        focus: "focus.meet.jitsi".into(),
        last_n: Some(-1),
        bosh: None,
        websocket: None,
    };
    Held {
        began: Duration::ZERO,
        conference: Conference {
            room: "mxdoctor-1@muc.meet.jitsi".into(),
            guests: [guest("A"), guest("B")],
            gone: Some(Gone::After(ms(120))),
            elapsed: ms(2000),
        },
        places: Arc::new(places),
        domain: "meet.jitsi".into(),
        visitor: Visitor::Guest,
        health: None,
    }
}

/// A conference that one thing is changed in, for both guests.
fn changed(change: impl Fn(&mut Guest)) -> Held {
    let mut held = healthy();
    held.conference.guests.iter_mut().for_each(change);
    held
}

fn short(finding: &Finding) -> (Outcome, Option<&'static str>) {
    (finding.outcome, finding.cause)
}

fn fails(cause: &'static str) -> (Outcome, Option<&'static str>) {
    (Outcome::Fail, Some(cause))
}
