//! Offers of our own making, with what was not captured.

use super::helpers::{full, local};
use crate::dtls::Side;
use crate::ice::Kind;
use crate::jingle::*;
use crate::xmpp::{Element, parse, result};

/// An offer with these attributes and content of its transport, in the content `audio`.
pub(super) fn offer(attributes: &str, inner: &str, more: &str) -> Element {
    let text = format!(
        "<iq xmlns='jabber:client' type='set' id='i1' from='r@muc/focus'>\
         <jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s1'>\
         <content name='audio'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>\
         <payload-type id='111' name='opus' clockrate='48000' channels='2'/></description>\
         <transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' {attributes}>{inner}</transport>\
         </content>{more}</jingle></iq>"
    );
    parse(&text).expect("XML")
}

const KEYS: &str = "ufrag='u' pwd='p'";
const PRINT: &str = "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='SHA-256' \
                     setup='actpass'>ab:cd</fingerprint>";

fn candidate(kind: &str, protocol: &str, ip: &str, port: &str, component: &str) -> String {
    format!(
        "<candidate component='{component}' foundation='1' generation='0' id='c' ip='{ip}' \
         network='0' port='{port}' priority='2130706431' protocol='{protocol}' type='{kind}'/>"
    )
}

#[test]
fn candidates_of_every_type_are_read_and_the_rest_is_told() {
    let usable = [
        ("host", "udp", "198.51.100.2", "10000", "1"),
        ("srflx", "UDP", "203.0.113.9", "10000", "1"),
        ("prflx", "udp", "203.0.113.10", "40000", "1"),
        ("relay", "udp", "2001:db8::7", "3478", "1"),
    ];
    let unusable = [
        ("host", "tcp", "198.51.100.2", "4443", "1"),
        ("host", "ssltcp", "198.51.100.2", "443", "1"),
        ("host", "udp", "bridge.example.org", "10000", "1"),
        ("host", "udp", "x.local", "10000", "1"),
        ("host", "udp", "198.51.100.2", "0", "1"),
        ("host", "udp", "198.51.100.2", "65536", "1"),
        ("host", "udp", "0.0.0.0", "10000", "1"),
        ("host", "udp", "198.51.100.2", "10000", "2"),
        ("magic", "udp", "198.51.100.2", "10000", "1"),
        ("host", "udp", "", "", ""),
    ];
    let all = usable.iter().chain(&unusable);
    let all: String = all
        .map(|&(kind, protocol, ip, port, component)| {
            candidate(kind, protocol, ip, port, component)
        })
        .collect();
    let offer = initiate(&offer(KEYS, &(all.clone() + PRINT + &all), "")).expect("an offer");
    let read: Vec<_> = offer.transport.candidates.iter().map(ToString::to_string).collect();
    assert_eq!(
        read,
        [
            "198.51.100.2:10000 (host)",
            "203.0.113.9:10000 (srflx)",
            "203.0.113.10:40000 (prflx)",
            "[2001:db8::7]:3478 (relay)",
        ]
    );
    assert_eq!(offer.transport.candidates[0].priority, 2_130_706_431);
    let told = &offer.transport.unusable;
    assert_eq!(told.len(), unusable.len(), "{told:?}");
    assert_eq!(told[0], "tcp host 198.51.100.2 port 4443");
    assert_eq!(told[2], "udp host bridge.example.org port 10000");
    assert_eq!(told[7], "udp host 198.51.100.2 port 10000 component 2");
    assert_eq!(told[9], "udp host ? port ? component ?");
}

