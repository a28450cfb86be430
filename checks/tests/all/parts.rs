//! The components' own endpoints and the private ports, on loopback servers.

use std::net::SocketAddr;

use mxdoctor_checks::{Cx, Entry, Target, check};
use mxdoctor_model::{Finding, Outcome, Vantage};
use mxdoctor_probes::{Net, NetConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Status and body by path; 404 for others.
type Routes = &'static [(&'static str, u16, &'static str)];

/// An HTTP server that notes each request line.
async fn http(routes: Routes, log: std::sync::Arc<std::sync::Mutex<Vec<String>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 2048];
            let count = stream.read(&mut buffer).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&buffer[..count]).into_owned();
            let line = head.lines().next().unwrap_or_default();
            log.lock().expect("the log").push(line.to_owned());
            let path = line.split(' ').nth(1).unwrap_or_default();
            let known = routes.iter().find(|(known, ..)| *known == path);
            let (status, body) = known.map_or((404, "no"), |(_, status, body)| (*status, *body));
            let answer = format!(
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

/// A server that says this to whoever connects, and takes what is said to it.
async fn says(words: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.write_all(words.as_bytes()).await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            });
        }
    });
    address
}

fn closed() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

async fn findings(cx: &Cx, id: &str) -> Vec<Finding> {
    let check = check(id).expect("registered");
    let finding = |entry| match entry {
        Entry::Finding(finding) => finding,
        Entry::Blocked { instance, by } => panic!("{instance:?} is blocked by {by:?}"),
    };
    match (check.run)(&cx.for_asker()).await {
        Ok(findings) => findings.0.into_iter().map(finding).collect(),
        Err(by) => panic!("{id} is blocked by {by:?}"),
    }
}

