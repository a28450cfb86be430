//! The `vantage` family.

use std::net::{Ipv6Addr, SocketAddr};

use hickory_proto::rr::RData;
use mxdoctor_model::Outcome::{Error, Pass, Skip};
use tokio::net::UdpSocket;

use crate::lab::{Lab, MATRIX, Zone, answer, versions};

#[tokio::test]
async fn a_resolver_that_answers_passes_and_one_that_is_silent_is_our_trouble() {
    let mut lab = Lab::healthy(versions).await;
    lab.expect("vantage.resolver", Pass, None).await;
    let silent = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    lab.config.dns_servers = vec![silent.local_addr().expect("an address")];
    lab.expect("vantage.resolver", Error, Some("own-resolver-down")).await;
    // No host is absent because of that.
    for id in ["dns.address", "tls.handshake", "ingress.reachable"] {
        let (outcome, _, summary) = lab.verdict(id).await;
        assert_eq!((outcome, summary.as_str()), (Skip, "blocked by vantage.resolver"), "{id}");
    }
}

#[tokio::test]
async fn a_clock_is_compared_with_the_servers() {
    let lab = Lab::healthy(versions).await;
    lab.expect("vantage.clock", Pass, None).await;
    let lab = Lab::healthy(|_| answer(200, &[("date", "Sun, 06 Nov 1994 08:49:37 GMT")], "")).await;
    lab.expect("vantage.clock", Error, Some("own-clock-wrong")).await;
    // By the servers' clock the certificate is not valid yet: nobody can tell from here.
    let (outcome, _, summary) = lab.verdict("tls.validity").await;
    assert_eq!((outcome, summary.as_str()), (Skip, "blocked by vantage.clock"));
}

#[tokio::test]
async fn without_ipv6_nothing_is_held_against_the_target() {
    let v6: Ipv6Addr = "2001:db8::1".parse().expect("an address");
    let mut lab = Lab::healthy(versions).await;
    lab.expect("vantage.ipv6", Skip, None).await;
    let zone = || Zone::default().with(MATRIX, RData::AAAA(v6.into()));
    lab.config.dns_servers = vec![zone().a(MATRIX, 1).serve().await];
    lab.target.routable.push("2001:db8::/32".parse().expect("a range"));
    // A link-local address without its link stands for a way that is not there: the kernel refuses
    // to connect, and nothing is sent.
    let nowhere: SocketAddr = "[fe80::1]:9".parse().expect("an address");
    let root: Ipv6Addr = "2001:503:ba3e::2:30".parse().expect("an address");
    lab.config.overrides.addresses.insert((v6.into(), 443), nowhere);
    lab.config.overrides.addresses.insert((root.into(), 53), nowhere);
    lab.expect("vantage.ipv6", Skip, None).await;
    lab.expect("tls.handshake", Pass, None).await;
    lab.expect("tls.addresses_agree", Skip, None).await;
    // A host with nothing else was not measured; it did not fail.
    lab.config.dns_servers = vec![zone().serve().await];
    lab.expect("tls.handshake", Error, Some("no-way-there")).await;
}
