//! Logging in (RFC 6120 sections 6 and 7).

use std::time::{Duration, Instant};

use ring::rand::SystemRandom;

use super::client::{Wire, is_open};
use super::polling::{Polling, ended};
use super::sasl::{Mechanism, Scram, plain};
use super::{
    Carrier, Client, Element, Features, Opened, StanzaError, StreamError, XmppError, features, ns,
    stanza_error,
};

/// Octets of an address (RFC 7622).
const MOST_JID: usize = 3071;

/// As whom to log in. A JWT is no login of this kind: it stands in the URL, and the login is
/// anonymous.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// As a guest.
    Anonymous,
    /// As a user of the domain: by SCRAM, or by PLAIN where the connection is encrypted.
    Password {
        /// The part of the address before `@`.
        user: String,
        /// Sent as it stands; never printed.
        password: String,
    },
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Password { user, .. } => f.debug_tuple("Password").field(user).finish(),
        }
    }
}

/// What a login came to.
#[derive(Debug, Clone)]
pub struct LoggedIn {
    /// Our full address.
    pub jid: String,
    /// The mechanism that was used.
    pub mechanism: &'static str,
    /// The stream before authentication; `opened.features.mechanisms` were offered.
    pub opened: Opened,
    /// The stream's features after authentication.
    pub features: Features,
    /// From the start to the server's consent.
    pub authenticated: Duration,
    /// From the start to the address.
    pub elapsed: Duration,
}

/// Why there is no login.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The server does not serve the domain.
    #[error("the server does not serve {domain}: {error}")]
    HostUnknown {
        /// The domain asked for.
        domain: String,
        /// As answered.
        error: StreamError,
    },
    /// The server offers no mechanism at all: an empty list or none, or it ends the stream because
    /// of that. Prosody does so where it takes the connection for an insecure one.
    #[error("the server offers no way to authenticate{}", .said.as_ref()
        .map_or(String::new(), |said| format!(" ({said})")))]
    NoMechanisms {
        /// The server's own words.
        said: Option<String>,
    },
    /// The server offers mechanisms, and none that would do.
    #[error("the server offers {}, not {wanted}", .opened.features.mechanisms.join(", "))]
    NotOffered {
        /// What would do.
        wanted: &'static str,
        /// What is offered.
        opened: Box<Opened>,
    },
    /// The server would take the password only in the clear, and the connection is not encrypted.
    #[error("the server offers only PLAIN, and the connection is not encrypted")]
    PlainInTheClear(Box<Opened>),
    /// The server refuses: `not-authorized` for wrong credentials, `not-allowed` for a token, …
    #[error("the login by {mechanism} is refused: {condition}{}", .text.as_ref()
        .map_or(String::new(), |text| format!(" ({text})")))]
    Refused {
        /// The mechanism used.
        mechanism: &'static str,
        /// RFC 6120 section 6.5.
        condition: String,
        /// The server's own words.
        text: Option<String>,
    },
    /// The server's message of SCRAM cannot be used, or does not prove that it knows the password.
    #[error("the server's side of {mechanism} does not hold: {reason}")]
    Unproven {
        /// The mechanism used.
        mechanism: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Authenticated, and no address was given.
    #[error("no address is bound: {0}")]
    BindRefused(StanzaError),
    /// An element where another was due, or without what it should have.
    #[error("the server's answer is not usable: {0}")]
    Garbled(String),
    /// The stream itself: closed, timed out, broken, another stream error.
    #[error(transparent)]
    Stream(XmppError),
    /// Trouble on our own side.
    #[error("{0}")]
    Ours(String),
}

impl LoginError {
    /// The trouble, if it is on our own side: it says nothing about the server.
    pub fn ours(&self) -> Option<&str> {
        match self {
            Self::Ours(trouble) => Some(trouble),
            Self::Stream(error) => error.ours(),
            _ => None,
        }
    }
}

impl From<XmppError> for LoginError {
    fn from(error: XmppError) -> Self {
        Self::Stream(error)
    }
}

