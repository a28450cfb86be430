use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use proptest::prelude::*;
use rcgen::{BasicConstraints, IsCa, date_time_ymd};
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{ConnectError, HandshakeError, OldHello, Session, Trust, describe};
use crate::testing::{
    Authority, Identity, Process, TlsServer, config, free_address, issuer_at, listen, serve_http,
};
use crate::{Net, NetConfig};

const NAME: &str = "matrix.example.org";

/// Shakes hands with a server that has this identity, trusting just `root`.
async fn session(root: &Authority, identity: &Identity) -> Arc<Session> {
    session_as(NAME, root, identity).await
}

async fn session_as(name: &str, root: &Authority, identity: &Identity) -> Arc<Session> {
    let server = TlsServer::hello(identity.server(&["h2", "http/1.1"])).await;
    let net = Net::new(config(root, &[]));
    net.handshake(name, server.address).await.expect("a session")
}

/// Shakes hands with a server that does as `serve` says.
async fn failure<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> HandshakeError {
    let address = listen(serve).await;
    impatient().handshake(NAME, address).await.expect_err("no session")
}

fn impatient() -> Net {
    Net::new(NetConfig { connect_timeout: Duration::from_millis(300), ..NetConfig::default() })
}

/// Reads the client's hello and sends this instead of an answer.
async fn answer_with(mut stream: TcpStream, answer: &'static [u8]) {
    let mut hello = [0; 2048];
    let _ = stream.read(&mut hello).await;
    stream.write_all(answer).await.expect("the client reads");
}

#[tokio::test]
async fn a_good_chain_is_described_and_accepted() {
    let root = Authority::root("Root");
    let intermediate = root.intermediate("Intermediate");
    let identity = intermediate.leaf(NAME).with(&intermediate);
    let session = session(&root, &identity).await;
    assert_eq!(session.verification.trust, Trust::Trusted);
    assert!(session.verification.accepted());
    assert_eq!((session.version.as_str(), session.alpn.as_deref()), ("TLSv1.3", Some("h2")));
    assert!(session.cipher.starts_with("TLS13_"), "{}", session.cipher);
    let [leaf, issuer] = session.chain.as_slice() else { panic!("{:?}", session.chain) };
    assert_eq!(
        (leaf.subject.as_str(), leaf.issuer.as_str()),
        ("CN=matrix.example.org", "CN=Intermediate")
    );
    assert_eq!((leaf.names.as_slice(), leaf.self_issued), (&[NAME.to_owned()][..], false));
    assert_eq!((leaf.key.as_str(), leaf.key_bits), ("ECDSA P-256", 256));
    assert_eq!(leaf.signature, "ecdsa-with-SHA256");
    assert_eq!((leaf.not_before, leaf.not_after), (1_577_836_800, 4_102_444_800));
    assert_eq!(leaf.sha256.len(), 64);
    assert_eq!(issuer.issuer, "CN=Root");
}

#[tokio::test]
async fn trust_name_and_dates_are_told_apart() {
    let root = Authority::root("Root");
    let expired = root.leaf_with(NAME, |leaf| leaf.not_after = date_time_ymd(2021, 1, 1));
    let seen = session(&root, &expired).await.verification.clone();
    assert_eq!((seen.trust, seen.name_matches, seen.in_dates), (Trust::Trusted, true, false));

    let future = root.leaf_with(NAME, |leaf| leaf.not_before = date_time_ymd(2090, 1, 1));
    let seen = session(&root, &future).await.verification.clone();
    assert_eq!((seen.trust, seen.name_matches, seen.in_dates), (Trust::Trusted, true, false));

    let seen = session(&root, &root.leaf("other.example.org")).await.verification.clone();
    assert_eq!((seen.trust, seen.name_matches, seen.in_dates), (Trust::Trusted, false, true));

    let private = Authority::root("Private Root");
    let all = private.leaf_with("other.example.org", |leaf| {
        leaf.not_after = date_time_ymd(2021, 1, 1);
    });
    let seen = session(&root, &all.with(&private)).await.verification.clone();
    let untrusted = Trust::UntrustedRoot("CN=Private Root".into());
    assert_eq!((seen.trust, seen.name_matches, seen.in_dates), (untrusted, false, false));
}

