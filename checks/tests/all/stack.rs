//! A small stack of web servers under `example.org`, on one loopback port with TLS, and a name
//! server that knows no other name.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use mxdoctor_checks::{Cx, Entry, Target, check};
use mxdoctor_model::{Finding, Outcome, Vantage};
use mxdoctor_probes::{Net, NetConfig};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

/// The names that exist.
const HOSTS: &[&str] =
    &["example.org", "matrix.example.org", "element.example.org", "meet.example.org"];

/// What a path is answered with.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn json(status: u16, json: serde_json::Value) -> Self {
        Self::new(status, json.to_string()).with("content-type", "application/json")
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn cors(self) -> Self {
        self.with("access-control-allow-origin", "*")
            .with("access-control-allow-methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS")
            .with(
                "access-control-allow-headers",
                "X-Requested-With, Content-Type, Authorization, Date",
            )
    }
}

/// A homeserver's refusal.
pub(crate) fn refusal(status: u16, errcode: &str) -> Answer {
    Answer::json(status, serde_json::json!({"errcode": errcode, "error": "refused"})).cors()
}

type Routes = HashMap<String, Answer>;

/// The stack: what is answered where, keyed `METHOD host/path`; with ` #2` behind it what every
/// second such request is answered with.
pub(crate) struct Stack {
    pub(crate) routes: Routes,
    /// Headers that the homeserver's proxy strips or adds.
    pub(crate) strip_cors: bool,
    /// A host that answers with this for everything that it has not.
    pub(crate) everything: Option<(String, Answer)>,
    /// Answers before everything else, where it has something to say.
    pub(crate) respond: Option<Responder>,
}

/// A request, as far as a server of the tests looks at it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

/// A server that looks closer.
pub(crate) type Responder = Arc<dyn Fn(Seen) -> BoxFuture<'static, Option<Answer>> + Send + Sync>;

impl Stack {
    pub(crate) fn set(&mut self, key: &str, answer: Answer) {
        self.routes.insert(key.to_owned(), answer);
    }

    pub(crate) fn remove(&mut self, key: &str) {
        assert!(self.routes.remove(key).is_some(), "{key} was there");
    }

    fn answer(&self, method: &str, host: &str, path: &str) -> Answer {
        let mut answer = self.routes.get(&format!("{method} {host}{path}")).cloned();
        if answer.is_none() && host == "matrix.example.org" && path.starts_with("/_matrix/") {
            answer = Some(match method {
                "OPTIONS" => Answer::new(204, "").cors(),
                _ => refusal(404, "M_UNRECOGNIZED"),
            });
        }
        if let (None, Some((one, page))) = (&answer, &self.everything)
            && host == one
        {
            answer = Some(page.clone());
        }
        let mut answer = answer.unwrap_or_else(|| Answer::new(404, "404 page not found\n"));
        if self.strip_cors {
            answer.headers.retain(|(name, _)| !name.starts_with("access-control"));
        }
        answer
    }

    /// Starts the servers.
    pub(crate) async fn start(self) -> Running {
        let issuer = rcgen::Issuer::from_params(&AUTHORITY.params, &AUTHORITY.key);
        let key = rcgen::KeyPair::generate().expect("a key");
        let names: Vec<String> = HOSTS.iter().map(|&host| host.to_owned()).collect();
        let leaf = rcgen::CertificateParams::new(names).expect("names");
        let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .expect("a configuration");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let web = listener.local_addr().expect("an address");
        let log = Arc::new(Mutex::new(Vec::new()));
        let stack = Arc::new(self);
        tokio::spawn(serve(listener, acceptor, stack, Arc::clone(&log)));
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let dns = socket.local_addr().expect("an address");
        tokio::spawn(deny_all_names(socket));
        Running { web, dns, log }
    }
}

struct Authority {
    params: rcgen::CertificateParams,
    key: rcgen::KeyPair,
    der: CertificateDer<'static>,
}

static AUTHORITY: std::sync::LazyLock<Authority> = std::sync::LazyLock::new(|| {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let der = params.self_signed(&key).expect("a certificate").der().clone();
    Authority { params, key, der }
});

