//! What is checked, as far as it was configured; the rest is discovered by facts.

use std::net::{IpAddr, SocketAddr};

use mxdoctor_probes::kube::Access;
use mxdoctor_probes::matrix::{Certificate, ServerName, decode_base64, is_key_id};
use url::Url;

use crate::state::State;

/// The target as seen from one vantage. Everything but the server name may be absent and is then
/// discovered, or the checks that need it are skipped with that reason.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// The Matrix server name (`example.org`), as in user ids.
    pub server_name: String,
    /// Base URL of the homeserver's client API.
    pub homeserver: Option<Url>,
    /// Base URL of Element Web.
    pub element: Option<Url>,
    /// Base URL of Jitsi Meet.
    pub jitsi: Option<Url>,
    /// Private REST address of the Jitsi video bridge.
    pub jvb_rest: Option<Url>,
    /// REST address of Jicofo.
    pub jicofo_rest: Option<Url>,
    /// Prosody's own HTTP port.
    pub prosody_http: Option<Url>,
    /// Public name or address of the node that runs the bridge.
    pub jitsi_node: Option<String>,
    /// Who joins a conference; the default is a guest.
    pub jitsi_login: JitsiLogin,
    /// Send a short burst of video as well as audio.
    pub jitsi_video: bool,
    /// A STUN server (host and port) to learn from whether UDP works from here.
    pub stun_server: Option<(String, u16)>,
    /// The homeserver's database.
    pub database: Option<Database>,
    /// Host names of the internal ingress, which must not exist outside.
    pub internal_names: Vec<String>,
    /// A second resolver to compare answers with, `ip:port`; else the zone's own servers are asked.
    pub second_resolver: Option<SocketAddr>,
    /// What the operator wrote down.
    pub expect: Expect,
    /// Address ranges to take for reachable from outside although they are private or reserved
    /// (a lab, a VPN).
    pub routable: Vec<Cidr>,
    /// Checks may take as long as it needs to see that a wait is not cut: a minute and more.
    pub slow: bool,
    /// The identity that the tool can serve itself, to be asked for its key by the homeserver.
    pub federation: FederationProbe,
    /// What is kept from run to run; none where it has no place.
    pub state: Option<State>,
    /// The synthetic user.
    pub canary: CanaryAccount,
    /// The cluster that it runs in, where there is a way to its API server.
    pub kubernetes: Option<Kubernetes>,
}

/// A namespace of a cluster, and how much of it may be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kubernetes {
    /// The way to the API server.
    pub access: Access,
    /// Namespaces of operators: CloudNativePG's, cert-manager's, the tunnel's.
    pub operators: Vec<String>,
    /// Read Secrets, for the lengths and the equality of their values.
    pub read_secrets: bool,
    /// Read the last lines of containers that fail.
    pub logs: bool,
}

/// Who the synthetic user is, and what it may do.
#[derive(Clone, Default)]
pub struct CanaryAccount {
    /// Whether the run may change anything on the target (`--allow canary`).
    pub allowed: bool,
    /// Localpart or full user id.
    pub user: Option<String>,
    /// Its password; never printed.
    pub password: Option<String>,
    /// An access token in place of user and password; never printed.
    pub token: Option<String>,
    /// Id of the room to write in; else one of its own that it makes once.
    pub room: Option<String>,
    /// Base URL at which the homeserver's admin API is reached, where that is another one.
    pub homeserver: Option<Url>,
    /// `registration_shared_secret` of homeserver.yaml; never printed.
    pub shared_secret: Option<String>,
    /// An admin's access token; never printed.
    pub admin_token: Option<String>,
    /// A new account at each run, deactivated at its end.
    pub throw_away: bool,
}

impl CanaryAccount {
    fn secrets(&self) -> [Option<&str>; 4] {
        [&self.password, &self.token, &self.shared_secret, &self.admin_token]
            .map(|secret| secret.as_deref())
    }
}

impl std::fmt::Debug for CanaryAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CanaryAccount")
            .field("allowed", &self.allowed)
            .field("user", &self.user)
            .field("room", &self.room)
            .field("throw_away", &self.throw_away)
            .finish_non_exhaustive()
    }
}

/// A signing identity of the tool's own, as other homeservers have one.
#[derive(Debug, Clone, Default)]
pub struct FederationProbe {
    /// Where its key document is served; without it there is no identity.
    pub listen: Option<SocketAddr>,
    /// Its server name; else our address towards the target, with the port.
    pub name: Option<ServerName>,
    /// What it is served with; else a certificate that it signs itself.
    pub certificate: Option<Certificate>,
}