#[tokio::test]
async fn an_expired_intermediate_counts_only_where_it_is_needed() {
    let root = Authority::root("Root");
    let old = root.intermediate_with("Old", |old| old.not_after = date_time_ymd(2022, 1, 1));
    let needed = old.leaf(NAME).with(&old);
    let seen = session(&root, &needed).await.verification.clone();
    assert_eq!((seen.trust, seen.in_dates), (Trust::Trusted, false));
    let unneeded = root.leaf(NAME).with(&old);
    assert!(session(&root, &unneeded).await.verification.accepted());
}

#[tokio::test]
async fn names_are_matched_as_clients_do() {
    let root = Authority::root("Root");
    let wildcard = root.leaf("*.example.org");
    assert!(session_as("Matrix.Example.org", &root, &wildcard).await.verification.name_matches);
    assert!(!session_as("a.b.example.org", &root, &wildcard).await.verification.name_matches);
    let address = root.leaf("127.0.0.1");
    let session = session_as("127.0.0.1", &root, &address).await;
    assert!(session.verification.accepted(), "{session:?}");
    assert_eq!(session.chain[0].names, ["127.0.0.1"]);
}

/// Serves the intermediate's certificate over plain HTTP, and counts how often.
async fn depot(certificate: Vec<u8>) -> (SocketAddr, Arc<AtomicUsize>) {
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = fetched.clone();
    let address = listen(move |stream| {
        let (certificate, count) = (Bytes::from(certificate.clone()), count.clone());
        serve_http(stream, false, move |_| {
            let body = Full::new(certificate.clone());
            count.fetch_add(1, Ordering::SeqCst);
            async { http::Response::new(body) }
        })
    })
    .await;
    (address, fetched)
}

