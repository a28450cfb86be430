use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::helpers::{NAME, PATIENCE, answer, get, plain, seen};
use crate::dns::Kind;
use crate::http::{HttpError, Request, Version};
use crate::testing::{
    Authority, Responder, TlsServer, config, eventually, free_address, listen, serve_http,
};
use crate::{Net, NetConfig};

#[tokio::test]
async fn http2_carries_many_requests_over_one_handshake() {
    let root = Authority::root("Root");
    let server = TlsServer::new(root.leaf(NAME).server(&["h2", "http/1.1"]), seen).await;
    let net = Net::new(config(&root, &[(NAME, 443, server.address)]));
    let requests = (0..15).map(|number| net.http(get(&format!("https://{NAME}/{number}"))));
    let answers = futures_util::future::join_all(requests).await;
    let mut opened = 0;
    for (number, exchange) in answers.into_iter().enumerate() {
        let exchange = exchange.expect("an answer");
        let last = exchange.last();
        assert!(last.text().starts_with(&format!("GET /{number} host={NAME} ")), "{}", last.text());
        assert_eq!(last.version, "HTTP/2");
        assert!(last.session.as_ref().is_some_and(|session| session.verification.accepted()));
        opened += usize::from(!last.timings.handshake.is_zero());
    }
    assert_eq!((server.connections(), opened), (1, 1));
    let request = Request { version: Version::Http1, ..get(&format!("https://{NAME}/")) };
    let exchange = net.http(request).await.expect("an answer");
    assert_eq!((exchange.last().version, server.connections()), ("HTTP/1.1", 2));
}

