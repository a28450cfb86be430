//! The STUN and TURN servers that the deployment offers, and whether UDP works from here.

use std::net::SocketAddr;
use std::time::Duration;

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::turn::{Binding, BindingError, Carrier, Server};
use mxdoctor_probes::way::Way;
use mxdoctor_probes::xmpp::Service;

use super::{Bridge, Call, Ipv6};
use crate::{Cx, Fact, Unavailable, jitsi};

/// Servers that are looked at; more are not of use to any client.
const MOST_SERVERS: usize = 16;

/// Addresses of one STUN server that are asked.
const MOST_ADDRESSES: usize = 4;

/// How long servers of the deployment have, which the conference has tried UDP before.
const HINT: Duration = Duration::from_millis(800);

/// How long a connection to a TURN server, which says nothing unasked, is listened to.
const GREETING: Duration = Duration::from_millis(100);

/// How long a STUN server has to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// A TURN server that clients are told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedTurn {
    /// Where, how, and as whom.
    pub server: Server,
    /// Until when the credentials are valid, in seconds from 1970, where that is told.
    pub expires: Option<i64>,
}

/// What clients are told of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offered {
    /// TURN servers, each once.
    pub turn: Vec<OfferedTurn>,
    /// STUN servers over UDP: host and port.
    pub stun: Vec<(String, u16)>,
}

/// The STUN and TURN servers that the deployment offers to a guest.
///
/// Owned by `jitsi.turn`; by the checks of the conference where that does not come so far.
#[derive(Debug, Clone)]
pub struct TurnServers;

impl Fact for TurnServers {
    type Value = Offered;
    const OWNER: &'static str = "jitsi.turn";
    const TIMEOUT: Duration = Duration::from_secs(170);

    async fn observe(&self, cx: &Cx) -> Result<Offered, Unavailable> {
        services(cx).await.map(|services| read(&services))
    }
}

/// What external service discovery told a guest; empty where the deployment offers nothing.
async fn services(cx: &Cx) -> Result<Vec<Service>, Unavailable> {
    let held = cx.fact(Call).await?;
    jitsi::xmpp_login::passed(&held)?;
    match &held.guests()[0].services {
        Some(Ok(services)) => Ok(services.clone()),
        // The module is not loaded, as is usual.
        Some(Err(_)) => Ok(Vec::new()),
        None => {
            let reason = "which TURN servers are offered was not told";
            Err(Unavailable::by("jitsi.turn", Finding::error(reason)))
        }
    }
}

/// Puts services into the order and form in which a client would try them.
pub(crate) fn read(services: &[Service]) -> Offered {
    let mut offered = Offered::default();
    for service in services {
        let transport = service.transport.as_deref().map(str::to_ascii_lowercase);
        let carrier = match (service.kind.as_str(), transport.as_deref()) {
            ("stun", None | Some("udp")) => {
                let place = (service.host.clone(), service.port.unwrap_or(3478));
                if !offered.stun.contains(&place) && offered.stun.len() < MOST_SERVERS {
                    offered.stun.push(place);
                }
                continue;
            }
            ("turn", Some("tcp")) => Carrier::Tcp,
            ("turn", None | Some("udp")) => Carrier::Udp,
            ("turns", None | Some("tcp")) => Carrier::Tls,
            // DTLS to the server: no browser speaks it.
            _ => continue,
        };
        let usual = if carrier == Carrier::Tls { 5349 } else { 3478 };
        let credentials = service.username.clone().zip(service.password.clone());
        let server = Server {
            host: service.host.clone(),
            port: service.port.unwrap_or(usual),
            carrier,
            credentials,
        };
        let known = offered.turn.iter().any(|known| known.server == server);
        if !known && offered.turn.len() < MOST_SERVERS {
            offered.turn.push(OfferedTurn { server, expires: expires(service) });
        }
    }
    offered
}

/// Told as such, else by the user name: a shared secret makes `SECONDS` or `SECONDS:NAME` of it.
fn expires(service: &Service) -> Option<i64> {
    let told = service.expires.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let by_name = || {
        let name = service.username.as_deref()?;
        let seconds = name.split(':').next()?.parse::<i64>().ok()?;
        // Any time of this century; else it is just a name of digits.
        (1_000_000_000..4_200_000_000).contains(&seconds).then_some(seconds)
    };
    told.map(|time| time.as_second()).or_else(by_name)
}

