//! Against what was said in real conferences, and the errors of the protocol's documents.

use super::*;
use crate::testing::{Frame, frames};
use crate::xmpp::{
    Element, info, info_answer, info_request, is_info_request, is_request, ns as xmpp, parse,
    services, services_request,
};

fn received(capture: &str) -> Vec<Element> {
    let of = |frame: &Frame| frame.received && frame.capture == capture;
    let found: Vec<Element> = frames().into_iter().filter(of).map(|frame| frame.element).collect();
    assert!(!found.is_empty(), "{capture}");
    found
}

/// The events of every presence in a capture, as both guests heard them.
fn events(capture: &str) -> Vec<MucEvent> {
    let presences = received(capture).into_iter().filter(|element| element.name == "presence");
    let event = |presence: Element| {
        let from = presence.get_attr("from").expect("a sender").to_owned();
        let (room, nick) = from.split_once('/').expect("an occupant");
        // Our own presences are known by status 110 alone.
        let me = if nick == "focus" { "aaaa1111" } else { "zzzz9999" };
        muc_event(&presence, room, me).unwrap_or_else(|| panic!("{capture}: {presence}"))
    };
    presences.map(event).collect()
}

fn focuses(capture: &str) -> Vec<FocusPresence> {
    let focus = |event| match event {
        MucEvent::Focus(focus) => Some(focus),
        _ => None,
    };
    events(capture).into_iter().filter_map(focus).collect()
}

#[test]
fn every_captured_presence_says_something() {
    let mut captures: Vec<String> = frames().into_iter().map(|frame| frame.capture).collect();
    captures.dedup();
    for capture in captures {
        let events = events(&capture);
        let joined = |event: &&MucEvent| matches!(event, MucEvent::SelfJoined { .. });
        assert!(events.iter().any(|event| joined(&event)), "{capture}");
        assert!(!events.iter().any(|event| matches!(event, MucEvent::Error(_))), "{capture}");
        for event in events {
            if let MucEvent::SelfJoined { codes, occupant } = event {
                assert!(codes.contains(&110), "{capture}: {codes:?}");
                assert_eq!(occupant.nick.len(), 8);
                assert!(occupant.name.expect("a name").starts_with("probe "));
                assert!(occupant.jid.expect("an address").contains("@meet.jitsi/"));
            }
        }
    }
}

#[test]
fn the_focus_tells_of_bridges() {
    let healthy = focuses("healthy-minimal");
    assert!(healthy.iter().all(|focus| focus.bridge_available));
    let counts: Vec<_> = healthy.iter().map(|focus| focus.bridge_count).collect();
    assert_eq!(counts, [None, None, Some(1), Some(1)]);
    let first = &healthy[0];
    assert_eq!(first.versions, [("focus".to_owned(), "1.1.SNAPSHOT".to_owned())]);
    let property = ("support-terminate-restart".to_owned(), "true".to_owned());
    assert_eq!(first.properties, [property]);
    assert_eq!(first.occupant.affiliation.as_deref(), Some("owner"));
    assert_eq!(first.occupant.jid.as_deref(), Some("focus@auth.meet.jitsi/focus"));
    let without = focuses("no-bridge");
    let last: Vec<bool> = without.iter().rev().take(2).map(|f| f.bridge_available).collect();
    assert_eq!(last, [false, false]);
    assert!(without.iter().all(|focus| focus.bridge_count.is_none()));
}

#[test]
fn leaving_is_seen_by_both() {
    let events = events("healthy-minimal");
    let left = events.iter().filter_map(|event| match event {
        MucEvent::Left(leaving) => Some(leaving.myself),
        _ => None,
    });
    assert_eq!(left.collect::<Vec<_>>(), [false, true, true]);
}

#[test]
fn a_room_that_we_created_ourselves_has_no_focus() {
    let events = events("join-without-request");
    let created = |event: &MucEvent| matches!(event, MucEvent::SelfJoined { codes, .. } if codes.contains(&201));
    assert!(events.iter().any(created));
    assert!(focuses("join-without-request").is_empty());
}

