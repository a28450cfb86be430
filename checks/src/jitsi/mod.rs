//! The `jitsi` family: see each file's own page.

pub mod bosh;
pub mod candidates;
pub mod config_js;
pub mod dtls;
pub mod external_api;
mod health;
pub mod ice;
pub mod jicofo_health;
pub mod jvb_health;
pub mod private_api;
pub mod prosody_health;
pub mod turn;
mod turn_refusal;
mod stage;
pub mod udp;
pub mod web;
pub mod websocket;

use stage::need;