/// Whether UDP works from here: somebody out there answered. What cannot be told is no failure.
///
/// Owned by `vantage.udp`.
#[derive(Debug, Clone)]
pub struct OutboundUdp;

/// What is known of UDP from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UdpOut {
    /// An answer came; from whom, and as whom they see us.
    Works(String),
    /// Nothing of what is known here can tell; why.
    Unknown(String),
}

impl Fact for OutboundUdp {
    type Value = UdpOut;
    const OWNER: &'static str = "vantage.udp";
    const TIMEOUT: Duration = Duration::from_secs(190);

    async fn observe(&self, cx: &Cx) -> Result<UdpOut, Unavailable> {
        if let Some(server) = &cx.target().stun_server {
            return match ask(cx, server, PATIENCE).await {
                Ok(said) => Ok(UdpOut::Works(said)),
                Err(said) => Err(Unavailable::by(Self::OWNER, silent(server, &said))),
            };
        }
        let (offered, bridge) = tokio::join!(cx.fact(TurnServers), bridge(cx));
        if let Some(said) = bridge {
            return Ok(UdpOut::Works(said));
        }
        let servers = offered;
        let offered = servers.as_deref().map(udp_servers).unwrap_or_default();
        let asked = offered.iter().map(|server| ask(cx, server, HINT));
        let answers = futures_util::future::join_all(asked).await;
        if let Some(said) = answers.iter().find_map(|answer| answer.as_ref().ok()) {
            return Ok(UdpOut::Works(said.clone()));
        }
        if let (false, Ok(servers)) = (offered.is_empty(), &servers)
            && let Some(place) = answers_over_tcp(cx, servers).await
        {
            return Err(Unavailable::by(Self::OWNER, none_passes(&offered, &place)));
        }
        Ok(UdpOut::Unknown(if offered.is_empty() {
            "nobody is known who would answer: the deployment names no STUN server and \
             `network.stun_server` is not set"
                .into()
        } else {
            "the STUN and TURN servers of the deployment are silent, which may be their fault as \
             well: `network.stun_server` names one that is known to work"
                .into()
        }))
    }
}

/// Whether this machine has a way to IPv6 addresses.
pub(crate) async fn ipv6_is_here(cx: &Cx) -> bool {
    cx.fact(Ipv6).await.is_ok_and(|route| route.is_ok())
}

/// A TURN server offered over UDP and TCP that can be connected to over TCP.
async fn answers_over_tcp(cx: &Cx, offered: &Offered) -> Option<String> {
    let over = |carrier| {
        let of = move |turn: &&OfferedTurn| turn.server.carrier == carrier;
        offered.turn.iter().filter(of).map(|turn| &turn.server)
    };
    for server in over(Carrier::Tcp) {
        if !over(Carrier::Udp).any(|other| other.host == server.host) {
            continue;
        }
        let addresses = cx.net().addresses_for(&server.host, server.port).await.ok()?;
        for address in addresses.into_iter().take(MOST_ADDRESSES) {
            if cx.net().greet(address, b"", GREETING).await.is_ok() {
                return Some(format!("{}:{}", server.host, server.port));
            }
        }
    }
    None
}

/// Nothing over UDP is answered, by several servers, and one of them is there over TCP.
fn none_passes(silent: &[(String, u16)], place: &str) -> Finding {
    let names: Vec<String> = silent.iter().map(|(host, port)| format!("{host}:{port}")).collect();
    Finding::error_of(
        "no-udp-from-here",
        "nothing that is sent over UDP from here is answered, neither by the bridge nor by TURN",
    )
    .expected(format!("an answer of the bridge or of {}", names.join(", ")))
    .actual(format!("silence over UDP, and {place} takes connections over TCP"))
    .likely()
}

/// Those of the servers offered that may answer a binding request.
fn udp_servers(offered: &Offered) -> Vec<(String, u16)> {
    let turn = offered.turn.iter().map(|turn| &turn.server);
    let turn = turn.filter(|server| server.carrier == Carrier::Udp);
    let turn = turn.map(|server| (server.host.clone(), server.port));
    offered.stun.iter().cloned().chain(turn).collect()
}

