//! The stack's hosts with their roles.

use url::Url;

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

/// The stack's hosts, in the order server name, homeserver, Element, Jitsi, as far as they are
/// configured.
#[derive(Debug, Clone)]
pub struct Hosts;

impl Fact for Hosts {
    type Value = Vec<StackHost>;
    const OWNER: &'static str = "dns.address";

    async fn observe(&self, cx: &Cx) -> Result<Self::Value, Unavailable> {
        let target = cx.target();
        let mut hosts = Vec::new();
        let server_name = Url::parse(&format!("https://{}/", target.server_name)).ok();
        for (role, base) in [
            (Role::ServerName, server_name.as_ref()),
            (Role::Homeserver, target.homeserver.as_ref()),
            (Role::Element, target.element.as_ref()),
            (Role::Jitsi, target.jitsi.as_ref()),
        ] {
            if let Some(base) = base
                && (role != Role::ServerName || cx.vantage() == mxdoctor_model::Vantage::Public)
            {
                add(&mut hosts, base, role);
            }
        }
        Ok(hosts)
    }
}

fn add(hosts: &mut Vec<StackHost>, base: &Url, role: Role) {
    let (Some(host), Some(port)) = (base.host_str(), base.port_or_known_default()) else { return };
    let host = host.trim_matches(['[', ']']).to_lowercase();
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
