//! Jitsi Meet's `config.js`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::jsconfig::JsConfig;

fuzz_target!(|bytes: &[u8]| {
    let page = "https://meet.example.org/".parse().expect("a URL");
    if let Ok(config) = JsConfig::parse(bytes, &page) {
        let _ = config.text("hosts.domain");
    }
});
