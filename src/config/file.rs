//! The keys of `stack.toml`.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

/// `stack.toml`, as written. Everything but the server name can be absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// The Matrix server name, as in user ids.
    pub server_name: Option<String>,
    /// Where to look from.
    pub vantages: Option<Vec<String>>,
    /// Folder for what is kept from run to run.
    pub state: Option<PathBuf>,
    /// The homeserver's client side.
    pub homeserver: Service,
    /// Element Web.
    pub element: Service,
    /// Jitsi Meet.
    pub jitsi: Jitsi,
    /// PostgreSQL.
    pub database: Option<DatabaseKeys>,
    /// Our own side of the network.
    pub network: Network,
    /// What the operator holds the stack to.
    pub expect: ExpectKeys,
    /// Addresses at the internal ingress.
    pub internal: Option<VantageKeys>,
    /// Addresses inside the cluster.
    pub cluster: Option<VantageKeys>,
    /// The tool's own identity among homeservers.
    pub federation: FederationKeys,
    /// The synthetic user.
    pub canary: CanaryKeys,
    /// The cluster that the stack runs in.
    pub kubernetes: Option<KubernetesKeys>,
    /// How to run.
    pub run: RunKeys,
}

/// The cluster that the stack runs in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KubernetesKeys {
    /// The stack's namespace: `app-matrix`.
    pub namespace: Option<String>,
    /// A kubeconfig file; else `KUBECONFIG`, the pod's service account, or the home folder's.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it.
    pub context: Option<String>,
    /// Namespaces of operators, to see whether those are alive.
    pub operators: Vec<String>,
    /// Read Secrets, for the lengths and the equality of their values alone.
    pub read_secrets: bool,
    /// Read the last lines of containers that fail.
    pub logs: bool,
}

/// The synthetic user.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CanaryKeys {
    /// Localpart or full user id.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// A file that holds just the password.
    pub password_file: Option<PathBuf>,
    /// An access token in place of user and password.
    pub token: Option<String>,
    /// A file that holds just the token.
    pub token_file: Option<PathBuf>,
    /// Id of the room to write in; one of its own unless given.
    pub room: Option<String>,
    /// Base URL at which the homeserver's admin API is reached.
    pub homeserver: Option<Url>,
    /// `registration_shared_secret` of homeserver.yaml.
    pub shared_secret: Option<String>,
    /// A file that holds just that.
    pub shared_secret_file: Option<PathBuf>,
    /// An admin's access token.
    pub admin_token: Option<String>,
    /// A file that holds just that.
    pub admin_token_file: Option<PathBuf>,
    /// A new account at each run.
    pub throw_away: bool,
}

/// The tool's own identity among homeservers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FederationKeys {
    /// Where its key is served over HTTPS, `ADDR:PORT`.
    pub listen: Option<String>,
    /// Server name under which the homeserver reaches that: `probe.example.org:8449`.
    pub name: Option<String>,
    /// Certificate chain, PEM.
    pub certificate: Option<PathBuf>,
    /// Private key of the certificate, PEM.
    pub key: Option<PathBuf>,
}

/// One or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    /// All of them.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// A service with a web address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Service {
    /// Where it answers, without a path unless it lives below one.
    pub base_url: Option<Url>,
}

/// Jitsi Meet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Jitsi {
    /// Where the web page answers.
    pub base_url: Option<Url>,
    /// Private REST address of the bridge, reachable from here.
    pub jvb_rest: Option<Url>,
    /// REST address of Jicofo, reachable from here.
    pub jicofo_rest: Option<Url>,
    /// Prosody's own HTTP port, reachable from here.
    pub prosody_http: Option<Url>,
    /// Public name or address of the node that runs the bridge.
    pub node: Option<String>,
    /// A JSON web token to join with.
    pub token: Option<String>,
    /// Who joins, where guests may not.
    pub user: Option<String>,
    /// That user's password.
    pub password: Option<String>,
    /// A file that holds just the password.
    pub password_file: Option<PathBuf>,
    /// The XMPP domain of that user; else what config.js says.
    pub domain: Option<String>,
    /// Send a short burst of video as well as audio.
    pub video: bool,
}