#[test]
fn the_captured_answers_are_read() {
    let mut ready = 0;
    for frame in frames().into_iter().filter(|frame| frame.received) {
        let iq = frame.element;
        if iq.get("conference", ns::FOCUS).is_some() {
            let answer = answer(&iq).expect("an answer");
            assert!(answer.ready && answer.vnode.is_none());
            assert_eq!(answer.focus_jid.as_deref(), Some("focus@auth.meet.jitsi"));
            assert_eq!(answer.property("authentication"), Some("false"));
            ready += 1;
        }
        if iq.get_attr("id") == Some("disco") {
            assert!(info(&iq).expect("info").has("urn:xmpp:ping"));
        }
        if iq.get_attr("id") == Some("ext") {
            assert_eq!(services(&iq).expect_err("none").condition, "service-unavailable");
        }
    }
    assert!(ready > 10, "{ready}");
    let nobody = received("no-focus").into_iter().find(|iq| iq.get_attr("id") == Some("conf"));
    let error = answer(&nobody.expect("an answer")).expect_err("no focus");
    let FocusError::Unavailable(error) = error else { panic!("{error}") };
    assert_eq!(error.from.as_deref(), Some("focus.meet.jitsi"));
}

/// Names, namespaces and attributes, in an order of their own.
fn shape(element: &Element) -> String {
    let mut attributes: Vec<&str> = element.attributes.iter().map(|(name, _)| &**name).collect();
    attributes.sort_unstable();
    let mut children: Vec<String> = element.elements().map(shape).collect();
    children.sort();
    format!("{}{{{}}}[{}]({})", element.name, element.ns, attributes.join(" "), children.join(","))
}

