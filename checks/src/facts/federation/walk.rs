//! From the end of the steps to addresses that answer.

use std::net::SocketAddr;

use mxdoctor_model::Finding;
use mxdoctor_probes::matrix::ServerName;

use super::route::{Lead, Route, shown};
use super::steps::{Next, Stepped};
use crate::facts::{Attempt, Endpoint, Sessions, endpoints, ipv6_is_there, out_of_reach};
use crate::{Cx, Unavailable, tls};

/// Addresses of one way that are looked at.
const MOST_ADDRESSES: usize = 8;

/// Why a way ends before an address that answers.
pub(super) enum Ends {
    /// Somebody else reports why.
    Blocked(Unavailable),
    /// Nothing answers.
    Silent(Vec<Attempt>),
    /// A record says that the service is not offered, or its targets have no address.
    Unusable(String),
}

impl Ends {
    /// Who reports it, and how. `to` is the name whose steps were walked.
    pub(super) fn told(self, name: &ServerName, to: &ServerName, stepped: &Stepped) -> Unavailable {
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

pub(super) struct Walked {
    port: u16,
    attempts: Vec<Attempt>,
    out_of_reach: Vec<SocketAddr>,
    in_stack: bool,
}

impl Walked {
    pub(super) fn route(
        self,
        lead: Lead,
        to: ServerName,
        stepped: Stepped,
        mut steps: Vec<String>,
    ) -> Route {
        let Self { port, attempts, out_of_reach, in_stack } = self;
        steps.extend(stepped.steps);
        let evidence = stepped.evidence;
        let despite = None;
        Route { lead, to, port, steps, evidence, attempts, out_of_reach, in_stack, despite }
    }
}

/// Shakes hands with every address at the end of the steps.
pub(super) async fn walk(cx: &Cx, to: &ServerName, next: &Next) -> Result<Walked, Ends> {
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
