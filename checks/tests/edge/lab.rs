//! A stack of bare servers on loopback: a name server, and TLS and plain servers that a test fills.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mxdoctor_checks::{Cx, Entry, Target, check};
use mxdoctor_fixtures::ca::{Authority, Issued, Leaf};
use mxdoctor_model::{Finding, Outcome, Vantage};
use mxdoctor_probes::{Net, NetConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

pub(crate) type Answer = http::Response<Full<Bytes>>;
pub(crate) type Serve = fn(&http::Request<Incoming>) -> Answer;

pub(crate) const SERVER: &str = "testing.borooka.ee";
pub(crate) const MATRIX: &str = "matrix.testing.borooka.ee";

/// What a name server knows.
#[derive(Default, Clone)]
pub(crate) struct Zone {
    records: Vec<(String, RData)>,
    /// Names whose questions end in SERVFAIL unless checking is off.
    bogus: Vec<String>,
}

impl Zone {
    pub(crate) fn with(mut self, name: &str, data: RData) -> Self {
        self.records.push((name.to_owned(), data));
        self
    }

    pub(crate) fn a(self, name: &str, last: u8) -> Self {
        self.with(name, RData::A(address(last).into()))
    }

    pub(crate) fn aaaa(self, name: &str, last: u16) -> Self {
        self.with(name, RData::AAAA(address6(last).into()))
    }

    pub(crate) fn bogus(mut self, name: &str) -> Self {
        self.bogus.push(name.to_owned());
        self
    }

    fn answer(&self, question: &Message) -> Message {
        let metadata = &question.metadata;
        let mut answer = Message::new(metadata.id, MessageType::Response, metadata.op_code);
        answer.queries = question.queries.clone();
        let Some(query) = question.queries.first() else { return answer };
        let name = query.name().to_ascii().trim_end_matches('.').to_lowercase();
        if self.bogus.contains(&name) && !metadata.checking_disabled {
            answer.metadata.response_code = ResponseCode::ServFail;
            return answer;
        }
        let known: Vec<_> = self.records.iter().filter(|(owner, _)| *owner == name).collect();
        let below = format!(".{name}");
        if known.is_empty() && !self.records.iter().any(|(owner, _)| owner.ends_with(&below)) {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        for (owner, data) in known {
            let kind = data.record_type();
            if kind == query.query_type() || kind == RecordType::CNAME {
                let owner = Name::from_ascii(owner).expect("a name");
                answer.answers.push(Record::from_rdata(owner, 300, data.clone()));
            }
        }
        answer
    }

    /// Serves it over UDP for as long as the test's runtime lives.
    pub(crate) async fn serve(self) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("an address");
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let question = Message::from_vec(&buffer[..length]).expect("a question");
                let answer = self.answer(&question).to_vec().expect("a message");
                socket.send_to(&answer, from).await.expect("loopback takes it");
            }
        });
        address
    }
}

/// 198.51.100.x.
pub(crate) fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 51, 100, last)
}

/// 2001:db8::x.
pub(crate) fn address6(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)
}

pub(crate) fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}

/// A request as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Where, as the client meant it.
    pub(crate) at: SocketAddr,
    /// The name that the client sent in its TLS hello.
    pub(crate) sni: Option<String>,
    /// `Host` or `:authority`.
    pub(crate) host: String,
    pub(crate) path: String,
}

/// The stack of one test.
pub(crate) struct Lab {
    pub(crate) authority: Arc<Authority>,
    pub(crate) config: NetConfig,
    pub(crate) target: Target,
    pub(crate) vantage: Vantage,
    /// Requests over TLS.
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
}

impl Lab {
    /// A lab whose homeserver is [`MATRIX`]; nothing is served yet.
    pub(crate) async fn new(zone: Zone) -> Self {
        Self::under(Authority::new("Lab").expect("an authority").into(), zone).await
    }

