//! The server's side of SASL: a challenge and the last word of SCRAM, or elements in their place.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::xmpp;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (challenge, last) = text.split_once('\n').unwrap_or((&text, ""));
    for sha256 in [false, true] {
        // Nobody who does not know the password can prove that they do.
        assert!(xmpp::scram_exchange(sha256, challenge, last).is_err());
    }
});
