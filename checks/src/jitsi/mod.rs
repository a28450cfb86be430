//! The `jitsi` family: see each file's own page.

pub mod bosh;
pub mod candidates;
pub mod config_js;
pub mod dtls;
pub mod external_api;
pub mod ice;
mod stage;
pub mod udp;
pub mod web;
pub mod websocket;

use stage::need;
