//! Candidates as signalled, one a line in the attributes' order of XEP-0176, given to an agent.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::ice::{Agent, Candidate, Credentials, Role};

const NAMES: [&str; 6] = ["component", "protocol", "ip", "port", "type", "priority"];

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let now = Instant::now();
    let credentials =
        |ufrag: &str| Credentials { ufrag: ufrag.into(), pwd: "VOkJxbRl1RmTxUk/WvJxBt".into() };
    let mut agent = Agent::new(Role::Controlled, credentials("evtj"));
    agent.set_remote(now, credentials("h6vY"));
    for line in text.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let field = |wanted: &str| {
            let index = NAMES.iter().position(|name| *name == wanted)?;
            fields.get(index).map(|&text| text.to_owned())
        };
        if let Some(candidate) = Candidate::signalled(field) {
            let address = candidate.address;
            assert!(address.port() > 0 && !address.ip().is_unspecified(), "{candidate}");
            agent.add_candidate(now, candidate.clone(), candidate.address);
        }
    }
    assert!(agent.pairs().len() <= 64);
    agent.handle_timeout(now + Duration::from_secs(1));
    while agent.poll_transmit().is_some() {}
});
