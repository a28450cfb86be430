//! Ways that end before an address that answers, and who reports it.

use std::net::{IpAddr, SocketAddr};

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::matrix::ServerName;
use mxdoctor_probes::tls::{ConnectError, HandshakeError};

use super::steps::{DEFAULT_PORT, Next, Stepped};
use crate::facts::{Attempt, listed};
use crate::{Unavailable, tls};

/// Why a way ends before an address that answers.
pub(super) enum Ends {
    /// Somebody else reports why.
    Blocked(Unavailable),
    /// Nothing takes connections.
    Silent(Vec<Attempt>),
    /// Something takes connections, and no TLS session comes about.
    NoSession(Finding),
    /// A host apart from the stack has no address, or none that others can reach.
    NoAddress(Finding),
    /// A record says that the service is not offered, or its targets have no address.
    Unusable(String),
}

impl Ends {
    /// Who reports it, and how. `to` is the name whose steps were walked, `first` the steps before
    /// them.
    pub(super) fn told(
        self,
        name: &ServerName,
        to: &ServerName,
        first: &[String],
        stepped: &Stepped,
    ) -> Unavailable {
        let steps = || first.iter().chain(&stepped.steps);
        let by = |owner, finding, attempts: &[Attempt]| {
            Unavailable::by(owner, shown(finding, steps(), &stepped.evidence, attempts))
        };
        match self {
            Self::Blocked(by) => by,
            Self::Silent(_) | Self::Unusable(_) if stepped.unanswered.is_some() => {
                let record = stepped.unanswered.as_deref().unwrap_or_default();
                let summary =
                    format!("the way to {name} is not known: no usable answer for {record}");
                by("federation.resolve", Finding::error(summary), &[])
            }
            Self::Unusable(why) => {
                let mut finding = Finding::fail("srv-target-unusable", why);
                finding.instance = (name != to).then(|| to.host_text().to_lowercase());
                by("dns.srv", finding, &[])
            }
            Self::NoSession(finding) => by("federation.tls", finding, &[]),
            Self::NoAddress(finding) => by("federation.resolve", led(finding, name, to), &[]),
            Self::Silent(attempts) => {
                let finding = closed(name, &place(to, &stepped.next), &attempts);
                by("federation.resolve", finding, &attempts)
            }
        }
    }
}

fn place(to: &ServerName, next: &Next) -> String {
    match next {
        Next::Address(address, port) => SocketAddr::new(*address, *port).to_string(),
        Next::Name { port, .. } => format!("{}:{port}", to.url_host()),
        Next::Srv { record, .. } => format!("what SRV {record} names"),
    }
}

fn closed(name: &ServerName, place: &str, attempts: &[Attempt]) -> Finding {
    let refused = |attempt: &Attempt| {
        matches!(attempt.result, Err(HandshakeError::Connect(ConnectError::Refused)))
    };
    let how = if attempts.iter().all(refused) { "refuses connections" } else { "does not answer" };
    let lines: Vec<String> = attempts.iter().map(tls::handshake::describe).collect();
    Finding::fail(
        "federation-port-closed",
        format!("{place} {how}, where other servers look for {name}"),
    )
    .expected(format!("a TLS session with {place}"))
    .actual(lines.join("; "))
    .transient()
}

/// Says by which file a name without address is reached.
fn led(finding: Finding, name: &ServerName, to: &ServerName) -> Finding {
    if name == to {
        return finding;
    }
    let summary = format!("{name} delegates to {to}: {}", finding.summary);
    let remedy = format!("correct `m.server` in the well-known of {name}, if {to} is not meant");
    let remedy = match &finding.remedy {
        Some(other) => format!("{remedy}; else {other}"),
        None => remedy,
    };
    Finding { summary, ..finding }.remedy(remedy)
}

/// A server name that is an address which nobody outside can reach.
pub(super) fn private_literal(to: &ServerName, address: IpAddr) -> Finding {
    let list = listed(&[address]);
    Finding::fail(
        "dns-private-address",
        format!("{to} is an address that nobody outside can reach"),
    )
    .expected("an address that can be reached from the internet")
    .actual(list)
    .remedy(format!(
        "name a host with public addresses instead of {to}; where {address} can be reached by \
             every server that matters, put its range into `routable` in stack.toml"
    ))
}

/// A delegation without a port, while nothing answers on the port that this means. `also` is what
/// is known besides.
pub(super) fn needs_port(name: &ServerName, to: &ServerName, also: &str) -> Finding {
    Finding::fail(
        "delegation-needs-port",
        format!(
            "{name} delegates to {to} without a port, and port {DEFAULT_PORT} does not answer{also}"
        ),
    )
    .expected(format!("`m.server` with the port that answers, for instance {to}:443"))
    .actual(format!("`m.server` is {to}, which means port {DEFAULT_PORT}"))
    .remedy(format!(
        "write `{{\"m.server\": \"{to}:443\"}}` in the well-known of {name}, or open port \
         {DEFAULT_PORT} of {to}"
    ))
}

/// Nothing says where the homeserver is; `elsewhere` is a host that does, and that nobody asks.
pub(super) fn nowhere(name: &ServerName, elsewhere: Option<&Elsewhere>) -> Finding {
    let host = name.host_text();
    let finding = Finding::fail(
        "well-known-server-missing",
        format!(
            "nothing says where the homeserver of {name} is: no well-known, no SRV record, and \
             port {DEFAULT_PORT} does not answer"
        ),
    )
    .expected(format!("https://{host}/.well-known/matrix/server with `m.server`"));
    match elsewhere {
        Some(Elsewhere { host: other, to }) => finding
            .actual(format!("{other} serves the file, where no server asks for it"))
            .remedy(format!(
                "serve `{{\"m.server\": \"{to}\"}}` at https://{host}/.well-known/matrix/server \
                 as well as on {other}: other servers know {host} only, from the user ids"
            )),
        None => finding
            .actual("none of the specification's steps ends at an address that answers")
            .remedy(format!(
                "serve `{{\"m.server\": \"<the homeserver's host>:443\"}}` at \
                 https://{host}/.well-known/matrix/server: a rule for the host {host} in the \
                 ingress or the tunnel, above the one that catches all"
            )),
    }
}

/// The delegation file, on another host than the server name's.
pub(super) struct Elsewhere {
    /// That host.
    pub(super) host: String,
    /// What the file there says.
    pub(super) to: ServerName,
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

/// A finding with the steps, the handshakes and the lookups.
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
    finding.evidences(steps).evidences(attempts).evidences(evidence.iter().cloned())
}
