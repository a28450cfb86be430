//! An allocation: an address at the server from which our datagrams go out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::error::TurnError;
use super::frame::channel_data;
use super::link::Link;
use super::message::{Attributes, Class, Message, Method};
use super::session::{Family, PATIENCE, Server, Session, Step};
use crate::{Net, stun, tls};

/// UDP, by its number.
const UDP: u8 = 17;

/// The first of the channel numbers, and the last (RFC 8656 section 12).
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x4fff;

/// How long giving up takes in the background at most.
const GOODBYE: Duration = Duration::from_secs(1);

/// Servers asked after each other when each sends us on.
const MOST_SERVERS: usize = 3;

/// What the server said of an allocation.
#[derive(Debug, Clone)]
pub struct Allocation {
    /// The server's address, before overrides.
    pub server: SocketAddr,
    /// The address at the server; what peers see.
    pub relayed: SocketAddr,
    /// Where the server sees us.
    pub mapped: Option<SocketAddr>,
    /// How long it stands unless refreshed.
    pub lifetime: Duration,
    /// What the server calls its domain.
    pub realm: Option<String>,
    /// What the server runs.
    pub software: Option<String>,
    /// The TLS session, for [`super::Carrier::Tls`].
    pub session: Option<Arc<tls::Session>>,
}

/// What asking for an allocation came to.
#[derive(Debug)]
pub struct Attempt {
    /// The last server asked, before overrides.
    pub address: SocketAddr,
    /// Every request.
    pub steps: Vec<Step>,
    /// The TLS session, also one whose certificate was refused.
    pub session: Option<Arc<tls::Session>>,
    /// The relay, if there is one.
    pub outcome: Result<Relay, TurnError>,
}

impl Net {
    /// Asks the server at this address for an allocation. Where it sends us to another one that
    /// one is asked.
    pub async fn turn(&self, server: &Server, address: SocketAddr, family: Family) -> Attempt {
        let mut address = address;
        let mut steps = Vec::new();
        for _ in 0..MOST_SERVERS {
            let mut attempt = allocate(self, server, address, family).await;
            steps.append(&mut attempt.steps);
            match attempt.outcome {
                Err(TurnError::Elsewhere(next)) if next != address => address = next,
                _ => return Attempt { steps, ..attempt },
            }
        }
        let outcome = Err(TurnError::Elsewhere(address));
        Attempt { address, steps, session: None, outcome }
    }
}

async fn allocate(net: &Net, server: &Server, address: SocketAddr, family: Family) -> Attempt {
    let failed = |error| {
        let session = match &error {
            TurnError::Certificate(session) => Some(session.clone()),
            _ => None,
        };
        Attempt { address, steps: Vec::new(), session, outcome: Err(error) }
    };
    let (link, tls) = match Link::open(net, server, address).await {
        Ok(open) => open,
        Err(error) => return failed(error),
    };
    let session = Session::new(link, server.credentials.clone());
    // From here on a drop gives up what the server may have made.
    let mut held = Held { net: net.clone(), session: Some(session) };
    let wanted = Attributes {
        transport: Some(UDP),
        family: (family == Family::V6).then_some(2),
        ..Attributes::default()
    };
    let answer = held.session().ask(Method::Allocate, &wanted).await;
    let steps = held.session().steps.clone();
    let outcome = answer.and_then(|answer| {
        let relayed = answer.relayed;
        let relayed = relayed.ok_or(TurnError::Incomplete(Method::Allocate, "relayed address"))?;
        let allocation = Allocation {
            server: address,
            relayed,
            mapped: answer.mapped,
            lifetime: Duration::from_secs(answer.lifetime.unwrap_or(600).into()),
            realm: held.session().realm().map(str::to_owned),
            software: answer.software,
            session: tls.clone(),
        };
        Ok(allocation)
    });
    let outcome = match outcome {
        Ok(allocation) => Ok(Relay { allocation, held }),
        Err(error) => {
            // Refused, or never asked with credentials: there is nothing to give up.
            if error.code().is_some() || held.session().realm().is_none() {
                held.session = None;
            }
            Err(error)
        }
    };
    Attempt { address, steps, session: tls, outcome }
}

/// A standing allocation. Dropping it gives it up in the background; [`Relay::close`] also says
/// how that went.
pub struct Relay {
    /// What the server said.
    pub allocation: Allocation,
    held: Held,
}

impl Relay {
    /// Lets datagrams of that peer's address in, and ours out to it.
    ///
    /// # Errors
    /// [`TurnError`]; 403 where the server does not relay to such addresses.
    pub async fn permit(&mut self, peer: SocketAddr) -> Result<(), TurnError> {
        let attributes = Attributes { peer: Some(peer), ..Attributes::default() };
        self.held.session().ask(Method::CreatePermission, &attributes).await.map(drop)
    }