/// The bridge's own answers over UDP, where it came to that.
async fn bridge(cx: &Cx) -> Option<String> {
    let ways: Vec<Way> = match cx.fact(Call).await {
        Ok(held) => held.guests().iter().filter_map(|guest| guest.way.clone()).collect(),
        Err(_) if cx.target().jvb_rest.is_some() => {
            vec![cx.fact(Bridge).await.ok()?.session.way.clone()]
        }
        Err(_) => Vec::new(),
    };
    let open = ways.iter().flat_map(|way| &way.pairs).find(|pair| pair.is_open())?;
    Some(format!("the bridge answers from {}", open.candidate.address))
}

/// Asks each address of a STUN server; who answered, else why nobody did.
async fn ask(cx: &Cx, (host, port): &(String, u16), patience: Duration) -> Result<String, String> {
    let addresses = cx.net().addresses_for(host, *port).await.map_err(|error| error.to_string())?;
    let asked = addresses.into_iter().take(MOST_ADDRESSES).map(|address| async move {
        told(address, cx.net().stun_binding(address, patience).await)
    });
    let answers = futures_util::future::join_all(asked).await;
    let mut why = Vec::new();
    for answer in answers {
        match answer {
            Ok(said) => return Ok(said),
            Err(said) => why.push(said),
        }
    }
    Err(why.join("; "))
}

fn told(address: SocketAddr, answer: Result<Binding, BindingError>) -> Result<String, String> {
    match answer {
        Ok(Binding { rtt, mapped, .. }) => {
            let ms = rtt.as_secs_f64() * 1e3;
            let mapped = mapped.map_or_else(String::new, |mapped| format!(", sees us as {mapped}"));
            Ok(format!("{address} answers in {ms:.1} ms{mapped}"))
        }
        Err(error) => Err(format!("{address}: {error}")),
    }
}

fn silent((host, port): &(String, u16), said: &str) -> Finding {
    let summary = format!("the STUN server {host}:{port} does not answer: UDP may not work here");
    Finding::error_of("no-udp-from-here", summary)
        .expected("an answer to a binding request")
        .actual(said.to_owned())
        .evidence(EvidenceKind::Packets, said.to_owned())
        .likely()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(kind: &str, port: Option<u16>, transport: Option<&str>) -> Service {
        Service {
            kind: kind.into(),
            host: "turn.example.org".into(),
            port,
            transport: transport.map(str::to_owned),
            username: Some("1700000000:guest".into()),
            password: Some("hunter22".into()),
            expires: None,
        }
    }

    #[test]
    fn services_become_servers() {
        let services = [
            service("stun", None, None),
            service("turn", Some(443), Some("UDP")),
            service("turn", Some(443), Some("udp")),
            service("turn", None, Some("tcp")),
            service("turns", None, Some("tcp")),
            service("turns", None, Some("udp")),
            service("ftp", None, None),
        ];
        let offered = read(&services);
        assert_eq!(offered.stun, [("turn.example.org".to_owned(), 3478)]);
        let shown: Vec<String> = offered.turn.iter().map(|turn| turn.server.to_string()).collect();
        assert_eq!(
            shown,
            [
                "turn:turn.example.org:443?transport=udp",
                "turn:turn.example.org:3478?transport=tcp",
                "turns:turn.example.org:5349?transport=tcp",
            ]
        );
        assert_eq!(udp_servers(&offered).len(), 2);
        assert!(offered.turn.iter().all(|turn| turn.expires == Some(1_700_000_000)));
        assert!(!format!("{offered:?} {services:?}").contains("hunter22"));
    }

    #[test]
    fn expiry_is_told_or_read_from_the_name() {
        let mut one = service("turn", None, None);
        one.expires = Some("2026-01-01T00:00:00Z".into());
        assert_eq!(expires(&one), Some(1_767_225_600));
        one.expires = Some("soon".into());
        one.username = Some("guest".into());
        assert_eq!(expires(&one), None);
        one.username = Some("12345".into());
        assert_eq!(expires(&one), None);
    }
}
