//! Datagrams of a DTLS handshake, to a client and to a server.

#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::dtls::{Dtls, Identity, Side, looks_like_dtls};

static IDENTITY: LazyLock<Identity> = LazyLock::new(|| Identity::new().expect("a key"));

fuzz_target!(|bytes: &[u8]| {
    let now = Instant::now();
    let peer = ([198, 51, 100, 1], 10000).into();
    for side in [Side::Client, Side::Server] {
        let fingerprints = vec![IDENTITY.fingerprint.clone()];
        let mut dtls = Dtls::new(now, side, &IDENTITY, peer, fingerprints).expect("begins");
        // The first byte says where one datagram ends and the next begins.
        let (length, rest) = bytes.split_first().unwrap_or((&0, &[]));
        for datagram in rest.chunks(usize::from(*length).max(1) * 8) {
            let _ = looks_like_dtls(datagram);
            dtls.handle(now, datagram);
            while dtls.poll_transmit().is_some() {}
        }
        dtls.handle_timeout(now + Duration::from_secs(2));
        while dtls.poll_transmit().is_some() {}
        while dtls.read().is_some() {}
    }
});
