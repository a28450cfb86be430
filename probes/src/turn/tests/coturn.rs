//! A real coturn: healthy by every carrier, and refusing in each way.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use ring::hmac;
use tempfile::TempDir;

use super::super::{Attempt, Carrier, Family, Method, Relay, Server, TurnError, Way};
use crate::testing::{Authority, Process, config, eventually, free_address};
use crate::tls::Trust;
use crate::{Net, NetConfig};

const NAME: &str = "turn.example.org";
const SECRET: &str = "the shared secret";

struct Coturn {
    plain: SocketAddr,
    tls: SocketAddr,
    authority: Authority,
    _folder: TempDir,
    _process: Process,
}

impl Coturn {
    async fn start(more: &[&str]) -> Self {
        Self::named(NAME, more).await
    }

    /// With a certificate for that name.
    async fn named(name: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name).display().to_string();
        let authority = Authority::root("test root");
        let leaf = authority.leaf(name);
        std::fs::write(file("chain.pem"), leaf.chain_pem()).expect("written");
        std::fs::write(file("key.pem"), leaf.key.serialize_pem()).expect("written");
        let (plain, tls) = (free_address(), free_address());
        let port = |address: SocketAddr| address.port().to_string();
        let arguments = [
            "-n".to_owned(),
            "--no-cli".into(),
            "--listening-ip=127.0.0.1".into(),
            "--relay-ip=127.0.0.1".into(),
            "--allow-loopback-peers".into(),
            format!("--listening-port={}", port(plain)),
            format!("--tls-listening-port={}", port(tls)),
            format!("--cert={}", file("chain.pem")),
            format!("--pkey={}", file("key.pem")),
            format!("--userdb={}", file("users.sqlite")),
            format!("--pidfile={}", file("pid")),
            "--no-dtls".into(),
            "--log-file=stdout".into(),
            "--realm=example.org".into(),
            "--use-auth-secret".into(),
            format!("--static-auth-secret={SECRET}"),
        ];
        let arguments: Vec<&str> =
            arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let process = Process::start("turnserver", &arguments, plain).await;
        eventually("TLS of coturn", async || tokio::net::TcpStream::connect(tls).await.ok()).await;
        // It binds UDP in threads of its own, later.
        let net = Net::new(NetConfig::default());
        let patience = Duration::from_millis(500);
        eventually("UDP of coturn", async || net.stun_binding(plain, patience).await.ok()).await;
        Self { plain, tls, authority, _folder: folder, _process: process }
    }

    fn net(&self) -> Net {
        Net::new(config(&self.authority, &[]))
    }

    fn server(&self, carrier: Carrier) -> Server {
        let (user, password) = rest_credentials(SECRET, Duration::from_secs(600), true);
        let port = self.address(carrier).port();
        Server { host: NAME.into(), port, carrier, credentials: Some((user, password)) }
    }

    fn address(&self, carrier: Carrier) -> SocketAddr {
        if carrier == Carrier::Tls { self.tls } else { self.plain }
    }

    /// Waits until the one place of the quota is free: coturn counts once a second.
    async fn has_room(&self, server: &Server) {
        eventually("room", async || self.attempt(server).await.outcome.ok()).await;
    }

    async fn attempt(&self, server: &Server) -> Attempt {
        self.net().turn(server, self.address(server.carrier), Family::V4).await
    }
}

/// Credentials as Prosody's mod_external_services makes them, valid until some time before or
/// after now.
fn rest_credentials(secret: &str, distance: Duration, ahead: bool) -> (String, String) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let until = if ahead { now + distance } else { now - distance };
    let user = until.as_secs().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let tag = hmac::sign(&key, user.as_bytes());
    (user, base64::engine::general_purpose::STANDARD.encode(tag))
}

fn relay(attempt: Attempt) -> Relay {
    let steps = attempt.steps;
    attempt.outcome.unwrap_or_else(|error| panic!("{error}: {steps:?}"))
}

