//! A STUN message, and what an ICE agent makes of it.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::ice::{Agent, Credentials, Role};
use mxdoctor_probes::stun::Received;

fuzz_target!(|bytes: &[u8]| {
    if let Some(received) = Received::decode(bytes) {
        let _ = received.is_signed_with("VOkJxbRl1RmTxUk/WvJxBt");
        let again = received.message.encode(Some("password"));
        if let Some(again) = again.ok().and_then(|bytes| Received::decode(&bytes)) {
            assert_eq!(again.message, received.message);
        }
    }
    let credentials =
        |ufrag: &str| Credentials { ufrag: ufrag.into(), pwd: "VOkJxbRl1RmTxUk/WvJxBt".into() };
    let now = Instant::now();
    let mut agent = Agent::new(Role::Controlled, credentials("evtj"));
    agent.set_remote(now, credentials("h6vY"));
    let from = ([198, 51, 100, 1], 10000).into();
    agent.handle(now, from, bytes);
    agent.handle_timeout(now + Duration::from_secs(1));
    while agent.poll_transmit().is_some() {}
});
