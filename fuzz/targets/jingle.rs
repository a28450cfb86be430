//! Jingle requests of the focus, answered as the client would.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::dtls::{Identity, Side};
use mxdoctor_probes::ice::Credentials;
use mxdoctor_probes::jingle::{self, Local, LocalSource, MediaKind, Reason};
use mxdoctor_probes::xmpp;

static OURS: LazyLock<Local> = LazyLock::new(|| Local {
    jid: "a@meet.jitsi/b".into(),
    endpoint: "aaaa1111".into(),
    credentials: Credentials::random(),
    fingerprint: Identity::new().expect("a key").fingerprint,
    side: Side::Client,
    candidates: Vec::new(),
    sources: vec![LocalSource { kind: MediaKind::Audio, ssrc: 7 }],
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(element) = xmpp::parse(&String::from_utf8_lossy(bytes)) else { return };
    let _ = (jingle::is_offer(&element), jingle::is_from_focus(&element));
    let _ = jingle::incoming(&element);
    let _ = jingle::decline("id", &element);
    if let Ok(offer) = jingle::initiate(&element) {
        let accept = jingle::accept("id", &offer, &OURS);
        let text = accept.to_string();
        assert!(xmpp::parse(&text).is_ok(), "our own stanza is not readable: {text}");
        let _ = jingle::transport_info("id", &offer, &OURS);
        let _ = jingle::terminate("id", &offer, Reason::Success);
        let _ = jingle::ice_failed("id", &offer);
    }
});
