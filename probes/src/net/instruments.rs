//! What all instruments share.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls_pki_types::CertificateDer;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{NetConfig, roots};
use crate::dns::System;
use crate::flight::Flights;
use crate::http::{HttpError, Pool};

/// The instruments. Cheap to clone; connections, answers and limits are shared among clones.
#[derive(Clone)]
pub struct Net {
    inner: Arc<Inner>,
}

struct Inner {
    config: NetConfig,
    resolvers: Vec<SocketAddr>,
    search: Vec<String>,
    provider: Arc<CryptoProvider>,
    roots: OnceLock<Arc<RootCertStore>>,
    permits: Mutex<HashMap<SocketAddr, Arc<Semaphore>>>,
    addresses: Flights<String, Result<Vec<IpAddr>, HttpError>>,
    issuers: Flights<String, Option<CertificateDer<'static>>>,
    pool: Pool,
    cleanups: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

impl Net {
    /// Instruments set up so.
    pub fn new(config: NetConfig) -> Self {
        let System { servers, search } = System::read();
        let resolvers = match config.dns_servers.as_slice() {
            [] => servers,
            given => given.to_vec(),
        };
        Self {
            inner: Arc::new(Inner {
                config,
                resolvers,
                search,
                provider: Arc::new(rustls::crypto::ring::default_provider()),
                roots: OnceLock::new(),
                permits: Mutex::default(),
                addresses: Flights::default(),
                issuers: Flights::default(),
                pool: Pool::default(),
                cleanups: Mutex::default(),
            }),
        }
    }

    /// How they are set up.
    pub fn config(&self) -> &NetConfig {
        &self.inner.config
    }

    /// The name servers that [`Net::lookup`] asks, in this order.
    pub fn resolvers(&self) -> &[SocketAddr] {
        &self.inner.resolvers
    }

    /// The system's search domains.
    pub(crate) fn search(&self) -> &[String] {
        &self.inner.search
    }

    /// The certificate authorities trusted; read at the first use, because it takes a while.
    pub(crate) fn roots(&self) -> &Arc<RootCertStore> {
        self.inner.roots.get_or_init(|| Arc::new(roots::trusted(&self.inner.config)))
    }

    pub(crate) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.inner.provider
    }

    pub(super) fn addresses(&self) -> &Flights<String, Result<Vec<IpAddr>, HttpError>> {
        &self.inner.addresses
    }

    pub(crate) fn issuers(&self) -> &Flights<String, Option<CertificateDer<'static>>> {
        &self.inner.issuers
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    pub(super) fn cleanups(&self) -> &Mutex<Vec<tokio::task::JoinHandle<()>>> {
        &self.inner.cleanups
    }

    /// Leave to connect to this address and port; waits while as many as permitted are under way.
    pub(super) async fn permit(&self, address: SocketAddr) -> Option<OwnedSemaphorePermit> {
        let semaphore = {
            let mut permits = self.inner.permits.lock().unwrap_or_else(PoisonError::into_inner);
            let limit = self.inner.config.connections_per_host.max(1);
            permits.entry(address).or_insert_with(|| Arc::new(Semaphore::new(limit))).clone()
        };
        // Fails only for a closed semaphore, and these are never closed.
        semaphore.acquire_owned().await.ok()
    }
}
