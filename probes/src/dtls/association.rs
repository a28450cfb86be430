//! One association: the handshake and what comes after it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile as Profile;
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error;

use super::order::Arrivals;
use super::wire::{acceptable, alert_name, looks_like_dtls, records, version_name};
use super::{Fingerprint, Identity};

/// Time after which a flight is sent again.
const FLIGHT: Duration = Duration::from_millis(400);

/// How often flights are repeated before the handshake is given up.
const REPEATS: u32 = 12;

/// The longest datagram taken, in bytes.
const MAX_BYTES: usize = 2048;

/// Protected records taken in before the handshake is over: they wait for the keys.
const MAX_EARLY: usize = 256;

/// Label of the keying material (RFC 5764 section 4.2).
const SRTP_LABEL: &str = "EXTRACTOR-dtls_srtp";

/// Which side of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Sends the first hello (`setup=active`).
    Client,
    /// Waits for it (`setup=passive`), and demands a certificate.
    Server,
}

/// SRTP keys of both directions; never printed.
#[derive(Clone)]
pub struct SrtpKeys {
    /// What this side encrypts with: master key, then master salt.
    pub local: (Vec<u8>, Vec<u8>),
    /// What the other side encrypts with.
    pub remote: (Vec<u8>, Vec<u8>),
}

impl std::fmt::Debug for SrtpKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SrtpKeys(***)")
    }
}

/// A completed handshake.
#[derive(Debug, Clone)]
pub struct Secured {
    /// `DTLSv1.2`, as the other side's hello says.
    pub version: String,
    /// Cipher suite by its IANA name.
    pub cipher: String,
    /// SRTP profile by its IANA name.
    pub profile: String,
    /// The other side's certificate.
    pub fingerprint: Fingerprint,
    /// From the first packet to the last.
    pub elapsed: Duration,
    /// Keys for SRTP.
    pub keys: SrtpKeys,
}

/// Why a handshake failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DtlsError {
    /// The certificate is not the one that was signalled.
    #[error("the certificate presented is {presented}, signalled was {signalled}")]
    Fingerprint {
        /// What was signalled.
        signalled: Fingerprint,
        /// What came.
        presented: Fingerprint,
    },
    /// The other side ended it with an alert, by its name in RFC 5246 (`bad_certificate`, …).
    #[error("the other side ended the handshake with the alert {0}")]
    Alert(String),
    /// We ended it, because the other side's part is not acceptable.
    #[error("the handshake is not acceptable: {0}")]
    Refused(String),
    /// Flights were repeated to the limit.
    #[error("no end of the handshake after {0} datagrams")]
    GaveUp(u32),
}

/// One DTLS association.
pub struct Dtls {
    endpoint: Endpoint,
    peer: SocketAddr,
    side: Side,
    arrivals: Arrivals,
    signalled: Vec<Fingerprint>,
    presented: Arc<Mutex<Option<Vec<u8>>>>,
    started: Instant,
    version: Option<(u8, u8)>,
    alert: Option<String>,
    outcome: Option<Result<Secured, DtlsError>>,
    application: VecDeque<BytesMut>,
    outgoing: VecDeque<Vec<u8>>,
    /// The datagrams of the last flight, and when they are sent again. `rtc-dtls` forgets its own
    /// timer when the other side repeats a flight, and both would wait for ever after one loss.
    flight: Vec<Vec<u8>>,
    repeat: Instant,
    repeats: u32,
    /// Protected records that came, most of them before the end of the handshake.
    early: usize,
    /// Datagrams handed out for sending.
    pub sent: u32,
    /// Datagrams taken in.
    pub received: u32,
}

impl Dtls {
    /// Begins as client or server with the peer at that address, who must present a certificate
    /// of one of these fingerprints.
    ///
    /// # Errors
    /// The fingerprints have no known hash, or this machine has no randomness.
    pub fn new(
        now: Instant,
        side: Side,
        identity: &Identity,
        peer: SocketAddr,
        signalled: Vec<Fingerprint>,
    ) -> Result<Self, String> {
        let expected = Fingerprint::strongest(&signalled)
            .ok_or("no fingerprint with a known hash was signalled")?
            .clone();
        let presented = Arc::new(Mutex::new(None));
        let config = config(side, identity, expected, Arc::clone(&presented))
            .map_err(|error| error.to_string())?;
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        let server = (side == Side::Server).then(|| Arc::clone(&config));
        let mut endpoint = Endpoint::new(any, TransportProtocol::UDP, server);
        if side == Side::Client {
            endpoint.connect(now, peer, config, None).map_err(|error| error.to_string())?;
        }
        let mut dtls = Self {
            endpoint,
            peer,
            side,
            arrivals: Arrivals::new(side),
            signalled,
            presented,
            started: now,
            version: None,
            alert: None,
            outcome: None,
            application: VecDeque::new(),
            outgoing: VecDeque::new(),
            flight: Vec::new(),
            repeat: now,
            repeats: 0,
            early: 0,
            sent: 0,
            received: 0,
        };
        dtls.pump(now);
        Ok(dtls)
    }

