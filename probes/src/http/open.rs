//! Connections by host: opened once, and shared where HTTP/2 permits it.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::link::Ground;
use super::{HttpError, Link, Version};
use crate::Net;
use crate::flight::Flights;
use crate::net::Dialled;
use crate::tls::{Alpn, HandshakeError};

/// How long a connection is shared: a run that waits for a repair must see what is there by then.
const KEPT: Duration = Duration::from_secs(10);

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) tls: bool,
    /// Name or address, lower case.
    pub(crate) name: String,
    pub(crate) port: u16,
    /// Only there.
    pub(crate) address: Option<IpAddr>,
    pub(crate) version: Version,
}

/// The shared connections.
pub(crate) type Pool = Flights<Origin, Result<Slot, HttpError>>;

/// What came of opening a connection that others may share.
#[derive(Clone)]
pub(crate) enum Slot {
    /// HTTP/2: for everyone.
    Shared(Arc<Link>),
    /// HTTP/1.1: for the one who opened it; everyone else opens their own.
    Single(Arc<Mutex<Option<Link>>>),
}

impl Net {
    /// A connection to the origin, whose session may or may not be acceptable.
    pub(super) async fn link(&self, origin: &Origin) -> Result<Link, HttpError> {
        if !origin.tls || origin.version == Version::Http1 {
            return self.open(origin).await;
        }
        let usable = |kept: &Result<Slot, HttpError>, age| match kept {
            // A certificate that is not acceptable may be replaced meanwhile.
            Ok(Slot::Shared(link)) => {
                age < KEPT && link.is_acceptable() && link.share(true).is_some()
            }
            Ok(Slot::Single(_)) => true,
            Err(_) => false,
        };
        let (net, wanted) = (self.clone(), origin.clone());
        let open = || async move { net.open(&wanted).await.map(Slot::from) };
        let (slot, opened) = self.pool().get(origin.clone(), usable, open).await;
        let link = match slot? {
            Slot::Shared(link) => link.share(!opened),
            Slot::Single(link) => {
                let taken = link.lock().unwrap_or_else(PoisonError::into_inner).take();
                // Left over by one who gave up: it may be old.
                taken.filter(|_| opened)
            }
        };
        match link {
            Some(link) => Ok(link),
            None => self.open(origin).await,
        }
    }

    /// A new connection, nobody else's.
    pub(crate) async fn open(&self, origin: &Origin) -> Result<Link, HttpError> {
        let start = Instant::now();
        let addresses = self.candidates(origin).await?;
        let resolve = start.elapsed();
        let dialled = self.dial_first(&addresses).await.map_err(|failed| match failed {
            Some((address, error)) => {
                HttpError::Handshake { address, error: HandshakeError::Connect(error) }
            }
            None => HttpError::Resolve {
                name: origin.name.clone(),
                reason: "there is no address to connect to".into(),
            },
        })?;
        let (address, connect) = (dialled.address, dialled.took);
        let ground = |session, permit| Ground { address, session, resolve, connect, permit };
        if !origin.tls {
            let Dialled { stream, permit, .. } = dialled;
            return Link::new(stream, ground(None, permit)).await;
        }
        let alpn = match origin.version {
            Version::Best => Alpn::Best,
            Version::Http1 => Alpn::Http1,
        };
        let secured = self
            .secure(&origin.name, dialled, alpn)
            .await
            .map_err(|error| HttpError::Handshake { address, error })?;
        Link::new(secured.stream, ground(Some(secured.session), secured.permit)).await
    }

    async fn candidates(&self, origin: &Origin) -> Result<Vec<SocketAddr>, HttpError> {
        match origin.address {
            Some(address) => {
                let elsewhere =
                    self.config().overrides.names.get(&(origin.name.clone(), origin.port));
                let given = elsewhere.and_then(|all| all.iter().find(|at| at.ip() == address));
                Ok(vec![given.copied().unwrap_or(SocketAddr::new(address, origin.port))])
            }
            None => self.addresses_for(&origin.name, origin.port).await,
        }
    }
}

impl From<Link> for Slot {
    fn from(link: Link) -> Self {
        if link.is_http2() {
            Self::Shared(Arc::new(link))
        } else {
            Self::Single(Arc::new(Mutex::new(Some(link))))
        }
    }
}
