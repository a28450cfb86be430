//! Against what was said in real conferences, and against what nobody should say.

use super::helpers::{captured, full, local};
use crate::jingle::*;
use crate::testing::{Frame, frames};
use crate::xmpp::{Element, Node, is_answer, stanza_error};

#[test]
fn every_captured_offer_is_read() {
    let offers = captured(true, "session-initiate");
    assert!(offers.len() >= 16, "{}", offers.len());
    for Frame { capture, element, .. } in offers {
        let offer = initiate(&element).unwrap_or_else(|error| panic!("{capture}: {error}"));
        assert!(is_from_focus(&element), "{capture}");
        assert!(offer.credentials.ufrag.len() >= 4 && offer.credentials.pwd.len() >= 22);
        let [(fingerprint, setup)] = offer.transport.fingerprints.as_slice() else {
            panic!("{capture}: {:?}", offer.transport.fingerprints)
        };
        assert_eq!((fingerprint.hash.as_str(), fingerprint.value.len()), ("sha-256", 95));
        assert_eq!(*setup, Setup::ActPass);
        let candidates: Vec<_> =
            offer.transport.candidates.iter().map(ToString::to_string).collect();
        assert_eq!(candidates, ["198.51.100.2:10000 (host)"], "{capture}");
        assert_eq!((offer.transport.unusable.len(), offer.transport.dropped), (0, 0), "{capture}");
        let [socket] = offer.transport.web_sockets.as_slice() else { panic!("{capture}") };
        assert!(socket.path().starts_with("/colibri-ws/198.51.100.2/"), "{socket}");
        let audio = offer.audio.as_ref().expect("audio");
        let opus = audio.payload_type("opus").expect("Opus");
        assert_eq!((opus.id, opus.clock_rate, opus.channels), (111, 48_000, 2));
        assert_eq!(opus.parameters[0], ("minptime".into(), "10".into()));
        assert_eq!(audio.extension("urn:ietf:params:rtp-hdrext:ssrc-audio-level"), Some(1));
        assert_eq!(audio.max_ptime, Some(60));
        assert_eq!(offer.sources.dropped, 0);
        let bridge = offer.sources.of("jvb").find(|source| source.kind == MediaKind::Audio);
        let bridge = bridge.expect("the bridge's audio");
        assert_eq!(bridge.name.as_deref(), Some("jvb-a0"));
        assert_eq!(bridge.msid.as_deref(), Some("mixedmslabel mixedlabelaudio0"));
        assert_eq!(offer.bridge_session.as_ref().expect("a bridge session").id.len(), 36);
        assert_eq!(offer.initiator.as_deref(), Some("focus@auth.meet.jitsi/focus"));
        assert!(matches!(incoming(&element), Some(Ok(Incoming::Initiate(_)))));
    }
}

#[test]
fn the_full_offer_has_video_and_its_sources_as_json() {
    let offer = full();
    let names: Vec<&str> = offer.contents.iter().map(|content| content.name.as_str()).collect();
    assert_eq!(names, ["audio", "video"]);
    let video = offer.video.expect("video");
    let vp8 = video.payload_type("vp8").expect("VP8");
    assert_eq!((vp8.id, vp8.clock_rate), (100, 90_000));
    assert!(vp8.feedback.contains(&("nack".into(), Some("pli".into()))));
    assert_eq!(video.payload_types.len(), 8);
    assert_eq!(offer.sources.sources.len(), 2);
    assert!(offer.sources.sources.iter().all(|source| source.owner.as_deref() == Some("jvb")));
}

#[test]
fn every_captured_request_is_read() {
    let all = frames();
    let requests = all.iter().filter(|f| f.received && f.element.get_attr("type") == Some("set"));
    let mut added = 0;
    for Frame { capture, element, .. } in requests {
        match incoming(element) {
            Some(Ok(Incoming::SourceAdd(sources))) => {
                added += 1;
                let [source] = sources.sources.as_slice() else { panic!("{capture}: {sources:?}") };
                let owner = source.owner.as_deref().expect("an owner");
                assert_eq!(source.name, Some(format!("{owner}-a0")), "{capture}");
            }
            Some(Ok(Incoming::Other(action))) => panic!("{capture}: {action}"),
            Some(Ok(_)) => {}
            Some(Err(error)) => panic!("{capture}: {error}"),
            None => panic!("{capture}: {element}"),
        }
    }
    assert_eq!(added, 8);
}

#[test]
fn the_captured_refusals_have_their_reason() {
    let error = |capture: &str| {
        let mut all = frames().into_iter();
        let is = |frame: &Frame| {
            frame.capture == capture
                && frame.received
                && is_answer(&frame.element, "acc0")
                && frame.element.get_attr("type") == Some("error")
        };
        let frame = all.find(is).unwrap_or_else(|| panic!("{capture} has no refusal"));
        assert!(incoming(&frame.element).is_none(), "the echoed request is none");
        stanza_error(&frame.element).expect("an error")
    };
    let used = error("duplicate-ssrc");
    assert_eq!(used.to_string(), "bad-request (SSRC is already used: 2847498183.)");
    let unknown = error("unknown-sid");
    assert_eq!((unknown.condition.as_str(), unknown.text), ("bad-request", None));
}

/// Without values that differ from run to run, in an order of its own.
fn shape(element: &Element) -> String {
    let constant = ["name", "media", "senders", "creator", "action", "semantics", "type", "hash"];
    let mut attributes: Vec<String> = element
        .attributes
        .iter()
        .map(|(name, value)| match constant.contains(&name.as_str()) {
            true if element.name != "source" => format!("{name}={value}"),
            _ => name.clone(),
        })
        .collect();
    attributes.sort();
    let mut children: Vec<String> = element.elements().map(shape).collect();
    children.sort();
    format!("{}{{{}}}[{}]({})", element.name, element.ns, attributes.join(" "), children.join(","))
}

/// What Jicofo was seen to accept is what we say, but for what is more in ours.
#[test]
fn our_answer_has_the_shape_of_the_captured_ones() {
    let offers = captured(true, "session-initiate");
    let accepts = captured(false, "session-accept");
    let offered = offers.iter().find(|frame| frame.capture == "media").expect("an offer");
    let accepted = accepts.iter().find(|frame| frame.capture == "healthy-minimal");
    let offer = initiate(&offered.element).expect("an offer");
    let mut ours = accept("acc0", &offer, &local());
    strip(&mut ours, &["rtp-hdrext"]);
    // The captured client took Opus without its parameters.
    strip_in(&mut ours, "payload-type", "parameter");
    assert_eq!(shape(&ours), shape(&accepted.expect("an answer").element));
}

fn strip(element: &mut Element, names: &[&str]) {
    element.children.retain(|node| match node {
        Node::Element(child) => !names.contains(&child.name.as_str()),
        Node::Text(_) => true,
    });
    for node in &mut element.children {
        if let Node::Element(child) = node {
            strip(child, names);
        }
    }
}

fn strip_in(element: &mut Element, parent: &str, name: &str) {
    if element.name == parent {
        strip(element, &[name]);
    }
    for node in &mut element.children {
        if let Node::Element(child) = node {
            strip_in(child, parent, name);
        }
    }
}