    /// How it ended; none while it is under way.
    pub fn outcome(&self) -> Option<&Result<Secured, DtlsError>> {
        self.outcome.as_ref()
    }

    /// Whether the other side's hello came.
    pub fn hello_came(&self) -> bool {
        self.version.is_some()
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        let datagram = self.outgoing.pop_front()?;
        self.sent += 1;
        Some(datagram)
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.outcome.is_some() {
            return None;
        }
        let repeat = (!self.flight.is_empty()).then_some(self.repeat);
        self.endpoint.poll_timeout(&self.peer).or(repeat)
    }

    /// Repeats the flight that is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        self.repeats += 1;
        let alive = if self.repeats > REPEATS {
            false
        } else if self.endpoint.poll_timeout(&self.peer).is_some() {
            self.endpoint.handle_timeout(self.peer, now).is_ok()
        } else {
            self.outgoing.extend(self.flight.iter().cloned());
            self.repeat = now + FLIGHT;
            true
        };
        if !alive {
            self.outcome.get_or_insert(Err(DtlsError::GaveUp(self.sent)));
        }
        self.pump(now);
    }

    /// Repeats the flight at once where nothing of the other side has come: what was sent before it
    /// was ready is lost on many.
    pub fn hurry(&mut self, now: Instant) {
        if self.outcome.is_none() && self.received == 0 {
            self.outgoing.extend(self.flight.iter().cloned());
            self.repeat = now + FLIGHT;
        }
    }

    /// Takes a datagram from the peer; anything that is not DTLS is ignored.
    pub fn handle(&mut self, now: Instant, bytes: &[u8]) {
        if bytes.len() > MAX_BYTES || !looks_like_dtls(bytes) {
            return;
        }
        let most = match self.outcome {
            None => MAX_EARLY.saturating_sub(self.early),
            Some(_) => usize::MAX,
        };
        let (bytes, protected) = acceptable(bytes, most);
        self.early = self.early.saturating_add(protected);
        if bytes.is_empty() {
            return;
        }
        self.received += 1;
        self.observe(&bytes);
        if self.outcome.is_some() {
            return self.read_in(now, &bytes);
        }
        let due = self.arrivals.take(&bytes);
        if !due.is_empty() {
            self.read_in(now, &due);
        }
    }

    fn read_in(&mut self, now: Instant, bytes: &[u8]) {
        match self.endpoint.read(now, self.peer, None, BytesMut::from(bytes)) {
            Ok(events) => {
                for event in events {
                    self.on(now, event);
                }
            }
            Err(error) if self.outcome.is_none() => self.outcome = Some(Err(self.explain(&error))),
            Err(_) => {}
        }
        self.pump(now);
    }

    /// Sends application data (SCTP) once the handshake is over.
    ///
    /// # Errors
    /// There is no association (any more).
    pub fn write(&mut self, now: Instant, data: &[u8]) -> Result<(), String> {
        self.endpoint.write(now, self.peer, data).map_err(|error| error.to_string())?;
        self.pump(now);
        Ok(())
    }

    /// The next application data received.
    pub fn read(&mut self) -> Option<BytesMut> {
        self.application.pop_front()
    }

    /// Says goodbye: leaves a `close_notify` to send.
    pub fn close(&mut self, now: Instant) {
        self.endpoint.stop(now, self.peer);
        self.pump(now);
    }

    /// Takes what the endpoint wants to be sent.
    fn pump(&mut self, now: Instant) {
        let batch: Vec<Vec<u8>> = std::iter::from_fn(|| self.endpoint.poll_transmit())
            .map(|transmit| transmit.message.to_vec())
            .collect();
        self.outgoing.extend(batch.iter().cloned());
        let sealed = |datagram: &Vec<u8>| records(datagram).any(|(_, epoch, _)| epoch > 0);
        self.arrivals.answered |= batch.iter().any(sealed);
        if !batch.is_empty() {
            self.flight = batch;
            self.repeat = now + FLIGHT;
        }
    }

    fn on(&mut self, now: Instant, event: EndpointEvent) {
        match event {
            EndpointEvent::HandshakeComplete => self.outcome = Some(self.complete(now)),
            EndpointEvent::ApplicationData(data) if self.application.len() < 256 => {
                self.application.push_back(data);
            }
            EndpointEvent::PeerClosed if self.outcome.is_none() => {
                self.outcome = Some(Err(DtlsError::Alert("close_notify".into())));
            }
            _ => {}
        }
    }

    fn complete(&self, now: Instant) -> Result<Secured, DtlsError> {
        let refused = |why: &str| DtlsError::Refused(why.to_owned());
        let state = self
            .endpoint
            .get_connection_state(self.peer)
            .ok_or_else(|| refused("the association is gone"))?;
        let (profile, key, salt) = match state.srtp_protection_profile() {
            Profile::Srtp_Aead_Aes_128_Gcm => ("SRTP_AEAD_AES_128_GCM", 16, 12),
            Profile::Srtp_Aes128_Cm_Hmac_Sha1_80 => ("SRTP_AES128_CM_HMAC_SHA1_80", 16, 14),
            _ => return Err(refused("no SRTP profile was negotiated")),
        };
        let material = state
            .export_keying_material(SRTP_LABEL, &[], 2 * (key + salt))
            .map_err(|error| refused(&error.to_string()))?;
        let material = material.as_ref();
        let hash = Fingerprint::strongest(&self.signalled).map_or("sha-256", |f| f.hash.as_str());
        let fingerprint = state
            .peer_certificates
            .first()
            .and_then(|der| Fingerprint::of(der, &hash.to_ascii_lowercase()))
            .ok_or_else(|| refused("the other side sent no certificate"))?;
        Ok(Secured {
            version: self.version.map_or_else(String::new, version_name),
            cipher: state.cipher_suite().map_or_else(String::new, |suite| suite.to_string()),
            profile: profile.to_owned(),
            fingerprint,
            elapsed: now.duration_since(self.started),
            keys: keys(material, key, salt, self.side),
        })
    }

    fn explain(&self, error: &Error) -> DtlsError {
        let presented = self.presented.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let signalled = Fingerprint::strongest(&self.signalled);
        if let (Some(der), Some(signalled)) = (presented, signalled) {
            let presented = Fingerprint::of(&der, &signalled.hash.to_ascii_lowercase());
            if let Some(presented) = presented.filter(|p| !p.value.eq(&signalled.value)) {
                return DtlsError::Fingerprint { signalled: signalled.clone(), presented };
            }
        }
        match &self.alert {
            Some(alert) => DtlsError::Alert(alert.clone()),
            None => DtlsError::Refused(error.to_string()),
        }
    }

    /// Reads what is in the clear: the hello's version, and alerts.
    fn observe(&mut self, datagram: &[u8]) {
        let hello = if self.side == Side::Client { 2 } else { 1 };
        for (kind, epoch, body) in records(datagram) {
            match (kind, epoch, body) {
                (22, 0, [message, ..]) if *message == hello && body.len() >= 14 => {
                    self.version.get_or_insert((body[12], body[13]));
                }
                (21, 0, [_, description]) => self.alert = Some(alert_name(*description)),
                _ => {}
            }
        }
    }
}

