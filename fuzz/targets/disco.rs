//! Service discovery (XEP-0030) and external services (XEP-0215), both ways.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::xmpp;

fuzz_target!(|bytes: &[u8]| {
    let Ok(element) = xmpp::parse(&String::from_utf8_lossy(bytes)) else { return };
    if let Ok(info) = xmpp::info(&element) {
        let _ = (info.component("speakerstats"), info.field("muc#roominfo_meetingId"));
    }
    let _ = xmpp::services(&element);
    if xmpp::is_info_request(&element) {
        let answer = xmpp::info_answer(&element, "name", &["feature"]).to_string();
        assert!(xmpp::parse(&answer).is_ok(), "our own answer is not readable: {answer}");
    }
});