    /// Gives the peer a channel, which permits it as well; datagrams then need just four bytes.
    ///
    /// # Errors
    /// [`TurnError`].
    pub async fn bind_channel(&mut self, peer: SocketAddr) -> Result<u16, TurnError> {
        let session = self.held.session();
        let known = session.channels.iter().find(|(_, bound)| **bound == peer);
        let channel = match known.map(|(channel, _)| *channel) {
            Some(channel) => channel,
            None => {
                let mut free = CHANNELS.filter(|channel| !session.channels.contains_key(channel));
                free.next().ok_or_else(|| TurnError::Ours("all channels are in use".into()))?
            }
        };
        let attributes =
            Attributes { channel: Some(channel), peer: Some(peer), ..Attributes::default() };
        session.ask(Method::ChannelBind, &attributes).await?;
        session.channels.insert(channel, peer);
        Ok(channel)
    }

    /// Sends a datagram to a permitted peer, by its channel if it has one. Whether it arrives is
    /// not told.
    ///
    /// # Errors
    /// [`TurnError`] for a link that is gone, or a datagram beyond the bound.
    pub async fn send_to(&mut self, data: &[u8], peer: SocketAddr) -> Result<(), TurnError> {
        let session = self.held.session();
        let channel = session.channels.iter().find(|(_, bound)| **bound == peer);
        let bytes = match channel {
            Some((channel, _)) => channel_data(*channel, data, session.link.is_stream()),
            None => {
                let mut message =
                    Message::new(Method::Send, Class::Indication, stun::transaction());
                message.attributes.peer = Some(peer);
                message.attributes.data = Some(data.to_vec());
                message.encode(None)
            }
        };
        let bytes = bytes.map_err(TurnError::Ours)?;
        let sending = timeout(PATIENCE, session.link.send(&bytes)).await;
        let silent = TurnError::Silent { method: Method::Send, sent: 0, limit: PATIENCE };
        sending.unwrap_or(Err(silent))
    }

    /// The next datagram of a peer, with the peer's address. Waits without limit; cancel-safe.
    ///
    /// # Errors
    /// [`TurnError`] for a link that is gone.
    pub async fn receive_from(&mut self) -> Result<(Vec<u8>, SocketAddr), TurnError> {
        let session = self.held.session();
        loop {
            if let Some(datagram) = session.kept.pop_front() {
                return Ok(datagram);
            }
            session.receive().await?;
        }
    }

    /// Sends a datagram (a STUN check for a bridge's candidate, say) until something comes back
    /// from that peer, and gives that; none for silence. The peer has to be permitted.
    ///
    /// # Errors
    /// [`TurnError`] for a link that is gone.
    pub async fn answer_of(
        &mut self,
        peer: SocketAddr,
        datagram: &[u8],
        limit: Duration,
    ) -> Result<Option<Vec<u8>>, TurnError> {
        let asking = async {
            loop {
                self.send_to(datagram, peer).await?;
                let hearing = async {
                    loop {
                        match self.receive_from().await {
                            Ok((data, from)) if from == peer => return Ok(data),
                            Ok(_) => {}
                            Err(error) => return Err(error),
                        }
                    }
                };
                if let Ok(answer) = timeout(limit / 4, hearing).await {
                    return answer;
                }
            }
        };
        timeout(limit, asking).await.ok().transpose()
    }

    /// Makes the allocation stand for longer.
    ///
    /// # Errors
    /// [`TurnError`].
    pub async fn refresh(&mut self) -> Result<Duration, TurnError> {
        let answer = self.held.session().ask(Method::Refresh, &Attributes::default()).await?;
        let lifetime = answer.lifetime.ok_or(TurnError::Incomplete(Method::Refresh, "lifetime"))?;
        Ok(Duration::from_secs(lifetime.into()))
    }

    /// Every request so far.
    pub fn steps(&self) -> &[Step] {
        self.held.session.as_ref().map_or(&[], |session| &session.steps)
    }

    /// Gives the allocation up at once.
    ///
    /// # Errors
    /// [`TurnError`]; the server then ends it itself when its lifetime is over.
    pub async fn close(mut self) -> Result<(), TurnError> {
        // The session stays where a drop finds it until the server has answered.
        let answer = give_up(self.held.session()).await;
        self.held.session = None;
        answer
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Relay").field(&self.allocation).finish()
    }
}

/// A session whose allocation, if any, is given up when this is dropped.
struct Held {
    net: Net,
    session: Option<Session>,
}

impl Held {
    fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("there until it is closed or dropped")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(mut session) = self.session.take() {
            self.net.clean_up(async move {
                // The server ends it itself when its lifetime is over where this fails.
                let _ = timeout(GOODBYE, give_up(&mut session)).await;
            });
        }
    }
}

async fn give_up(session: &mut Session) -> Result<(), TurnError> {
    let none = Attributes { lifetime: Some(0), ..Attributes::default() };
    match session.ask(Method::Refresh, &none).await {
        // It is gone already.
        Err(TurnError::Answer { code: 437, .. }) => Ok(()),
        other => other.map(drop),
    }
}