async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    stack: Arc<Stack>,
    log: Arc<Mutex<Vec<String>>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, stack, log) = (acceptor.clone(), Arc::clone(&stack), Arc::clone(&log));
        tokio::spawn(async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut buffer = Vec::new();
            let (head, start) = loop {
                let mut chunk = [0; 4096];
                let Ok(count) = stream.read(&mut chunk).await else { return };
                buffer.extend_from_slice(&chunk[..count]);
                if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                    break (String::from_utf8_lossy(&buffer[..end]).into_owned(), end + 4);
                }
                if count == 0 {
                    return;
                }
            };
            let mut first = head.lines().next().unwrap_or_default().split(' ');
            let method = first.next().unwrap_or_default().to_owned();
            let target = first.next().unwrap_or_default();
            let path = target.split('?').next().unwrap_or_default();
            let header = |wanted: &str| {
                let named = |line: &'_ str| -> Option<String> {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
                };
                head.lines().find_map(named)
            };
            let host = header("host").unwrap_or_default();
            let length: usize =
                header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            // What is large is answered by its length, as an ingress does.
            while length <= LARGEST && buffer.len() < start + length {
                let mut chunk = [0; 4096];
                let Ok(count @ 1..) = stream.read(&mut chunk).await else { return };
                buffer.extend_from_slice(&chunk[..count]);
            }
            let seen = Seen {
                method: method.clone(),
                path: target.to_owned(),
                authorization: header("authorization"),
                body: String::from_utf8_lossy(&buffer[start..]).into_owned(),
            };
            let line = format!("{method} {host}{path}");
            let before = {
                let mut log = log.lock().expect("the log");
                log.push(line.clone());
                log.iter().filter(|earlier| **earlier == line).count() - 1
            };
            let responded = match &stack.respond {
                Some(respond) => respond(seen).await,
                None => None,
            };
            let answer = match (responded, stack.routes.get(&format!("{line} #2"))) {
                (Some(answer), _) => answer,
                (None, Some(other)) if before % 2 == 1 => other.clone(),
                _ => stack.answer(&method, &host, path),
            };
            let mut text = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", answer.status);
            for (name, value) in &answer.headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            if answer.status != 204 {
                text.push_str(&format!("content-length: {}\r\n", answer.body.len()));
            }
            text.push_str("\r\n");
            text.push_str(&answer.body);
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
            // What is still being sent is read, so that closing does not reset the connection.
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        });
    }
}

/// The largest body, in bytes, that is read before it is answered.
const LARGEST: usize = 1 << 16;

async fn deny_all_names(socket: UdpSocket) {
    let mut buffer = [0; 1500];
    while let Ok((count, from)) = socket.recv_from(&mut buffer).await {
        let Some(end) = question_end(&buffer[..count]) else { continue };
        let mut answer = buffer[..end].to_vec();
        answer[2] = 0x81;
        answer[3] = 0x83;
        // One question, no records.
        answer[4..12].copy_from_slice(&[0, 1, 0, 0, 0, 0, 0, 0]);
        let _ = socket.send_to(&answer, from).await;
    }
}

fn question_end(packet: &[u8]) -> Option<usize> {
    let mut at = 12;
    loop {
        match *packet.get(at)? {
            0 => return (at + 5 <= packet.len()).then_some(at + 5),
            length => at += 1 + usize::from(length),
        }
    }
}

/// A started stack.
pub(crate) struct Running {
    web: SocketAddr,
    dns: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Running {
    /// The requests that came in, as `METHOD host/path`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.log.lock().expect("the log").clone()
    }

    /// A run that knows nothing but the server name.
    pub(crate) fn bare(&self) -> Cx {
        self.run(Vantage::Public, |_| {})
    }

    /// A run with more.
    pub(crate) fn run(&self, vantage: Vantage, set: impl FnOnce(&mut Target)) -> Cx {
        let mut config = NetConfig {
            dns_servers: vec![self.dns],
            extra_roots: vec![AUTHORITY.der.clone()],
            system_roots: false,
            ..NetConfig::default()
        };
        for host in HOSTS {
            config.overrides.names.insert(((*host).to_owned(), 443), vec![self.web]);
        }
        let mut target = Target { server_name: "example.org".into(), ..Target::default() };
        set(&mut target);
        Cx::new(vantage, target, Net::new(config))
    }
}

/// What a check says in a run: its finding, or a skip that names who blocks it.
pub(crate) async fn finding(cx: &Cx, id: &str) -> Finding {
    let check = check(id).unwrap_or_else(|| panic!("{id} is registered"));
    match (check.run)(&cx.for_asker()).await {
        Ok(findings) => match findings.0.into_iter().next() {
            Some(Entry::Finding(finding)) => finding,
            other => panic!("{id} says {other:?}"),
        },
        Err(by) if by.owner == id => *by.finding,
        Err(by) => Finding::skip(format!("blocked by {}: {}", by.owner, by.finding.summary)),
    }
}

/// That a check says so, and for that cause.
pub(crate) async fn expect(cx: &Cx, id: &str, outcome: Outcome, cause: Option<&str>) {
    let finding = finding(cx, id).await;
    assert_eq!((finding.outcome, finding.cause), (outcome, cause), "{id}: {finding:#?}");
    if let Some(cause) = cause {
        let check = check(id).expect("it is registered");
        let known = check.causes.contains(&cause) || mxdoctor_checks::cause(cause).is_some();
        assert!(known, "{id} names the unknown cause {cause}");
    }
}
