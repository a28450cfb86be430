//! Ways of other servers that end astray: at a host without TLS, without address, or another's.

use std::net::Ipv4Addr;

use hickory_proto::rr::RData;
use hickory_proto::rr::rdata::CNAME;
use mxdoctor_fixtures::ca::Leaf;
use mxdoctor_model::Outcome::{self, Error, Fail, Pass, Skip, Warn};

use crate::branches::{
    Branch, FED, Records, branch, by_well_known, delegation, homeserver, srv, v4, v6,
};
use crate::lab::{Lab, MATRIX, SERVER, Zone, address, address6, answer, name, versions};

#[tokio::test]
async fn what_answers_without_tls_or_certificate_is_named() {
    let delegated = || by_well_known().remove(2);
    let mut lab = delegated().lab().await;
    for last in [2] {
        lab.listen(last, 443, |mut stream| async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let mut hello = [0; 2048];
            let _ = stream.read(&mut hello).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        })
        .await;
    }
    lab.refuse_at(v6(2, 443)).await;
    lab.expect("federation.tls", Fail, Some("tls-not-spoken")).await;
    lab.expect("federation.resolve", Skip, None).await;
    // An alert before any certificate, as the edge of Cloudflare sends it.
    let mut lab = delegated().lab().await;
    lab.listen(2, 443, |mut stream| async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut hello = [0; 2048];
        let _ = stream.read(&mut hello).await;
        let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, 40]).await;
    })
    .await;
    lab.refuse_at(v6(2, 443)).await;
    lab.expect("federation.tls", Fail, Some("edge-has-no-certificate")).await;
    lab.expect("federation.version", Skip, None).await;
}

#[tokio::test]
async fn a_certificate_near_its_end_warns() {
    let branch = by_well_known().remove(2);
    let mut lab = branch.lab().await;
    for at in branch.at {
        let soon = Leaf {
            not_after: jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 10),
            ..Leaf::of([FED])
        };
        let issued = lab.authority.issue(&soon).expect("a leaf");
        lab.tls_at(at, issued, &["http/1.1"], homeserver(branch.host)).await;
    }
    lab.expect("federation.tls", Warn, Some("certificate-expiring")).await;
    lab.expect("federation.version", Pass, None).await;
}

