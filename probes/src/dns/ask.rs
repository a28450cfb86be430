//! A question to several name servers, until one answers.

use std::net::SocketAddr;
use std::time::Instant;

use hickory_proto::op::{Message, ResponseCode};

use super::exchange::exchange;
use super::message::{self, Question};
use super::{Answer, Dnssec, Kind, Lookup};
use crate::Net;

/// Servers that are asked at most.
const MOST_SERVERS: usize = 8;

impl Net {
    /// Asks the configured (or the system's) resolvers, one after the other until one answers;
    /// over TCP where the answer was truncated.
    ///
    /// Names are absolute. Only those that end in `.svc`, which no public name does, are completed
    /// by the system's search domains, as everything in a Kubernetes cluster completes them.
    pub async fn lookup(&self, name: &str, kind: Kind) -> Lookup {
        let absolute = self.lookup_at(&[], name, kind).await;
        self.complete(absolute, self.search()).await
    }

    /// What a search domain finds of the name of a Service that does not exist as it stands.
    pub(super) async fn complete(&self, absolute: Lookup, search: &[String]) -> Lookup {
        let Lookup { name, kind, answer, .. } = &absolute;
        if *answer != Answer::NxDomain || !name.ends_with(".svc") {
            return absolute;
        }
        for domain in search {
            let found = self.lookup_at(&[], &format!("{name}.{domain}"), *kind).await;
            if matches!(found.answer, Answer::Records(_) | Answer::NoData) {
                return Lookup { name: name.clone(), ..found };
            }
        }
        absolute
    }

    /// The same, of the servers given (none: the configured ones); an authoritative server can be
    /// asked so.
    ///
    /// A server that answers SERVFAIL is asked again with checking disabled (RFC 4035 section
    /// 3.2.2): an answer then says that just the signatures do not hold.
    pub async fn lookup_at(&self, servers: &[SocketAddr], name: &str, kind: Kind) -> Lookup {
        let servers = if servers.is_empty() { self.resolvers() } else { servers };
        let start = Instant::now();
        let outcome = match Question::new(name, kind) {
            Ok(question) => self.ask(servers, &question).await,
            Err(reason) => Outcome::nobody(reason),
        };
        Lookup {
            name: name.trim_end_matches('.').to_ascii_lowercase(),
            kind,
            answer: outcome.answer,
            server: outcome.server,
            dnssec: outcome.dnssec,
            elapsed: start.elapsed(),
        }
    }

    async fn ask(&self, servers: &[SocketAddr], question: &Question) -> Outcome {
        let mut unanswered = Vec::new();
        let mut refused: Option<Outcome> = None;
        for &server in servers.iter().take(MOST_SERVERS) {
            match self.ask_one(server, question).await {
                Err(reason) => unanswered.push(format!("{server}: {reason}")),
                // As resolvers in C libraries do, go on to the next, unless it is proven that
                // the name's own zone is to blame.
                Ok(outcome) => match (&outcome.answer, &outcome.dnssec) {
                    (Answer::Refused(_), Dnssec::Bogus) => return outcome,
                    (Answer::Refused(_), _) => {
                        refused.get_or_insert(outcome);
                    }
                    _ => return outcome,
                },
            }
        }
        refused.unwrap_or_else(|| match unanswered.as_slice() {
            [] => Outcome::nobody("no name server is known".into()),
            reasons => Outcome::nobody(reasons.join("; ")),
        })
    }

    async fn ask_one(&self, server: SocketAddr, question: &Question) -> Result<Outcome, String> {
        let really = self.config().overrides.address(server);
        let limit = self.config().dns_timeout;
        let mut question = question.clone();
        let mut message = exchange(really, &question, limit).await?;
        if is_ignorant_of_edns(&message) {
            question.edns = false;
            message = exchange(really, &question, limit).await?;
        }
        if message.metadata.response_code != ResponseCode::ServFail {
            return Ok(Outcome::of(&message, &question, server));
        }
        question.checking_disabled = true;
        let unchecked = exchange(really, &question, limit).await;
        let answers = |message: &Message| {
            matches!(message.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
        };
        if !unchecked.as_ref().is_ok_and(answers) {
            return Ok(Outcome::of(&message, &question, server));
        }
        // Once more, so that a hiccup in between is not taken for a bad signature.
        question.checking_disabled = false;
        let again = exchange(really, &question, limit).await?;
        let mut outcome = Outcome::of(&again, &question, server);
        if again.metadata.response_code == ResponseCode::ServFail {
            outcome.dnssec = Dnssec::Bogus;
        }
        Ok(outcome)
    }
}

/// What came of asking.
struct Outcome {
    answer: Answer,
    server: Option<SocketAddr>,
    dnssec: Dnssec,
}

impl Outcome {
    fn of(message: &Message, question: &Question, server: SocketAddr) -> Self {
        Self {
            answer: message::answer(message, question),
            server: Some(server),
            dnssec: message::dnssec(message),
        }
    }

    fn nobody(reason: String) -> Self {
        Self { answer: Answer::Unanswered(reason), server: None, dnssec: Dnssec::Unsigned }
    }
}

/// RFC 6891 section 7.
fn is_ignorant_of_edns(message: &Message) -> bool {
    matches!(
        message.metadata.response_code,
        ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BADVERS
    )
}
