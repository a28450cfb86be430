//! Candidates, UDP, ICE and DTLS of two guests.

use mxdoctor_model::Vantage;
use mxdoctor_probes::Net;
use mxdoctor_probes::net::NetConfig;

use super::super::{candidates, dtls, ice as ice_check, udp};
use super::*;
use crate::facts::{EndpointPath, PathRoute, UdpPaths};
use crate::{Cx, Target};

fn cx(vantage: Vantage) -> Cx {
    let routable = vec!["198.51.100.0/24".parse().expect("a range")];
    let target = Target { routable, ..Target::default() };
    Cx::new(vantage, target, Net::new(NetConfig::default()))
}

fn paths(ways: [Vec<Pair>; 2]) -> UdpPaths {
    let endpoint = |(label, pairs): (&str, Vec<Pair>)| EndpointPath {
        label: label.into(),
        candidates: pairs.iter().map(|pair| pair.candidate.clone()).collect(),
        unusable: 0,
        way: way(pairs),
        refused: None,
    };
    let endpoints = ["guest A", "guest B"].into_iter().zip(ways).map(endpoint).collect();
    UdpPaths::new(PathRoute::Conference, endpoints)
}

fn both(pairs: Vec<Pair>) -> UdpPaths {
    paths([pairs.clone(), pairs])
}

type Short = (Outcome, Option<&'static str>);

/// What candidates and UDP come to.
async fn judged(vantage: Vantage, paths: UdpPaths) -> (Short, Vec<Short>) {
    let cx = cx(vantage);
    let offered = short(&candidates::judge(&cx, &paths));
    (offered, udp::judge(&cx, &paths).iter().map(short).collect())
}

const PASS: Short = (Outcome::Pass, None);
const SKIP: Short = (Outcome::Skip, None);

#[tokio::test]
async fn both_guests_are_one_finding_an_address() {
    let there = candidate(PUBLIC, Kind::Host);
    let home = candidate("10.0.0.7:10000", Kind::Host);
    let paths = both(vec![answered(&there), silent(&home)]);
    let cx = cx(Vantage::Public);
    let findings = udp::judge(&cx, &paths);
    assert_eq!(findings.iter().map(short).collect::<Vec<_>>(), [PASS, SKIP]);
    let sent = findings[0].metrics.iter().find(|metric| metric.name == "checks_sent");
    assert_eq!(sent.map(|metric| metric.value), Some(16.0), "checks of both are counted");
    assert_eq!(short(&ice_check::judge(&paths)), PASS);
    assert_eq!(short(&dtls::judge(&paths).expect("looked at")), PASS);
}

#[tokio::test]
async fn silence_is_udp_blocked_unless_the_candidates_say_more() {
    let silence = |address: &str, kind| both(vec![silent(&candidate(address, kind))]);
    let public = Vantage::Public;
    let blocked = judged(public, silence(PUBLIC, Kind::Host)).await;
    assert_eq!(blocked, (PASS, vec![fails("udp-blocked")]));
    let private = judged(public, silence("10.0.0.7:10000", Kind::Host)).await.0;
    assert_eq!(private, fails("bridge-advertises-private-address"));
    let six = judged(public, silence("[2600::7]:10000", Kind::Host)).await.0;
    assert_eq!(six, fails("bridge-only-ipv6"));
    let port = judged(public, silence("198.51.100.20:30300", Kind::Host)).await.0;
    assert_eq!(port, fails("bridge-port-unusual"));
    let hairpin = judged(Vantage::Cluster, silence(PUBLIC, Kind::ServerReflexive)).await;
    assert_eq!(hairpin, (PASS, vec![fails("nat-hairpin-missing")]));
    let none = judged(public, both(Vec::new())).await.0;
    assert_eq!(none, fails("bridge-no-candidates"));
}

#[tokio::test]
async fn what_answers_here_is_no_failure() {
    let open = |address: &str| both(vec![answered(&candidate(address, Kind::Host))]);
    let port = judged(Vantage::Public, open("198.51.100.20:30300")).await;
    assert_eq!(port, (PASS, vec![PASS]));
    let private = judged(Vantage::Public, open("10.0.0.7:10000")).await;
    let warning = (Outcome::Warn, Some("bridge-advertises-private-address"));
    assert_eq!(private, (warning, vec![PASS]));
    let inside = judged(Vantage::Cluster, open("10.0.0.7:10000")).await;
    assert_eq!(inside, (PASS, vec![PASS]));
}

#[tokio::test]
async fn one_guest_answered_and_one_not_is_a_shared_address() {
    let there = candidate(PUBLIC, Kind::Host);
    let paths = paths([vec![answered(&there)], vec![silent(&there)]]);
    let cx = cx(Vantage::Public);
    let findings = udp::judge(&cx, &paths);
    assert_eq!(short(&findings[0]), fails("bridge-address-shared"));
    assert!(findings[0].summary.contains("silent to guest B"), "{}", findings[0].summary);
    assert_eq!(udp::need(&cx, &paths).expect_err("blocked").owner, "jitsi.udp");
}

#[tokio::test]
async fn the_bridges_checks_without_answers_to_ours_is_the_way_there() {
    let mut pair = silent(&candidate(PUBLIC, Kind::Host));
    pair.asked = 5;
    let (_, findings) = judged(Vantage::Public, both(vec![pair])).await;
    assert_eq!(findings, [fails("udp-blocked")]);
}

#[test]
fn a_stale_password_of_one_guest_is_named() {
    let there = candidate(PUBLIC, Kind::Host);
    let mut stale = silent(&there);
    stale.answered = 4;
    stale.last = Some(ice::Answer::Error(401, "Unauthorized".into()));
    let paths = paths([vec![answered(&there)], vec![stale]]);
    assert_eq!(short(&ice_check::judge(&paths)), fails("bridge-credentials-stale"));
    assert_eq!(dtls::judge(&paths).expect_err("blocked").owner, "jitsi.ice");
}
