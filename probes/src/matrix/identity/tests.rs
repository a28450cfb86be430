use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use super::*;
use crate::http::{Request, Version};
use crate::matrix::{KeyState, decode_base64, parse_key_document};
use crate::net::Overrides;
use crate::{Net, NetConfig};

const NOW: i64 = 1_795_000_000_000;

fn identity(name: &str) -> Identity {
    Identity::generate(name.parse().expect("a server name")).expect("random numbers")
}

#[test]
fn the_key_document_is_valid() {
    let identity = identity("probe.example.org:8449");
    let text = identity.document(NOW).to_string();
    let document = parse_key_document(text.as_bytes()).expect("a document");
    assert_eq!(document.server_name.as_deref(), Some("probe.example.org:8449"));
    assert_eq!(document.valid_until, Some(NOW + 3_600_000));
    assert_eq!(document.defects, []);
    let [key] = document.verify_keys.as_slice() else { panic!("{document:?}") };
    assert_eq!((key.id.as_str(), &key.state), (identity.key_id(), &KeyState::Signed));
}

#[test]
fn identities_differ_and_hide_their_key() {
    let (one, other) = (identity("a.example"), identity("a.example"));
    assert_ne!(one.key_id(), other.key_id());
    let shown = format!("{one:?}");
    assert!(shown.contains("a.example") && !shown.contains("pair"), "{shown}");
}

/// The parameters of an `Authorization` header, as the grammar has them.
fn parameter<'h>(header: &'h str, name: &str) -> &'h str {
    let rest = header.strip_prefix("X-Matrix ").expect("the scheme");
    let find = |part: &'h str| part.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"');
    rest.split(',').find_map(find).expect(name)
}

#[test]
fn a_request_is_signed_over_all_its_parts() {
    let identity = identity("probe.example.org:8449");
    let content = json!({ "pdus": [] });
    let request = Signable {
        method: "PUT",
        uri: "/_matrix/federation/v1/send/a%2Fb",
        destination: "example.org",
        content: Some(&content),
    };
    let header = identity.authorization(&request).expect("canonical");
    assert_eq!(parameter(&header, "origin"), "probe.example.org:8449");
    assert_eq!(parameter(&header, "destination"), "example.org");
    assert_eq!(parameter(&header, "key"), identity.key_id());
    let signature = decode_base64(parameter(&header, "sig")).expect("Base64");
    let signed = "{\"content\":{\"pdus\":[]},\"destination\":\"example.org\",\"method\":\"PUT\",\
                  \"origin\":\"probe.example.org:8449\",\
                  \"uri\":\"/_matrix/federation/v1/send/a%2Fb\"}";
    let document = identity.document(NOW);
    let key = &document["verify_keys"][identity.key_id()]["key"];
    let key = decode_base64(key.as_str().expect("text")).expect("Base64");
    assert_eq!(UnparsedPublicKey::new(&ED25519, key).verify(signed.as_bytes(), &signature), Ok(()));
    let float = json!({ "pdus": 1.5 });
    assert!(identity.authorization(&Signable { content: Some(&float), ..request }).is_err());
}

/// A server on the loopback interface, with the certificate that it is served with.
async fn served(address: &str) -> (IdentityServer, SocketAddr, String) {
    let listener = IdentityListener::bind(address.parse().expect("an address")).await;
    let listener = listener.expect("a port");
    let address = listener.address();
    let identity = identity(&format!("localhost:{}", address.port()));
    let id = identity.key_id().to_owned();
    let certificate = Certificate::self_signed("localhost").expect("a certificate");
    assert!(certificate.is_self_signed());
    (listener.serve(Arc::new(identity), certificate), address, id)
}

/// Instruments that find `localhost` there.
fn net(address: SocketAddr) -> Net {
    let mut overrides = Overrides::default();
    overrides.names.insert(("localhost".into(), address.port()), vec![address]);
    Net::new(NetConfig { overrides, ..NetConfig::default() })
}

fn get(address: SocketAddr, path: &str, anyway: bool) -> Request {
    let url = format!("https://localhost:{}{path}", address.port());
    let mut request = Request::get(url.parse().expect("a URL"));
    request.accept_any_certificate = anyway;
    request.version = Version::Http1;
    request
}

