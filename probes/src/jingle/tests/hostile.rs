//! Requests that nobody should make: each is judged, within bounds.

use proptest::prelude::*;

use super::helpers::{captured, local};
use super::made::offer;
use crate::focus;
use crate::jingle::*;
use crate::testing::frames;
use crate::xmpp::{self, Element, Node, parse};

/// Everything that reads a stanza reads this one; answers to it can be made.
fn judge(element: &Element) {
    let _ = incoming(element);
    if let Ok(offer) = initiate(element) {
        assert!(offer.transport.candidates.len() <= 256);
        assert!(offer.transport.unusable.len() <= 256);
        assert!(offer.transport.unusable.iter().all(|text| text.chars().count() <= 200));
        assert!(offer.sources.sources.len() <= 1024);
        let answer = accept("a", &offer, &local()).to_string();
        assert!(parse(&answer).is_ok(), "{answer}");
        let _ = terminate("t", &offer, Reason::ConnectivityError);
        let _ = transport_info("i", &offer, &local());
    }
    let _ = decline("d", element);
    let _ = focus::muc_event(element, "r@muc.meet.jitsi", "aaaa1111");
    let _ = focus::answer(element);
    let _ = xmpp::info(element);
    let _ = xmpp::services(element);
    let _ = xmpp::stanza_error(element);
    let _ = xmpp::features(element);
    let _ = xmpp::stream_error(element);
    let _ = xmpp::info_answer(element, "mxdoctor", &focus::features(true));
    let _ = xmpp::refusal(element);
}

#[test]
fn thousands_of_candidates_stay_within_bounds() {
    let candidates: String = (0..1200)
        .map(|n| {
            format!(
                "<candidate component='1' protocol='udp' type='host' port='{}' ip='10.0.{}.{}'/>",
                1000 + n,
                n / 250,
                n % 250
            )
        })
        .collect();
    let print = "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256'>AB</fingerprint>";
    let iq = offer("ufrag='u' pwd='p'", &(candidates + print), "");
    judge(&iq);
    let read = initiate(&iq).expect("an offer");
    assert_eq!((read.transport.candidates.len(), read.transport.dropped), (256, 1200 - 256));
    let prints: String = (0..1000)
        .map(|n| {
            format!(
                "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256'>{n}</fingerprint>\
                 <web-socket xmlns='http://jitsi.org/protocol/colibri' url='wss://h/{n}'/>\
                 <candidate ip='name{n}'/>"
            )
        })
        .collect();
    let read = initiate(&offer("ufrag='u' pwd='p'", &prints, "")).expect("an offer");
    assert_eq!(read.transport.fingerprints.len(), 256);
    assert_eq!((read.transport.web_sockets.len(), read.transport.unusable.len()), (256, 256));
    assert_eq!(read.transport.dropped, 3 * (1000 - 256));
    let contents = "<content name='x'/>".repeat(65);
    let error = initiate(&offer("ufrag='u' pwd='p'", print, &contents)).expect_err("too many");
    assert_eq!(error, JingleError::TooManyContents);
}

#[test]
fn giant_json_stays_within_bounds() {
    let sources = vec!["{\"s\":1}"; 5000].join(",");
    let print = "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256'>AB</fingerprint>";
    let with = |json: &str| {
        let json = json.replace('"', "&quot;");
        let more = format!("<json-message xmlns='http://jitsi.org/jitmeet'>{json}</json-message>");
        initiate(&offer("ufrag='u' pwd='p'", print, &more)).expect("an offer").sources
    };
    let read = with(&format!("{{\"sources\":{{\"a\":[[{sources}]]}}}}"));
    assert_eq!((read.sources.len(), read.dropped), (1024, 5000 - 1024));
    assert_eq!(with(&"[".repeat(20_000)).dropped, 1);
    assert_eq!(with("{\"sources\":[1,2]}"), Sources::default());
    assert_eq!(with("{\"sources\":{\"a\":7,\"b\":[{},7],\"c\":[[7]]}}").dropped, 1);
}

/// Every frame of every capture, and the same one with every namespace changed.
#[test]
fn every_captured_frame_is_judged() {
    for frame in frames() {
        judge(&frame.element);
        let elsewhere = frame.element.to_string().replace("xmlns='", "xmlns='x");
        judge(&parse(&elsewhere).expect("XML"));
    }
}

/// All elements below, by their path.
fn paths(element: &Element, path: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
    for (index, node) in element.children.iter().enumerate() {
        if let Node::Element(child) = node {
            path.push(index);
            all.push(path.clone());
            paths(child, path, all);
            path.pop();
        }
    }
}

fn at<'a>(element: &'a mut Element, path: &[usize]) -> &'a mut Element {
    let [first, rest @ ..] = path else { return element };
    match element.children.get_mut(*first) {
        Some(Node::Element(child)) => at(child, rest),
        _ => unreachable!("the path was found"),
    }
}

/// Changes one thing at one place.
fn mutate(element: &mut Element, place: usize, change: u8, value: &str) {
    let mut all = vec![Vec::new()];
    paths(element, &mut Vec::new(), &mut all);
    let victim = at(element, &all[place % all.len()]);
    match change % 7 {
        0 => victim.children.clear(),
        1 => victim.attributes.clear(),
        2 => victim.ns = value.to_owned(),
        3 => victim.children = vec![Node::Text(value.to_owned())],
        4 => {
            let copies = victim.children.clone();
            victim.children.extend(copies);
        }
        _ => {
            let count = victim.attributes.len().max(1);
            if let Some((_, old)) = victim.attributes.get_mut(place % count) {
                value.clone_into(old);
            }
        }
    }
}

fn offers() -> Vec<Element> {
    captured(true, "session-initiate").into_iter().map(|frame| frame.element).take(4).collect()
}

proptest! {
    #[test]
    fn mutated_offers_are_judged(
        which in 0..4_usize,
        changes in prop::collection::vec((any::<usize>(), any::<u8>(), "[ -~é]{0,20}"), 1..8),
    ) {
        thread_local! {
            static OFFERS: Vec<Element> = offers();
        }
        let mut offer = OFFERS.with(|offers| offers[which].clone());
        for (place, change, value) in &changes {
            mutate(&mut offer, *place, *change, value);
        }
        judge(&offer);
    }

    #[test]
    fn truncated_frames_are_refused(cut in 1..3000_usize) {
        thread_local! {
            static TEXT: String = offers()[0].to_string();
        }
        TEXT.with(|text| {
            let end = cut.min(text.len() - 1);
            // All of it is ASCII.
            assert!(parse(&text[..end]).is_err());
        });
    }

    #[test]
    fn any_text_in_a_stanza_is_judged(
        attributes in "[ -~]{0,40}",
        inner in "[ -~é]{0,200}",
        name in prop::sample::select(vec!["iq", "presence", "message", "body"]),
    ) {
        let text = Element::new(name, "jabber:client").attr("from", attributes).text(inner);
        judge(&parse(&text.to_string()).expect("XML"));
    }
}
