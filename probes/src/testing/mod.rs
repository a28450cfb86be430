//! What the tests of several instruments share: an authority, servers on loopback, real servers.

mod authority;
mod captures;
mod names;
mod process;
mod prosody;
mod server;

pub(crate) use authority::{Authority, Identity, issuer_at};
pub(crate) use captures::{Frame, frames};
pub(crate) use names::{Responder, record, reply};
pub(crate) use process::{Process, eventually, free_address};
pub(crate) use prosody::Prosody;
pub(crate) use server::{TlsServer, listen, serve_http};

use std::net::SocketAddr;

use crate::NetConfig;

/// Trusts just this authority, and connects to `address` for each name at port 443 and 80.
pub(crate) fn config(authority: &Authority, names: &[(&str, u16, SocketAddr)]) -> NetConfig {
    let mut config = NetConfig {
        system_roots: false,
        extra_roots: vec![authority.der()],
        // No test may ask this machine's resolver.
        dns_servers: vec!["127.0.0.1:9".parse().expect("an address")],
        ..NetConfig::default()
    };
    for (name, port, address) in names {
        config.overrides.names.insert(((*name).to_owned(), *port), vec![*address]);
    }
    config
}
