//! The `dns` family.

use std::net::Ipv4Addr;

use hickory_proto::rr::RData;
use hickory_proto::rr::rdata::{CAA, CNAME, NS, SRV};
use mxdoctor_model::Outcome::{Error, Fail, Pass, Skip, Warn};
use mxdoctor_model::Vantage;

use crate::lab::{Lab, MATRIX, Zone, address, answer, name, versions};

fn alias(to: &str) -> RData {
    RData::CNAME(CNAME(name(to)))
}

#[tokio::test]
async fn addresses_are_there_and_public() {
    let lab = Lab::healthy(versions).await;
    lab.expect("dns.address", Pass, None).await;
    let lab = Lab::new(Zone::default().a("other.example.org", 1)).await;
    lab.expect("dns.address", Fail, Some("dns-record-missing")).await;
    let lab = Lab::new(Zone::default().with(MATRIX, alias("gone.example.org."))).await;
    lab.expect("dns.address", Fail, Some("dns-dangling-alias")).await;
}

#[tokio::test]
async fn a_private_address_fails_outside_and_passes_inside() {
    let mut lab = Lab::healthy(versions).await;
    lab.target.routable.clear();
    lab.expect("dns.address", Fail, Some("dns-private-address")).await;
    let (outcome, _, summary) = lab.verdict("tls.handshake").await;
    assert_eq!((outcome, summary.as_str()), (Skip, "blocked by dns.address"));
    lab.vantage = Vantage::Internal;
    lab.expect("dns.address", Pass, None).await;
    // Our resolver's own view: the zone's servers give a public address.
    lab.vantage = Vantage::Public;
    let public = Zone::default().with(MATRIX, RData::A(Ipv4Addr::new(9, 9, 9, 9).into()));
    lab.target.second_resolver = Some(public.serve().await);
    lab.expect("dns.address", Error, Some("split-horizon-here")).await;
}

#[tokio::test]
async fn an_override_is_not_a_verdict_on_dns() {
    let mut lab = Lab::healthy(versions).await;
    let to = lab.config.overrides.addresses[&(address(1).into(), 443)];
    lab.config.overrides.names.insert((MATRIX.into(), 443), vec![to]);
    lab.config.dns_servers = vec![Zone::default().serve().await];
    lab.expect("dns.address", Skip, None).await;
    lab.expect("tls.handshake", Pass, None).await;
    lab.expect("ingress.reachable", Pass, None).await;
}

#[tokio::test]
async fn a_stale_address_is_told_from_a_content_network() {
    let mut lab = Lab::healthy(versions).await;
    lab.target.second_resolver = Some(Zone::default().a(MATRIX, 1).serve().await);
    lab.expect("dns.resolvers_agree", Pass, None).await;
    // Another address that serves the host as well is how content networks work.
    lab.https(2, &[MATRIX], versions).await;
    lab.target.second_resolver = Some(Zone::default().a(MATRIX, 2).serve().await);
    lab.expect("dns.resolvers_agree", Pass, None).await;
    // Ours is dead, theirs is good: everything else follows from that.
    lab.refuse(1, 443).await;
    lab.expect("dns.resolvers_agree", Fail, Some("dns-stale")).await;
    for id in ["tls.handshake", "tls.chain", "ingress.reachable"] {
        let (outcome, _, summary) = lab.verdict(id).await;
        assert_eq!((outcome, summary.as_str()), (Skip, "blocked by dns.resolvers_agree"), "{id}");
    }
    // Ours is somebody else's by now.
    lab.https(1, &["other.example.org"], versions).await;
    lab.expect("dns.resolvers_agree", Fail, Some("dns-stale")).await;
    // Both are dead: that is not a matter of DNS.
    lab.refuse(1, 443).await;
    lab.refuse(2, 443).await;
    lab.expect("tls.handshake", Fail, Some("port-closed")).await;
    // The record is gone, and our resolver has not noticed.
    lab.https(1, &[MATRIX], versions).await;
    lab.target.second_resolver = Some(Zone::default().a("borooka.ee", 9).serve().await);
    lab.expect("dns.resolvers_agree", Warn, Some("dns-stale")).await;
}

#[tokio::test]
async fn a_name_that_just_our_resolver_misses_is_stale() {
    let mut lab = Lab::healthy(versions).await;
    lab.target.second_resolver = Some(lab.config.dns_servers[0]);
    lab.config.dns_servers = vec![Zone::default().a("borooka.ee", 9).serve().await];
    lab.expect("dns.resolvers_agree", Fail, Some("dns-stale")).await;
    let (outcome, _, summary) = lab.verdict("dns.address").await;
    assert_eq!((outcome, summary.as_str()), (Skip, "blocked by dns.resolvers_agree"));
}

