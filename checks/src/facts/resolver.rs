//! Whether our own resolver answers at all.

use std::net::IpAddr;

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::dns::{Answer, Dnssec, Kind, Lookup};

use crate::{Cx, Fact, Unavailable};

/// Our own resolver gives answers: any answer but silence and SERVFAIL, on the server name or on
/// `arpa`, which always exists. Its value is the lookups made, for evidence.
#[derive(Debug, Clone)]
pub struct Resolver;

impl Fact for Resolver {
    type Value = Vec<Lookup>;
    const OWNER: &'static str = "vantage.resolver";

    async fn observe(&self, cx: &Cx) -> Result<Self::Value, Unavailable> {
        let host = super::addresses::host_of(&cx.target().server_name);
        let control = cx.net().lookup("arpa", Kind::Soa);
        let lookups = if host.is_empty() || host.parse::<IpAddr>().is_ok() {
            vec![control.await]
        } else {
            let (own, control) = tokio::join!(cx.net().lookup(&host, Kind::A), control);
            vec![own, control]
        };
        match judge(&lookups) {
            Some(finding) => Err(Unavailable::by("vantage.resolver", finding)),
            None => Ok(lookups),
        }
    }
}

/// The finding when no lookup has an answer that says anything.
fn judge(lookups: &[Lookup]) -> Option<Finding> {
    let dead = |lookup: &Lookup| match &lookup.answer {
        Answer::Unanswered(_) => true,
        // One that validates and finds fault with the zone is at work.
        Answer::Refused(code) => {
            code.eq_ignore_ascii_case("servfail") && lookup.dnssec != Dnssec::Bogus
        }
        _ => false,
    };
    if !lookups.iter().all(dead) {
        return None;
    }
    let silent = lookups.iter().all(|l| matches!(l.answer, Answer::Unanswered(_)));
    let summary = if silent {
        "no answer from any name server that this machine uses"
    } else {
        "the name server that this machine uses answers every question with an error"
    };
    let mut finding = Finding::error_of("own-resolver-down", summary)
        .expected("an answer to any question")
        .actual(describe(lookups.first()?));
    for lookup in lookups {
        finding = finding.evidence(EvidenceKind::Dns, describe(lookup));
    }
    Some(finding.transient())
}

/// One line for evidence: `example.org A → 198.51.100.1 (127.0.0.1:53, 3 ms)`.
pub(crate) fn describe(lookup: &Lookup) -> String {
    let answer = match &lookup.answer {
        Answer::Records(records) => {
            records.iter().map(|r| data(&r.data)).collect::<Vec<_>>().join(", ")
        }
        Answer::NoData => "no record of this kind".into(),
        Answer::NxDomain => "no such name (NXDOMAIN)".into(),
        Answer::Refused(code) => code.clone(),
        Answer::Unanswered(reason) => format!("no answer: {reason}"),
    };
    let kind = format!("{:?}", lookup.kind).to_uppercase();
    let server = lookup.server.map_or_else(String::new, |server| format!("{server}, "));
    format!("{} {kind} → {answer} ({server}{} ms)", lookup.name, lookup.elapsed.as_millis())
}

fn data(data: &mxdoctor_probes::dns::Data) -> String {
    use mxdoctor_probes::dns::Data;
    match data {
        Data::A(address) => address.to_string(),
        Data::Aaaa(address) => address.to_string(),
        Data::Cname(name) => format!("alias of {name}"),
        Data::Srv { priority, weight, port, target } => {
            format!("{priority} {weight} {port} {target}.")
        }
        Data::Caa { critical, tag, value } => format!("{} {tag} \"{value}\"", u8::from(*critical)),
        Data::Txt(text) => format!("\"{text}\""),
        Data::Ns(name) => name.clone(),
        Data::Soa(serial) => format!("serial {serial}"),
    }
}
