//! The `jitsi` family: see each file's own page.

pub mod dtls;
pub mod ice;
pub mod udp;
