//! The handshake itself.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::alert::{alert_in, tls_error};
use super::recorder::Recorder;
use super::{HandshakeError, Session, Staple, describe, ocsp};
use crate::Net;
use crate::net::{Dialled, Tap};

/// Certificates of a chain that are looked at.
const MOST_CERTIFICATES: usize = 16;

/// What is offered by ALPN (RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// `h2`, else `http/1.1`.
    Best,
    /// `http/1.1`.
    Http1,
    /// `postgresql`, as the IANA registry has it; servers from 17 on refuse anything else.
    Postgres,
    /// Nothing, as browsers do for TURN; a front that tells protocols apart relies on it.
    None,
}

/// A connection after its handshake.
pub(crate) struct Secured {
    pub(crate) stream: TlsStream<Tap>,
    pub(crate) session: Arc<Session>,
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

impl Net {
    /// Connects and shakes hands. `name` is what is sent as SNI (not for an address) and verified.
    /// ALPN offers `h2` and `http/1.1`.
    ///
    /// # Errors
    /// [`HandshakeError`], with how far it came.
    pub async fn handshake(
        &self,
        name: &str,
        address: SocketAddr,
    ) -> Result<Arc<Session>, HandshakeError> {
        let dialled = self.dial(address).await?;
        self.secure(name, dialled, Alpn::Best).await.map(|secured| secured.session)
    }

    /// Shakes hands on an open connection and verifies what was sent.
    pub(crate) async fn secure(
        &self,
        name: &str,
        dialled: Dialled,
        alpn: Alpn,
    ) -> Result<Secured, HandshakeError> {
        let name = name.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let server_name = ServerName::try_from(name.clone())
            .map_err(|error| HandshakeError::Other(format!("{name}: {error}")))?;
        let algorithms = self.provider().signature_verification_algorithms;
        let recorder = Arc::new(Recorder::new(algorithms));
        let connector = TlsConnector::from(Arc::new(self.client(recorder.clone(), alpn)?));
        let limit = self.config().connect_timeout;
        let start = Instant::now();
        let connect = connector.connect(server_name.clone(), dialled.stream).into_fallible();
        let stream = match tokio::time::timeout(limit, connect).await {
            Err(_) => return Err(HandshakeError::TimedOut(limit)),
            Ok(Err((error, tap))) => return Err(failure(&error, tap.head())),
            Ok(Ok(stream)) => stream,
        };
        let handshake = start.elapsed();
        let tls = stream.get_ref().1;
        let sent = tls.peer_certificates().unwrap_or_default();
        let sent = &sent[..sent.len().min(MOST_CERTIFICATES)];
        let session = Session {
            name,
            address: dialled.address,
            version: version(tls),
            cipher: cipher(tls),
            alpn: tls.alpn_protocol().map(|alpn| String::from_utf8_lossy(alpn).into_owned()),
            chain: sent.iter().map(|der| describe(der)).collect(),
            verification: self.verify(&server_name, sent).await,
            ocsp: staple(&recorder.stapled(), sent),
            connect: dialled.took,
            handshake,
        };
        Ok(Secured { stream, session: Arc::new(session), permit: dialled.permit })
    }

    fn client(&self, recorder: Arc<Recorder>, alpn: Alpn) -> Result<ClientConfig, HandshakeError> {
        let mut client = ClientConfig::builder_with_provider(self.provider().clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| HandshakeError::Other(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(recorder)
            .with_no_client_auth();
        // A resumed session would come without its certificates.
        client.resumption = rustls::client::Resumption::disabled();
        client.alpn_protocols = match alpn {
            Alpn::Best => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Alpn::Http1 => vec![b"http/1.1".to_vec()],
            Alpn::Postgres => vec![b"postgresql".to_vec()],
            Alpn::None => Vec::new(),
        };
        Ok(client)
    }
}

fn staple(response: &[u8], sent: &[CertificateDer<'_>]) -> Option<Result<Staple, String>> {
    let leaf = sent.first()?;
    (!response.is_empty()).then(|| ocsp::read(response, leaf))
}

fn version(tls: &ClientConnection) -> String {
    match tls.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3".into(),
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2".into(),
        other => format!("{other:?}"),
    }
}

fn cipher(tls: &ClientConnection) -> String {
    let suite = tls.negotiated_cipher_suite().map(|suite| suite.suite());
    suite.and_then(|suite| suite.as_str()).unwrap_or("unknown").to_owned()
}

fn failure(error: &io::Error, head: &[u8]) -> HandshakeError {
    if let Some(alert) = alert_in(error) {
        return HandshakeError::Alert(alert);
    }
    // RFC 8446 section 5.1: records begin with a content type from 20 to 24.
    if head.first().is_some_and(|first| !(20..=24).contains(first)) {
        return HandshakeError::NotTls(printable(head));
    }
    match (tls_error(error), error.kind()) {
        (Some(error), _) => HandshakeError::Other(error.to_string()),
        (
            None,
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected,
        ) => HandshakeError::Closed,
        _ => HandshakeError::Other(error.to_string()),
    }
}

/// The first line, what is not ASCII or not printable as `\x..`.
fn printable(head: &[u8]) -> String {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.trim_ascii().escape_ascii().to_string()
}