    /// The same, under an authority that several labs may share.
    pub(crate) async fn under(authority: Arc<Authority>, zone: Zone) -> Self {
        let config = NetConfig {
            dns_servers: vec![zone.serve().await],
            extra_roots: vec![authority.root_der().clone()],
            system_roots: false,
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(4),
            dns_timeout: Duration::from_millis(300),
            ..NetConfig::default()
        };
        let target = Target {
            server_name: MATRIX.into(),
            homeserver: format!("https://{MATRIX}").parse().ok(),
            routable: ["198.51.100.0/24", "2001:db8::/64"]
                .map(|range| range.parse().expect("a range"))
                .to_vec(),
            ..Target::default()
        };
        let seen = Arc::default();
        Self { authority, config, target, vantage: Vantage::Public, seen }
    }

    /// One healthy host: the zone knows it, and it answers `serve` over TLS.
    pub(crate) async fn healthy(serve: Serve) -> Self {
        let mut lab = Self::new(Zone::default().a(MATRIX, 1)).await;
        lab.https(1, &[MATRIX], serve).await;
        lab
    }

    /// Serves over TLS at 198.51.100.`last`:443 with a good certificate for the names.
    pub(crate) async fn https(&mut self, last: u8, names: &[&str], serve: Serve) {
        self.https_at((address(last), 443), names, serve).await;
    }

    /// The same at any address.
    pub(crate) async fn https_at(
        &mut self,
        at: impl Into<SocketAddr>,
        names: &[&str],
        serve: impl Handler,
    ) {
        let issued = self.authority.issue(&Leaf::of(names.iter().copied())).expect("a leaf");
        self.tls_at(at.into(), issued, &["h2", "http/1.1"], serve).await;
    }

    /// The same at port 443 with that certificate and those protocols.
    pub(crate) async fn https_with(
        &mut self,
        last: u8,
        issued: Issued,
        alpn: &[&str],
        serve: Serve,
    ) {
        self.tls_at((address(last), 443).into(), issued, alpn, serve).await;
    }

    /// Serves over TLS, and notes what is asked.
    pub(crate) async fn tls_at(
        &mut self,
        at: SocketAddr,
        issued: Issued,
        alpn: &[&str],
        serve: impl Handler,
    ) {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(issued.chain, issued.key)
            .expect("a certificate with its key");
        config.alpn_protocols = alpn.iter().map(|alpn| alpn.as_bytes().to_vec()).collect();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let seen = Arc::clone(&self.seen);
        self.listen_at(at, move |stream| {
            let (acceptor, serve, seen) = (acceptor.clone(), serve.clone(), Arc::clone(&seen));
            async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let session = stream.get_ref().1;
                let h2 = session.alpn_protocol() == Some(b"h2");
                let sni = session.server_name().map(str::to_owned);
                let noted = move |request: &http::Request<Incoming>| {
                    let host = request.headers().get("host").and_then(|host| host.to_str().ok());
                    let host = host.or_else(|| request.uri().authority().map(|a| a.as_str()));
                    let host = host.unwrap_or_default().to_owned();
                    let (sni, path) = (sni.clone(), request.uri().path().to_owned());
                    seen.lock().expect("the log").push(Seen { at, sni, host, path });
                    serve.answer(request)
                };
                speak(stream, h2, noted).await;
            }
        })
        .await;
    }

    /// Serves plain HTTP at 198.51.100.`last`:80.
    pub(crate) async fn http(&mut self, last: u8, serve: Serve) {
        let serve = move |request: &http::Request<Incoming>| Some(serve(request));
        self.listen(last, 80, move |stream| speak(stream, false, serve)).await;
    }

    /// Lets 198.51.100.`last`:`port` refuse connections.
    pub(crate) async fn refuse(&mut self, last: u8, port: u16) {
        self.refuse_at((address(last), port)).await;
    }

    /// Lets any address refuse connections.
    pub(crate) async fn refuse_at(&mut self, at: impl Into<SocketAddr>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        self.map_at(at.into(), listener.local_addr().expect("an address"));
    }

    /// Calls `serve` for each connection to 198.51.100.`last`:`port`.
    pub(crate) async fn listen<F>(
        &mut self,
        last: u8,
        port: u16,
        serve: impl Fn(TcpStream) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        self.listen_at((address(last), port).into(), serve).await;
    }

    async fn listen_at<F>(
        &mut self,
        at: SocketAddr,
        serve: impl Fn(TcpStream) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        self.map_at(at, listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
    }

    pub(crate) fn map(&mut self, last: u8, port: u16, to: SocketAddr) {
        self.map_at((address(last), port).into(), to);
    }

    fn map_at(&mut self, at: SocketAddr, to: SocketAddr) {
        self.config.overrides.addresses.insert((at.ip(), at.port()), to);
    }

    /// What a check has to say; a fact of its own that is not to be had counts as its finding, as
    /// in a real run.
    pub(crate) async fn run(&self, id: &str) -> Vec<Finding> {
        let check = check(id).expect("a registered check");
        let net = Net::new(self.config.clone());
        let cx = Cx::new(self.vantage, self.target.clone(), net);
        let entries = match (check.run)(&cx).await {
            Ok(findings) => findings.0,
            Err(by) => vec![Entry::Blocked { instance: None, by }],
        };
        let finding = |entry| match entry {
            Entry::Finding(finding) => finding,
            Entry::Blocked { by, .. } if by.owner == check.id => *by.finding,
            Entry::Blocked { instance, by } => {
                Finding { instance, ..Finding::skip(format!("blocked by {}", by.owner)) }
            }
        };
        entries.into_iter().map(finding).collect()
    }

    /// Outcome, cause and summary of the one finding of a check.
    pub(crate) async fn verdict(&self, id: &str) -> (Outcome, Option<&'static str>, String) {
        let findings = self.run(id).await;
        assert_eq!(findings.len(), 1, "{id}: {findings:?}");
        let finding = findings.into_iter().next().expect("one");
        (finding.outcome, finding.cause, finding.summary)
    }

    /// Asserts the one finding of a check.
    pub(crate) async fn expect(&self, id: &str, outcome: Outcome, cause: Option<&str>) {
        let (found, named, summary) = self.verdict(id).await;
        assert_eq!((found, named), (outcome, cause), "{id}: {summary}");
    }
}

