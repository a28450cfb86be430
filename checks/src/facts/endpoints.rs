//! Host and port, by which findings about connections are told apart.

use std::fmt;
use std::net::SocketAddr;

use url::Url;

use super::{Addresses, Hosts, Source};
use crate::{Cx, Unavailable};

/// A host and port of the stack. Shown as the host alone on port 443.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Endpoint {
    /// That host and port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// Where a URL leads; none for a URL without a host.
    pub fn of(url: &Url) -> Option<Self> {
        let host = url.host_str()?.trim_matches(['[', ']']).to_lowercase();
        Some(Self { host, port: url.port_or_known_default()? })
    }

    /// Where to connect: the override of this name and port, else what DNS says.
    ///
    /// # Errors
    /// Those of [`Addresses`].
    pub async fn addresses(&self, cx: &Cx) -> Result<Vec<SocketAddr>, Unavailable> {
        if let Some(addresses) = self.overridden(cx) {
            return Ok(addresses);
        }
        let resolved = cx.fact(Addresses { host: self.host.clone() }).await?;
        Ok(resolved.addresses.iter().map(|ip| SocketAddr::new(*ip, self.port)).collect())
    }

    /// Where connections to this name and port go by configuration instead of by DNS.
    pub fn overridden(&self, cx: &Cx) -> Option<Vec<SocketAddr>> {
        let names = &cx.net().config().overrides.names;
        names.get(&(self.host.to_lowercase(), self.port)).cloned()
    }

    /// Whether DNS decides where connections go.
    ///
    /// # Errors
    /// Those of [`Addresses`].
    pub async fn by_dns(&self, cx: &Cx) -> Result<bool, Unavailable> {
        if self.overridden(cx).is_some() {
            return Ok(false);
        }
        let resolved = cx.fact(Addresses { host: self.host.clone() }).await?;
        Ok(resolved.source == Source::Dns)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            443 => f.write_str(&self.host),
            port if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            port => write!(f, "{}:{port}", self.host),
        }
    }
}

/// The hosts of the stack that are spoken to over TLS, each once.
///
/// # Errors
/// Those of [`Hosts`].
pub async fn endpoints(cx: &Cx) -> Result<Vec<Endpoint>, Unavailable> {
    let mut endpoints = Vec::new();
    for host in cx.fact(Hosts).await?.iter().filter(|host| host.https) {
        let endpoint = Endpoint::new(&host.host, host.port);
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    Ok(endpoints)
}

/// The names of the stack's hosts, each once.
///
/// # Errors
/// Those of [`Hosts`].
pub async fn host_names(cx: &Cx) -> Result<Vec<String>, Unavailable> {
    let mut names: Vec<String> = Vec::new();
    for host in cx.fact(Hosts).await?.iter() {
        if !names.contains(&host.host) {
            names.push(host.host.clone());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_port_is_not_named() {
        assert_eq!(Endpoint::new("example.org", 443).to_string(), "example.org");
        assert_eq!(Endpoint::new("example.org", 8448).to_string(), "example.org:8448");
        assert_eq!(Endpoint::new("2001:db8::1", 8448).to_string(), "[2001:db8::1]:8448");
        let url = "https://[2001:db8::1]/x".parse().expect("a URL");
        assert_eq!(Endpoint::of(&url), Some(Endpoint::new("2001:db8::1", 443)));
    }
}
