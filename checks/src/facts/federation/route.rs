//! The way that another homeserver takes to this one.

use std::net::SocketAddr;

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::matrix::{Host, ServerName};

use super::calls_itself;
use super::peer::speaks;
use super::steps::{DEFAULT_PORT, Next, Stepped, next};
use super::well_known::{WellKnownProblem, WellKnownServer, server_name};
use crate::facts::{Attempt, Endpoint, Sessions, endpoints, ipv6_is_there, out_of_reach};
use crate::{Cx, Fact, Unavailable, tls};

/// Addresses of one way that are looked at.
const MOST_ADDRESSES: usize = 8;

/// The specification's steps from the server name to an address that answers (Matrix server-server
/// API, "Resolving server names").
///
/// Owned by `federation.resolve`; by `federation.well_known` where the delegation file is to blame,
/// by `federation.server_name` where the name is another server's, by `dns.srv` where a record of
/// the server name is, and by `dns.*` and `tls.*` as far as hosts of the stack are.
#[derive(Debug, Clone)]
pub struct FederationRoute;

/// What the way leads by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// The server name is an address or has a port.
    Name,
    /// The delegation file.
    WellKnown,
    /// The delegation file, and a SRV record of what it names.
    WellKnownSrv,
    /// A SRV record of the server name.
    Srv,
    /// Nothing: port 8448 of the server name.
    Default,
}

/// The way, walked up to TLS sessions.
#[derive(Debug, Clone)]
pub struct Route {
    /// What it leads by.
    pub lead: Lead,
    /// The name that peers send as `Host` and demand of the certificate.
    pub to: ServerName,
    /// TCP port.
    pub port: u16,
    /// Each step in words.
    pub steps: Vec<String>,
    /// The lookups.
    pub evidence: Vec<Evidence>,
    /// One handshake with each address; at least one came about.
    pub attempts: Vec<Attempt>,
    /// Addresses that cannot be judged from here.
    pub out_of_reach: Vec<SocketAddr>,
    /// Host and port are the stack's own: its certificates are for `tls.*` to judge.
    pub in_stack: bool,
    /// The delegation file is broken, and the way exists all the same; what is wrong with it.
    pub despite: Option<String>,
}

impl Route {
    /// Host and port connected to by name.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::new(self.to.host_text().to_lowercase(), self.port)
    }

    /// One line: `Host matrix.example.org:443, SNI and certificate matrix.example.org`.
    pub fn summary(&self) -> String {
        let name = self.to.host_text();
        let sni = match self.to.host {
            Host::Dns(_) => format!("SNI and certificate {name}"),
            Host::Ip(_) => format!("no SNI, certificate {name}"),
        };
        format!("port {}, Host {}, {sni}", self.port, self.to)
    }
}

/// Why a way ends before an address that answers.
enum Ends {
    /// Somebody else reports why.
    Blocked(Unavailable),
    /// Nothing answers.
    Silent(Vec<Attempt>),
    /// A record says that the service is not offered, or its targets have no address.
    Unusable(String),
}

impl Fact for FederationRoute {
    type Value = Route;
    const OWNER: &'static str = "federation.resolve";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<Route, Unavailable> {
        let name = server_name(cx)?;
        let known = cx.fact(WellKnownServer).await;
        let delegation = known.as_ref().map(|known| known.delegation());
        match delegation {
            Ok(Some(Ok(delegation))) => delegated(cx, &name, &delegation.to).await,
            Ok(None) => {
                let stepped = next(cx, &name).await;
                match walk(cx, &name, &stepped.next).await {
                    Ok(walked) => Ok(walked.route(Lead::Name, name, stepped, Vec::new())),
                    Err(ends) => Err(ends.told(&name, &name, &stepped)),
                }
            }
            Ok(Some(Err(problem))) => fallback(cx, name, problem, &known).await,
            Err(by) => {
                let (walked, stepped) = alone(cx, &name).await;
                let route = walked.map_err(|_| by.clone())?;
                let route =
                    route.route(lead(&stepped), name, stepped, vec![by.finding.summary.clone()]);
                if works(cx, &route).await { Ok(route) } else { Err(by.clone()) }
            }
        }
    }
}