/// PostgreSQL.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseKeys {
    /// Host name or address.
    pub host: String,
    /// TCP port; 5432.
    #[serde(default = "postgres_port")]
    pub port: u16,
    /// Role; `synapse`.
    #[serde(default = "synapse")]
    pub user: String,
    /// The role's password.
    pub password: Option<String>,
    /// A file that holds just the password.
    pub password_file: Option<PathBuf>,
    /// Database name; `synapse`.
    #[serde(default = "synapse")]
    pub name: String,
    /// `disable`, `prefer`, `require` or `verify-full`, as in libpq; `prefer`.
    #[serde(default = "prefer")]
    pub sslmode: String,
}

/// Our own side of the network.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Name servers to ask instead of the system's, `ADDR[:PORT]`.
    pub dns_servers: Vec<String>,
    /// A resolver to compare answers with, `ADDR[:PORT]`.
    pub second_resolver: Option<String>,
    /// Certificate authorities to trust besides the system's, PEM.
    pub ca_files: Vec<PathBuf>,
    /// Trust the system's certificate authorities; yes.
    pub system_roots: Option<bool>,
    /// `HOST:PORT:ADDR[:PORT]`: where connections go instead.
    pub resolve: Vec<String>,
    /// Ranges to take for reachable from outside although they are private or reserved.
    pub routable: Vec<String>,
    /// Names of the internal ingress, which must not exist outside.
    pub internal_names: Vec<String>,
    /// A STUN server to learn from whether UDP works from here, `HOST[:PORT]`.
    pub stun_server: Option<String>,
}

/// What the operator holds the stack to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectKeys {
    /// As in the image tag: `1.147.0`.
    pub synapse_version: Option<String>,
    /// As in the image tag: `1.12.10`.
    pub element_version: Option<String>,
    /// `16.10` or `16`.
    pub postgres_version: Option<String>,
    /// Synapse's `cp_max`.
    pub database_pool: Option<u32>,
    /// The homeserver's signing key, or several: `ed25519:a_AbCd <unpadded Base64>`.
    pub signing_key: OneOrMany,
    /// Synapse's `max_upload_size`: `50M`.
    pub upload_limit: Option<String>,
}

/// Addresses as seen from one vantage.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VantageKeys {
    /// Base URL of the homeserver.
    pub homeserver: Option<Url>,
    /// Base URL of Element Web.
    pub element: Option<Url>,
    /// Base URL of Jitsi Meet.
    pub jitsi: Option<Url>,
    /// Private REST address of the bridge.
    pub jvb_rest: Option<Url>,
    /// REST address of Jicofo.
    pub jicofo_rest: Option<Url>,
    /// Prosody's own HTTP port.
    pub prosody_http: Option<Url>,
    /// Certificate authorities to trust besides the system's, PEM.
    pub ca_files: Vec<PathBuf>,
    /// Trust the system's certificate authorities; yes.
    pub system_roots: Option<bool>,
    /// Name servers to ask, `ADDR[:PORT]`.
    pub dns_servers: Vec<String>,
    /// `HOST:PORT:ADDR[:PORT]`.
    pub resolve: Vec<String>,
}

/// How to run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunKeys {
    /// Deadline of one pass: `60s`.
    pub timeout: Option<String>,
    /// Keep repeating what is not good for that long.
    pub wait: Option<String>,
    /// Checks at a time.
    pub jobs: Option<usize>,
    /// Wait as long as it takes to see that waits are not cut.
    pub slow: bool,
    /// `warn` or `fail`.
    pub fail_on: Option<String>,
    /// Patterns of ids to run.
    pub only: Vec<String>,
    /// Patterns of ids to leave out.
    pub skip: Vec<String>,
    /// `FORMAT[=PATH]`.
    pub report: Vec<String>,
}

fn postgres_port() -> u16 {
    5432
}

fn synapse() -> String {
    "synapse".to_owned()
}

fn prefer() -> String {
    "prefer".to_owned()
}
