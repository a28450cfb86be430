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

/// A name's next step and what was seen on the way.
pub(super) struct Stepped {
    pub(super) next: Next,
    /// In words, in order.
    pub(super) steps: Vec<String>,
    pub(super) evidence: Vec<Evidence>,
    /// A lookup of a record had no usable answer: which.
    pub(super) unanswered: Option<String>,
}

/// Steps 1 and 2 or 3.1 to 3.5 or 4 to 6: the same questions with another name.
pub(super) async fn next(cx: &Cx, name: &ServerName) -> Stepped {
    let fixed =
        |next, step| Stepped { next, steps: vec![step], evidence: Vec::new(), unanswered: None };
    let host = match &name.host {
        Host::Ip(address) => {
            let port = name.port.unwrap_or(DEFAULT_PORT);
            return fixed(Next::Address(*address, port), format!("{name} is an address"));
        }
        Host::Dns(host) => host,
    };
    if let Some(port) = name.port {
        return fixed(Next::Name { port, written: true }, format!("{name} has a port"));
    }
    let (mut steps, mut evidence, mut unanswered) = (Vec::new(), Vec::new(), None);
    for service in ["_matrix-fed._tcp", "_matrix._tcp"] {
        let record = format!("{service}.{host}");
        let lookup = cx.net().lookup(&record, Kind::Srv).await;
        evidence.push(Evidence::new(EvidenceKind::Dns, describe(&lookup)));
        if let Answer::Unanswered(_) | Answer::Refused(_) = &lookup.answer {
            steps.push(format!("SRV {record}: no usable answer"));
            unanswered.get_or_insert(record);
            continue;
        }
        let targets = targets(&lookup);
        if targets.is_empty() {
            steps.push(format!("SRV {record}: none"));
            continue;
        }
        let refused = targets.iter().all(|(target, _)| target.is_empty());
        let list: Vec<String> =
            targets.iter().map(|(target, port)| format!("{target}:{port}")).collect();
        steps.push(format!("SRV {record}: {}", list.join(", ")));
        let next = Next::Srv { record, targets, refused };
        return Stepped { next, steps, evidence, unanswered };
    }
    steps.push(format!("{host} has no port and no SRV record: port {DEFAULT_PORT}"));
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
