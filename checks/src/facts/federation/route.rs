//! The way that another homeserver takes to this one.

use std::net::{IpAddr, SocketAddr};

use mxdoctor_model::{Evidence, Finding};
use mxdoctor_probes::matrix::{Host, ServerName};

use super::calls_itself;
use super::ends::{Elsewhere, Ends, another, needs_port, nowhere, shown};
use super::peer::speaks;
use super::steps::{Next, Part, Stepped, next};
use super::walk::{Walked, walk};
use super::well_known::{ServerWellKnown, WellKnownProblem, WellKnownServer, read, server_name};
use crate::facts::{Ask, Attempt, Endpoint, Fetched, Homeserver, Sessions, endpoints, https};
use crate::{Cx, Fact, Unavailable};

/// The specification's steps from the server name to an address that answers (Matrix server-server
/// API, "Resolving server names").
///
/// Owned by `federation.resolve`; by `federation.well_known` where the delegation file is to blame,
/// by `federation.server_name` where the name is another server's, by `dns.srv` where a record is,
/// by `federation.tls` where no TLS session comes about at a host apart from the stack, and by
/// `dns.*` and `tls.*` as far as hosts of the stack are.
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
    /// TCP port; of a record with several targets, that of the preferred one.
    pub port: u16,
    /// Each step in words, by the specification's numbers.
    pub steps: Vec<String>,
    /// The lookups.
    pub evidence: Vec<Evidence>,
    /// One handshake with each address; at least one came about.
    pub attempts: Vec<Attempt>,
    /// Addresses that cannot be judged from here.
    pub out_of_reach: Vec<SocketAddr>,
    /// Host and port are the stack's own: its certificates are for `tls.*` to judge.
    pub in_stack: bool,
    /// Addresses of a host apart from the stack that nobody outside can reach.
    pub private: Vec<IpAddr>,
    /// How many addresses more there are than were looked at.
    pub beyond: usize,
    /// The delegation file is broken, and the way exists all the same; what is wrong with it.
    pub despite: Option<String>,
}

impl Route {
    /// Host and port connected to by name.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::new(self.to.host_text().to_lowercase(), self.port)
    }

    /// A finding about the end of the way, with the steps that lead there.
    pub(crate) fn shown(&self, finding: Finding) -> Finding {
        finding.evidences(self.steps.iter().map(Evidence::note))
    }

    /// One line: `port 443, Host matrix.example.org:443, SNI and certificate matrix.example.org`.
    pub fn summary(&self) -> String {
        let name = self.to.host_text();
        let sni = match self.to.host {
            Host::Dns(_) => format!("SNI and certificate {name}"),
            Host::Ip(_) => format!("no SNI, certificate {name}"),
        };
        let mut ports: Vec<u16> = self.attempts.iter().map(|at| at.address.port()).collect();
        ports.dedup();
        let by_record = matches!(self.lead, Lead::Srv | Lead::WellKnownSrv) && ports.len() > 1;
        let ports = match by_record {
            true => {
                let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
                format!("ports {}", ports.join(", "))
            }
            false => format!("port {}", self.port),
        };
        format!("{ports}, Host {}, {sni}", self.to)
    }
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
                let stepped = next(cx, &name, Part::Name).await;
                match walk(cx, &name, &stepped.next).await {
                    Ok(walked) => Ok(walked.route(Lead::Name, name, stepped, Vec::new())),
                    Err(ends) => Err(ends.told(&name, &name, &[], &stepped)),
                }
            }
            Ok(Some(Err(problem))) => fallback(cx, name, problem, known.as_deref().ok()).await,
            Err(by) => {
                let (walked, stepped) = alone(cx, &name).await;
                let route = walked.map_err(|_| by.clone())?;
                let first = step_3(&name, &by.finding.summary);
                let route = route.route(lead(&stepped), name, stepped, vec![first]);
                if works(cx, &route).await { Ok(route) } else { Err(by.clone()) }
            }
        }
    }
}

