//! Questions as bytes and bytes as answers (RFC 1035, RFC 6891, RFC 4035).

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, RecordType};

use super::{Answer, Data, Dnssec, Kind, Record};

/// Bytes of UDP payload that are asked for (the consensus since DNS flag day 2020).
pub(super) const UDP_PAYLOAD: u16 = 1232;

/// A question, its id still open.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) name: Name,
    pub(super) kind: RecordType,
    /// Say EDNS and ask for signatures.
    pub(super) edns: bool,
    /// Ask for the answer even where its signatures do not hold.
    pub(super) checking_disabled: bool,
}

impl Question {
    pub(super) fn new(name: &str, kind: Kind) -> Result<Self, String> {
        let absolute = format!("{}.", name.trim_end_matches('.'));
        let name = Name::from_ascii(&absolute).map_err(|error| format!("no DNS name: {error}"))?;
        Ok(Self { name, kind: record_type(kind), edns: true, checking_disabled: false })
    }

    /// The question's bytes. AD asks a validating server to tell (RFC 6840 section 5.7).
    pub(super) fn encode(&self, id: u16) -> Result<Vec<u8>, String> {
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.metadata.authentic_data = true;
        message.metadata.checking_disabled = self.checking_disabled;
        message.add_query(Query::query(self.name.clone(), self.kind));
        if self.edns {
            let mut edns = Edns::new();
            edns.set_max_payload(UDP_PAYLOAD).set_dnssec_ok(true);
            message.set_edns(edns);
        }
        message.to_vec().map_err(|error| error.to_string())
    }

    /// The answer to this question in a datagram; anything else is not for us.
    pub(super) fn decode(&self, id: u16, bytes: &[u8]) -> Result<Message, String> {
        let message = Message::from_vec(bytes).map_err(|error| error.to_string())?;
        let metadata = &message.metadata;
        if metadata.id != id || metadata.message_type != MessageType::Response {
            return Err("not the answer to our question".into());
        }
        // Servers that do not understand a question may leave it out of their answer.
        let repeated = match message.queries.as_slice() {
            [] => metadata.response_code != ResponseCode::NoError,
            [query] => {
                query.query_type == self.kind
                    && query.query_class == DNSClass::IN
                    && query.name.eq_ignore_root(&self.name)
            }
            _ => false,
        };
        if repeated { Ok(message) } else { Err("the answer is to another question".into()) }
    }
}

/// What the bytes of a message, whose id is left out of account, answer to a question for a name.
///
/// # Errors
/// They are no answer to it; why.
pub fn read(name: &str, kind: Kind, bytes: &[u8]) -> Result<Answer, String> {
    let question = Question::new(name, kind)?;
    let id = bytes.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    Ok(answer(&question.decode(id, bytes)?, &question))
}

fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Cname => RecordType::CNAME,
        Kind::Srv => RecordType::SRV,
        Kind::Caa => RecordType::CAA,
        Kind::Txt => RecordType::TXT,
        Kind::Ns => RecordType::NS,
        Kind::Soa => RecordType::SOA,
    }
}

/// What a message says of the name asked for.
pub(super) fn answer(message: &Message, question: &Question) -> Answer {
    let records = chain(message, question);
    match message.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain if !records.is_empty() => {
            Answer::Records(records)
        }
        ResponseCode::NoError => Answer::NoData,
        ResponseCode::NXDomain => Answer::NxDomain,
        code => Answer::Refused(code_name(code)),
    }
}

/// The aliases from the name asked for on, then the records of the last one's name.
fn chain(message: &Message, question: &Question) -> Vec<Record> {
    let mut records = Vec::new();
    let mut name = question.name.clone();
    // Each round takes one alias; a loop ends after as many rounds as there are records.
    for _ in 0..=message.answers.len() {
        let of_name = |kind| {
            let name = &name;
            message.answers.iter().filter(move |record| {
                record.record_type() == kind && record.name.eq_ignore_root(name)
            })
        };
        let found: Vec<Record> = of_name(question.kind).filter_map(convert).collect();
        if !found.is_empty() {
            records.extend(found);
            break;
        }
        let alias = of_name(RecordType::CNAME).next();
        let Some((alias, RData::CNAME(target))) = alias.map(|record| (record, &record.data)) else {
            break;
        };
        records.extend(convert(alias));
        name = target.0.clone();
    }
    records
}

fn convert(record: &hickory_proto::rr::Record) -> Option<Record> {
    let data = match &record.data {
        RData::A(address) => Data::A(address.0),
        RData::AAAA(address) => Data::Aaaa(address.0),
        RData::CNAME(name) => Data::Cname(text(&name.0)),
        RData::NS(name) => Data::Ns(text(&name.0)),
        RData::SOA(soa) => Data::Soa(soa.serial),
        RData::SRV(srv) => Data::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: text(&srv.target),
        },
        RData::CAA(caa) => Data::Caa {
            critical: caa.issuer_critical,
            tag: caa.tag.to_ascii_lowercase(),
            value: String::from_utf8_lossy(&caa.value).into_owned(),
        },
        RData::TXT(txt) => Data::Txt(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
        _ => return None,
    };
    Some(Record { name: text(&record.name), ttl: record.ttl, data })
}

fn text(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}

/// The state of the signatures, as far as this answer tells.
pub(super) fn dnssec(message: &Message) -> Dnssec {
    let mut records = message.answers.iter().chain(&message.authorities);
    if message.metadata.authentic_data {
        Dnssec::Validated
    } else if records.any(|record| record.record_type() == RecordType::RRSIG) {
        Dnssec::Signed
    } else {
        Dnssec::Unsigned
    }
}

/// As the registry of DNS parameters writes it, in capitals.
fn code_name(code: ResponseCode) -> String {
    match code {
        ResponseCode::Unknown(number) => format!("RCODE{number}"),
        known => format!("{known:?}").to_ascii_uppercase(),
    }
}
