//! Serves the key document of an identity over HTTPS, and keeps account of who asks for it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_rustls::LazyConfigAcceptor;

use super::{Certificate, Identity};

/// Connections at a time; more are closed at once.
const AT_A_TIME: usize = 16;
/// Visits kept account of; after that nobody is served.
const MOST: usize = 256;
/// How long one connection may take in all.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of a request's head.
const HEAD: usize = 16 * 1024;
/// Characters kept of what a visitor says.
const WORD: usize = 200;

/// A port that waits for its identity.
#[derive(Debug)]
pub struct IdentityListener {
    listener: TcpListener,
    address: SocketAddr,
}

/// A served identity; it ends when dropped.
#[derive(Debug)]
pub struct IdentityServer {
    account: Arc<Account>,
    task: AbortHandle,
}

/// Somebody came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Since the server began.
    pub after: Duration,
    /// Where from.
    pub from: SocketAddr,
    /// The name asked for by SNI.
    pub sni: Option<String>,
    /// How it ended.
    pub end: VisitEnd,
}

/// How a visit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitEnd {
    /// The visitor refused the TLS session with an alert: the certificate, as a rule.
    Refused(String),
    /// There was no TLS session for another reason.
    NoSession(String),
    /// A TLS session, and no request over it.
    Silent,
    /// A request, and how it was answered.
    Asked {
        /// Method and path.
        line: String,
        /// `Host`.
        host: Option<String>,
        /// `User-Agent`.
        agent: Option<String>,
        /// Status of the answer; 200 is the key document or the version.
        status: u16,
    },
}

impl Visit {
    /// Whether the visitor has the key document.
    pub fn has_key(&self) -> bool {
        matches!(&self.end, VisitEnd::Asked { line, status: 200, .. } if line.contains("/key/"))
    }
}

#[derive(Debug)]
struct Account {
    start: Instant,
    visits: Mutex<Vec<Visit>>,
}

impl Account {
    fn visits(&self) -> MutexGuard<'_, Vec<Visit>> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, from: SocketAddr, sni: Option<&str>, end: VisitEnd) {
        let mut visits = self.visits();
        if visits.len() < MOST {
            let sni = sni.map(short);
            visits.push(Visit { after: self.start.elapsed(), from, sni, end });
        }
    }
}

impl IdentityListener {
    /// Takes the port; 0 is any.
    ///
    /// # Errors
    /// The system's.
    pub async fn bind(listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The address and port taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the identity until the server is dropped. Must be called in a Tokio runtime.
    pub fn serve(self, identity: Arc<Identity>, certificate: Certificate) -> IdentityServer {
        let account = Arc::new(Account { start: Instant::now(), visits: Mutex::new(Vec::new()) });
        let task = accept(self.listener, identity, certificate, Arc::clone(&account));
        IdentityServer { account, task: tokio::spawn(task).abort_handle() }
    }
}

impl IdentityServer {
    /// Everybody who came so far, in the order in which they were done.
    pub fn visits(&self) -> Vec<Visit> {
        self.account.visits().clone()
    }
}

impl Drop for IdentityServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    identity: Arc<Identity>,
    certificate: Certificate,
    account: Arc<Account>,
) {
    // The connections end with this task.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, from)) = listener.accept().await else {
            // Out of descriptors, or a visitor that is gone already.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        if connections.len() >= AT_A_TIME || account.visits().len() >= MOST {
            continue;
        }
        let (identity, certificate) = (Arc::clone(&identity), certificate.clone());
        let account = Arc::clone(&account);
        connections.spawn(async move {
            let visit = visit(stream, from, &identity, &certificate, &account);
            if timeout(PATIENCE, visit).await.is_err() {
                let end = VisitEnd::NoSession(format!("no end within {PATIENCE:?}"));
                account.note(from, None, end);
            }
        });
    }
}

async fn visit(
    stream: TcpStream,
    from: SocketAddr,
    identity: &Arc<Identity>,
    certificate: &Certificate,
    account: &Arc<Account>,
) {
    let hello = match LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await {
        Ok(hello) => hello,
        Err(error) => return account.note(from, None, failed(&error)),
    };
    let sni = hello.client_hello().server_name().map(str::to_owned);
    let session = match hello.into_stream(Arc::clone(&certificate.config)).await {
        Ok(session) => session,
        Err(error) => return account.note(from, sni.as_deref(), failed(&error)),
    };
    let before = account.visits().iter().filter(|visit| visit.from == from).count();
    let service = service_fn(|request| {
        let (answer, end) = answer(identity, &request);
        account.note(from, sni.as_deref(), end);
        async move { Ok::<_, Infallible>(answer) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(session), service)
        .await;
    let after = account.visits().iter().filter(|visit| visit.from == from).count();
    if before == after {
        let end = match served {
            Err(error) if error.is_parse() => VisitEnd::NoSession(format!("no request: {error}")),
            Ok(()) | Err(_) => VisitEnd::Silent,
        };
        account.note(from, sni.as_deref(), end);
    }
}

/// What kept a TLS session from coming about.
fn failed(error: &io::Error) -> VisitEnd {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::AlertReceived(alert)) => VisitEnd::Refused(format!("{alert:?}")),
        _ => VisitEnd::NoSession(short(&error.to_string())),
    }
}

fn answer(
    identity: &Identity,
    request: &http::Request<Incoming>,
) -> (http::Response<Full<Bytes>>, VisitEnd) {
    let path = request.uri().path();
    let key = path == "/_matrix/key/v2/server" || path.starts_with("/_matrix/key/v2/server/");
    let (status, body) = match (request.method().as_str(), path) {
        ("GET", _) if key => (200, identity.document(now())),
        ("GET", "/_matrix/federation/v1/version") => {
            let version = env!("CARGO_PKG_VERSION");
            (200, json!({ "server": { "name": "mxdoctor", "version": version } }))
        }
        _ => (404, json!({ "errcode": "M_UNRECOGNIZED", "error": "nothing here" })),
    };
    let header = |name| Some(short(request.headers().get(name)?.to_str().ok()?));
    let end = VisitEnd::Asked {
        line: short(&format!("{} {path}", request.method())),
        host: header(http::header::HOST),
        agent: header(http::header::USER_AGENT),
        status,
    };
    let mut answer = http::Response::new(Full::from(body.to_string()));
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    let json = http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(http::header::CONTENT_TYPE, json);
    (answer, end)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What a visitor says, in printable characters and not too many of them.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(WORD).collect()
}
