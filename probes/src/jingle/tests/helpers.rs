//! Captured requests, and our side of a session.

use crate::dtls::{Fingerprint, Side};
use crate::ice::Credentials;
use crate::jingle::*;
use crate::testing::{Frame, frames};

pub(super) fn captured(received: bool, action: &str) -> Vec<Frame> {
    let is = |frame: &Frame| {
        let jingle = frame.element.get("jingle", ns::JINGLE);
        frame.received == received
            && frame.element.get_attr("type") == Some("set")
            && jingle.is_some_and(|jingle| jingle.get_attr("action") == Some(action))
    };
    let found: Vec<Frame> = frames().into_iter().filter(is).collect();
    assert!(!found.is_empty(), "no {action} was captured");
    found
}

pub(super) fn full() -> Initiate {
    let mut all = captured(true, "session-initiate").into_iter();
    let full = all.find(|frame| frame.capture == "healthy-full").expect("a full one");
    initiate(&full.element).expect("an offer")
}

pub(super) fn local() -> Local {
    Local {
        jid: "u1@meet.jitsi/r1".into(),
        endpoint: "aaaa1111".into(),
        credentials: Credentials { ufrag: "ours".into(), pwd: "our password of length".into() },
        fingerprint: Fingerprint::signalled("SHA-256", "ab:cd").expect("a fingerprint"),
        side: Side::Client,
        candidates: Vec::new(),
        sources: vec![LocalSource { kind: MediaKind::Audio, ssrc: 305_419_896 }],
    }
}
