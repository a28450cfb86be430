//! A session with PostgreSQL: connect, encrypt, authenticate, ask.
//!
//! TLS is negotiated here (PostgreSQL protocol, "SSL Session Encryption") and not by the driver,
//! so that a refusal is told apart from a bad certificate, and certificates are described.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::Net;
use crate::http::HttpError;
use crate::net::Dialled;
use crate::tls::{Alpn, ConnectError, HandshakeError, Session, Trust};

/// Bytes read in one session at most.
const MAX_READ: u64 = 1024 * 1024;

/// `SSLRequest`: its length and the number 80877103.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Where and as whom to connect.
#[derive(Clone)]
pub struct PgTarget {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Role.
    pub user: String,
    /// Its password; never printed.
    pub password: String,
    /// Database name.
    pub name: String,
    /// Whether to encrypt.
    pub tls: PgTls,
}

impl std::fmt::Debug for PgTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "postgres://{}:***@{}:{}/{}", self.user, self.host, self.port, self.name)
    }
}

/// Whether to encrypt, as in libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PgTls {
    /// Never.
    Disable,
    /// Where the server can (`allow` and `prefer`).
    Prefer,
    /// Always, whoever the server is.
    Require,
    /// Always, with a certificate of a trusted authority.
    VerifyCa,
    /// Always, with a certificate of a trusted authority for the host.
    VerifyFull,
}

impl FromStr for PgTls {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "disable" => Self::Disable,
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => {
                return Err(format!(
                    "`{text}` is no sslmode: expected disable, prefer, require, verify-ca or \
                     verify-full"
                ));
            }
        })
    }
}

/// Why there is no session, or no answer in it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PgError {
    /// The name has no address.
    #[error("{name} does not resolve: {reason}")]
    Resolve {
        /// Host name.
        name: String,
        /// NXDOMAIN, …
        reason: String,
    },
    /// TCP did not come about with any address; the last one's error.
    #[error("{address}: {error}")]
    Connect {
        /// Address connected to, before overrides.
        address: SocketAddr,
        /// How far it came.
        error: ConnectError,
    },
    /// Connected, and no answer within the limit.
    #[error("{address}: no answer within {limit:?}")]
    TimedOut {
        /// Address connected to, before overrides.
        address: SocketAddr,
        /// The limit.
        limit: Duration,
    },
    /// The server closed the connection without a word.
    #[error("{address}: the connection was closed without an answer")]
    Closed {
        /// Address connected to, before overrides.
        address: SocketAddr,
    },
    /// The server does not encrypt, and it was asked to.
    #[error("the server does not support TLS")]
    TlsRefused,
    /// The handshake failed.
    #[error("TLS: {0}")]
    Handshake(HandshakeError),
    /// Verification was asked for and says no.
    #[error("the server's certificate is not acceptable")]
    Certificate(Arc<Session>),
    /// The server refuses, with its own code.
    #[error("{severity} {code}: {message}")]
    Server {
        /// SQLSTATE (PostgreSQL, appendix A): `28P01`, `3D000`, `53300`, `57P03`, …
        code: String,
        /// `FATAL`, `ERROR`, …
        severity: String,
        /// In the server's language.
        message: String,
    },
    /// What came is not PostgreSQL, or something that is not understood here.
    #[error("not understood: {0}")]
    Protocol(String),
    /// Trouble on our own side.
    #[error("{0}")]
    Ours(String),
}

impl PgError {
    /// The SQLSTATE, where the server gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Server { code, .. } => Some(code),
            _ => None,
        }
    }
}

/// A session in a read-only transaction.
pub struct PgSession {
    client: Client,
    connection: tokio::task::JoinHandle<()>,
    /// Address connected to, before overrides.
    pub address: SocketAddr,
    /// The TLS session; none without encryption.
    pub tls: Option<Arc<Session>>,
    /// TCP connect.
    pub connect: Duration,
    /// From the start to being authenticated.
    pub ready: Duration,
    limit: Duration,
    _permit: Option<tokio::sync::OwnedSemaphorePermit>,
}

impl Net {
    /// Connects, authenticates and begins a read-only transaction. Encryption is as the target
    /// says; the certificate's verification is in the session in any case.
    ///
    /// # Errors
    /// [`PgError`].
    pub async fn postgres(&self, target: &PgTarget) -> Result<PgSession, PgError> {
        let start = Instant::now();
        let dialled = self.pg_dial(target).await?;
        let (address, connect) = (dialled.address, dialled.took);
        let limit = self.config().request_timeout;
        let open = self.pg_open(target, dialled);
        let opened = tokio::time::timeout(limit, open).await;
        let (client, connection, tls, permit) =
            opened.map_err(|_| PgError::TimedOut { address, limit })??;
        let ready = start.elapsed();
        let session =
            PgSession { client, connection, address, tls, connect, ready, limit, _permit: permit };
        session.rows("BEGIN TRANSACTION READ ONLY").await?;
        Ok(session)
    }

