//! Requests and answers with long-term credentials (RFC 8489 section 9.2).

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rtc_stun::crypto::default_provider;
use rtc_stun::integrity::MessageIntegrity;
use tokio::time::timeout_at;

use super::error::TurnError;
use super::link::{Arrived, Link};
use super::message::{self, Attributes, Class, Message, Method};
use crate::stun;

/// How long one request waits for its answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// The first wait before a request is sent again over UDP; doubled each time.
const RETRANSMIT: Duration = Duration::from_millis(300);

/// Nonces taken for one request at most.
const MOST_NONCES: usize = 3;

/// Datagrams kept until they are taken; the oldest go first.
const MOST_KEPT: usize = 256;

/// Requests remembered, the latest.
const MOST_STEPS: usize = 64;

/// How the server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// `turn:…?transport=udp`
    Udp,
    /// `turn:…?transport=tcp`
    Tcp,
    /// `turns:…?transport=tcp`
    Tls,
}

/// The family of the address wanted at the server (RFC 6156).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// The default of every server.
    V4,
    /// Asked for by REQUESTED-ADDRESS-FAMILY.
    V6,
}

/// A TURN server as it is offered.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Server {
    /// Name or address.
    pub host: String,
    /// Port; 3478 and for TLS 5349 as a rule.
    pub port: u16,
    /// How it is spoken to.
    pub carrier: Carrier,
    /// Long-term credentials: user name and password.
    pub credentials: Option<(String, String)>,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, transport) = match self.carrier {
            Carrier::Udp => ("turn", "udp"),
            Carrier::Tcp => ("turn", "tcp"),
            Carrier::Tls => ("turns", "tcp"),
        };
        write!(f, "{scheme}:{}:{}?transport={transport}", self.host, self.port)
    }
}

impl fmt::Debug for Server {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.credentials.as_ref().map_or("nobody", |(user, _)| user);
        write!(f, "{self} as {user}")
    }
}

/// One request and what came of it.
#[derive(Debug, Clone)]
pub struct Step {
    /// What was asked.
    pub method: Method,
    /// How often it was sent.
    pub sent: u32,
    /// 0 for a success, the code of an error, none for no answer.
    pub code: Option<u16>,
    /// From the first sending to the answer, or to giving up.
    pub took: Duration,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.took.as_secs_f64() * 1e3;
        match self.code {
            Some(0) => write!(f, "{} → success in {ms:.1} ms", self.method)?,
            Some(code) => {
                let name = super::code_name(code).unwrap_or("an error without a name");
                write!(f, "{} → {code} {name} in {ms:.1} ms", self.method)?;
            }
            None => write!(f, "{} → no answer in {ms:.0} ms", self.method)?,
        }
        if self.sent == 1 { Ok(()) } else { write!(f, ", sent {} times", self.sent) }
    }
}

#[derive(Clone)]
struct Auth {
    realm: String,
    nonce: Vec<u8>,
    key: Vec<u8>,
}

/// The talk with a server over one link.
pub(super) struct Session {
    pub(super) link: Link,
    credentials: Option<(String, String)>,
    auth: Option<Auth>,
    pub(super) steps: Vec<Step>,
    pub(super) channels: BTreeMap<u16, SocketAddr>,
    pub(super) kept: VecDeque<(Vec<u8>, SocketAddr)>,
}

impl Session {
    pub(super) fn new(link: Link, credentials: Option<(String, String)>) -> Self {
        Self {
            link,
            credentials,
            auth: None,
            steps: Vec::new(),
            channels: BTreeMap::new(),
            kept: VecDeque::new(),
        }
    }

    pub(super) fn realm(&self) -> Option<&str> {
        self.auth.as_ref().map(|auth| auth.realm.as_str())
    }