fn lead(stepped: &Stepped) -> Lead {
    if matches!(stepped.next, Next::Srv { .. }) { Lead::Srv } else { Lead::Default }
}

async fn alone(cx: &Cx, name: &ServerName) -> (Result<Walked, Ends>, Stepped) {
    let stepped = next(cx, name).await;
    (walk(cx, name, &stepped.next).await, stepped)
}

/// Whether a peer would really get through.
async fn works(cx: &Cx, route: &Route) -> bool {
    route.attempts.iter().any(Attempt::accepted) && speaks(cx, route).await
}

/// Steps 3.1 to 3.5.
async fn delegated(cx: &Cx, name: &ServerName, to: &ServerName) -> Result<Route, Unavailable> {
    let stepped = next(cx, to).await;
    let first = vec![format!("well-known of {name}: m.server is {to}")];
    let ends = match walk(cx, to, &stepped.next).await {
        Ok(walked) => {
            let srv = matches!(stepped.next, Next::Srv { .. });
            let lead = if srv { Lead::WellKnownSrv } else { Lead::WellKnown };
            return Ok(walked.route(lead, to.clone(), stepped, first));
        }
        Err(ends) => ends,
    };
    if let (Ends::Silent(attempts), Next::Name { written: false, .. }, None) =
        (&ends, &stepped.next, &stepped.unanswered)
    {
        // If the host is down altogether, the port is not to blame.
        let usual = Endpoint::new(to.host_text().to_lowercase(), 443);
        let mut also = String::new();
        if endpoints(cx).await?.contains(&usual) {
            cx.fact(Sessions { host: usual.host.clone(), port: 443 }).await?;
            also = format!(", while port 443 of {} does", usual.host);
        }
        let finding = Finding::fail(
            "delegation-needs-port",
            format!("{name} delegates to {to} without a port, and port {DEFAULT_PORT} does not answer{also}"),
        )
        .expected(format!("`m.server` with the port that answers, for instance {to}:443"))
        .actual(format!("`m.server` is {to}, which means port {DEFAULT_PORT}"))
        .remedy(format!(
            "write `{{\"m.server\": \"{to}:443\"}}` in the well-known of {name}, or open port \
             {DEFAULT_PORT} of {to}"
        ));
        let steps = first.iter().chain(&stepped.steps);
        let finding = shown(finding, steps, &stepped.evidence, attempts);
        return Err(Unavailable::by("federation.resolve", finding));
    }
    Err(ends.told(name, to, &stepped))
}

/// Steps 4 to 6: the delegation file is missing or broken.
async fn fallback(
    cx: &Cx,
    name: ServerName,
    problem: &WellKnownProblem,
    known: &Result<std::sync::Arc<super::ServerWellKnown>, Unavailable>,
) -> Result<Route, Unavailable> {
    let (walked, stepped) = alone(cx, &name).await;
    let missing = matches!(problem, WellKnownProblem::Missing(_));
    let first = vec![format!("well-known of {name}: {problem}")];
    let broken = || {
        let known = known.as_ref().ok()?;
        let (url, answer) = (known.url.as_ref()?, known.answers.first()?);
        let finding = problem.finding(url, answer.exchange.last());
        Some(Unavailable::by("federation.well_known", finding))
    };
    match walked {
        Ok(walked) => {
            let mut route = walked.route(lead(&stepped), name, stepped, first);
            if missing {
                return Ok(route);
            }
            if works(cx, &route).await {
                route.despite = Some(problem.to_string());
                return Ok(route);
            }
            Err(broken().unwrap_or_else(|| nowhere(&route.to, &route.steps, &[], &[])))
        }
        Err(ends) => {
            if !missing && let Some(by) = broken() {
                return Err(by);
            }
            if let Some(other) = calls_itself(cx, &name).await.filter(|other| *other != name.text) {
                return Err(another(&name, &other));
            }
            match (ends, &stepped) {
                (
                    Ends::Silent(attempts),
                    Stepped { next: Next::Name { .. }, unanswered: None, .. },
                ) => {
                    let steps: Vec<String> = first.into_iter().chain(stepped.steps).collect();
                    Err(nowhere(&name, &steps, &stepped.evidence, &attempts))
                }
                (ends, stepped) => Err(ends.told(&name, &name, stepped)),
            }
        }
    }
}

