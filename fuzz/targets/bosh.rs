//! A body of BOSH, and everything in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::xmpp;

fuzz_target!(|bytes: &[u8]| {
    let Ok(body) = xmpp::bosh_body(&String::from_utf8_lossy(bytes)) else { return };
    let _ = xmpp::bosh_end(&body).map(|condition| condition.to_string());
    for element in body.elements() {
        let _ = (xmpp::features(element), xmpp::stream_error(element));
    }
});