#[test]
fn a_data_channel_and_several_transports_are_one_offer() {
    let data = format!(
        "<content name='data'><description xmlns='urn:xmpp:jingle:transports:webrtc-datachannel:0' \
         media='application'/><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' {KEYS}>\
         <sctpmap xmlns='urn:xmpp:jingle:transports:dtls-sctp:1' number='5000' \
         protocol='webrtc-datachannel' streams='1024'/>{PRINT}\
         <web-socket xmlns='http://jitsi.org/protocol/colibri' url='wss://a.example/colibri-ws/x'/>\
         <web-socket xmlns='http://jitsi.org/protocol/colibri' url='https://a.example/'/>\
         <web-socket xmlns='http://jitsi.org/protocol/colibri' url='wss://b.example/colibri-ws/x'/>\
         {}</transport></content>\
         <content name='other'><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='v' \
         pwd='q'>{}</transport></content>\
         <startmuted xmlns='http://jitsi.org/jitmeet/start-muted' audio='true' video='false'/>\
         <bridge-session xmlns='http://jitsi.org/protocol/focus' id='b1' region='eu'/>",
        candidate("host", "udp", "203.0.113.1", "10000", "1"),
        candidate("host", "udp", "203.0.113.2", "10000", "1"),
    );
    let here = candidate("host", "udp", "198.51.100.2", "10000", "1") + PRINT;
    let offer = initiate(&offer(KEYS, &here, &data)).expect("an offer");
    assert_eq!(offer.transport.sctp_port, Some(5000));
    assert_eq!(offer.transport.candidates.len(), 2);
    assert_eq!(offer.transport.unusable, ["a transport of its own, with the ufrag v"]);
    assert_eq!(offer.transport.fingerprints.len(), 1);
    assert_eq!(offer.transport.fingerprints[0].0.to_string(), "sha-256 AB:CD");
    let hosts: Vec<_> =
        offer.transport.web_sockets.iter().filter_map(|url| url.host_str()).collect();
    assert_eq!(hosts, ["a.example", "b.example"]);
    assert_eq!(offer.transport.unusable_web_sockets, ["https://a.example/"]);
    assert_eq!(offer.start_muted, Some(StartMuted { audio: true, video: false }));
    let session = offer.bridge_session.as_ref().expect("a bridge session");
    assert_eq!((session.id.as_str(), session.region.as_deref()), ("b1", Some("eu")));
    assert!(offer.contents[1].data && offer.contents[1].kind().is_none());
    // Our answer opens the channel in the content that offered it, and only there.
    let answer = accept("a1", &offer, &local());
    let jingle = answer.get("jingle", ns::JINGLE).expect("an answer");
    let maps: Vec<bool> = jingle
        .elements()
        .filter_map(|content| content.get("transport", ns::ICE_UDP))
        .map(|transport| transport.get("sctpmap", ns::SCTP).is_some())
        .collect();
    assert_eq!(maps, [false, true, false]);
    let group = jingle.get("group", ns::GROUPING).expect("a group");
    let names: Vec<_> = group.elements().filter_map(|content| content.get_attr("name")).collect();
    assert_eq!(names, ["audio", "data", "other"]);
}

#[test]
fn what_is_missing_is_named() {
    let error = |element: &Element| initiate(element).expect_err("no offer");
    assert_eq!(error(&offer("", PRINT, "")), JingleError::Credentials);
    assert_eq!(error(&offer("ufrag='u'", PRINT, "")), JingleError::Credentials);
    assert_eq!(error(&offer("ufrag='u' pwd=''", PRINT, "")), JingleError::Credentials);
    let long = format!("ufrag='u' pwd='{}'", "p".repeat(257));
    assert_eq!(error(&offer(&long, PRINT, "")), JingleError::Credentials);
    assert_eq!(error(&offer(KEYS, "", "")), JingleError::NoFingerprint);
    let wrong = PRINT.replace("apps:dtls:0", "apps:dtls:1");
    assert_eq!(error(&offer(KEYS, &wrong, "")), JingleError::NoFingerprint);
    let odd = PRINT.replace("actpass", "whatever");
    assert_eq!(error(&offer(KEYS, &odd, "")), JingleError::NoFingerprint);
    let change = |from: &str, to: &str| {
        parse(&offer(KEYS, PRINT, "").to_string().replace(from, to)).expect("XML")
    };
    assert_eq!(error(&change("ice-udp:1", "raw-udp:1")), JingleError::NoTransport);
    assert_eq!(error(&change(" sid='s1'", "")), JingleError::Missing("sid"));
    assert_eq!(error(&change(" id='i1'", "")), JingleError::Missing("id"));
    assert_eq!(error(&change(" from='r@muc/focus'", "")), JingleError::Missing("from"));
    assert_eq!(error(&change(" action='session-initiate'", "")), JingleError::Missing("action"));
    let other = change("session-initiate", "session-info");
    assert_eq!(error(&other), JingleError::Action("session-info".into()));
    assert!(
        matches!(incoming(&other), Some(Ok(Incoming::Other(action))) if action == "session-info")
    );
    assert_eq!(error(&change("type='set'", "type='get'")), JingleError::NotJingle);
    assert_eq!(error(&change("urn:xmpp:jingle:1", "urn:xmpp:jingle:2")), JingleError::NotJingle);
    assert!(incoming(&change("jabber:client", "jabber:server")).is_none());
}