pub(super) async fn login(
    client: &mut Client,
    domain: &str,
    login: &Login,
    also: &[Element],
) -> Result<LoggedIn, LoginError> {
    let start = Instant::now();
    let mut asked = None;
    let opened = open(client, domain, login, &mut asked).await;
    let opened = opened.map_err(|error| not_opened(error, domain))?;
    let mechanism = choose(client, login, &opened)?;
    authenticate(client, login, mechanism, asked).await?;
    let authenticated = start.elapsed();
    let (features, jid) = bind(client, domain, also).await?;
    let mechanism = mechanism.name();
    let elapsed = start.elapsed();
    Ok(LoggedIn { jid, mechanism, opened, features, authenticated, elapsed })
}

/// What the end of a stream means that was just to be opened.
fn not_opened(error: LoginError, domain: &str) -> LoginError {
    let LoginError::Stream(XmppError::Stream(error)) = error else { return error };
    let unknown = ["host-unknown", "host-gone", "improper-addressing"];
    if unknown.contains(&error.condition.as_str()) {
        return LoginError::HostUnknown { domain: domain.to_owned(), error };
    }
    // Prosody's words.
    match &error.text {
        Some(text) if text.contains("No stream features") => {
            LoginError::NoMechanisms { said: error.text }
        }
        _ => LoginError::Stream(XmppError::Stream(error)),
    }
}

/// Opens the stream; over WebSocket a guest's authentication goes out with it, and `asked` says
/// so.
async fn open(
    client: &mut Client,
    domain: &str,
    login: &Login,
    asked: &mut Option<Mechanism>,
) -> Result<Opened, LoginError> {
    match client.carrier() {
        Carrier::Bosh => {
            let (net, url) = (client.net.clone(), client.url.clone());
            let session = net.bosh(&url, domain).await.map_err(ended)?;
            let opened = session.opened.clone();
            client.wire = Some(Wire::Bosh(Polling::start(net, session)));
            Ok(opened)
        }
        Carrier::WebSocket => {
            let start = Instant::now();
            let guest = *login == Login::Anonymous;
            let auth = guest.then(|| auth(Mechanism::Anonymous, None));
            client.open_with(domain, auth.into_iter().collect()).await?;
            *asked = guest.then_some(Mechanism::Anonymous);
            let (open, features) = opening(client).await?;
            let text = |name| open.get_attr(name).map(str::to_owned);
            let elapsed = start.elapsed();
            Ok(Opened { from: text("from"), id: text("id"), features, elapsed })
        }
    }
}

/// The stream's header and its features.
async fn opening(client: &mut Client) -> Result<(Element, Features), LoginError> {
    let open = client.receive_soon().await?;
    if !is_open(&open) {
        return Err(unexpected("open", &open));
    }
    Ok((open, features_of(client).await?))
}

async fn features_of(client: &mut Client) -> Result<Features, LoginError> {
    let element = client.receive_soon().await?;
    features(&element).ok_or_else(|| unexpected("stream:features", &element))
}

fn unexpected(due: &'static str, got: &Element) -> LoginError {
    let got = got.name.chars().take(80).collect();
    LoginError::Stream(XmppError::Unexpected { due, got })
}

fn choose(client: &Client, login: &Login, opened: &Opened) -> Result<Mechanism, LoginError> {
    let offered = &opened.features.mechanisms;
    if offered.is_empty() {
        return Err(LoginError::NoMechanisms { said: None });
    }
    let (wanted, known): (_, &[Mechanism]) = match login {
        Login::Anonymous => ("ANONYMOUS", &[Mechanism::Anonymous]),
        Login::Password { .. } => (
            "SCRAM-SHA-256, SCRAM-SHA-1 or PLAIN",
            &[Mechanism::ScramSha256, Mechanism::ScramSha1, Mechanism::Plain],
        ),
    };
    let best = known.iter().find(|known| offered.iter().any(|name| name == known.name()));
    match best {
        Some(Mechanism::Plain) if !client.is_private() => {
            Err(LoginError::PlainInTheClear(Box::new(opened.clone())))
        }
        Some(mechanism) => Ok(*mechanism),
        None => Err(LoginError::NotOffered { wanted, opened: Box::new(opened.clone()) }),
    }
}

