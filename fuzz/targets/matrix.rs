//! Documents of Matrix: delegation, server keys, server names, canonical JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::matrix::{
    ServerName, canonical_json, decode_base64, parse_delegation, parse_key_document,
};

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_delegation(bytes);
    if let Ok(document) = parse_key_document(bytes) {
        let _ = document.identity();
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = decode_base64(&text);
    if let Ok(name) = text.parse::<ServerName>() {
        let _ = (name.host_text(), name.url_host(), name.has_upper_case());
    }
    if let Ok(value) = serde_json::from_slice(bytes)
        && let Ok(canonical) = canonical_json(&value)
    {
        let again = serde_json::from_str(&canonical).expect("canonical JSON is JSON");
        assert_eq!(canonical_json(&again).as_deref(), Ok(canonical.as_str()));
    }
});