#[test]
fn the_end_and_later_candidates_are_read() {
    let request = |action: &str, inner: &str| {
        let text = format!(
            "<iq xmlns='jabber:client' type='set' id='i' from='r@muc/focus'>\
             <jingle xmlns='urn:xmpp:jingle:1' action='{action}' sid='s'>{inner}</jingle></iq>"
        );
        incoming(&parse(&text).expect("XML")).expect("Jingle").expect("readable")
    };
    let inner = "<reason><expired/><text>Idle session timeout</text></reason>";
    let Incoming::Terminate { reason, text, .. } = request("session-terminate", inner) else {
        panic!("the end")
    };
    assert_eq!(reason.as_deref(), Some("expired"));
    assert_eq!(text.as_deref(), Some("Idle session timeout"));
    let bare = request("session-terminate", "");
    assert!(matches!(bare, Incoming::Terminate { reason: None, text: None, .. }));
    let trickled = format!(
        "<content name='audio'><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'>{}\
         </transport></content>",
        candidate("relay", "udp", "203.0.113.3", "5000", "1")
    );
    let Incoming::TransportInfo(transport) = request("transport-info", &trickled) else {
        panic!("candidates")
    };
    assert!(transport.credentials.is_none());
    assert_eq!(transport.candidates[0].kind, Kind::Relayed);
    let json = "<json-message xmlns='http://jitsi.org/jitmeet'>{\"sources\":{\"aaaa1111\":\
                [[{\"s\":1,\"m\":\"a b\"},{\"s\":2}],[[\"f\",1,2]],[{\"s\":3,\"n\":\"aaaa1111-a0\"},\
                {\"s\":-1},{}]]}}</json-message>";
    let Incoming::SourceRemove(sources) = request("source-remove", json) else { panic!("sources") };
    let ssrcs: Vec<_> = sources.of("aaaa1111").map(|source| (source.kind, source.ssrc)).collect();
    assert_eq!(ssrcs, [(MediaKind::Video, 1), (MediaKind::Video, 2), (MediaKind::Audio, 3)]);
    assert_eq!((sources.groups[0].semantics.as_str(), sources.dropped), ("FID", 2));
    assert_eq!(sources.groups[0].ssrcs, [1, 2]);
}

#[test]
fn the_offer_of_another_participant_is_declined() {
    let text = offer(KEYS, PRINT, "").to_string().replace("r@muc/focus", "r@muc/bbbb2222");
    let iq = parse(&text).expect("XML");
    assert!(!is_from_focus(&iq));
    assert_eq!(result(&iq).get_attr("to"), Some("r@muc/bbbb2222"));
    let answer = decline("d1", &iq).expect("an answer");
    assert_eq!(answer.get_attr("to"), Some("r@muc/bbbb2222"));
    let jingle = answer.get("jingle", ns::JINGLE).expect("Jingle");
    assert_eq!(jingle.get_attr("action"), Some("session-terminate"));
    assert_eq!(jingle.get_attr("sid"), Some("s1"));
    let reason = jingle.get("reason", ns::JINGLE).expect("a reason");
    assert!(reason.get("decline", ns::JINGLE).is_some());
}

#[test]
fn what_a_guest_says_later_names_the_session() {
    let offer = full();
    let mut ours = local();
    ours.side = Side::Server;
    ours.candidates = vec![LocalCandidate {
        address: "203.0.113.5:40001".parse().expect("an address"),
        kind: Kind::ServerReflexive,
        priority: 1_694_498_815,
        related: Some("192.0.2.7:40001".parse().expect("an address")),
    }];
    ours.sources.push(LocalSource { kind: MediaKind::Video, ssrc: 7 });
    let answer = accept("a1", &offer, &ours).to_string();
    for part in [
        "setup='passive'",
        "ip='203.0.113.5' port='40001' priority='1694498815' protocol='udp' type='srflx' \
         rel-addr='192.0.2.7' rel-port='40001'",
        "ssrc='7' name='aaaa1111-v0'",
        "payload-type id='100' name='VP8' clockrate='90000'/>",
    ] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    assert!(!answer.contains("rtx"), "{answer}");
    let info = transport_info("t1", &offer, &ours).to_string();
    assert!(info.contains("action='transport-info'") && info.contains("type='srflx'"), "{info}");
    let end = terminate("e1", &offer, Reason::Success);
    let jingle = end.get("jingle", ns::JINGLE).expect("Jingle");
    let session = jingle.get("bridge-session", ns::FOCUS).expect("the bridge session");
    assert_eq!(
        session.get_attr("id"),
        Some(offer.bridge_session.clone().expect("one").id.as_str())
    );
    assert_eq!(session.get_attr("restart"), Some("false"));
    assert_eq!(jingle.get_attr("sid"), Some(offer.sid.as_str()));
    let failed = ice_failed("f1", &offer);
    let jingle = failed.get("jingle", ns::JINGLE).expect("Jingle");
    assert_eq!(jingle.get("ice-state", ns::FOCUS).expect("a state").get_text(), "failed");
}