fn auth(mechanism: Mechanism, message: Option<String>) -> Element {
    let auth = Element::new("auth", ns::SASL).attr("mechanism", mechanism.name());
    match message {
        Some(message) => auth.text(message),
        None => auth,
    }
}

async fn authenticate(
    client: &mut Client,
    login: &Login,
    mechanism: Mechanism,
    asked: Option<Mechanism>,
) -> Result<(), LoginError> {
    let Login::Password { user, password } = login else {
        if asked.is_none() {
            client.send(&auth(mechanism, None)).await?;
        }
        return consent(client, mechanism).await.map(drop);
    };
    if mechanism == Mechanism::Plain {
        client.send(&auth(mechanism, Some(plain(user, password)))).await?;
        return consent(client, mechanism).await.map(drop);
    }
    let scram = Scram::new(mechanism, user, password, nonce()?);
    client.send(&auth(mechanism, Some(scram.first()))).await?;
    let challenge = exchange(client, mechanism, "challenge").await?;
    let unproven = |reason| LoginError::Unproven { mechanism: mechanism.name(), reason };
    // The rounds take a while, and other guests must not wait for them.
    let proof = tokio::task::spawn_blocking(move || scram.answer(&challenge)).await;
    let proof = proof.map_err(|error| LoginError::Ours(error.to_string()))?.map_err(unproven)?;
    client.send(&Element::new("response", ns::SASL).text(&proof.message)).await?;
    let last = consent(client, mechanism).await?;
    proof.verify(&last).map_err(unproven)
}

/// The text of the server's consent.
async fn consent(client: &mut Client, mechanism: Mechanism) -> Result<String, LoginError> {
    exchange(client, mechanism, "success").await
}

/// The text of the element that is due, unless the server refuses.
async fn exchange(
    client: &mut Client,
    mechanism: Mechanism,
    due: &'static str,
) -> Result<String, LoginError> {
    let element = client.receive_soon().await?;
    if element.is(due, ns::SASL) {
        return Ok(element.get_text());
    }
    if !element.is("failure", ns::SASL) {
        return Err(unexpected(due, &element));
    }
    let condition = element.elements().find(|child| child.name != "text");
    let text = element.get("text", ns::SASL).map(Element::get_text);
    Err(LoginError::Refused {
        mechanism: mechanism.name(),
        condition: condition.map_or("undefined-condition", |child| &child.name).to_owned(),
        text: text.filter(|text| !text.is_empty()).map(|text| text.chars().take(300).collect()),
    })
}

fn nonce() -> Result<String, LoginError> {
    let random = ring::rand::generate::<[u8; 18]>(&SystemRandom::new());
    let random = random.map_err(|_| LoginError::Ours("no randomness".into()))?;
    Ok(random.expose().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Opens the stream anew and binds a resource that the server chooses; what else is to be sent
/// goes along.
async fn bind(
    client: &mut Client,
    domain: &str,
    also: &[Element],
) -> Result<(Features, String), LoginError> {
    let id = client.next_id();
    let bind = Element::new("iq", ns::CLIENT)
        .attr("type", "set")
        .attr("id", &id)
        .child(Element::new("bind", ns::BIND));
    let together: Vec<Element> = [bind].into_iter().chain(also.iter().cloned()).collect();
    let features = match &mut client.wire {
        Some(Wire::Bosh(polling)) => {
            polling.restart(domain).await?;
            let features = features_of(client).await?;
            client.send_together(&together).await?;
            features
        }
        _ => {
            client.open_with(domain, together).await?;
            opening(client).await?.1
        }
    };
    let limit = client.net.config().request_timeout;
    let answer = tokio::time::timeout(limit, client.answer_to(&id)).await;
    let answer = answer.unwrap_or(Err(XmppError::TimedOut(limit)))?;
    if let Some(error) = stanza_error(&answer) {
        return Err(LoginError::BindRefused(error));
    }
    let jid = answer.get("bind", ns::BIND).and_then(|bind| bind.get("jid", ns::BIND));
    let jid = jid.map(Element::get_text).filter(|jid| (1..=MOST_JID).contains(&jid.len()));
    let jid = jid.ok_or_else(|| LoginError::Garbled("it binds no address".into()))?;
    Ok((features, jid))
}
