//! A name server's answer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::dns::{Kind, read};

fuzz_target!(|bytes: &[u8]| {
    for kind in [Kind::A, Kind::Srv, Kind::Caa, Kind::Txt] {
        let _ = read("example.org", kind, bytes);
    }
});