#[tokio::test]
async fn relays_over_udp_tcp_and_tls() {
    let coturn = Coturn::start(&[]).await;
    for carrier in [Carrier::Udp, Carrier::Tcp, Carrier::Tls] {
        let server = coturn.server(carrier);
        let attempt = coturn.attempt(&server).await;
        let codes: Vec<_> = attempt.steps.iter().map(|step| (step.method, step.code)).collect();
        assert_eq!(codes, [(Method::Allocate, Some(401)), (Method::Allocate, Some(0))]);
        let mut relay = relay(attempt);
        assert_eq!(relay.allocation.relayed.ip(), coturn.plain.ip());
        assert_eq!(relay.allocation.mapped.map(|mapped| mapped.ip()), Some(coturn.plain.ip()));
        assert_eq!(relay.allocation.realm.as_deref(), Some("example.org"));
        assert_eq!(relay.allocation.session.is_some(), carrier == Carrier::Tls);
        let proofs = relay.prove(&coturn.net(), &server).await;
        assert_eq!(proofs.len(), 1, "{proofs:?}");
        let proven = proofs[0].outcome.as_ref().expect("tried");
        assert!(proofs[0].way == Way::TwoAllocations && proven.both_ways(), "{proofs:?}");
        assert!(relay.refresh().await.expect("refreshed") >= Duration::from_secs(60));
        relay.close().await.expect("given up");
    }
}

#[tokio::test]
async fn a_channel_carries_datagrams_of_any_length() {
    let coturn = Coturn::start(&[]).await;
    for carrier in [Carrier::Udp, Carrier::Tcp] {
        let server = coturn.server(carrier);
        let mut one = relay(coturn.attempt(&server).await);
        let mut other = relay(coturn.attempt(&server).await);
        let (ours, theirs) = (one.allocation.relayed, other.allocation.relayed);
        let channel = one.bind_channel(theirs).await.expect("bound");
        assert_eq!(one.bind_channel(theirs).await.expect("bound again"), channel);
        other.bind_channel(ours).await.expect("bound");
        for length in [1, 2, 3, 4, 1200] {
            let data = vec![7; length];
            let wait = Duration::from_secs(2);
            let echo = async {
                let (data, from) = other.receive_from().await.expect("a datagram");
                assert_eq!(from, ours);
                other.send_to(&data, from).await.expect("sent");
            };
            let (answer, ()) = tokio::join!(one.answer_of(theirs, &data, wait), echo);
            assert_eq!(answer.expect("a link"), Some(data), "{carrier:?} {length}");
        }
    }
}

#[tokio::test]
async fn a_peer_outside_is_reached_by_a_binding_request() {
    let coturn = Coturn::start(&[]).await;
    let mut relay = relay(coturn.attempt(&coturn.server(Carrier::Tcp)).await);
    // Any STUN server does for a peer; this one is the relay's own front.
    let request = crate::stun::Message::new(crate::stun::Class::Request, [9; 12]);
    let bytes = request.encode(None).expect("encodes");
    relay.permit(coturn.plain).await.expect("permitted");
    let answer = relay.answer_of(coturn.plain, &bytes, Duration::from_secs(2)).await;
    let answer = answer.expect("a link").expect("an answer");
    let received = crate::stun::Received::decode(&answer).expect("STUN");
    assert_eq!(received.message.mapped, Some(relay.allocation.relayed));
}

#[tokio::test]
async fn wrong_and_expired_credentials_are_401() {
    let coturn = Coturn::start(&[]).await;
    let wrong = rest_credentials("another secret", Duration::from_secs(600), true);
    let expired = rest_credentials(SECRET, Duration::from_secs(600), false);
    for credentials in [wrong, expired] {
        let mut server = coturn.server(Carrier::Udp);
        server.credentials = Some(credentials);
        let error = coturn.attempt(&server).await.outcome.expect_err("refused");
        assert_eq!(error.code(), Some(401), "{error}");
        assert!(!format!("{server:?}").contains(&server.credentials.expect("some").1));
    }
    let mut server = coturn.server(Carrier::Udp);
    server.credentials = None;
    let error = coturn.attempt(&server).await.outcome.expect_err("refused");
    assert!(matches!(error, TurnError::NoCredentials), "{error}");
}

