//! What a question to a name server brought.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Alias.
    Cname,
    /// Service (RFC 2782).
    Srv,
    /// Certification authority authorization (RFC 8659).
    Caa,
    /// Text.
    Txt,
    /// Name server of a zone.
    Ns,
    /// Start of authority.
    Soa,
}

/// The data of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// IPv4 address.
    A(Ipv4Addr),
    /// IPv6 address.
    Aaaa(Ipv6Addr),
    /// Alias, without the final dot.
    Cname(String),
    /// Service.
    Srv {
        /// Lower is preferred.
        priority: u16,
        /// Share among equal priorities.
        weight: u16,
        /// TCP port.
        port: u16,
        /// Host, without the final dot; empty for `.` (not offered).
        target: String,
    },
    /// Certification authority authorization.
    Caa {
        /// Unknown tags must be honoured.
        critical: bool,
        /// `issue`, `issuewild`, `iodef`, …
        tag: String,
        /// The value as text.
        value: String,
    },
    /// Text, its strings joined.
    Txt(String),
    /// Name server, without the final dot.
    Ns(String),
    /// Start of authority: the zone's serial number.
    Soa(u32),
}

/// One record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Owner, lower case, without the final dot.
    pub name: String,
    /// Seconds that it may be kept.
    pub ttl: u32,
    /// What it holds.
    pub data: Data,
}

/// What the answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Records, aliases first where the name has any.
    Records(Vec<Record>),
    /// The name exists and has none of this kind. (An alias to a name that has none, or that does
    /// not exist, is told as [`Answer::Records`] with just the aliases.)
    NoData,
    /// The name does not exist.
    NxDomain,
    /// No server answers but with an error code; the first one's name (`SERVFAIL`, `REFUSED`, …).
    Refused(String),
    /// No usable answer from any server: time-out, unreachable, garbage. Says nothing of the name.
    Unanswered(String),
}

/// What is known of the answer's DNSSEC state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dnssec {
    /// The resolver validated it (AD).
    Validated,
    /// Signatures are there, and the resolver did not say that it validated them.
    Signed,
    /// No signatures.
    Unsigned,
    /// SERVFAIL with checking on, an answer with checking off: the signatures do not hold.
    Bogus,
}

/// A question and its answer.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// Name asked for, without the final dot.
    pub name: String,
    /// Kind asked for.
    pub kind: Kind,
    /// What the answer says.
    pub answer: Answer,
    /// Who answered; none when nobody did.
    pub server: Option<SocketAddr>,
    /// State of the signatures.
    pub dnssec: Dnssec,
    /// From the question to the answer.
    pub elapsed: Duration,
}

impl Lookup {
    /// The records of the kind asked for, aliases left out.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        let records: &[Record] =
            if let Answer::Records(records) = &self.answer { records } else { &[] };
        records
            .iter()
            .filter(|record| self.kind == Kind::Cname || !matches!(record.data, Data::Cname(_)))
    }

    /// The addresses in the answer.
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.records()
            .filter_map(|record| match record.data {
                Data::A(address) => Some(IpAddr::V4(address)),
                Data::Aaaa(address) => Some(IpAddr::V6(address)),
                _ => None,
            })
            .collect()
    }
}