#[tokio::test]
async fn a_kept_connection_that_is_gone_is_opened_again() {
    let root = Authority::root("Root");
    let identity = root.leaf(NAME);
    let connections = Arc::new(AtomicUsize::new(0));
    let (count, config_of_server) = (connections.clone(), identity.server(&["h2"]));
    let address = listen(move |stream| {
        let acceptor = tokio_rustls::TlsAcceptor::from(config_of_server.clone());
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            let stream = acceptor.accept(stream).await.expect("a session");
            let done = Arc::new(Notify::new());
            let asked = done.clone();
            let serve = serve_http(stream, true, move |_| {
                asked.notify_one();
                async { answer("hello") }
            });
            // Goes away without a word, soon after the first request.
            let gone = async {
                done.notified().await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            tokio::select! { () = serve => {}, () = gone => {} }
        }
    })
    .await;
    let net = Net::new(config(&root, &[(NAME, 443, address)]));
    for expected in 1..=3 {
        let exchange = net.http(get(&format!("https://{NAME}/"))).await.expect("an answer");
        assert_eq!(exchange.last().text(), "hello");
        eventually("the connection's end", async || {
            let again = net.http(get(&format!("https://{NAME}/"))).await.expect("an answer");
            assert_eq!(again.last().text(), "hello");
            (connections.load(Ordering::SeqCst) > expected).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn the_name_servers_answer_decides_where_to_go() {
    let names = Responder::new(|question, answer| {
        use hickory_proto::rr::{RData, RecordType, rdata};
        let query = &question.queries[0];
        if query.name.to_ascii() != "matrix.example.org." {
            answer.metadata.response_code = hickory_proto::op::ResponseCode::NXDomain;
        } else if query.query_type == RecordType::A {
            // The first one refuses.
            for last in [1, 2] {
                let address = RData::A(rdata::A::new(192, 0, 2, last));
                answer.add_answer(crate::testing::record("matrix.example.org.", address));
            }
        }
    })
    .await;
    let server = plain(seen).await;
    let mut config = NetConfig { dns_servers: vec![names.address], ..NetConfig::default() };
    let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
    for (public, really) in [("192.0.2.1:80", free_address()), ("192.0.2.2:80", server)] {
        config.overrides.addresses.insert((at(public).ip(), 80), really);
    }
    let net = Net::new(config);
    let all = net.addresses_for(NAME, 80).await.expect("addresses");
    assert_eq!(all, [at("192.0.2.1:80"), at("192.0.2.2:80")]);
    for _ in 0..3 {
        let exchange = net.http(get("http://matrix.example.org/")).await.expect("an answer");
        assert_eq!(exchange.last().address, at("192.0.2.2:80"));
    }
    assert_eq!(names.asked().len(), 2, "A and AAAA are asked for once");
    let request =
        Request { address: Some(at("192.0.2.1:80").ip()), ..get("http://matrix.example.org/") };
    let error = net.http(request).await.expect_err("refused");
    assert!(matches!(error, HttpError::Handshake { address, .. } if address == at("192.0.2.1:80")));
    let error = net.http(get("http://gone.example.org/")).await.expect_err("no such name");
    assert!(matches!(&error, HttpError::Resolve { reason, .. } if reason.contains("NXDOMAIN")));
    assert!(matches!(net.lookup(NAME, Kind::A).await.addresses().len(), 2));
}

#[tokio::test]
async fn a_silent_resolver_is_our_trouble_not_the_names() {
    let dns_timeout = Duration::from_millis(100);
    let dns_servers = vec![free_address()];
    let net = Net::new(NetConfig { dns_servers, dns_timeout, ..NetConfig::default() });
    let error = net.http(get("http://matrix.example.org/")).await.expect_err("no resolver");
    assert!(matches!(&error, HttpError::Ours(text) if text.contains("no name server")), "{error}");
}

#[tokio::test]
async fn connections_to_one_address_are_bounded() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, highest) = (now.clone(), most.clone());
    let address = listen(move |stream| {
        let (count, highest) = (count.clone(), highest.clone());
        async move {
            highest.fetch_max(count.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            serve_http(stream, false, |_| async {
                tokio::task::yield_now().await;
                answer("hello")
            })
            .await;
            count.fetch_sub(1, Ordering::SeqCst);
        }
    })
    .await;
    let root = Authority::root("Root");
    let config = config(&root, &[(NAME, 80, address)]);
    let net = Net::new(NetConfig { connections_per_host: 1, ..config });
    let requests = (0..10).map(|_| net.http(get("http://matrix.example.org/")));
    for exchange in futures_util::future::join_all(requests).await {
        assert_eq!(exchange.expect("an answer").last().text(), "hello");
    }
    // One that ends may still be closing while the next one opens.
    assert!(most.load(Ordering::SeqCst) <= 2, "{most:?}");
}

#[tokio::test]
async fn a_replaced_certificate_is_seen_at_once() {
    let root = Authority::root("Root");
    let old = Authority::root("Private Root").leaf(NAME).server(&["h2"]);
    let new = root.leaf(NAME).server(&["h2"]);
    let current = Arc::new(std::sync::Mutex::new(old));
    let shown = current.clone();
    let address = listen(move |stream| {
        let acceptor = tokio_rustls::TlsAcceptor::from(shown.lock().expect("no panic").clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve_http(stream, true, |_| async { answer("hello") }).await;
            }
        }
    })
    .await;
    let net = Net::new(config(&root, &[(NAME, 443, address)]));
    let ask = || net.http(get(&format!("https://{NAME}/")));
    assert!(matches!(ask().await, Err(HttpError::Certificate { .. })));
    *current.lock().expect("no panic") = new;
    assert_eq!(ask().await.expect("an answer").last().text(), "hello");
}

#[tokio::test]
async fn waiting_for_leave_to_connect_is_not_the_servers_time() {
    let address = plain(seen).await;
    let root = Authority::root("Root");
    let config = config(&root, &[(NAME, 80, address)]);
    let net = Net::new(NetConfig { connections_per_host: 1, request_timeout: PATIENCE, ..config });
    let only = net.dial(address).await.expect("a connection");
    let ask = net.http(get("http://matrix.example.org/"));
    let free = async {
        tokio::time::sleep(PATIENCE * 2).await;
        drop(only);
    };
    let (exchange, ()) = tokio::join!(ask, free);
    assert_eq!(exchange.expect("an answer").last().status.as_u16(), 200);
}

#[tokio::test]
async fn an_address_of_an_override_keeps_its_port() {
    let server = plain(seen).await;
    let root = Authority::root("Root");
    let net = Net::new(config(&root, &[(NAME, 80, server)]));
    let address = net.addresses_for("Matrix.example.org.", 80).await.expect("addresses")[0];
    assert_eq!(address, server);
    let request = Request { address: Some(address.ip()), ..get("http://matrix.example.org/") };
    let exchange = net.http(request).await.expect("an answer");
    assert_eq!(exchange.last().address, server);
}