#[tokio::test]
async fn a_used_up_quota_is_486_and_relaying_is_proven_otherwise() {
    let coturn = Coturn::start(&["--user-quota=1"]).await;
    let server = coturn.server(Carrier::Udp);
    let mut first = relay(coturn.attempt(&server).await);
    let error = coturn.attempt(&server).await.outcome.expect_err("refused");
    assert_eq!(error.code(), Some(486), "{error}");
    let proofs = first.prove(&coturn.net(), &server).await;
    let [two, own] = &proofs[..] else { panic!("{proofs:?}") };
    assert_eq!(two.outcome.as_ref().expect_err("refused").code(), Some(486));
    assert_eq!(own.way, Way::OwnSocket);
    assert!(own.outcome.as_ref().expect("tried").both_ways(), "{own:?}");
    first.close().await.expect("given up");
    coturn.has_room(&server).await;
}

#[tokio::test]
async fn what_is_dropped_is_given_up() {
    let coturn = Coturn::start(&["--user-quota=1"]).await;
    let server = coturn.server(Carrier::Udp);
    let net = coturn.net();
    drop(relay(net.turn(&server, coturn.plain, Family::V4).await));
    net.cleaned_up(Duration::from_secs(5)).await;
    coturn.has_room(&server).await;
}

#[tokio::test]
async fn a_forbidden_peer_is_403() {
    let coturn = Coturn::start(&["--denied-peer-ip=192.0.2.0-192.0.2.255"]).await;
    let mut relay = relay(coturn.attempt(&coturn.server(Carrier::Udp)).await);
    let peer = "192.0.2.7:10000".parse().expect("an address");
    assert_eq!(relay.permit(peer).await.expect_err("refused").code(), Some(403));
}

#[tokio::test]
async fn a_stale_nonce_is_replaced() {
    let coturn = Coturn::start(&["--stale-nonce=1"]).await;
    let mut relay = relay(coturn.attempt(&coturn.server(Carrier::Udp)).await);
    let seen = eventually("a stale nonce", async || {
        relay.refresh().await.expect("refreshed");
        relay.steps().iter().any(|step| step.code == Some(438)).then_some(())
    });
    seen.await;
    assert_eq!(relay.steps().last().and_then(|step| step.code), Some(0));
}

#[tokio::test]
async fn a_family_that_is_not_there_is_440() {
    let coturn = Coturn::start(&[]).await;
    let server = coturn.server(Carrier::Udp);
    let attempt = coturn.net().turn(&server, coturn.plain, Family::V6).await;
    let error = attempt.outcome.expect_err("no IPv6");
    assert_eq!(error.code(), Some(440), "{error}");
}

#[tokio::test]
async fn a_wrong_certificate_is_described_and_nothing_is_sent() {
    let coturn = Coturn::named("other.example.org", &[]).await;
    let server = coturn.server(Carrier::Tls);
    let attempt = coturn.attempt(&server).await;
    assert!(attempt.steps.is_empty());
    let session = attempt.session.expect("a session");
    assert!(!session.verification.name_matches && session.verification.trust == Trust::Trusted);
    assert!(matches!(attempt.outcome, Err(TurnError::Certificate(_))));
    let stranger = Net::new(NetConfig { system_roots: false, ..NetConfig::default() });
    let attempt = stranger.turn(&server, coturn.tls, Family::V4).await;
    let session = attempt.session.expect("a session");
    assert!(session.verification.trust != Trust::Trusted);
}

#[tokio::test]
async fn a_binding_request_says_where_we_come_from() {
    let coturn = Coturn::start(&[]).await;
    let binding = coturn.net().stun_binding(coturn.plain, Duration::from_secs(2)).await;
    let binding = binding.expect("answered");
    assert_eq!(binding.mapped.map(|mapped| mapped.ip()), Some(coturn.plain.ip()));
    assert_eq!((binding.sent, binding.code), (1, None));
}