    async fn pg_dial(&self, target: &PgTarget) -> Result<Dialled, PgError> {
        let addresses = match self.addresses_for(&target.host, target.port).await {
            Ok(addresses) => addresses,
            Err(HttpError::Resolve { name, reason }) => {
                return Err(PgError::Resolve { name, reason });
            }
            Err(error) => return Err(PgError::Ours(error.to_string())),
        };
        self.dial_first(&addresses).await.map_err(|failed| match failed {
            Some((_, ConnectError::Ours(reason))) => PgError::Ours(reason),
            Some((address, error)) => PgError::Connect { address, error },
            None => PgError::Ours(format!("no address of {} could be tried", target.host)),
        })
    }

    async fn pg_open(&self, target: &PgTarget, mut dialled: Dialled) -> Result<Opened, PgError> {
        let address = dialled.address;
        let encrypt = match target.tls {
            PgTls::Disable => false,
            PgTls::Prefer => pg_asks_tls(&mut dialled).await?,
            PgTls::Require | PgTls::VerifyCa | PgTls::VerifyFull => {
                if !pg_asks_tls(&mut dialled).await? {
                    return Err(PgError::TlsRefused);
                }
                true
            }
        };
        if !encrypt {
            let (client, connection) = login(target, address, dialled.stream).await?;
            return Ok((client, connection, None, dialled.permit));
        }
        let secured = self.secure(&target.host, dialled, Alpn::Postgres).await;
        let secured = secured.map_err(PgError::Handshake)?;
        let seen = &secured.session.verification;
        let trusted = seen.trust == Trust::Trusted && seen.in_dates;
        let acceptable = match target.tls {
            PgTls::Disable | PgTls::Prefer | PgTls::Require => true,
            PgTls::VerifyCa => trusted,
            PgTls::VerifyFull => seen.accepted(),
        };
        if !acceptable {
            return Err(PgError::Certificate(secured.session));
        }
        let (client, connection) = login(target, address, secured.stream).await?;
        Ok((client, connection, Some(secured.session), secured.permit))
    }
}

type Opened = (
    Client,
    tokio::task::JoinHandle<()>,
    Option<Arc<Session>>,
    Option<tokio::sync::OwnedSemaphorePermit>,
);

/// Asks whether the server encrypts.
async fn pg_asks_tls(dialled: &mut Dialled) -> Result<bool, PgError> {
    let address = dialled.address;
    let closed = |_| PgError::Closed { address };
    dialled.stream.write_all(&SSL_REQUEST).await.map_err(closed)?;
    match dialled.stream.read_u8().await.map_err(closed)? {
        b'S' => Ok(true),
        b'N' => Ok(false),
        b'E' => Err(PgError::Protocol("an error in answer to the request for TLS".into())),
        other => Err(PgError::Protocol(format!(
            "the answer to the request for TLS begins with `{}`",
            other.escape_ascii()
        ))),
    }
}

async fn login<S>(
    target: &PgTarget,
    address: SocketAddr,
    stream: S,
) -> Result<(Client, tokio::task::JoinHandle<()>), PgError>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (read, write) = tokio::io::split(stream);
    let stream = tokio::io::join(read.take(MAX_READ), write);
    let (client, connection) = tokio_postgres::Config::new()
        .user(&target.user)
        .password(&target.password)
        .dbname(&target.name)
        .application_name("mxdoctor")
        // The stream is encrypted already where it is to be.
        .ssl_mode(SslMode::Disable)
        .connect_raw(stream, NoTls)
        .await
        .map_err(|error| failure(&error, address))?;
    let connection = tokio::spawn(async move {
        // What goes wrong is told to whoever waits for an answer.
        let _ = connection.await;
    });
    Ok((client, connection))
}

fn failure(error: &tokio_postgres::Error, address: SocketAddr) -> PgError {
    if let Some(server) = error.as_db_error() {
        return PgError::Server {
            code: server.code().code().to_owned(),
            severity: server.severity().to_owned(),
            message: server.message().chars().take(500).collect(),
        };
    }
    let source = std::error::Error::source(error);
    if error.is_closed() || source.is_some_and(|source| source.is::<std::io::Error>()) {
        let kind = source.and_then(|source| source.downcast_ref()).map(std::io::Error::kind);
        if kind.is_none_or(|kind| kind != std::io::ErrorKind::InvalidData) {
            return PgError::Closed { address };
        }
    }
    let reason = source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    PgError::Protocol(reason.chars().take(300).collect())
}

impl PgSession {
    /// The rows of a query, every value as text.
    ///
    /// # Errors
    /// [`PgError`].
    pub async fn rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, PgError> {
        let answer = tokio::time::timeout(self.limit, self.client.simple_query(sql)).await;
        let timed_out = |_| PgError::TimedOut { address: self.address, limit: self.limit };
        let messages = answer.map_err(timed_out)?.map_err(|e| failure(&e, self.address))?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Ends the transaction and the session, and waits a moment for the goodbye to be sent.
    pub async fn close(self) {
        let Self { client, connection, .. } = self;
        drop(client);
        // Whether or not the server is polite, we are done.
        let _ = tokio::time::timeout(Duration::from_secs(1), connection).await;
    }
}

#[cfg(test)]
mod tests;
