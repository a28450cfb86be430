use bytes::Bytes;
use http::{HeaderMap, Method};

use super::helpers::{NAME, get, net, plain, redirect, seen};
use crate::Net;
use crate::http::Request;
use crate::testing::{Authority, config, free_address};

#[tokio::test]
async fn the_request_goes_out_as_it_stands() {
    let net = net(plain(seen).await);
    let exchange = net.http(get("http://Matrix.example.org/a%2Fb//c?d=%20&e")).await;
    let exchange = exchange.expect("an answer");
    let agent = concat!("mxdoctor/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        exchange.last().text(),
        format!("GET /a%2Fb//c?d=%20&e host={NAME} agent={agent} accept=*/* body=")
    );
    assert_eq!((exchange.last().version, exchange.hops.len()), ("HTTP/1.1", 1));
    let mut headers = HeaderMap::new();
    headers.insert("accept", "application/json".parse().expect("a value"));
    let request = Request {
        method: Method::PUT,
        body: Bytes::from_static(b"{}"),
        host: Some("Other.example.org:8448".into()),
        headers,
        ..get("http://matrix.example.org/")
    };
    let exchange = net.http(request).await.expect("an answer");
    assert_eq!(
        exchange.last().text(),
        format!(
            "PUT / host=Other.example.org:8448 agent={agent} accept=application/json body={{}}"
        )
    );
}

#[tokio::test]
async fn redirects_are_kept_hop_by_hop() {
    let address = plain(|request| async move {
        match request.uri().path() {
            "/first" => redirect(301, "/second"),
            "/second" => redirect(303, "http://other.example.org/third#part"),
            "/loop" => redirect(302, "/loop?"),
            "/loop-on" => redirect(302, "/loop-on"),
            "/bad" => redirect(302, "ftp://example.org/"),
            "/on" => {
                let more = format!("/on?{}x", request.uri().query().unwrap_or_default());
                redirect(307, &more)
            }
            _ => seen(request).await,
        }
    })
    .await;
    let root = Authority::root("Root");
    let names = [(NAME, 80, address), ("other.example.org", 80, address)];
    let net = Net::new(config(&root, &names));
    let follow = |path: &str, redirects| Request {
        redirects,
        host: Some("pinned.example.org".into()),
        method: Method::POST,
        body: Bytes::from_static(b"secret"),
        ..get(&format!("http://{NAME}{path}"))
    };
    let exchange = net.http(follow("/first", 5)).await.expect("an answer");
    let urls: Vec<_> = exchange.hops.iter().map(|hop| hop.url.to_string()).collect();
    let expected = [
        "http://matrix.example.org/first",
        "http://matrix.example.org/second",
        "http://other.example.org/third",
    ];
    assert_eq!(
        (urls, exchange.redirect_trouble.as_deref()),
        (expected.map(String::from).to_vec(), None)
    );
    let last = exchange.last().text();
    assert!(last.starts_with("GET /third host=other.example.org ") && last.ends_with("body="));

    let exchange = net.http(follow("/first", 0)).await.expect("an answer");
    assert_eq!((exchange.last().status.as_u16(), exchange.redirect_trouble), (301, None));
    let exchange = net.http(follow("/first", 1)).await.expect("an answer");
    assert_eq!(exchange.redirect_trouble.as_deref(), Some("more than 1 redirects"));
    assert_eq!(exchange.hops.len(), 2);
    let exchange = net.http(follow("/on", 4)).await.expect("an answer");
    assert_eq!((exchange.hops.len(), exchange.redirect_trouble.is_some()), (5, true));
    for path in ["/loop", "/loop-on", "/bad"] {
        let exchange = net.http(follow(path, 10)).await.expect("an answer");
        let trouble = exchange.redirect_trouble.expect(path);
        assert!(trouble.contains("loop") || trouble.contains("ftp:"), "{trouble}");
        assert!(exchange.hops.len() <= 3);
    }
}

#[tokio::test]
async fn a_redirect_to_where_nobody_is_keeps_what_was_seen() {
    let address = plain(|_| async { redirect(308, "http://matrix.example.org:1/") }).await;
    let root = Authority::root("Root");
    let names = [(NAME, 80, address), (NAME, 1, free_address())];
    let request = Request { redirects: 5, ..get("http://matrix.example.org/") };
    let exchange = Net::new(config(&root, &names)).http(request).await.expect("an answer");
    assert_eq!((exchange.hops.len(), exchange.last().status.as_u16()), (1, 308));
    assert!(exchange.redirect_trouble.is_some_and(|trouble| trouble.contains("refused")));
}