#[test]
fn what_we_say_has_the_shape_of_what_was_captured() {
    let sent: Vec<Element> =
        frames().into_iter().filter(|frame| !frame.received).map(|frame| frame.element).collect();
    let captured = |is: &dyn Fn(&Element) -> bool| {
        shape(sent.iter().find(|element| is(element)).expect("it was captured"))
    };
    let id = |id: &'static str| move |element: &Element| element.get_attr("id") == Some(id);
    let room = "r@muc.meet.jitsi";
    let request = Request {
        focus: "focus.meet.jitsi",
        room,
        machine_uid: "0",
        session_id: None,
        token: None,
    };
    let mut iq = request.to_iq("conf");
    if let Some(crate::xmpp::Node::Element(conference)) = iq.children.first_mut() {
        // We keep out of statistics besides.
        assert_eq!(conference.children.len(), 1);
        conference.children.clear();
    }
    assert_eq!(shape(&iq), captured(&id("conf")));
    let guest = Guest { endpoint: "aaaa1111", name: "mxdoctor A", password: None, video: false };
    let joins = |element: &Element| element.get("x", ns::MUC).is_some();
    let ours = join(room, &guest);
    assert_eq!(shape(&ours), captured(&joins));
    let sources = ours.get("SourceInfo", xmpp::CLIENT).expect("sources").get_text();
    assert_eq!(sources, r#"{"aaaa1111-a0":{"muted":false}}"#);
    assert_eq!(ours.get("stats-id", xmpp::CLIENT).expect("an id").get_text(), "mxdoctor");
    let leaves = |element: &Element| element.get_attr("type") == Some("unavailable");
    assert_eq!(shape(&leave(room, "aaaa1111")), captured(&leaves));
    assert_eq!(shape(&info_request("disco", "meet.jitsi")), captured(&id("disco")));
    assert_eq!(shape(&services_request("ext", "meet.jitsi", false)), captured(&id("ext")));
}

#[test]
fn the_focus_asks_what_we_can_do_and_is_answered() {
    let asked = received("healthy-minimal").into_iter().find(is_info_request).expect("a question");
    assert!(is_request(&asked));
    let answer = info_answer(&asked, "mxdoctor", &features(false));
    let sent = frames().into_iter().find(|frame| {
        frame.capture == "healthy-minimal"
            && !frame.received
            && frame.element.get_attr("id") == asked.get_attr("id")
    });
    let captured = info(&sent.expect("an answer").element).expect("info");
    assert_eq!(answer.get_attr("id"), asked.get_attr("id"));
    assert_eq!(answer.get_attr("to"), asked.get_attr("from"));
    assert_eq!(info(&answer).expect("info").features, captured.features);
    assert_eq!(features(true).len(), captured.features.len() + 2);
}

fn read(text: &str) -> Element {
    parse(text).expect("XML")
}

fn refused(error: &str) -> FocusError {
    let iq = format!("<iq xmlns='jabber:client' type='error' id='c' from='focus.x'>{error}</iq>");
    answer(&read(&iq)).expect_err("an error")
}

#[test]
fn the_focus_errors_have_their_names() {
    let stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas";
    let plain = |condition: &str| {
        refused(&format!("<error type='cancel'><{condition} xmlns='{stanzas}'/></error>"))
    };
    assert!(matches!(plain("service-unavailable"), FocusError::Unavailable(_)));
    assert!(matches!(plain("remote-server-not-found"), FocusError::Absent(_)));
    assert!(matches!(plain("item-not-found"), FocusError::Absent(_)));
    assert!(matches!(plain("bad-request"), FocusError::BadRequest(_)));
    assert!(matches!(plain("gone"), FocusError::Other(_)));
    let error = refused(&format!(
        "<error type='auth'><not-authorized xmlns='{stanzas}'/>\
         <text xmlns='{stanzas}'>not authorized user domain</text></error>"
    ));
    assert!(matches!(&error, FocusError::NotAuthorized(_)));
    assert!(error.to_string().ends_with("not-authorized (not authorized user domain)"), "{error}");
    let error = refused(&format!(
        "<error type='modify'><not-acceptable xmlns='{stanzas}'/>\
         <session-invalid xmlns='http://jitsi.org/protocol/focus'/></error>"
    ));
    assert!(matches!(error, FocusError::SessionInvalid(_)));
    let error = refused(&format!(
        "<error type='cancel'><service-unavailable xmlns='{stanzas}'/><reservation-error \
         xmlns='http://jitsi.org/protocol/focus' error-code='503'/></error>"
    ));
    assert!(
        matches!(&error, FocusError::Reservation { code, .. } if code.as_deref() == Some("503"))
    );
    let bare = answer(&read("<iq xmlns='jabber:client' type='result' id='c'/>"));
    assert!(matches!(bare, Err(FocusError::Garbled(_))));
    let result = |attributes: &str| {
        answer(&read(&format!(
            "<iq xmlns='jabber:client' type='result' id='c'><conference \
             xmlns='http://jitsi.org/protocol/focus' room='r@m' {attributes}/></iq>"
        )))
    };
    assert!(!result("ready='false'").expect("an answer").ready);
    let vnode = result("ready='true' vnode='v1'").expect("an answer").vnode;
    assert_eq!(vnode.as_deref(), Some("v1"));
    assert!(matches!(result("ready='perhaps'"), Err(FocusError::Garbled(_))));
}

#[test]
fn the_join_errors_have_their_names() {
    let event = |kind: &str, inner: &str, beside: &str| {
        let stanza = format!(
            "<presence xmlns='jabber:client' type='error' from='r@muc/aaaa1111'>\
             <x xmlns='http://jabber.org/protocol/muc'/><error type='{kind}'>{inner}</error>{beside}\
             </presence>"
        );
        match muc_event(&read(&stanza), "r@muc", "aaaa1111") {
            Some(MucEvent::Error(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let condition = |name: &str| format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>");
    let plain = |kind: &str, name: &str| event(kind, &condition(name), "");
    assert!(matches!(plain("auth", "not-authorized"), JoinError::Password(_)));
    assert!(matches!(plain("cancel", "not-allowed"), JoinError::NotAllowed(_)));
    assert!(matches!(plain("auth", "forbidden"), JoinError::NotAllowed(_)));
    assert!(matches!(plain("cancel", "service-unavailable"), JoinError::MaxUsers(_)));
    assert!(matches!(plain("cancel", "conflict"), JoinError::Conflict(_)));
    assert!(matches!(plain("wait", "resource-constraint"), JoinError::RateLimit(_)));
    assert!(matches!(plain("wait", "policy-violation"), JoinError::RateLimit(_)));
    assert!(matches!(plain("cancel", "remote-server-not-found"), JoinError::NoService(_)));
    assert!(matches!(plain("modify", "jid-malformed"), JoinError::Other(_)));
    let text =
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Room creation is restricted</text>";
    let restricted = event("cancel", &(condition("not-allowed") + text), "");
    assert!(matches!(restricted, JoinError::CreationRestricted(_)));
    let demands = |name: &str| format!("<{name} xmlns='http://jitsi.org/jitmeet'/>");
    let login = condition("not-allowed") + &demands("authentication-required");
    assert!(matches!(event("cancel", &login, ""), JoinError::AuthenticationRequired(_)));
    let name = condition("not-acceptable") + &demands("displayname-required");
    assert!(matches!(event("modify", &name, ""), JoinError::DisplayName(_)));
    let members = condition("registration-required");
    let lobby = "<lobbyroom xmlns='http://jitsi.org/jitmeet'>r@lobby.x</lobbyroom>";
    let waiting = "<waiting-for-host xmlns='http://jitsi.org/jitmeet'/>";
    for (inside, beside) in [(lobby.to_owned() + waiting, ""), (String::new(), lobby)] {
        let error = event("auth", &(members.clone() + &inside), beside);
        let JoinError::MembersOnly { lobby, waiting_for_host, .. } = error else {
            panic!("{error}")
        };
        assert_eq!((lobby.as_deref(), waiting_for_host), (Some("r@lobby.x"), beside.is_empty()));
    }
}

#[test]
fn presences_of_other_rooms_and_of_nobody_say_nothing() {
    for text in [
        "<presence xmlns='jabber:client' from='other@muc/aaaa1111'/>",
        "<presence xmlns='jabber:client' from='r@muc'/>",
        "<presence xmlns='jabber:client'/>",
        "<presence xmlns='jabber:server' from='r@muc/aaaa1111'/>",
        "<presence xmlns='jabber:client' from='r@muc/b' type='subscribe'/>",
        "<presence xmlns='jabber:client' from='r@muc/b' type='error'/>",
        "<message xmlns='jabber:client' from='r@muc/b'/>",
    ] {
        assert_eq!(muc_event(&read(text), "r@muc", "aaaa1111"), None, "{text}");
    }
}

#[test]
fn names_are_hard_to_guess_and_fit() {
    let (one, other) = (room_name(), room_name());
    assert_ne!(one, other);
    assert_eq!((one.len(), one.starts_with("mxdoctor-")), (41, true));
    assert_eq!(machine_uid().len(), 32);
    assert_eq!(endpoint_id("3FA85f64-5717-4562-b3fc-2c963f66afa6@meet.jitsi/r"), "3fa85f64");
    assert_ne!(endpoint_id("deadbeef@meet.jitsi/a"), endpoint_id("deadbeef@meet.jitsi/b"));
    let random = endpoint_id("lu8o0quptr9ljcm0c-vl8e1n@meet.jitsi/q");
    assert!(random.len() == 8 && random.bytes().all(|byte| byte.is_ascii_hexdigit()), "{random}");
    assert_ne!(random, endpoint_id("lu8o0quptr9ljcm0c-vl8e1n@meet.jitsi/q"));
}
