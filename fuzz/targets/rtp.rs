//! RTP, RTCP, and both as SRTP.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::dtls::SrtpKeys;
use mxdoctor_probes::media::Tag;
use mxdoctor_probes::rtp::{Packet, compound_of, is_rtcp};
use mxdoctor_probes::srtp::Srtp;

fuzz_target!(|bytes: &[u8]| {
    let _ = is_rtcp(bytes);
    if let Some(read) = Packet::decode(bytes) {
        let packet = read.packet.clone();
        let _ = (Tag::of_audio(&packet.payload), Tag::of_video(&packet.payload));
        let _ = packet.encode();
        let _ = read.unpadded();
    }
    for report in compound_of(bytes) {
        let _ = report.encode();
    }
    for salt in [12, 14] {
        let one = || (vec![7; 16], vec![9; salt]);
        let keys = SrtpKeys { local: one(), remote: one() };
        let mut srtp = Srtp::new(&keys).expect("a known profile");
        let _ = srtp.unprotect(bytes);
        let _ = srtp.unprotect_rtcp(bytes);
    }
});
