//! The stack's hosts with their roles.

use mxdoctor_model::Vantage;
use url::Url;

use super::discovery::{Homeserver, Located, https, server_host};
use super::element::Element;
use super::jitsi::Jitsi;
use crate::{Cx, Fact, Unavailable};

/// What a host is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Serves the well-known documents of the server name.
    ServerName,
    /// Serves the homeserver's client API.
    Homeserver,
    /// Serves Element Web.
    Element,
    /// Serves Jitsi Meet.
    Jitsi,
}

impl Role {
    /// The word used in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServerName => "server name",
            Self::Homeserver => "homeserver",
            Self::Element => "Element Web",
            Self::Jitsi => "Jitsi Meet",
        }
    }
}

/// A host of the stack; one entry a host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackHost {
    /// Host name in lower case, or an address (IPv6 without brackets).
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whether TLS is spoken there.
    pub https: bool,
    /// What it is there for; never empty.
    pub roles: Vec<Role>,
    /// Base URL of its first role.
    pub base: Url,
}

impl StackHost {
    /// Whether it has the role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// The stack's hosts, in the order server name, homeserver, Element, Jitsi, as far as they are
/// configured or discovered. Always to be had; outside it holds at least the server name's host.
#[derive(Debug, Clone)]
pub struct Hosts;

impl Fact for Hosts {
    type Value = Vec<StackHost>;
    const OWNER: &'static str = "dns.address";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<Self::Value, Unavailable> {
        let (homeserver, element, jitsi) =
            futures_util::join!(cx.fact(Homeserver), cx.fact(Element), cx.fact(Jitsi));
        let mut hosts = Vec::new();
        if cx.vantage() == Vantage::Public
            && let Some(base) = https(&server_host(&cx.target().server_name).to_lowercase())
        {
            add(&mut hosts, &base, Role::ServerName);
        }
        let parts =
            [(homeserver, Role::Homeserver), (element, Role::Element), (jitsi, Role::Jitsi)];
        for (part, role) in parts {
            if let Ok(located) = part {
                let Located { base, .. } = &*located;
                add(&mut hosts, base, role);
            }
        }
        Ok(hosts)
    }
}

fn add(hosts: &mut Vec<StackHost>, base: &Url, role: Role) {
    let (Some(host), Some(port)) = (base.host_str(), base.port_or_known_default()) else { return };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
    match hosts.iter_mut().find(|known| known.host == host && known.port == port) {
        Some(known) => known.roles.push(role),
        None => hosts.push(StackHost {
            host,
            port,
            https: base.scheme() == "https",
            roles: vec![role],
            base: base.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_a_host_and_port() {
        let mut hosts = Vec::new();
        let url = |text| Url::parse(text).expect("a URL");
        add(&mut hosts, &url("https://example.org/"), Role::ServerName);
        add(&mut hosts, &url("https://Example.org:443/"), Role::Homeserver);
        add(&mut hosts, &url("http://[2001:db8::1]:8008"), Role::Element);
        assert_eq!(hosts.len(), 2);
        assert_eq!(hosts[0].roles, [Role::ServerName, Role::Homeserver]);
        assert_eq!((hosts[1].host.as_str(), hosts[1].port), ("2001:db8::1", 8008));
        assert!(hosts[0].https && !hosts[1].https);
        assert!(hosts[0].is(Role::Homeserver));
    }
}
