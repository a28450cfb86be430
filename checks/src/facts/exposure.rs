//! What answers at the private ports of the bridge's node.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use mxdoctor_model::Finding;
use mxdoctor_probes::http::{HttpError, Request, Response};
use mxdoctor_probes::tls::{ConnectError, HandshakeError};
use url::Url;

use super::{Addresses, Jitsi, Paths, ipv6_is_here, unreachable_from_outside};
use crate::{Cx, Fact, Unavailable};

/// Addresses that are looked at.
const MOST_ADDRESSES: usize = 4;

/// How long a port has to speak.
const PATIENCE: Duration = Duration::from_secs(2);

/// A port that belongs to the inside, and what is asked there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrivatePort {
    /// TCP.
    pub port: u16,
    /// Whose it is.
    pub part: &'static str,
    /// GET of this path; none: an XMPP stream is begun.
    pub path: Option<&'static str>,
}

/// The ports of release 10741 that hold no public service.
pub const PRIVATE_PORTS: [PrivatePort; 8] = [
    PrivatePort { port: 8080, part: "the bridge's REST interface", path: Some("/about/version") },
    PrivatePort { port: 9090, part: "the bridge's web server", path: Some("/about/version") },
    PrivatePort { port: 8888, part: "Jicofo's REST interface", path: Some("/about/version") },
    PrivatePort { port: 5280, part: "Prosody's web server", path: Some("/http-bind") },
    PrivatePort { port: 5222, part: "XMPP for clients", path: None },
    PrivatePort { port: 5269, part: "XMPP for servers", path: None },
    PrivatePort { port: 5347, part: "XMPP for components", path: None },
    PrivatePort { port: 5223, part: "XMPP for clients over TLS", path: None },
];

/// What a port says.
#[derive(Debug, Clone)]
pub enum Said {
    /// An HTTP answer.
    Http(Box<Response>),
    /// The first bytes after we began an XMPP stream; empty for silence.
    Bytes(Vec<u8>),
    /// It takes connections, and does not speak what was expected.
    Open,
    /// No connection: closed, or filtered.
    Closed(String),
    /// Nothing can be said, for trouble on our own side.
    Ours(String),
}

/// A port that was looked at.
#[derive(Debug, Clone)]
pub struct Looked {
    /// Where.
    pub address: SocketAddr,
    /// Which port it is.
    pub port: PrivatePort,
    /// What it says.
    pub said: Said,
}

/// What answers at [`PRIVATE_PORTS`] of the bridge's node: each address of `jitsi.node`, else the
/// public ones that the bridge advertises, else those of the Jitsi host.
///
/// Owned by `jitsi.private_api`.
#[derive(Debug, Clone)]
pub struct PrivatePorts;

/// What was looked at.
#[derive(Debug, Clone)]
pub struct Exposure {
    /// Who says that this is the node.
    pub source: &'static str,
    /// Every port of every address.
    pub looked: Vec<Looked>,
}

impl Fact for PrivatePorts {
    type Value = Exposure;
    const OWNER: &'static str = "jitsi.private_api";
    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<Exposure, Unavailable> {
        let (source, mut addresses) = node(cx).await?;
        addresses.sort_by_key(IpAddr::is_ipv6);
        addresses.dedup();
        addresses.truncate(MOST_ADDRESSES);
        if addresses.iter().any(IpAddr::is_ipv6) && !ipv6_is_here(cx).await {
            addresses.retain(IpAddr::is_ipv4);
        }
        if addresses.is_empty() {
            let reason = "no address of the bridge's node can be reached from here";
            let remedy = "give `jitsi.node`, its public name or address";
            return Err(Unavailable::by(Self::OWNER, Finding::skip(reason).remedy(remedy)));
        }
        let places = addresses.iter().flat_map(|ip| PRIVATE_PORTS.map(|port| (*ip, port)));
        let looks = places.map(|(ip, port)| {
            let look = async move {
                let address = SocketAddr::new(ip, port.port);
                Looked { address, port, said: look(cx, address, port).await }
            };
            look.boxed()
        });
        Ok(Exposure { source, looked: join_all(looks).await })
    }
}

async fn node(cx: &Cx) -> Result<(&'static str, Vec<IpAddr>), Unavailable> {
    if let Some(host) = &cx.target().jitsi_node {
        let resolved = cx.net().addresses_for(host, 0).await.map_err(|error| {
            let finding = match &error {
                HttpError::Ours(_) => Finding::error(error.to_string()),
                _ => Finding::error(format!("the node of the bridge cannot be found: {error}"))
                    .remedy("correct `jitsi.node`"),
            };
            Unavailable::by(PrivatePorts::OWNER, finding)
        })?;
        return Ok(("jitsi.node", resolved.iter().map(SocketAddr::ip).collect()));
    }
    let advertised = advertised(cx).await;
    if !advertised.is_empty() {
        return Ok(("the bridge's candidates", advertised));
    }
    let jitsi = cx.fact(Jitsi).await?;
    let resolved = cx.fact(Addresses { host: jitsi.host().to_owned() }).await?;
    Ok(("the Jitsi host", resolved.addresses.clone()))
}

/// The addresses that the bridge advertises and that can be reached from outside, where they are
/// known.
async fn advertised(cx: &Cx) -> Vec<IpAddr> {
    let Ok(paths) = cx.fact(Paths).await else { return Vec::new() };
    let all = paths.offered().map(|pair| pair.candidate.address.ip());
    all.filter(|ip| !unreachable_from_outside(cx.target(), *ip)).collect()
}

async fn look(cx: &Cx, address: SocketAddr, port: PrivatePort) -> Said {
    match port.path {
        Some(path) => ask(cx, address, path).await,
        None => {
            let domain = "mxdoctor.invalid";
            let open = format!(
                "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
                 xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='{domain}'>"
            );
            match cx.net().greet(address, open.as_bytes(), PATIENCE).await {
                Ok(bytes) => Said::Bytes(bytes),
                Err(error) => closed(&error),
            }
        }
    }
}

async fn ask(cx: &Cx, address: SocketAddr, path: &str) -> Said {
    let Ok(url) = Url::parse(&format!("http://{address}{path}")) else {
        return Said::Ours(format!("{address} makes no URL"));
    };
    let mut request = Request::get(url);
    request.limit = 4096;
    match cx.net().http(request).await {
        Ok(exchange) => Said::Http(Box::new(exchange.last().clone())),
        Err(HttpError::Handshake { error: HandshakeError::Connect(error), .. }) => closed(&error),
        Err(HttpError::Ours(why)) => Said::Ours(why),
        Err(_) => Said::Open,
    }
}

fn closed(error: &ConnectError) -> Said {
    match error {
        ConnectError::Ours(why) => Said::Ours(why.clone()),
        error => Said::Closed(error.to_string()),
    }
}
