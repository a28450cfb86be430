//! SCTP and the opening of a data channel, to a client and to a server.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::sctp::{Channel, Open};

/// The checksum of SCTP (CRC-32C, RFC 9260 appendix A), without which nothing else would be read.
fn checksum(packet: &[u8]) -> u32 {
    !packet.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 }
        })
    })
}

fuzz_target!(|bytes: &[u8]| {
    let now = Instant::now();
    let client = Channel::client(
        now,
        Open {
            label: "JVB data channel".into(),
            protocol: "http://jitsi.org/protocols/colibri".into(),
        },
    );
    for mut channel in client.into_iter().chain([Channel::server()]) {
        let (length, rest) = bytes.split_first().unwrap_or((&0, &[]));
        for datagram in rest.chunks(usize::from(*length).max(3) * 8) {
            let mut datagram = datagram.to_vec();
            if datagram.len() >= 12 {
                datagram[8..12].fill(0);
                let sum = checksum(&datagram);
                datagram[8..12].copy_from_slice(&sum.to_le_bytes());
            }
            channel.handle(now, &datagram);
            while channel.poll_transmit().is_some() {}
        }
        channel.handle_timeout(now + Duration::from_secs(5));
        while channel.poll_transmit().is_some() {}
        let _ = (channel.state(), channel.open(), channel.received().count());
    }
});