#[tokio::test]
async fn a_missing_intermediate_is_proven_by_fetching_it() {
    let root = Authority::root("Root");
    let intermediate = root.intermediate("Intermediate");
    let leaf = intermediate.leaf_with(NAME, |leaf| {
        leaf.custom_extensions.push(issuer_at("http://ca.example.net/ca.der"));
    });
    let (depot, fetched) = depot(intermediate.der().to_vec()).await;
    let server = TlsServer::hello(leaf.server(&[])).await;
    let net = Net::new(config(&root, &[("ca.example.net", 80, depot)]));
    let (first, second) =
        tokio::join!(net.handshake(NAME, server.address), net.handshake(NAME, server.address));
    for session in [first, second] {
        let session = session.expect("a session");
        let issuer = "CN=Intermediate".to_owned();
        assert_eq!(session.verification.trust, Trust::IssuerNotSent { issuer, completed: true });
        assert_eq!(session.chain[0].issuer_url.as_deref(), Some("http://ca.example.net/ca.der"));
    }
    assert_eq!(fetched.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_cannot_be_fetched_is_not_claimed() {
    let root = Authority::root("Root");
    let intermediate = root.intermediate("Intermediate");
    let not_completed = Trust::IssuerNotSent { issuer: "CN=Intermediate".into(), completed: false };
    let without_url = intermediate.leaf(NAME);
    let seen = session(&root, &without_url).await;
    assert_eq!(seen.verification.trust, not_completed);
    // What is fetched is no certificate, or another one's.
    let stranger = Authority::root("Intermediate");
    for body in [b"<html>not found</html>".to_vec(), stranger.der().to_vec()] {
        let leaf = intermediate.leaf_with(NAME, |leaf| {
            leaf.custom_extensions.push(issuer_at("http://ca.example.net/ca.der"));
        });
        let (depot, _) = depot(body).await;
        let server = TlsServer::hello(leaf.server(&[])).await;
        let net = Net::new(config(&root, &[("ca.example.net", 80, depot)]));
        let session = net.handshake(NAME, server.address).await.expect("a session");
        assert_eq!(session.verification.trust, not_completed);
    }
}

#[tokio::test]
async fn a_private_root_is_named_whether_sent_or_fetched() {
    let root = Authority::root("Root");
    let private = Authority::root("Private Root");
    let untrusted = Trust::UntrustedRoot("CN=Private Root".into());
    let sent = session(&root, &private.leaf(NAME).with(&private)).await;
    assert_eq!(sent.verification.trust, untrusted);
    let leaf = private.leaf_with(NAME, |leaf| {
        leaf.custom_extensions.push(issuer_at("http://ca.example.net/ca.der"));
    });
    let (depot, _) = depot(private.der().to_vec()).await;
    let server = TlsServer::hello(leaf.server(&[])).await;
    let net = Net::new(config(&root, &[("ca.example.net", 80, depot)]));
    let fetched = net.handshake(NAME, server.address).await.expect("a session");
    assert_eq!(fetched.verification.trust, untrusted);
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_only_where_it_was_given() {
    let root = Authority::root("Root");
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let identity = Identity::self_signed(NAME, is_ca);
        let seen = session(&root, &identity).await.verification.clone();
        assert_eq!((seen.trust, seen.name_matches, seen.in_dates), (Trust::SelfSigned, true, true));
        let server = TlsServer::hello(identity.server(&[])).await;
        let mut config = config(&root, &[]);
        config.extra_roots = identity.chain.clone();
        let session = Net::new(config).handshake(NAME, server.address).await.expect("a session");
        assert!(session.verification.accepted());
    }
}

/// Shows one certificate and signs with another's key.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

impl ResolvesServerCert for Impostor {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

#[tokio::test]
async fn a_server_without_the_key_gets_no_session() {
    let root = Authority::root("Root");
    let (shown, own) = (root.leaf(NAME), root.leaf(NAME));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let key = rustls::crypto::ring::sign::any_supported_type(&own.private_key());
        let key = CertifiedKey::new(shown.chain.clone(), key.expect("a key"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .expect("versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Impostor(Arc::new(key))));
        let server = TlsServer::hello(Arc::new(server)).await;
        let outcome = Net::new(config(&root, &[])).handshake(NAME, server.address).await;
        let error = outcome.expect_err("no session");
        assert!(
            matches!(&error, HandshakeError::Other(text) if text.contains("ignature")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn each_way_to_fail_has_its_name() {
    let alert = |stream| answer_with(stream, &[21, 3, 3, 0, 2, 2, 40]);
    assert_eq!(failure(alert).await, HandshakeError::Alert("handshake_failure".into()));
    let alert = |stream| answer_with(stream, &[21, 3, 3, 0, 2, 2, 112]);
    assert_eq!(failure(alert).await, HandshakeError::Alert("unrecognized_name".into()));
    let plain = |stream| answer_with(stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    assert_eq!(failure(plain).await, HandshakeError::NotTls("HTTP/1.1 400 Bad Request".into()));
    let ssh = |stream| answer_with(stream, b"SSH-2.0-OpenSSH_9.2\r\n");
    assert_eq!(failure(ssh).await, HandshakeError::NotTls("SSH-2.0-OpenSSH_9.2".into()));
    let broken = |stream| answer_with(stream, &[22, 3, 3, 0, 4, 99, 0, 0, 0]);
    assert!(matches!(failure(broken).await, HandshakeError::Other(_)));
    assert_eq!(failure(|stream| answer_with(stream, b"")).await, HandshakeError::Closed);
    let reset = |stream: TcpStream| async move {
        stream.set_zero_linger().expect("a socket option");
    };
    assert_eq!(failure(reset).await, HandshakeError::Closed);
    let hang = |stream| async move {
        let _open = stream;
        std::future::pending().await
    };
    assert_eq!(failure(hang).await, HandshakeError::TimedOut(Duration::from_millis(300)));
    let refused = impatient().handshake(NAME, free_address()).await;
    assert_eq!(refused.expect_err("closed"), HandshakeError::Connect(ConnectError::Refused));
}

#[tokio::test]
async fn an_old_hello_is_refused_by_a_new_server() {
    let identity = Authority::root("Root").leaf(NAME);
    let server = TlsServer::hello(identity.server(&[])).await;
    assert_eq!(impatient().old_hello(NAME, server.address).await, OldHello::Refused);
    let closed = impatient().old_hello(NAME, free_address()).await;
    assert!(matches!(closed, OldHello::Unknown(_)), "{closed:?}");
    let plain = listen(|stream| answer_with(stream, b"HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    assert!(matches!(impatient().old_hello(NAME, plain).await, OldHello::Unknown(_)));
    let name = listen(|stream| answer_with(stream, &[21, 3, 1, 0, 2, 2, 112])).await;
    assert!(matches!(impatient().old_hello(NAME, name).await, OldHello::Unknown(_)));
    let silent = listen(|stream| async move {
        let _open = stream;
        std::future::pending().await
    })
    .await;
    assert!(matches!(impatient().old_hello(NAME, silent).await, OldHello::Unknown(_)));
}

/// A real server that speaks old versions only, and one that has a certificate of version 1.
#[tokio::test]
async fn openssl_is_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |file: &str| folder.path().join(file).display().to_string();
    let root = Authority::root("Root");
    let identity = root.leaf(NAME);
    std::fs::write(path("key.pem"), identity.key.serialize_pem()).expect("the key");
    std::fs::write(path("cert.pem"), identity.chain_pem()).expect("the certificate");
    let net = Net::new(config(&root, &[]));
    for (option, version) in [("-tls1_1", "TLSv1.1"), ("-tls1", "TLSv1.0")] {
        let address = free_address();
        let at = address.to_string();
        let (key, cert) = (path("key.pem"), path("cert.pem"));
        let arguments =
            ["s_server", "-quiet", "-accept", &at, "-key", &key, "-cert", &cert, option];
        let arguments = [&arguments[..], &["-cipher", "ALL:@SECLEVEL=0"]].concat();
        let _server = Process::start("openssl", &arguments, address).await;
        assert_eq!(net.old_hello(NAME, address).await, OldHello::Accepted(version.into()));
        let outcome = net.handshake(NAME, address).await;
        assert_eq!(outcome.expect_err(version), HandshakeError::Alert("protocol_version".into()));
    }
}

/// `openssl x509` makes version 1 where no extensions are asked for: never trusted, described.
#[tokio::test]
async fn a_certificate_of_version_1_is_described() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |file: &str| folder.path().join(file).display().to_string();
    let (key, request, cert) = (path("key.pem"), path("request.pem"), path("cert.pem"));
    let openssl = |arguments: &[&str]| {
        let output = std::process::Command::new("openssl").args(arguments).output();
        assert!(output.expect("openssl is installed").status.success(), "{arguments:?}");
    };
    let subject = format!("/CN={NAME}");
    openssl(&["genrsa", "-out", &key, "2048"]);
    openssl(&["req", "-new", "-key", &key, "-subj", &subject, "-out", &request]);
    openssl(&["x509", "-req", "-in", &request, "-signkey", &key, "-out", &cert]);
    let net = Net::new(config(&Authority::root("Root"), &[]));
    for version in ["-tls1_2", "-tls1_3"] {
        let address = free_address();
        let at = address.to_string();
        let arguments = ["s_server", "-quiet", "-accept", &at, "-key", &key, "-cert", &cert];
        let arguments = [&arguments[..], &[version]].concat();
        let _server = Process::start("openssl", &arguments, address).await;
        let session = net.handshake(NAME, address).await.expect("a session");
        assert_eq!(session.verification.trust, Trust::SelfSigned);
        assert_eq!(session.chain[0].key, "RSA 2048");
        assert!(!session.verification.name_matches && session.verification.in_dates);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn hostile_certificates_do_no_harm(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        garbage in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let root = Authority::root("Root");
        let mut der = root.leaf(NAME).chain[0].to_vec();
        for (place, value) in damage {
            let place = place.index(der.len());
            der[place] = value;
        }
        let whole = CertificateDer::from(der.clone());
        der.truncate(cut.index(der.len() + 1));
        let chain = [whole, CertificateDer::from(der), root.der(), CertificateDer::from(garbage)];
        for certificate in &chain {
            prop_assert_eq!(describe(certificate).sha256.len(), 64);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let net = Net::new(config(&root, &[]));
        let name = ServerName::try_from(NAME).expect("a name");
        for start in 0..chain.len() {
            runtime.block_on(net.verify(&name, &chain[start..]));
        }
    }
}