impl Target {
    /// What may never be printed.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let database = self.database.as_ref().map(|database| database.password.as_str());
        let login = &self.jitsi_login;
        let account = login.account.as_ref().map(|(_, password)| password.as_str());
        let jitsi = [database, login.token.as_deref(), account];
        jitsi.into_iter().chain(self.canary.secrets()).flatten()
    }
}

/// Who joins a conference of Jitsi Meet.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct JitsiLogin {
    /// A JSON web token; never printed.
    pub token: Option<String>,
    /// User and password; the password is never printed.
    pub account: Option<(String, String)>,
    /// The XMPP domain of that user, where it is not what config.js says.
    pub domain: Option<String>,
}

impl std::fmt::Debug for JitsiLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JitsiLogin")
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("user", &self.account.as_ref().map(|(user, _)| user))
            .field("domain", &self.domain)
            .finish()
    }
}

/// How to reach PostgreSQL.
#[derive(Clone)]
pub struct Database {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Role.
    pub user: String,
    /// Its password; never printed.
    pub password: String,
    /// Database name.
    pub name: String,
    /// `disable`, `require` or `verify-full`, as in libpq.
    pub sslmode: String,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "postgres://{}:***@{}:{}/{}", self.user, self.host, self.port, self.name)
    }
}

/// What the operator wrote down, to be held against what runs.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// Synapse's version, as in the image tag (`1.147.0`).
    pub synapse_version: Option<String>,
    /// Element Web's version (`1.12.10`).
    pub element_version: Option<String>,
    /// PostgreSQL's version (`16.10` or `16`).
    pub postgres_version: Option<String>,
    /// Connections that the homeserver's pool may open (Synapse `cp_max`).
    pub database_pool: Option<u32>,
    /// The largest file that people may upload, in bytes (Synapse `max_upload_size`).
    pub upload_limit: Option<u64>,
    /// The homeserver's signing keys; none: as at the last run.
    pub signing_keys: Vec<ExpectedKey>,
}

/// A signing key, as the operator wrote it down: `ed25519:a_AbCd`, a blank, unpadded Base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedKey {
    /// Algorithm and version.
    pub id: String,
    /// Its 32 bytes.
    pub bytes: Vec<u8>,
}

impl std::str::FromStr for ExpectedKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || format!("`{text}` is not a signing key: expected `ed25519:a_AbCd` and its Base64");
        let (id, key) = text.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
        let bytes = decode_base64(key.trim()).filter(|bytes| bytes.len() == 32);
        let known = is_key_id(id) && id.starts_with("ed25519:");
        let bytes = bytes.filter(|_| known).ok_or_else(wrong)?;
        Ok(Self { id: id.to_owned(), bytes })
    }
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Whether the address is in the range; a v4 range holds no v6 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (network, address, width) = match (self.network, address) {
            (IpAddr::V4(n), IpAddr::V4(a)) => {
                (u128::from(u32::from(n)), u128::from(u32::from(a)), 32)
            }
            (IpAddr::V6(n), IpAddr::V6(a)) => (u128::from(n), u128::from(a), 128),
            _ => return false,
        };
        let shift = width - u32::from(self.prefix);
        shift >= 128 || (network >> shift) == (address >> shift)
    }
}

impl std::str::FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || format!("`{text}` is not an address range: expected for instance 10.0.0.0/8");
        let (network, prefix) = text.split_once('/').unwrap_or((text, ""));
        let network: IpAddr = network.parse().map_err(|_| wrong())?;
        let width = if network.is_ipv4() { 32 } else { 128 };
        let prefix = if prefix.is_empty() { width } else { prefix.parse().map_err(|_| wrong())? };
        if prefix > width { Err(wrong()) } else { Ok(Self { network, prefix }) }
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cidr_knows_its_own() {
        let range: Cidr = "198.51.100.0/24".parse().expect("a range");
        assert!(range.contains("198.51.100.7".parse().expect("an address")));
        assert!(!range.contains("198.51.101.7".parse().expect("an address")));
        assert!(!range.contains("::1".parse().expect("an address")));
        let all: Cidr = "::/0".parse().expect("a range");
        assert!(all.contains("2001:db8::1".parse().expect("an address")));
        assert!("10.0.0.0/33".parse::<Cidr>().is_err());
    }
}
