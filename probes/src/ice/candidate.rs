//! A candidate as signalled.

use std::net::{IpAddr, SocketAddr};

/// How a candidate came about (RFC 8445 section 5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An address of the host's own interface.
    Host,
    /// As seen from outside a NAT.
    ServerReflexive,
    /// As seen by the other agent during the checks.
    PeerReflexive,
    /// On a TURN server.
    Relayed,
}

impl Kind {
    /// The kind of that name in SDP and Jingle: `host`, `srflx`, `prflx` or `relay`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "host" => Self::Host,
            "srflx" => Self::ServerReflexive,
            "prflx" => Self::PeerReflexive,
            "relay" => Self::Relayed,
            _ => return None,
        })
    }

    /// The name in SDP and Jingle.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        }
    }

    /// Type preference recommended by RFC 8445 section 5.1.2.2.
    pub(super) fn preference(self) -> u32 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relayed => 0,
        }
    }
}

/// A candidate of the other side, component 1, UDP.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// Where it is reached, as signalled.
    pub address: SocketAddr,
    /// How it came about.
    pub kind: Kind,
    /// As signalled.
    pub priority: u32,
}

impl Candidate {
    /// Reads one as signalled, by the names of XEP-0176 that colibri2 uses as well: `component`,
    /// `protocol`, `ip`, `port`, `type` and `priority`. None for what no check can be sent to from
    /// a UDP socket: TCP, another component, a host name, no port.
    pub fn signalled(field: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let udp = field("protocol")?.eq_ignore_ascii_case("udp");
        let component = field("component")?.trim() == "1";
        let ip: IpAddr = field("ip")?.trim().parse().ok()?;
        let port = field("port")?.trim().parse().ok().filter(|port: &u16| *port > 0)?;
        let kind = Kind::parse(&field("type")?)?;
        // Only an order of preference: what cannot be read comes last.
        let priority = field("priority").and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        let usable = udp && component && !ip.is_unspecified() && !ip.is_multicast();
        usable.then(|| Self { address: SocketAddr::new(ip, port), kind, priority })
    }
}

impl std::fmt::Display for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.address, self.kind.as_str())
    }
}
