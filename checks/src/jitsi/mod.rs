//! The `jitsi` family: see each file's own page.

pub mod bosh;
pub mod bridge_channel;
pub mod candidates;
pub mod cleanup;
pub mod config_js;
pub mod dtls;
pub mod external_api;
pub mod focus;
mod health;
pub mod ice;
pub mod jicofo_health;
pub mod jvb_health;
pub mod media;
pub mod muc;
pub mod private_api;
pub mod prosody_health;
pub mod services;
pub mod session;
mod stage;
#[cfg(test)]
mod tests;
pub mod turn;
mod turn_refusal;
pub mod udp;
pub mod versions;
pub mod web;
pub mod websocket;
pub mod xmpp_login;

use stage::need;