/// A delegation to a host that DNS does not lead to.
#[tokio::test]
async fn a_delegated_host_needs_an_address_of_the_internet() {
    let cases: [(&'static str, Records, &str); 5] = [
        ("gone.borooka.ee:443", vec![], "dns-record-missing"),
        (
            "fed2.borooka.ee:443",
            vec![("fed2.borooka.ee", RData::CNAME(CNAME(name("gone.borooka.ee."))))],
            "dns-dangling-alias",
        ),
        (
            "fed2.borooka.ee:443",
            vec![("fed2.borooka.ee", RData::A(Ipv4Addr::new(10, 0, 0, 5).into()))],
            "dns-private-address",
        ),
        ("10.0.0.5:8448", vec![], "dns-private-address"),
        ("[fd00::5]:8448", vec![], "dns-private-address"),
    ];
    for (to, records, cause) in cases {
        let branch = Branch { records, ..branch(SERVER, Some(to)) };
        let lab = branch.lab().await;
        let finding = lab.run("federation.resolve").await.remove(0);
        assert_eq!((finding.outcome, finding.cause), (Fail, Some(cause)), "{to}: {finding:?}");
        assert!(finding.summary.contains(to), "{}", finding.summary);
        lab.expect("federation.version", Skip, None).await;
    }
    // One among good ones.
    let mut branch = by_well_known().remove(2);
    branch.records.push((FED, RData::A(Ipv4Addr::new(192, 168, 1, 5).into())));
    let lab = branch.lab().await;
    lab.expect("federation.resolve", Fail, Some("dns-private-address")).await;
    lab.expect("federation.version", Pass, None).await;
    // IPv6 alone is fine for us and not for everybody.
    let records = vec![("six.borooka.ee", RData::AAAA(address6(2).into()))];
    let at = vec![v6(2, 443)];
    let host = "six.borooka.ee:443";
    let branch = Branch {
        records,
        at,
        host,
        certificate: "six.borooka.ee",
        ..self::branch(SERVER, Some(host))
    };
    let lab = branch.lab().await;
    lab.expect("federation.resolve", Warn, Some("dns-ipv6-only")).await;
    lab.expect("federation.version", Pass, None).await;
}

#[tokio::test]
async fn records_of_the_delegated_host_are_judged() {
    let fed = "_matrix-fed._tcp.fed.testing.borooka.ee";
    let old = "_matrix._tcp.fed.testing.borooka.ee";
    let alias = RData::CNAME(CNAME(name("a.borooka.ee.")));
    let good = || srv(10, 8443, "a.borooka.ee.");
    let cases: [(Records, Outcome, Option<&str>); 7] = [
        (vec![(fed, good())], Pass, None),
        (vec![(old, good())], Warn, Some("srv-deprecated-only")),
        (
            vec![(fed, good()), (old, srv(10, 1, "b.borooka.ee."))],
            Warn,
            Some("srv-records-disagree"),
        ),
        (
            vec![
                (fed, srv(10, 8443, "c.borooka.ee.")),
                ("c.borooka.ee", alias),
                ("c.borooka.ee", RData::A(address(3).into())),
            ],
            Fail,
            Some("srv-target-alias"),
        ),
        (vec![(fed, srv(0, 0, "."))], Fail, Some("srv-target-unusable")),
        (vec![(fed, srv(10, 0, "a.borooka.ee."))], Fail, Some("srv-target-unusable")),
        (
            vec![(fed, srv(10, 443, "gone.borooka.ee.")), (old, good())],
            Fail,
            Some("srv-target-unusable"),
        ),
    ];
    for (records, outcome, cause) in cases {
        let branch = Branch {
            records,
            at: vec![v4(3, 8443)],
            certificate: FED,
            host: FED,
            ..branch(SERVER, Some(FED))
        };
        let lab = branch.lab().await;
        let findings = lab.run("dns.srv").await;
        assert_eq!(findings[0].outcome, Pass, "the server name's own: {findings:?}");
        let finding = findings.iter().find(|finding| finding.instance.as_deref() == Some(FED));
        let finding = finding.expect("one of the delegated host");
        assert_eq!((finding.outcome, finding.cause), (outcome, cause), "{finding:?}");
        let unusable = cause == Some("srv-target-unusable");
        let resolved = lab.run("federation.resolve").await.remove(0);
        let expected = if unusable { Skip } else { Pass };
        assert_eq!(resolved.outcome, expected, "{resolved:?}");
    }
}

/// Where the one thing to change is the file, that is said, with the line to write.
#[tokio::test]
async fn a_delegation_past_the_homeserver_is_corrected() {
    let branch = branch(SERVER, Some("testing.borooka.ee:443"));
    let mut lab = branch.lab().await;
    lab.https_at((address(9), 443), &[MATRIX], homeserver(MATRIX)).await;
    let finding = lab.run("federation.version").await.remove(0);
    assert_eq!((finding.outcome, finding.cause), (Fail, Some("delegation-leads-elsewhere")));
    let remedy = finding.remedy.expect("a remedy");
    assert!(remedy.contains(r#"{"m.server": "matrix.testing.borooka.ee:443"}"#), "{remedy}");
    // On the homeserver's host alone nobody looks for it.
    let branch = self::branch(SERVER, None);
    let mut lab = branch.lab().await;
    lab.https_at((address(9), 443), &[MATRIX], delegation("matrix.testing.borooka.ee:443")).await;
    let finding = lab.run("federation.resolve").await.remove(0);
    assert_eq!((finding.outcome, finding.cause), (Fail, Some("well-known-server-missing")));
    let remedy = finding.remedy.expect("a remedy");
    assert!(remedy.contains("as well as on matrix.testing.borooka.ee"), "{remedy}");
}

/// A record that could not be asked for may be there: no verdict, where the rest leads nowhere.
#[tokio::test]
async fn a_record_without_answer_leaves_the_way_unknown() {
    for step in ["_matrix-fed._tcp", "_matrix._tcp"] {
        let zone = Zone::default().a(SERVER, 1).a(MATRIX, 9).bogus(&format!("{step}.{SERVER}"));
        let mut lab = Lab::new(zone).await;
        lab.target.server_name = SERVER.into();
        lab.https(9, &[MATRIX], versions).await;
        lab.https_at((address(1), 443), &[SERVER], |_: &_| answer(404, &[], "not here")).await;
        lab.refuse(1, 8448).await;
        lab.expect("dns.srv", Error, None).await;
        lab.expect("federation.resolve", Error, None).await;
        lab.https_at((address(1), 8448), &[SERVER], homeserver(SERVER)).await;
        let finding = lab.run("federation.resolve").await.remove(0);
        assert_eq!(finding.outcome, Pass, "{finding:?}");
        assert!(finding.evidence.iter().any(|it| it.text.ends_with("no usable answer")));
    }
}
