//! How the instruments are set up.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustls_pki_types::CertificateDer;

/// How the instruments are set up. The default is this machine's own resolver and trust.
#[derive(Debug, Clone)]
pub struct NetConfig {
    /// Name servers to ask; none: those of `/etc/resolv.conf`.
    pub dns_servers: Vec<SocketAddr>,
    /// Where connections go instead, for `--resolve HOST:PORT:ADDR[:PORT]`.
    pub overrides: Overrides,
    /// Certificate authorities to trust besides the system's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Trust this machine's certificate authorities (the internal vantage may switch it off).
    pub system_roots: bool,
    /// Connections to one address and port at a time.
    pub connections_per_host: usize,
    /// Limit of one TCP connect, and again of one TLS handshake.
    pub connect_timeout: Duration,
    /// Limit of one request, from connecting to the last byte of the body; a redirect begins anew.
    pub request_timeout: Duration,
    /// Limit of one question to one name server.
    pub dns_timeout: Duration,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            dns_servers: Vec::new(),
            overrides: Overrides::default(),
            extra_roots: Vec::new(),
            system_roots: true,
            connections_per_host: 8,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(10),
            dns_timeout: Duration::from_secs(3),
        }
    }
}

/// Where connections go instead of where DNS says. A host of the map may be a name, whose
/// addresses are then not asked of DNS for connecting, or an IP address, which replaces just that
/// one (TCP and UDP).
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// By lower-case name and port.
    pub names: HashMap<(String, u16), Vec<SocketAddr>>,
    /// By address and port.
    pub addresses: HashMap<(IpAddr, u16), SocketAddr>,
}

impl Overrides {
    /// Where a connection to this address really goes.
    pub fn address(&self, address: SocketAddr) -> SocketAddr {
        self.addresses.get(&(address.ip(), address.port())).copied().unwrap_or(address)
    }
}
