//! A bridge's offer over REST, and messages of its channel.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::colibri::{Message, Offer};

fuzz_target!(|bytes: &[u8]| {
    let _ = Offer::parse(bytes);
    if let Ok(message) = Message::parse(&String::from_utf8_lossy(bytes)) {
        let _ = message.as_nonce();
    }
});