/// What answers requests.
pub(crate) trait Handler: Clone + Send + Sync + 'static {
    /// The answer; none leaves the client waiting.
    fn answer(&self, request: &http::Request<Incoming>) -> Option<Answer>;
}

impl<F> Handler for F
where
    F: Fn(&http::Request<Incoming>) -> Answer + Clone + Send + Sync + 'static,
{
    fn answer(&self, request: &http::Request<Incoming>) -> Option<Answer> {
        Some(self(request))
    }
}

async fn speak<S>(
    stream: S,
    h2: bool,
    serve: impl Fn(&http::Request<Incoming>) -> Option<Answer> + Send + 'static,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = serve(&request);
        async move {
            match answer {
                Some(answer) => Ok::<_, Infallible>(answer),
                None => std::future::pending().await,
            }
        }
    });
    let io = TokioIo::new(stream);
    // A client that goes away is not the server's trouble.
    if h2 {
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = server.serve_connection(io, service).await;
    } else {
        let server = hyper::server::conn::http1::Builder::new();
        let _ = server.serve_connection(io, service).await;
    }
}

/// An answer with that status, headers and body.
pub(crate) fn answer(
    status: u16,
    headers: &[(&'static str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let mut answer = http::Response::new(Full::from(body.into()));
    *answer.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    for (name, value) in headers {
        answer.headers_mut().append(*name, value.parse().expect("a header value"));
    }
    answer
}

/// What a homeserver says to everything.
pub(crate) fn versions(_: &http::Request<Incoming>) -> Answer {
    let headers =
        [("content-type", "application/json"), ("strict-transport-security", "max-age=600")];
    answer(200, &headers, r#"{"versions":["v1.12"]}"#)
}

/// Findings by instance, for tests that look at several.
pub(crate) fn by_instance(findings: Vec<Finding>) -> HashMap<String, Finding> {
    findings.into_iter().map(|f| (f.instance.clone().unwrap_or_default(), f)).collect()
}
