//! A stack of bare servers on loopback: a name server, and TLS and plain servers that a test fills.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
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

pub(crate) fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}

/// The stack of one test.
pub(crate) struct Lab {
    pub(crate) authority: Authority,
    pub(crate) config: NetConfig,
    pub(crate) target: Target,
    pub(crate) vantage: Vantage,
}

impl Lab {
    /// A lab whose homeserver is [`MATRIX`]; nothing is served yet.
    pub(crate) async fn new(zone: Zone) -> Self {
        let authority = Authority::new("Lab").expect("an authority");
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
            routable: vec!["198.51.100.0/24".parse().expect("a range")],
            ..Target::default()
        };
        Self { authority, config, target, vantage: Vantage::Public }
    }

    /// One healthy host: the zone knows it, and it answers `serve` over TLS.
    pub(crate) async fn healthy(serve: Serve) -> Self {
        let mut lab = Self::new(Zone::default().a(MATRIX, 1)).await;
        lab.https(1, &[MATRIX], serve).await;
        lab
    }

    /// Serves over TLS at 198.51.100.`last`:443 with a good certificate for the names.
    pub(crate) async fn https(&mut self, last: u8, names: &[&str], serve: Serve) {
        let issued = self.authority.issue(&Leaf::of(names.iter().copied())).expect("a leaf");
        self.https_with(last, issued, &["h2", "http/1.1"], serve).await;
    }

    /// The same with that certificate and those protocols.
    pub(crate) async fn https_with(
        &mut self,
        last: u8,
        issued: Issued,
        alpn: &[&str],
        serve: Serve,
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
        self.listen(last, 443, move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                speak(stream, h2, serve).await;
            }
        })
        .await;
    }

    /// Serves plain HTTP at 198.51.100.`last`:80.
    pub(crate) async fn http(&mut self, last: u8, serve: Serve) {
        self.listen(last, 80, move |stream| speak(stream, false, serve)).await;
    }

    /// Lets 198.51.100.`last`:`port` refuse connections.
    pub(crate) async fn refuse(&mut self, last: u8, port: u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        self.map(last, port, listener.local_addr().expect("an address"));
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
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        self.map(last, port, listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
    }

    pub(crate) fn map(&mut self, last: u8, port: u16, to: SocketAddr) {
        self.config.overrides.addresses.insert((IpAddr::V4(address(last)), port), to);
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

async fn speak<S>(stream: S, h2: bool, serve: Serve)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = serve(&request);
        async move { Ok::<_, Infallible>(answer) }
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
pub(crate) fn answer(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> Answer {
    let mut answer = http::Response::new(Full::from(body));
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
