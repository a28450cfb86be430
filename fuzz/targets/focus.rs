//! What the focus answers, and the presences of a room.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::{focus, xmpp};

fuzz_target!(|bytes: &[u8]| {
    let Ok(element) = xmpp::parse(&String::from_utf8_lossy(bytes)) else { return };
    let _ = focus::answer(&element).map_err(|error| error.to_string());
    let _ = focus::join_error(&element).map(|error| error.to_string());
    let room = element.get_attr("from").unwrap_or_default();
    let _ = focus::muc_event(&element, room.split('/').next().unwrap_or_default(), "aaaa1111");
    let _ = focus::endpoint_id(room);
});
