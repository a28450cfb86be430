//! Certificates and their fingerprints.

use std::sync::Arc;

use ring::digest;
use rtc_dtls::crypto::Certificate;
use rtc_dtls::crypto_provider::{RTCCryptoProvider, default_provider};

/// A certificate's digest as signalled: the hash's name in lower case, and pairs of upper-case
/// hexadecimal digits with colons. The bridge compares these as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// `sha-256`, `sha-1`, `sha-384` or `sha-512`.
    pub hash: String,
    /// `AB:CD:…`
    pub value: String,
}

impl Fingerprint {
    /// The digest of a certificate in DER. None for a hash that is not known.
    pub fn of(certificate: &[u8], hash: &str) -> Option<Self> {
        let (_, algorithm) = ALGORITHMS.iter().find(|(name, _)| *name == hash)?;
        let digest = digest::digest(algorithm, certificate);
        let pairs: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        Some(Self { hash: hash.to_owned(), value: pairs.join(":") })
    }

    /// One as signalled, in whatever case. None for what is no digest.
    pub fn signalled(hash: &str, value: &str) -> Option<Self> {
        let (hash, value) = (hash.trim().to_ascii_lowercase(), value.trim().to_ascii_uppercase());
        let sane = |text: &str, most| (1..=most).contains(&text.len());
        (sane(&hash, 32) && sane(&value, 256)).then_some(Self { hash, value })
    }

    /// The one with the strongest hash that is known.
    pub(super) fn strongest(signalled: &[Self]) -> Option<&Self> {
        let known = ALGORITHMS.iter().map(|(name, _)| *name);
        known.rev().find_map(|name| signalled.iter().find(|f| f.hash.eq_ignore_ascii_case(name)))
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.hash, self.value)
    }
}

/// Known hashes, weakest first.
static ALGORITHMS: [(&str, &digest::Algorithm); 4] = [
    ("sha-1", &digest::SHA1_FOR_LEGACY_USE_ONLY),
    ("sha-256", &digest::SHA256),
    ("sha-384", &digest::SHA384),
    ("sha-512", &digest::SHA512),
];

/// A self-signed ECDSA P-256 certificate with its key: the bridge demands that kind.
#[derive(Clone)]
pub struct Identity {
    pub(super) certificate: Certificate,
    pub(super) provider: Arc<dyn RTCCryptoProvider>,
    /// To be signalled.
    pub fingerprint: Fingerprint,
}

impl Identity {
    /// A new one.
    ///
    /// # Errors
    /// No randomness on this machine.
    pub fn new() -> Result<Self, String> {
        let provider = default_provider().map_err(|error| error.to_string())?;
        let names = vec!["mxdoctor".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider.crypto())
            .map_err(|error| error.to_string())?;
        let der = certificate.certificate.first().ok_or("no certificate was made")?;
        let fingerprint = Fingerprint::of(der, "sha-256").ok_or("no SHA-256")?;
        Ok(Self { certificate, provider, fingerprint })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Identity").field(&self.fingerprint).finish()
    }
}