fn step_3(name: &ServerName, outcome: &str) -> String {
    format!("step 3: https://{}/.well-known/matrix/server: {outcome}", name.url_host())
}

fn lead(stepped: &Stepped) -> Lead {
    if matches!(stepped.next, Next::Srv { .. }) { Lead::Srv } else { Lead::Default }
}

async fn alone(cx: &Cx, name: &ServerName) -> (Result<Walked, Ends>, Stepped) {
    let stepped = next(cx, name, Part::Fallback).await;
    (walk(cx, name, &stepped.next).await, stepped)
}

/// Whether a peer would really get through.
async fn works(cx: &Cx, route: &Route) -> bool {
    route.attempts.iter().any(Attempt::accepted) && speaks(cx, route).await
}

/// Steps 3.1 to 3.5.
async fn delegated(cx: &Cx, name: &ServerName, to: &ServerName) -> Result<Route, Unavailable> {
    let stepped = next(cx, to, Part::Delegated).await;
    let first = vec![step_3(name, &format!("m.server is {to}"))];
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
        let steps = first.iter().chain(&stepped.steps);
        let finding = shown(needs_port(name, to, &also), steps, &stepped.evidence, attempts);
        return Err(Unavailable::by("federation.resolve", finding));
    }
    Err(ends.told(name, to, &first, &stepped))
}

/// Steps 4 to 6: the delegation file is missing or broken.
async fn fallback(
    cx: &Cx,
    name: ServerName,
    problem: &WellKnownProblem,
    known: Option<&ServerWellKnown>,
) -> Result<Route, Unavailable> {
    let (walked, stepped) = alone(cx, &name).await;
    let missing = matches!(problem, WellKnownProblem::Missing(_));
    let first = vec![step_3(&name, &problem.to_string())];
    let broken = |steps: &[String]| {
        let known = known?;
        let (url, answer) = (known.url.as_ref()?, known.answers.first()?);
        let finding = shown(problem.finding(url, answer), steps, &[], &[]);
        Some(Unavailable::by("federation.well_known", finding))
    };
    let ends = match walked {
        Ok(walked) => {
            let mut route = walked.route(lead(&stepped), name, stepped, first);
            if missing {
                return Ok(route);
            }
            if works(cx, &route).await {
                route.despite = Some(problem.to_string());
                return Ok(route);
            }
            return match broken(&route.steps) {
                Some(by) => Err(by),
                None => Ok(route),
            };
        }
        Err(ends) => ends,
    };
    if !missing {
        let steps: Vec<String> = first.iter().chain(&stepped.steps).cloned().collect();
        if let Some(by) = broken(&steps) {
            return Err(by);
        }
    }
    if let Some(other) = calls_itself(cx, &name).await.filter(|other| *other != name.text) {
        return Err(another(&name, &other));
    }
    match (ends, &stepped) {
        (Ends::Silent(attempts), Stepped { next: Next::Name { .. }, unanswered: None, .. }) => {
            let elsewhere = elsewhere(cx, &name).await;
            let steps = first.iter().chain(&stepped.steps);
            let finding = nowhere(&name, elsewhere.as_ref());
            let finding = shown(finding, steps, &stepped.evidence, &attempts);
            Err(Unavailable::by("federation.resolve", finding))
        }
        (ends, stepped) => Err(ends.told(&name, &name, &first, stepped)),
    }
}

/// The delegation file on the homeserver's own host, where no server asks for it.
async fn elsewhere(cx: &Cx, name: &ServerName) -> Option<Elsewhere> {
    let homeserver = cx.fact(Homeserver).await.ok()?;
    let host = homeserver.host().to_owned();
    if host == name.host_text().to_lowercase() {
        return None;
    }
    let mut url = https(&host)?;
    url.set_path("/.well-known/matrix/server");
    let exchange = cx.fact(Fetched(Ask::get(url))).await.ok()?;
    Some(Elsewhere { host, to: read(&exchange).ok()?.to })
}
