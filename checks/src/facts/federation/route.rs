//! The way that another homeserver takes to this one.

use std::net::SocketAddr;

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::matrix::{Host, ServerName};

use super::calls_itself;
use super::peer::speaks;
use super::steps::{DEFAULT_PORT, Next, Stepped, next};
use super::walk::{Ends, Walked, walk};
use super::well_known::{WellKnownProblem, WellKnownServer, server_name};
use crate::facts::{Attempt, Endpoint, Sessions, endpoints};
use crate::{Cx, Fact, Unavailable, tls};

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
            format!(
                "{name} delegates to {to} without a port, and port {DEFAULT_PORT} does not \
                 answer{also}"
            ),
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
         https://{host}/.well-known/matrix/server: a rule for the host {host} in the ingress or \
         the tunnel, above the one that catches all"
    ));
    Unavailable::by("federation.resolve", shown(finding, steps, evidence, attempts))
}

pub(super) fn shown<'s>(
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