/// The server that answers for this name calls itself otherwise.
pub(crate) fn another(name: &ServerName, other: &str) -> Unavailable {
    let finding = Finding::fail(
        "server-name-is-another",
        format!("the homeserver at {name} calls itself {other}"),
    )
    .expected(format!("a key document with the server name {name}"))
    .actual(format!("a key document with the server name {other}"))
    .remedy(format!(
        "check {other} instead, or set `server_name: {name}` in homeserver.yaml: it is the part of \
         user ids after the colon, and not the host of the homeserver"
    ));
    Unavailable::by("federation.server_name", finding)
}

fn nowhere(
    name: &ServerName,
    steps: &[String],
    evidence: &[Evidence],
    attempts: &[Attempt],
) -> Unavailable {
    let host = name.host_text();
    let finding = Finding::fail(
        "well-known-server-missing",
        format!(
            "nothing says where the homeserver of {name} is: no well-known, no SRV record, and \
             port {DEFAULT_PORT} does not answer"
        ),
    )
    .expected(format!("https://{host}/.well-known/matrix/server with `m.server`"))
    .actual("none of the specification's steps ends at an address that answers")
    .remedy(format!(
        "serve `{{\"m.server\": \"<the homeserver's host>:443\"}}` at \
         https://{host}/.well-known/matrix/server: a rule for the host {host} in the ingress or the \
         tunnel, above the one that catches all"
    ));
    Unavailable::by("federation.resolve", shown(finding, steps, evidence, attempts))
}

fn shown<'s>(
    finding: Finding,
    steps: impl IntoIterator<Item = &'s String>,
    evidence: &[Evidence],
    attempts: &[Attempt],
) -> Finding {
    let steps = steps.into_iter().map(Evidence::note);
    let attempts = attempts
        .iter()
        .map(|attempt| Evidence::new(EvidenceKind::Connection, tls::handshake::describe(attempt)));
    finding.evidences(steps).evidences(evidence.iter().cloned()).evidences(attempts)
}

impl Ends {
    /// Who reports it, and how. `to` is the name whose steps were walked.
    fn told(self, name: &ServerName, to: &ServerName, stepped: &Stepped) -> Unavailable {
        let own = name == to && matches!(stepped.next, Next::Srv { .. });
        match self {
            Self::Blocked(by) => by,
            Self::Silent(_) | Self::Unusable(_) if stepped.unanswered.is_some() => {
                let record = stepped.unanswered.as_deref().unwrap_or_default();
                let summary =
                    format!("the way to {name} is not known: no usable answer for {record}");
                let finding = Finding::error(summary);
                Unavailable::by(
                    "federation.resolve",
                    shown(finding, &stepped.steps, &stepped.evidence, &[]),
                )
            }
            Self::Unusable(why) => {
                let finding = Finding::fail("srv-target-unusable", why);
                let finding = shown(finding, &stepped.steps, &stepped.evidence, &[]);
                // The records of the server name itself are another check's.
                Unavailable::by(if own { "dns.srv" } else { "federation.resolve" }, finding)
            }
            Self::Silent(attempts) => {
                let place = match &stepped.next {
                    Next::Address(address, port) => SocketAddr::new(*address, *port).to_string(),
                    Next::Name { port, .. } => format!("{}:{port}", to.url_host()),
                    Next::Srv { record, .. } => format!("what SRV {record} names"),
                };
                let finding = Finding::fail(
                    "federation-port-closed",
                    format!("{place} does not answer, where other servers look for {name}"),
                )
                .expected(format!("a TLS session with {place}"))
                .actual(attempts.first().map_or_else(String::new, tls::handshake::describe))
                .transient();
                let finding = shown(finding, &stepped.steps, &stepped.evidence, &attempts);
                Unavailable::by("federation.resolve", finding)
            }
        }
    }
}