#[tokio::test]
async fn the_zones_own_servers_are_found_and_asked() {
    let zone = Zone::default()
        .a(MATRIX, 1)
        .with("borooka.ee", RData::NS(NS(name("ns.borooka.ee."))))
        .a("ns.borooka.ee", 53);
    let mut lab = Lab::new(zone).await;
    lab.https(1, &[MATRIX], versions).await;
    lab.https(2, &[MATRIX], versions).await;
    lab.map(53, 53, Zone::default().a(MATRIX, 1).serve().await);
    lab.expect("dns.resolvers_agree", Pass, None).await;
    lab.map(53, 53, Zone::default().a(MATRIX, 2).serve().await);
    lab.refuse(1, 443).await;
    lab.expect("dns.resolvers_agree", Fail, Some("dns-stale")).await;
    // Servers that cannot be asked from here say nothing.
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    lab.map(53, 53, silent.local_addr().expect("an address"));
    lab.https(1, &[MATRIX], versions).await;
    lab.expect("dns.resolvers_agree", Skip, None).await;
}

#[tokio::test]
async fn srv_records_are_absent_or_usable() {
    let srv = |to: &str| RData::SRV(SRV::new(10, 0, 443, name(to)));
    let fed = format!("_matrix-fed._tcp.{MATRIX}");
    let lab = Lab::healthy(versions).await;
    lab.expect("dns.srv", Pass, None).await;
    let zone = || Zone::default().a(MATRIX, 1);
    let mut lab = Lab::new(zone().with(&fed, srv(&format!("{MATRIX}.")))).await;
    lab.https(1, &[MATRIX], |_| answer(404, &[], "")).await;
    lab.expect("dns.srv", Pass, None).await;
    for (zone, cause) in [
        (zone().with(&fed, srv(".")), "srv-target-unusable"),
        (zone().with(&fed, srv("gone.example.org.")), "srv-target-unusable"),
        (
            zone()
                .with(&fed, srv("www.example.org."))
                .with("www.example.org", alias("a.example.org."))
                .a("a.example.org", 1),
            "srv-target-alias",
        ),
    ] {
        lab.config.dns_servers = vec![zone.serve().await];
        lab.expect("dns.srv", Fail, Some(cause)).await;
    }
    // With a well-known document before it, the same is a warning.
    lab.https(1, &[MATRIX], |_| answer(200, &[], r#"{"m.server":"matrix.example.org:443"}"#)).await;
    lab.expect("dns.srv", Warn, Some("srv-target-alias")).await;
    lab.target.server_name = format!("{MATRIX}:8448");
    lab.expect("dns.srv", Skip, None).await;
}

#[tokio::test]
async fn caa_must_permit_the_issuer() {
    let caa = |domain: &str| RData::CAA(CAA::new_issue(false, Some(name(domain)), Vec::new()));
    let lab = Lab::healthy(versions).await;
    lab.expect("dns.caa", Pass, None).await;
    let mut lab = Lab::new(Zone::default()).await;
    let authority = mxdoctor_fixtures::ca::Authority::new("Let's Encrypt");
    lab.authority = authority.expect("an authority").into();
    lab.config.extra_roots = vec![lab.authority.root_der().clone()];
    lab.https(1, &[MATRIX], versions).await;
    for (domain, outcome, cause) in
        [("letsencrypt.org.", Pass, None), ("pki.goog.", Warn, Some("caa-forbids-issuer"))]
    {
        // It stands two labels above the host.
        let zone = Zone::default().a(MATRIX, 1).with("borooka.ee", caa(domain));
        lab.config.dns_servers = vec![zone.serve().await];
        lab.expect("dns.caa", outcome, cause).await;
    }
}

#[tokio::test]
async fn signatures_that_do_not_hold_are_the_cause_of_the_rest() {
    let lab = Lab::healthy(versions).await;
    lab.expect("dns.dnssec", Pass, None).await;
    let mut lab = Lab::new(Zone::default().a(MATRIX, 1).bogus(MATRIX)).await;
    lab.https(1, &[MATRIX], versions).await;
    lab.expect("dns.dnssec", Fail, Some("dnssec-bogus")).await;
    for id in ["dns.address", "tls.handshake"] {
        let (outcome, _, summary) = lab.verdict(id).await;
        assert_eq!((outcome, summary.as_str()), (Skip, "blocked by dns.dnssec"), "{id}");
    }
}

#[tokio::test]
async fn internal_names_stay_inside() {
    let mut lab = Lab::healthy(versions).await;
    lab.expect("dns.internal_names", Skip, None).await;
    lab.target.internal_names = vec!["matrix.cluster.arpa".into()];
    lab.expect("dns.internal_names", Pass, None).await;
    lab.vantage = Vantage::Internal;
    lab.expect("dns.internal_names", Fail, Some("internal-name-missing")).await;
    let zone = Zone::default().a(MATRIX, 1).a("matrix.cluster.arpa", 7);
    lab.config.dns_servers = vec![zone.serve().await];
    lab.expect("dns.internal_names", Pass, None).await;
    lab.vantage = Vantage::Public;
    lab.expect("dns.internal_names", Fail, Some("internal-name-public")).await;
}
