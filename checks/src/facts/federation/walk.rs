//! From the end of the steps to addresses that answer.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::join_all;
use mxdoctor_model::{Finding, Outcome};
use mxdoctor_probes::matrix::ServerName;
use mxdoctor_probes::tls::HandshakeError;

use super::ends::{Ends, private_literal};
use super::route::{Lead, Route};
use super::steps::{Next, Stepped};
use crate::facts::{
    Addresses, Attempt, Endpoint, Sessions, endpoints, host_names, ipv6_is_there, out_of_reach,
    unreachable_from_outside,
};
use crate::{Cx, Unavailable, tls};

/// Addresses of one way that are looked at.
const MOST_ADDRESSES: usize = 16;

/// A way walked up to TLS sessions.
pub(super) struct Walked {
    port: u16,
    attempts: Vec<Attempt>,
    out_of_reach: Vec<SocketAddr>,
    in_stack: bool,
    places: Places,
}

impl Walked {
    pub(super) fn route(
        self,
        lead: Lead,
        to: ServerName,
        stepped: Stepped,
        mut steps: Vec<String>,
    ) -> Route {
        let Self { port, attempts, out_of_reach, in_stack, places } = self;
        steps.extend(stepped.steps);
        Route {
            lead,
            to,
            port,
            steps,
            evidence: stepped.evidence,
            attempts,
            out_of_reach,
            in_stack,
            private: places.private,
            beyond: places.beyond,
            despite: None,
        }
    }
}

/// Where to connect.
#[derive(Default)]
struct Places {
    addresses: Vec<SocketAddr>,
    /// Addresses of hosts apart from the stack that nobody outside can reach.
    private: Vec<IpAddr>,
    /// Addresses more than are looked at.
    beyond: usize,
}

/// Shakes hands with every address at the end of the steps.
pub(super) async fn walk(cx: &Cx, to: &ServerName, next: &Next) -> Result<Walked, Ends> {
    let host = to.host_text().to_lowercase();
    let (port, mut places) = match next {
        Next::Address(address, port) => {
            if unreachable_from_outside(cx.target(), *address) {
                return Err(Ends::NoAddress(private_literal(to, *address)));
            }
            let addresses = vec![SocketAddr::new(*address, *port)];
            (*port, Places { addresses, ..Places::default() })
        }
        Next::Name { port, .. } => {
            let endpoint = Endpoint::new(host.clone(), *port);
            if endpoints(cx).await.map_err(Ends::Blocked)?.contains(&endpoint) {
                return in_stack(cx, host, *port).await;
            }
            (*port, places_of(cx, endpoint).await?)
        }
        Next::Srv { record, refused: true, .. } => {
            return Err(Ends::Unusable(format!(
                "SRV {record} says that the service is not offered"
            )));
        }
        Next::Srv { record, targets, .. } => targets_of(cx, record, targets).await?,
    };
    places.beyond = places.addresses.len().saturating_sub(MOST_ADDRESSES);
    let looks = places.addresses.iter().take(MOST_ADDRESSES).map(|address| {
        let (host, address) = (&host, *address);
        async move { Attempt { address, result: cx.net().handshake(host, address).await } }
    });
    let attempts = join_all(looks).await;
    let ipv6 = ipv6_is_there(cx, &attempts).await;
    let (ours, attempts): (Vec<_>, Vec<_>) =
        attempts.into_iter().partition(|attempt| out_of_reach(attempt, ipv6));
    let Some(telling) = tls::handshake::telling(&attempts) else {
        let finding = tls::handshake::ours(&Endpoint::new(host, port), &ours);
        let finding = Finding { instance: None, ..finding };
        return Err(Ends::Blocked(Unavailable::by("federation.resolve", finding)));
    };
    match &telling.result {
        Ok(_) => {}
        Err(HandshakeError::Connect(_)) => return Err(Ends::Silent(attempts)),
        Err(_) => return Err(no_session(cx, &Endpoint::new(host, port), telling, &attempts).await),
    }
    let out_of_reach = ours.iter().map(|attempt| attempt.address).collect();
    Ok(Walked { port, attempts, out_of_reach, in_stack: false, places })
}

async fn in_stack(cx: &Cx, host: String, port: u16) -> Result<Walked, Ends> {
    let handshakes = cx.fact(Sessions { host, port }).await.map_err(Ends::Blocked)?;
    let attempts = handshakes.attempts.clone();
    let out_of_reach = handshakes.out_of_reach.clone();
    Ok(Walked { port, attempts, out_of_reach, in_stack: true, places: Places::default() })
}

/// Something takes connections there, and no session comes about.
async fn no_session(cx: &Cx, endpoint: &Endpoint, telling: &Attempt, attempts: &[Attempt]) -> Ends {
    let old = cx.net().old_hello(&endpoint.host, telling.address).await;
    let (_, finding) = tls::handshake::judge(endpoint, telling, attempts, Some(&old));
    Ends::NoSession(Finding { instance: None, ..finding })
}

/// The addresses of a name; those of a host of the stack are for `dns.address` to judge.
async fn places_of(cx: &Cx, endpoint: Endpoint) -> Result<Places, Ends> {
    let of_stack = host_names(cx).await.map_err(Ends::Blocked)?.contains(&endpoint.host);
    let addresses = match endpoint.addresses(cx).await {
        Ok(addresses) => addresses,
        Err(by) if !of_stack && by.owner.starts_with("dns.") => {
            return Err(Ends::NoAddress(Finding { instance: None, ..*by.finding }));
        }
        Err(by) => return Err(Ends::Blocked(by)),
    };
    let mut private = Vec::new();
    if !of_stack && endpoint.overridden(cx).is_none() {
        let resolved = cx.fact(Addresses { host: endpoint.host }).await.map_err(Ends::Blocked)?;
        private.clone_from(&resolved.private);
    }
    Ok(Places { addresses, private, beyond: 0 })
}

/// The addresses of a record's targets, each with its port; the first port is the preferred one.
/// A port 0 leads nowhere.
async fn targets_of(
    cx: &Cx,
    record: &str,
    targets: &[(String, u16)],
) -> Result<(u16, Places), Ends> {
    let (mut all, mut trouble) = (Places::default(), Vec::new());
    for (target, port) in targets.iter().filter(|(target, _)| !target.is_empty()) {
        if *port == 0 {
            trouble.push(format!("port 0 of {target}"));
            continue;
        }
        match places_of(cx, Endpoint::new(target.to_lowercase(), *port)).await {
            Ok(places) => {
                all.addresses.extend(places.addresses);
                all.private.extend(places.private);
            }
            Err(Ends::Blocked(by)) if by.owner.starts_with("dns.") => {
                trouble.push(by.finding.summary.clone());
            }
            Err(Ends::NoAddress(finding)) if finding.outcome != Outcome::Error => {
                trouble.push(finding.summary);
            }
            Err(other) => return Err(other),
        }
    }
    match all.addresses.first() {
        Some(first) => Ok((first.port(), all)),
        None => {
            let why = trouble.join("; ");
            Err(Ends::Unusable(format!("SRV {record} leads nowhere: {why}")))
        }
    }
}