struct Walked {
    port: u16,
    attempts: Vec<Attempt>,
    out_of_reach: Vec<SocketAddr>,
    in_stack: bool,
}

impl Walked {
    fn route(self, lead: Lead, to: ServerName, stepped: Stepped, mut steps: Vec<String>) -> Route {
        let Self { port, attempts, out_of_reach, in_stack } = self;
        steps.extend(stepped.steps);
        let evidence = stepped.evidence;
        let despite = None;
        Route { lead, to, port, steps, evidence, attempts, out_of_reach, in_stack, despite }
    }
}

/// Shakes hands with every address at the end of the steps.
async fn walk(cx: &Cx, to: &ServerName, next: &Next) -> Result<Walked, Ends> {
    let host = to.host_text().to_lowercase();
    let (port, addresses) = match next {
        Next::Address(address, port) => (*port, vec![SocketAddr::new(*address, *port)]),
        Next::Name { port, .. } => {
            let endpoint = Endpoint::new(host.clone(), *port);
            if endpoints(cx).await.map_err(Ends::Blocked)?.contains(&endpoint) {
                return in_stack(cx, host, *port).await;
            }
            (*port, endpoint.addresses(cx).await.map_err(Ends::Blocked)?)
        }
        Next::Srv { record, refused: true, .. } => {
            return Err(Ends::Unusable(format!(
                "SRV {record} says that the service is not offered"
            )));
        }
        Next::Srv { record, targets, .. } => targets_of(cx, record, targets).await?,
    };
    let looks = addresses.into_iter().take(MOST_ADDRESSES).map(|address| {
        let host = &host;
        async move { Attempt { address, result: cx.net().handshake(host, address).await } }
    });
    let attempts = futures_util::future::join_all(looks).await;
    let ipv6 = ipv6_is_there(cx, &attempts).await;
    let (ours, attempts): (Vec<_>, Vec<_>) =
        attempts.into_iter().partition(|attempt| out_of_reach(attempt, ipv6));
    if attempts.is_empty() {
        let finding = tls::handshake::ours(&Endpoint::new(host, port), &ours);
        let finding = Finding { instance: None, ..finding };
        return Err(Ends::Blocked(Unavailable::by("federation.resolve", finding)));
    }
    if attempts.iter().all(|attempt| attempt.result.is_err()) {
        return Err(Ends::Silent(attempts));
    }
    let out_of_reach = ours.iter().map(|attempt| attempt.address).collect();
    Ok(Walked { port, attempts, out_of_reach, in_stack: false })
}

async fn in_stack(cx: &Cx, host: String, port: u16) -> Result<Walked, Ends> {
    let handshakes = cx.fact(Sessions { host, port }).await.map_err(Ends::Blocked)?;
    let attempts = handshakes.attempts.clone();
    let out_of_reach = handshakes.out_of_reach.clone();
    Ok(Walked { port, attempts, out_of_reach, in_stack: true })
}

/// The addresses of a record's targets. A port 0 leads nowhere.
async fn targets_of(
    cx: &Cx,
    record: &str,
    targets: &[(String, u16)],
) -> Result<(u16, Vec<SocketAddr>), Ends> {
    let mut addresses = Vec::new();
    let mut trouble = Vec::new();
    for (target, port) in targets.iter().filter(|(target, _)| !target.is_empty()) {
        match Endpoint::new(target.to_lowercase(), *port).addresses(cx).await {
            _ if *port == 0 => trouble.push(format!("port 0 of {target}")),
            Ok(found) => addresses.extend(found),
            Err(by) if by.owner == "dns.address" => trouble.push(by.finding.summary.clone()),
            Err(by) => return Err(Ends::Blocked(by)),
        }
    }
    match targets.iter().find(|(target, port)| !target.is_empty() && *port != 0) {
        Some((_, port)) if !addresses.is_empty() => Ok((*port, addresses)),
        _ => {
            let why = trouble.join("; ");
            Err(Ends::Unusable(format!("SRV {record} leads nowhere: {why}")))
        }
    }
}
