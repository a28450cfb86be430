//! What an identity is served with.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate with its chain and private key.
#[derive(Clone)]
pub struct Certificate {
    pub(super) config: Arc<ServerConfig>,
    self_signed: bool,
}

impl Certificate {
    /// From a chain and the key of its first certificate, both PEM.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, String> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| format!("the certificate cannot be read: {error}"))?;
        if chain.is_empty() {
            return Err("there is no certificate in the file: expected PEM".to_owned());
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| format!("the private key cannot be read: {error}"))?;
        Ok(Self { config: config(chain, key)?, self_signed: false })
    }

    /// One that nobody but itself vouches for.
    ///
    /// # Errors
    /// A name that no certificate can bear.
    pub fn self_signed(host: &str) -> Result<Self, String> {
        let made = rcgen::generate_simple_self_signed(vec![host.to_owned()])
            .map_err(|error| format!("no certificate can be made for {host}: {error}"))?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
        Ok(Self { config: config(vec![made.cert.der().clone()], key)?, self_signed: true })
    }

    /// Whether nobody vouches for it.
    pub fn is_self_signed(&self) -> bool {
        self.self_signed
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate")
            .field("self_signed", &self.self_signed)
            .finish_non_exhaustive()
    }
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| format!("certificate and private key do not fit: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
