//! The steps of "Resolving server names" (Matrix server-server API) that need only DNS.

use std::net::IpAddr;

use mxdoctor_model::{Evidence, EvidenceKind};
use mxdoctor_probes::dns::{Answer, Data, Kind, Lookup};
use mxdoctor_probes::matrix::{Host, ServerName};

use crate::Cx;
use crate::facts::describe;

/// The port where none is written and no record names one.
pub(super) const DEFAULT_PORT: u16 = 8448;

/// Where a name leads, before addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Connect to the address.
    Address(IpAddr, u16),
    /// Connect to the addresses of the name itself; whether the port is written.
    Name { port: u16, written: bool },
    /// Connect to the addresses of the targets of a record, in order.
    Srv { record: String, targets: Vec<(String, u16)>, refused: bool },
}

/// Which of the specification's steps are taken: the same questions under other numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Steps 1 and 2: of the server name, before any file.
    Name,
    /// Steps 3.1 to 3.5: of the name in the delegation file.
    Delegated,
    /// Steps 4 to 6: of the server name, for want of a file.
    Fallback,
}

impl Part {
    fn address(self) -> &'static str {
        if self == Self::Delegated { "3.1" } else { "1" }
    }

    fn port(self) -> &'static str {
        if self == Self::Delegated { "3.2" } else { "2" }
    }

    /// The two records and the default port.
    fn unported(self) -> [&'static str; 3] {
        if self == Self::Delegated { ["3.3", "3.4", "3.5"] } else { ["4", "5", "6"] }
    }
}

/// A name's next step and what was seen on the way.
pub(super) struct Stepped {
    pub(super) next: Next,
    /// In words, in order, by the specification's numbers.
    pub(super) steps: Vec<String>,
    pub(super) evidence: Vec<Evidence>,
    /// A lookup of a record had no usable answer: which.
    pub(super) unanswered: Option<String>,
}

/// Those steps of a name.
pub(super) async fn next(cx: &Cx, name: &ServerName, part: Part) -> Stepped {
    let fixed =
        |next, step| Stepped { next, steps: vec![step], evidence: Vec::new(), unanswered: None };
    let host = match &name.host {
        Host::Ip(address) => {
            let port = name.port.unwrap_or(DEFAULT_PORT);
            let number = part.address();
            let step = format!("step {number}: {name} is an address: it itself, port {port}");
            return fixed(Next::Address(*address, port), step);
        }
        Host::Dns(host) => host,
    };
    if let Some(port) = name.port {
        let number = part.port();
        let step =
            format!("step {number}: {name} has a port: the addresses of {host}, port {port}");
        return fixed(Next::Name { port, written: true }, step);
    }
    let [fed, old, default] = part.unported();
    let (mut steps, mut evidence, mut unanswered) = (Vec::new(), Vec::new(), None);
    for (number, service) in [(fed, "_matrix-fed._tcp"), (old, "_matrix._tcp")] {
        let record = format!("{service}.{host}");
        let lookup = cx.net().lookup(&record, Kind::Srv).await;
        evidence.push(Evidence::new(EvidenceKind::Dns, describe(&lookup)));
        if let Answer::Unanswered(_) | Answer::Refused(_) = &lookup.answer {
            steps.push(format!("step {number}: SRV {record}: no usable answer"));
            unanswered.get_or_insert(record);
            continue;
        }
        let targets = targets(&lookup);
        if targets.is_empty() {
            steps.push(format!("step {number}: SRV {record}: none"));
            continue;
        }
        let refused = targets.iter().all(|(target, _)| target.is_empty());
        let list: Vec<String> =
            targets.iter().map(|(target, port)| format!("{target}:{port}")).collect();
        steps.push(format!("step {number}: SRV {record}: {}", list.join(", ")));
        let next = Next::Srv { record, targets, refused };
        return Stepped { next, steps, evidence, unanswered };
    }
    steps.push(format!(
        "step {default}: neither port nor SRV record: the addresses of {host}, port {DEFAULT_PORT}"
    ));
    let next = Next::Name { port: DEFAULT_PORT, written: false };
    Stepped { next, steps, evidence, unanswered }
}

/// Host and port of a record's targets, the preferred first (RFC 2782; weights are a matter of
/// chance and change nothing here).
fn targets(lookup: &Lookup) -> Vec<(String, u16)> {
    let mut found: Vec<(u16, u16, String, u16)> = lookup
        .records()
        .filter_map(|record| match &record.data {
            Data::Srv { priority, weight, port, target } => {
                Some((*priority, u16::MAX - weight, target.clone(), *port))
            }
            _ => None,
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, _, target, port)| (target, port)).collect()
}
