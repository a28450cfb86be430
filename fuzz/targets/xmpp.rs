//! A frame of the stream: its features and errors, and stanzas as such.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::xmpp;

fuzz_target!(|bytes: &[u8]| {
    let Ok(element) = xmpp::parse(&String::from_utf8_lossy(bytes)) else { return };
    let _ = xmpp::features(&element);
    let _ = xmpp::stream_error(&element);
    let _ = xmpp::stanza_error(&element);
    let _ = (xmpp::is_request(&element), xmpp::is_answer(&element, "id"));
    let _ = (xmpp::result(&element), xmpp::refusal(&element));
    // What was read can be written, and is the same when it is read again.
    let again = xmpp::parse(&element.to_string());
    assert_eq!(again.as_ref(), Ok(&element));
});
