use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::helpers::{NAME, PATIENCE, answer, error_of, get, net, raw, write};
use crate::Net;
use crate::http::{HttpError, Request};
use crate::testing::{Authority, TlsServer, config, free_address, listen};
use crate::tls::{ConnectError, HandshakeError, Trust};

#[tokio::test]
async fn bodies_are_bounded_in_size_and_time() {
    let endless = raw(|mut stream| async move {
        write(&mut stream, "HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    let request = Request { limit: 10_000, ..get("http://matrix.example.org/") };
    let exchange = net(endless).http(request).await.expect("an answer");
    let last = exchange.last();
    assert_eq!((last.status.as_u16(), last.body.len()), (200, 10_000));
    assert_eq!(last.cut.as_deref(), Some("the body is longer than 10000 bytes"));

    let drip = raw(|mut stream| async move {
        write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let exchange = net(drip).http(get("http://matrix.example.org/")).await.expect("an answer");
    assert_eq!(exchange.last().cut.as_deref(), Some("the body did not end within 400ms"));

    let short = raw(|mut stream| async move {
        write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello").await;
    })
    .await;
    let exchange = net(short).http(get("http://matrix.example.org/")).await.expect("an answer");
    assert_eq!(exchange.last().text(), "hello");
    let cut = exchange.last().cut.clone().expect("it ended early");
    assert!(cut.starts_with("the body ended early"), "{cut}");

    let exact = raw(|mut stream| async move {
        write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await;
    })
    .await;
    let request = Request { limit: 5, ..get("http://matrix.example.org/") };
    assert_eq!(net(exact).http(request).await.expect("an answer").last().cut, None);
}

#[tokio::test]
async fn each_way_not_to_answer_has_its_name() {
    let hang = raw(|stream| async move {
        let _open = stream;
        std::future::pending().await
    })
    .await;
    assert!(
        matches!(error_of(hang).await, HttpError::TimedOut { address, limit: PATIENCE } if address == hang)
    );
    let slow_head = raw(|mut stream| async move {
        write(&mut stream, "HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"a: b\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    assert!(matches!(error_of(slow_head).await, HttpError::TimedOut { .. }));
    let close = raw(|_| async {}).await;
    assert!(matches!(error_of(close).await, HttpError::Closed { address } if address == close));
    let reset = raw(|stream| async move { stream.set_zero_linger().expect("an option") }).await;
    assert!(matches!(error_of(reset).await, HttpError::Closed { .. }));
    for garbage in
        ["SSH-2.0-OpenSSH_9.2\r\n", "\u{15}\u{3}\u{3}\0\u{2}\u{2}F", "HTTP/1.1 2x0\r\n\r\n"]
    {
        let address = raw(move |mut stream| async move {
            write(&mut stream, garbage).await;
            stream.shutdown().await.expect("a socket");
        })
        .await;
        let error = error_of(address).await;
        assert!(matches!(error, HttpError::Garbage { .. } | HttpError::Closed { .. }), "{error}");
    }
    let endless_head = raw(|mut stream| async move {
        write(&mut stream, "HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"name: value\r\n").await.is_ok() {}
    })
    .await;
    let error = error_of(endless_head).await;
    assert!(matches!(error, HttpError::Garbage { .. }), "{error}");
    let error = error_of(free_address()).await;
    let refused = HandshakeError::Connect(ConnectError::Refused);
    assert!(matches!(&error, HttpError::Handshake { error, .. } if *error == refused), "{error}");
}

#[tokio::test]
async fn an_unacceptable_certificate_is_told_and_sent_nothing() {
    let private = Authority::root("Private Root");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let identity = private.leaf(NAME).with(&private);
    let server = TlsServer::new(identity.server(&["h2"]), move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        async { answer("hello") }
    })
    .await;
    let net = net(server.address);
    let error = net.http(get(&format!("https://{NAME}/"))).await.expect_err("not acceptable");
    let HttpError::Certificate { session } = error else { panic!("{error}") };
    assert_eq!(session.verification.trust, Trust::UntrustedRoot("CN=Private Root".into()));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let request = Request { accept_any_certificate: true, ..get(&format!("https://{NAME}/")) };
    let exchange = net.http(request).await.expect("an answer");
    assert_eq!(exchange.last().text(), "hello");
    let session = exchange.last().session.as_ref().expect("a session");
    assert!(!session.verification.accepted());
}

#[tokio::test]
async fn tls_trouble_of_a_request_is_told_with_its_address() {
    let address = listen(|mut stream| async move {
        let mut hello = [0; 2048];
        let _ = stream.read(&mut hello).await;
        let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 40]).await;
    })
    .await;
    let error = net(address).http(get(&format!("https://{NAME}/"))).await.expect_err("no session");
    let HttpError::Handshake { address: at, error } = error else { panic!("{error}") };
    assert_eq!((at, error), (address, HandshakeError::Alert("handshake_failure".into())));
}

/// Over HTTP/2 a server can end one request and keep the connection.
#[tokio::test]
async fn a_reset_stream_is_a_closed_one() {
    let root = Authority::root("Root");
    let server = root.leaf(NAME).server(&["h2"]);
    let address = listen(move |stream| {
        let acceptor = tokio_rustls::TlsAcceptor::from(server.clone());
        async move {
            let stream = acceptor.accept(stream).await.expect("a session");
            let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
            while let Some(Ok((_, mut answer))) = connection.accept().await {
                answer.send_reset(h2::Reason::INTERNAL_ERROR);
            }
        }
    })
    .await;
    let net = Net::new(config(&root, &[(NAME, 443, address)]));
    for _ in 0..2 {
        let error = net.http(get(&format!("https://{NAME}/"))).await.expect_err("no answer");
        assert!(matches!(error, HttpError::Closed { .. }), "{error}");
    }
}

/// In TLS 1.3 a server says so only after the client's end of the handshake.
#[tokio::test]
async fn a_server_that_wants_a_client_certificate_is_told() {
    let root = Authority::root("Root");
    let identity = root.leaf(NAME);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root.der()).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.expect("a verifier"))
        .with_single_cert(identity.chain.clone(), identity.private_key())
        .expect("a certificate with its key");
    let server = TlsServer::hello(Arc::new(server)).await;
    let net = Net::new(config(&root, &[(NAME, 443, server.address)]));
    let error = net.http(get(&format!("https://{NAME}/"))).await.expect_err("no answer");
    let HttpError::Handshake { error, .. } = error else { panic!("{error}") };
    assert_eq!(error, HandshakeError::Alert("certificate_required".into()));
}