    /// Asks, with credentials as soon as the server wants them and with new nonces as it gives
    /// them.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        attributes: &Attributes,
    ) -> Result<Attributes, TurnError> {
        for _ in 0..MOST_NONCES {
            let answer = self.exchange(method, attributes).await?;
            if answer.class == Class::Success {
                return Ok(answer.attributes);
            }
            let code = answer.attributes.error.as_ref().map(|(code, _)| *code);
            let fresh = match code {
                Some(401) => self.auth.is_none(),
                Some(438) => true,
                _ => false,
            };
            if !fresh {
                return Err(TurnError::answer(method, answer.attributes.error));
            }
            self.authenticate(method, &answer.attributes)?;
        }
        Err(TurnError::answer(method, Some((438, String::new()))))
    }

    /// Takes realm and nonce of a 401 or 438.
    fn authenticate(&mut self, method: Method, answer: &Attributes) -> Result<(), TurnError> {
        let (user, password) = self.credentials.as_ref().ok_or(TurnError::NoCredentials)?;
        let nonce = answer.nonce.clone().ok_or(TurnError::Incomplete(method, "nonce"))?;
        let realm = answer.realm.clone().or_else(|| Some(self.auth.as_ref()?.realm.clone()));
        let realm = realm.ok_or(TurnError::Incomplete(method, "realm"))?;
        let key = key(user, &realm, password).map_err(TurnError::Ours)?;
        self.auth = Some(Auth { realm, nonce, key });
        Ok(())
    }

    /// One request, sent again over UDP until it is answered.
    async fn exchange(
        &mut self,
        method: Method,
        attributes: &Attributes,
    ) -> Result<Message, TurnError> {
        let transaction = stun::transaction();
        let mut request = Message::new(method, Class::Request, transaction);
        request.attributes = attributes.clone();
        let key = self.auth.as_ref().map(|auth| auth.key.clone());
        if let (Some(auth), Some((user, _))) = (&self.auth, &self.credentials) {
            request.attributes.username = Some(user.clone());
            request.attributes.realm = Some(auth.realm.clone());
            request.attributes.nonce = Some(auth.nonce.clone());
        }
        let bytes = request.encode(key.as_deref()).map_err(TurnError::Ours)?;
        let started = Instant::now();
        let mut asking = Asking { transaction, method, key, sent: 0, unsigned: false };
        let outcome = asking.run(self, &bytes, started + PATIENCE).await;
        let code = match &outcome {
            Ok(answer) if answer.class == Class::Success => Some(0),
            Ok(answer) => answer.attributes.error.as_ref().map(|(code, _)| *code),
            Err(_) => None,
        };
        if self.steps.len() == MOST_STEPS {
            self.steps.remove(0);
        }
        self.steps.push(Step { method, sent: asking.sent, code, took: started.elapsed() });
        outcome
    }

    /// The next datagram of a peer, or a message that is none. Cancel-safe.
    pub(super) async fn receive(&mut self) -> Result<Option<(Vec<u8>, Message)>, TurnError> {
        let (data, peer) = match self.link.receive().await? {
            Arrived::Channel(channel, data) => match self.channels.get(&channel) {
                Some(peer) => (data, *peer),
                None => return Ok(None),
            },
            Arrived::Message(bytes) => match Message::decode(&bytes) {
                Some(Message {
                    method: Method::Data,
                    class: Class::Indication,
                    attributes,
                    ..
                }) => match (attributes.data, attributes.peer) {
                    (Some(data), Some(peer)) => (data, peer),
                    _ => return Ok(None),
                },
                Some(message) => return Ok(Some((bytes, message))),
                None => return Ok(None),
            },
        };
        if self.kept.len() == MOST_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((data, peer));
        Ok(None)
    }
}

/// A request under way.
struct Asking {
    transaction: stun::Transaction,
    method: Method,
    key: Option<Vec<u8>>,
    sent: u32,
    unsigned: bool,
}

impl Asking {
    async fn run(
        &mut self,
        session: &mut Session,
        bytes: &[u8],
        until: Instant,
    ) -> Result<Message, TurnError> {
        let mut wait = RETRANSMIT;
        loop {
            let sending = timeout_at(until.into(), session.link.send(bytes)).await;
            sending.map_err(|_| self.silent())??;
            self.sent += 1;
            let again = if session.link.is_stream() { until } else { Instant::now() + wait };
            wait *= 2;
            let answer = timeout_at(again.min(until).into(), self.answer(session)).await;
            match answer {
                Ok(answer) => return answer,
                Err(_) if Instant::now() >= until => return Err(self.silent()),
                Err(_) => {}
            }
        }
    }

    async fn answer(&mut self, session: &mut Session) -> Result<Message, TurnError> {
        loop {
            let Some((bytes, message)) = session.receive().await? else { continue };
            let ours = message.transaction == self.transaction && message.method == self.method;
            match message.class {
                // An error may come before the server knows us, so it need not be signed.
                Class::Error if ours => return Ok(message),
                Class::Success if ours => match &self.key {
                    Some(key) if !message::is_signed_with(&bytes, key) => self.unsigned = true,
                    _ => return Ok(message),
                },
                _ => {}
            }
        }
    }

    fn silent(&self) -> TurnError {
        match self.unsigned {
            true => TurnError::Unsigned(self.method),
            false => TurnError::Silent { method: self.method, sent: self.sent, limit: PATIENCE },
        }
    }
}

/// The key of long-term credentials (RFC 8489 section 9.2.2).
pub(super) fn key(user: &str, realm: &str, password: &str) -> Result<Vec<u8>, String> {
    let provider = default_provider().map_err(|error| error.to_string())?;
    let (user, realm, password) = (user.to_owned(), realm.to_owned(), password.to_owned());
    MessageIntegrity::long_term_integrity_key(user, realm, password, provider.crypto())
        .map_err(|error| error.to_string())
}
