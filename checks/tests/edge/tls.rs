//! The `tls` family.

use jiff::{SignedDuration, Timestamp};
use mxdoctor_fixtures::ca::{Authority, Leaf};
use mxdoctor_model::Outcome::{Fail, Pass, Skip, Warn};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::lab::{Lab, MATRIX, Zone, versions};

async fn served_with(change: impl FnOnce(&mut Leaf)) -> Lab {
    let mut lab = Lab::new(Zone::default().a(MATRIX, 1)).await;
    let mut leaf = Leaf::of([MATRIX]);
    change(&mut leaf);
    let issued = lab.authority.issue(&leaf).expect("a leaf");
    lab.https_with(1, issued, &["h2"], versions).await;
    lab
}

/// Reads a hello and sends those bytes for one that offers TLS 1.2 or newer, these for an old one.
async fn scripted(modern: &'static [u8], old: &'static [u8]) -> Lab {
    let mut lab = Lab::new(Zone::default().a(MATRIX, 1)).await;
    lab.listen(1, 443, move |mut stream| async move {
        let mut hello = [0; 11];
        if stream.read_exact(&mut hello).await.is_err() {
            return;
        }
        // The version that the hello offers follows its type and length.
        let reply = if hello[9..] >= [3, 3][..] { modern } else { old };
        if stream.write_all(reply).await.is_ok() {
            // What else was sent is read, so that closing does not reset the connection.
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await;
    lab
}

const HANDSHAKE_FAILURE: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
const PROTOCOL_VERSION: &[u8] = &[21, 3, 2, 0, 2, 2, 70];
/// The start of a server hello that chooses TLS 1.1.
const HELLO_11: &[u8] = &[22, 3, 2, 0, 74, 2, 0, 0, 70, 3, 2];

#[tokio::test]
async fn a_good_certificate_passes_everywhere() {
    let lab = served_with(|_| {}).await;
    for id in ["tls.handshake", "tls.chain", "tls.name", "tls.validity", "tls.protocol"] {
        lab.expect(id, Pass, None).await;
    }
    lab.expect("tls.addresses_agree", Skip, None).await;
}

#[tokio::test]
async fn handshakes_that_do_not_come_about_are_told_apart() {
    let lab = scripted(HANDSHAKE_FAILURE, HANDSHAKE_FAILURE).await;
    lab.expect("tls.handshake", Fail, Some("edge-has-no-certificate")).await;
    let lab = scripted(b"HTTP/1.1 400 Bad Request\r\n\r\n", b"").await;
    lab.expect("tls.handshake", Fail, Some("tls-not-spoken")).await;
    let lab = scripted(b"", b"").await;
    lab.expect("tls.handshake", Fail, Some("handshake-cut")).await;
    let mut lab = Lab::new(Zone::default().a(MATRIX, 1)).await;
    lab.refuse(1, 443).await;
    lab.expect("tls.handshake", Fail, Some("port-closed")).await;
}

#[tokio::test]
async fn old_versions_are_the_protocols_business() {
    let lab = scripted(PROTOCOL_VERSION, HELLO_11).await;
    lab.expect("tls.protocol", Fail, Some("tls-too-old")).await;
    let (outcome, _, summary) = lab.verdict("tls.handshake").await;
    assert_eq!((outcome, summary.as_str()), (Skip, "blocked by tls.protocol"));
}

#[tokio::test]
async fn each_fault_of_a_certificate_has_one_check() {
    let all = ["tls.chain", "tls.name", "tls.validity"];
    let now = Timestamp::now();
    let hours = SignedDuration::from_hours;
    let other = Authority::new("Private").expect("an authority");
    let mut private = Lab::new(Zone::default().a(MATRIX, 1)).await;
    let issued = other.issue(&Leaf::of([MATRIX])).expect("a leaf");
    private.https_with(1, issued, &["h2"], versions).await;
    let cases = [
        (private, "tls.chain", "certificate-untrusted-issuer"),
        (
            served_with(|leaf| leaf.names = vec!["www.example.org".into()]).await,
            "tls.name",
            "certificate-wrong-name",
        ),
        (
            served_with(|leaf| leaf.not_after = now - hours(24)).await,
            "tls.validity",
            "certificate-expired",
        ),
        (
            served_with(|leaf| leaf.not_before = now + hours(24)).await,
            "tls.validity",
            "certificate-not-yet-valid",
        ),
    ];
    for (lab, owner, cause) in cases {
        lab.expect(owner, Fail, Some(cause)).await;
        for id in all.into_iter().filter(|id| *id > owner && owner != "tls.validity") {
            let (outcome, _, summary) = lab.verdict(id).await;
            assert_eq!((outcome, summary), (Skip, format!("blocked by {owner}")), "{id}");
        }
        let (outcome, _, summary) = lab.verdict("ingress.reachable").await;
        assert_eq!((outcome, summary), (Skip, format!("blocked by {owner}")));
    }
}

#[tokio::test]
async fn renewal_that_is_late_is_seen_before_the_end() {
    let now = Timestamp::now();
    let hours = SignedDuration::from_hours;
    let lab = served_with(|leaf| leaf.not_after = now + hours(24 * 10)).await;
    lab.expect("tls.validity", Warn, Some("certificate-expiring")).await;
    let lab = served_with(|leaf| leaf.not_after = now + hours(24)).await;
    lab.expect("tls.validity", Fail, Some("certificate-expiring")).await;
    lab.expect("ingress.reachable", Pass, None).await;
}

#[tokio::test]
async fn one_broken_address_does_not_stop_the_run() {
    let mut lab = Lab::new(Zone::default().a(MATRIX, 1).a(MATRIX, 2)).await;
    lab.https(1, &[MATRIX], versions).await;
    lab.https(2, &[MATRIX], versions).await;
    lab.expect("tls.addresses_agree", Pass, None).await;
    // It refuses; then it shows a certificate for another name. Whichever comes first in DNS.
    for broken in [1, 2] {
        let mut lab = Lab::new(Zone::default().a(MATRIX, 1).a(MATRIX, 2)).await;
        lab.https(3 - broken, &[MATRIX], versions).await;
        lab.refuse(broken, 443).await;
        lab.expect("tls.addresses_agree", Fail, Some("one-address-broken")).await;
        lab.https(broken, &["www.example.org"], versions).await;
        lab.expect("tls.addresses_agree", Fail, Some("one-address-broken")).await;
        for id in ["tls.handshake", "tls.name", "ingress.reachable", "ingress.http2"] {
            lab.expect(id, Pass, None).await;
        }
    }
}