type Verdict = (Option<String>, Outcome, Option<&'static str>);

async fn verdicts(cx: &Cx, id: &str) -> Vec<Verdict> {
    let findings = findings(cx, id).await;
    findings.into_iter().map(|one| (one.instance, one.outcome, one.cause)).collect()
}

/// A run in the cluster with a component at that address.
fn inside(set: impl FnOnce(&mut Target)) -> Cx {
    let mut target = Target { server_name: "example.org".into(), ..Target::default() };
    set(&mut target);
    Cx::new(Vantage::Cluster, target, Net::new(NetConfig::default()))
}

fn url(address: SocketAddr) -> Option<url::Url> {
    format!("http://{address}").parse().ok()
}

fn on(instance: &str, outcome: Outcome, cause: Option<&'static str>) -> Verdict {
    (Some(instance.to_owned()), outcome, cause)
}

const BREWED: &str = "jitsi_jvb_muc_clients_connected 1\njitsi_jvb_mucs_joined 1\n";
const ALONE: &str = "jitsi_jvb_muc_clients_connected 0\njitsi_jvb_mucs_joined 0\n";

#[tokio::test]
async fn a_bridge_is_read_for_what_it_really_says() {
    use Outcome::{Error, Fail, Pass, Skip};
    let cases: [(Routes, Vec<Verdict>); 3] = [
        (
            &[("/about/health", 200, ""), ("/metrics", 200, BREWED)],
            vec![on("health", Pass, None), on("brewery", Pass, None)],
        ),
        (
            &[("/about/health", 200, ""), ("/metrics", 200, ALONE)],
            vec![on("health", Pass, None), on("brewery", Fail, Some("bridge-not-in-brewery"))],
        ),
        (
            &[("/about/health", 500, "Failed to bind"), ("/metrics", 500, "")],
            vec![on("health", Fail, Some("bridge-unhealthy")), on("brewery", Skip, None)],
        ),
    ];
    for (routes, expected) in cases {
        let bridge = http(routes, Default::default()).await;
        let cx = inside(|target| target.jvb_rest = url(bridge));
        assert_eq!(verdicts(&cx, "jitsi.jvb_health").await, expected, "{routes:?}");
    }
    let cx = inside(|target| target.jvb_rest = url(closed()));
    let expected = (None, Error, Some("bridge-api-unreachable"));
    assert_eq!(verdicts(&cx, "jitsi.jvb_health").await, [expected]);
}

#[tokio::test]
async fn jicofo_counts_its_bridges() {
    use Outcome::{Error, Fail, Pass, Skip};
    let one = r#"{"bridge_selector":{"bridge_count":1,"operational_bridge_count":1}}"#;
    let none = r#"{"bridge_selector":{"bridge_count":0,"operational_bridge_count":0}}"#;
    let cases: Vec<(Vec<(&'static str, u16, &'static str)>, Vec<Verdict>)> = vec![
        (vec![("/stats", 200, one)], vec![on("health", Skip, None), on("bridges", Pass, None)]),
        (
            vec![("/about/health", 500, "no bridge"), ("/stats", 200, none)],
            vec![
                on("health", Fail, Some("jicofo-unhealthy")),
                on("bridges", Fail, Some("bridge-not-in-brewery")),
            ],
        ),
    ];
    for (routes, expected) in cases {
        let jicofo = http(routes.leak(), Default::default()).await;
        let cx = inside(|target| target.jicofo_rest = url(jicofo));
        assert_eq!(verdicts(&cx, "jitsi.jicofo_health").await, expected);
    }
    let cx = inside(|target| target.jicofo_rest = url(closed()));
    let expected = (None, Error, Some("component-api-unreachable"));
    assert_eq!(verdicts(&cx, "jitsi.jicofo_health").await, [expected]);
}

#[tokio::test]
async fn prosody_may_keep_its_health_to_itself() {
    use Outcome::{Fail, Pass, Skip};
    const BOSH: (&str, u16, &str) = ("/http-bind", 200, "It works! Now point your BOSH client");
    let cases: [(Routes, Vec<Verdict>); 2] = [
        (
            &[BOSH, ("/health", 403, "Forbidden")],
            vec![on("modules", Skip, None), on("bosh", Pass, None)],
        ),
        (
            &[BOSH, ("/health", 500, "HAS ERRORS")],
            vec![on("modules", Fail, Some("prosody-module-failed")), on("bosh", Pass, None)],
        ),
    ];
    for (routes, expected) in cases {
        let prosody = http(routes, Default::default()).await;
        let cx = inside(|target| target.prosody_http = url(prosody));
        assert_eq!(verdicts(&cx, "jitsi.prosody_health").await, expected);
    }
}

#[tokio::test]
async fn what_is_not_given_is_skipped() {
    let cx = inside(|_| {});
    for id in ["jitsi.jvb_health", "jitsi.jicofo_health", "jitsi.prosody_health"] {
        assert_eq!(verdicts(&cx, id).await, [(None, Outcome::Skip, None)]);
    }
}

/// A node whose private ports lead to these places; all others are closed.
fn outside(open: &[(u16, SocketAddr)]) -> Cx {
    let node: std::net::IpAddr = [198, 51, 100, 20].into();
    let mut config = NetConfig::default();
    for port in [5222, 5223, 5269, 5280, 5347, 8080, 8888, 9090] {
        config.overrides.addresses.insert((node, port), closed());
    }
    for (port, to) in open {
        config.overrides.addresses.insert((node, *port), *to);
    }
    let target = Target {
        server_name: "example.org".into(),
        jitsi_node: Some(node.to_string()),
        ..Target::default()
    };
    Cx::new(Vantage::Public, target, Net::new(config))
}

#[tokio::test]
async fn private_ports_are_told_from_others() {
    use Outcome::{Fail, Pass, Warn};
    const JVB: Routes = &[("/about/version", 200, r#"{"name":"JVB","version":"2.3"}"#)];
    const PAGE: Routes = &[("/about/version", 200, "<html>the node's own page</html>")];
    const STREAM: &str = "<?xml version='1.0'?><stream:stream \
                          xmlns:stream='http://etherx.jabber.org/streams' id='1'>";
    let log = std::sync::Arc::default();
    let jvb = http(JVB, std::sync::Arc::clone(&log)).await;
    let page = http(PAGE, Default::default()).await;
    let id = "jitsi.private_api";
    assert_eq!(verdicts(&outside(&[]), id).await, [(None, Pass, None)]);
    assert_eq!(verdicts(&outside(&[(8080, page)]), id).await, [(None, Pass, None)]);
    let open = [(8080, jvb), (5222, says(STREAM).await), (5269, says("SSH-2.0-x\r\n").await)];
    let found = verdicts(&outside(&open), id).await;
    let expected = [
        on("bridge-api-public", Fail, Some("bridge-api-public")),
        on("xmpp-ports-public", Warn, Some("xmpp-ports-public")),
    ];
    assert_eq!(found, expected);
    let requests = log.lock().expect("the log").clone();
    assert_eq!(requests, ["GET /about/version HTTP/1.1"], "nothing but a look");
}