impl std::fmt::Debug for Dtls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dtls").field("side", &self.side).finish_non_exhaustive()
    }
}

fn config(
    side: Side,
    identity: &Identity,
    expected: Fingerprint,
    presented: Arc<Mutex<Option<Vec<u8>>>>,
) -> Result<Arc<HandshakeConfig>, Error> {
    let verify = move |chain: &[Vec<u8>], _: &[rustls_pki_types::CertificateDer<'static>]| {
        let leaf = chain.first().ok_or_else(|| Error::Other("no certificate".into()))?;
        *presented.lock().unwrap_or_else(PoisonError::into_inner) = Some(leaf.clone());
        let shown = Fingerprint::of(leaf, &expected.hash.to_ascii_lowercase());
        match shown {
            Some(shown) if shown.value == expected.value => Ok(()),
            _ => Err(Error::Other("the certificate is not the one signalled".into())),
        }
    };
    let builder = ConfigBuilder::default()
        .with_crypto_provider(Arc::clone(&identity.provider))
        .with_certificates(vec![identity.certificate.clone()])
        .with_cipher_suites(vec![
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
        ])
        .with_srtp_protection_profiles(vec![
            Profile::Srtp_Aead_Aes_128_Gcm,
            Profile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        ])
        .with_extended_master_secret(ExtendedMasterSecretType::Request)
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        .with_insecure_skip_verify(true)
        .with_flight_interval(FLIGHT)
        .with_verify_peer_certificate(Some(Arc::new(verify)));
    builder.build(side == Side::Client, None).map(Arc::new)
}

/// RFC 5764 section 4.2: client key, server key, client salt, server salt.
fn keys(material: &[u8], key: usize, salt: usize, side: Side) -> SrtpKeys {
    let (both_keys, both_salts) = material.split_at(2 * key);
    let half = |which: usize| {
        (
            both_keys[which * key..(which + 1) * key].to_vec(),
            both_salts[which * salt..(which + 1) * salt].to_vec(),
        )
    };
    match side {
        Side::Client => SrtpKeys { local: half(0), remote: half(1) },
        Side::Server => SrtpKeys { local: half(1), remote: half(0) },
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