/// What the visitors did, once there are so many of them.
async fn visits(server: &IdentityServer, many: usize) -> Vec<Visit> {
    let seen = async {
        while server.visits().len() < many {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.visits()
    };
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, seen).await.expect("the visits are kept account of")
}

#[tokio::test]
async fn the_document_is_served_and_the_visit_told() {
    let (server, address, id) = served("127.0.0.1:0").await;
    let net = net(address);
    for (path, status, key) in [
        ("/_matrix/key/v2/server", 200, true),
        ("/_matrix/key/v2/server/ed25519:x", 200, true),
        ("/_matrix/federation/v1/version", 200, false),
        ("/_matrix/federation/v1/send/1", 404, false),
    ] {
        let exchange = net.http(get(address, path, true)).await.expect("an answer");
        assert_eq!(exchange.last().status.as_u16(), status, "{path}");
        let body: Value = serde_json::from_slice(&exchange.last().body).expect("JSON");
        assert_eq!(body["verify_keys"].get(&id).is_some(), key, "{body}");
    }
    let visits = visits(&server, 4).await;
    assert_eq!(visits.iter().filter(|visit| visit.has_key()).count(), 2);
    assert!(visits.iter().all(|visit| visit.sni.as_deref() == Some("localhost")));
    assert!(visits.iter().all(|visit| visit.from.ip() == address.ip()));
    let VisitEnd::Asked { line, host, agent, .. } = &visits[0].end else { panic!("{visits:?}") };
    assert_eq!(line, "GET /_matrix/key/v2/server");
    assert_eq!(host.as_deref(), Some(format!("localhost:{}", address.port()).as_str()));
    assert!(agent.is_some());
}

#[tokio::test]
async fn a_refused_certificate_is_told_from_one_that_is_taken() {
    use tokio_rustls::TlsConnector;
    let (server, address, _) = served("127.0.0.1:0").await;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let name = "localhost".try_into().expect("a name");
    let refused = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    assert!(refused.is_err(), "nobody vouches for it");
    let visits = visits(&server, 1).await;
    assert!(
        matches!(&visits[0].end, VisitEnd::Refused(alert) if alert.contains("CA")),
        "{visits:?}"
    );
    assert_eq!(visits[0].sni.as_deref(), Some("localhost"));
}

#[tokio::test]
async fn hostile_visitors_do_no_harm() {
    use tokio::io::AsyncWriteExt as _;
    let (server, address, _) = served("127.0.0.1:0").await;
    for bytes in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", &[0x16, 3, 1, 0xff, 0xff], &[0; 4096]] {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
        stream.write_all(bytes).await.expect("sent");
        stream.shutdown().await.expect("ended");
    }
    let seen = visits(&server, 4).await;
    assert!(seen.iter().all(|visit| matches!(visit.end, VisitEnd::NoSession(_))), "{seen:?}");
    // Many that say nothing keep no place of the one that has something to say, once they are gone.
    let mut idle = Vec::new();
    for _ in 0..40 {
        idle.push(tokio::net::TcpStream::connect(address).await.expect("a connection"));
    }
    drop(idle);
    let net = net(address);
    let limit = Duration::from_secs(30);
    let answered = async {
        while net.http(get(address, "/_matrix/key/v2/server", true)).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(limit, answered).await.expect("still serving");
    let long = format!("/{}", "a".repeat(20_000));
    let answer = net.http(get(address, &long, true)).await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.last().status.is_client_error()));
    drop(server);
    let gone = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(limit, gone).await.expect("nothing listens any more");
}

#[test]
fn a_certificate_needs_its_own_key() {
    let pair = || rcgen::generate_simple_self_signed(vec!["a.example".into()]).expect("made");
    let (one, other) = (pair(), pair());
    let (chain, key) = (one.cert.pem(), one.signing_key.serialize_pem());
    let given = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).expect("they fit");
    assert!(!given.is_self_signed());
    let foreign = other.signing_key.serialize_pem();
    for (chain, key, word) in [
        (chain.as_str(), foreign.as_str(), "do not fit"),
        ("", key.as_str(), "no certificate"),
        (chain.as_str(), "", "private key"),
    ] {
        let said = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).expect_err(word);
        assert!(said.contains(word), "{said}");
    }
}
