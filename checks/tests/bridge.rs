//! The checks of the bridge against the demo's bridge, healthy and with every fault.

use std::net::SocketAddr;

use mxdoctor_checks::{Check, Cx, Entry, Target, check};
use mxdoctor_fixtures::bridge::{Bridge, BridgeConfig, BridgeFault};
use mxdoctor_model::{Finding, Outcome, Vantage};
use mxdoctor_probes::Net;
use mxdoctor_probes::net::{NetConfig, Overrides};

const STAGES: [&str; 4] = ["jitsi.candidates", "jitsi.udp", "jitsi.ice", "jitsi.dtls"];

/// Where the demo's bridge says that it is.
const HOME: &str = "10.244.0.7:10000";
const MAPPED: &str = "198.51.100.20:10000";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A bridge with a private and a mapped address, of which just the mapped one leads to it.
async fn behind_nat(fault: Option<BridgeFault>) -> (Bridge, Overrides) {
    let config = BridgeConfig {
        advertised: vec![address(HOME)],
        mapped: vec![address(MAPPED)],
        fault,
        ..BridgeConfig::default()
    };
    let bridge = Bridge::start(config).await.expect("starts");
    let overrides = leads(&[(HOME, closed()), (MAPPED, bridge.udp)]);
    (bridge, overrides)
}

fn leads(to: &[(&str, SocketAddr)]) -> Overrides {
    let mut overrides = Overrides::default();
    for (from, to) in to {
        let from = address(from);
        overrides.addresses.insert((from.ip(), from.port()), *to);
    }
    overrides
}

/// A port on loopback that never answers.
fn silent() -> (std::net::UdpSocket, SocketAddr) {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("binds");
    let address = socket.local_addr().expect("bound");
    (socket, address)
}

/// A port on loopback that nobody listens on.
fn closed() -> SocketAddr {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("binds");
    socket.local_addr().expect("bound")
}

/// A name server on loopback that says of every name that it does not exist.
fn name_server() -> SocketAddr {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("binds");
    let address = socket.local_addr().expect("bound");
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let mut answer = buffer[..length].to_vec();
            // An answer (QR), recursion available, NXDOMAIN.
            answer[2] |= 0x80;
            answer[3] = 0x83;
            let _ = socket.send_to(&answer, from);
        }
    });
    address
}

fn context(rest: Option<SocketAddr>, overrides: Overrides, vantage: Vantage) -> Cx {
    context_with(rest, overrides, vantage, name_server())
}

fn context_with(
    rest: Option<SocketAddr>,
    overrides: Overrides,
    vantage: Vantage,
    dns: SocketAddr,
) -> Cx {
    let target = Target {
        server_name: "testing.borooka.ee".into(),
        jvb_rest: rest.map(|rest| format!("http://{rest}/").parse().expect("a URL")),
        routable: vec!["198.51.100.0/24".parse().expect("a range")],
        ..Target::default()
    };
    let dns_servers = vec![dns];
    let config = NetConfig { overrides, dns_servers, ..NetConfig::default() };
    Cx::new(vantage, target, Net::new(config))
}

/// What the checks come to: findings, and for a blocked check the owner's id.
async fn run(cx: &Cx) -> Vec<(&'static str, Result<Finding, &'static str>)> {
    let mut all = Vec::new();
    for id in STAGES {
        let check: &Check = check(id).expect("registered");
        match (check.run)(&cx.for_asker()).await {
            Ok(findings) => all.extend(findings.0.into_iter().map(|entry| match entry {
                Entry::Finding(finding) => {
                    let cause = finding.cause;
                    assert!(cause.is_none_or(|cause| check.causes.contains(&cause)), "{cause:?}");
                    (id, Ok(finding))
                }
                Entry::Blocked { by, .. } => (id, Err(by.owner)),
            })),
            Err(by) if by.owner == id => all.push((id, Ok(*by.finding))),
            Err(by) => all.push((id, Err(by.owner))),
        }
    }
    all
}

/// Findings without the skipped ones, in short: check, outcome and cause, or the blocking check.
fn short(all: &[(&'static str, Result<Finding, &'static str>)]) -> Vec<String> {
    all.iter()
        .filter_map(|(id, result)| match result {
            Ok(finding) if finding.outcome == Outcome::Skip => None,
            Ok(finding) => {
                Some(format!("{id} {} {}", finding.outcome, finding.cause.unwrap_or_default()))
            }
            Err(owner) => Some(format!("{id} blocked by {owner}")),
        })
        .map(|line| line.trim_end().to_owned())
        .collect()
}

async fn with_fault(fault: BridgeFault) -> Vec<String> {
    let (bridge, overrides) = behind_nat(Some(fault)).await;
    let cx = context(Some(bridge.rest), overrides, Vantage::Public);
    let seen = short(&run(&cx).await);
    assert_eq!(bridge.conferences(), 0, "nothing is left behind");
    seen
}

const PASSED: [&str; 4] =
    ["jitsi.candidates pass", "jitsi.udp pass", "jitsi.ice pass", "jitsi.dtls pass"];

/// Candidates are looked at, and nothing comes back from them.
fn stopped_at_udp(finding: &str) -> Vec<String> {
    let lines = [
        "jitsi.candidates pass",
        finding,
        "jitsi.ice blocked by jitsi.udp",
        "jitsi.dtls blocked by jitsi.udp",
    ];
    lines.map(str::to_owned).to_vec()
}

/// Nothing is worth trying, or there is nothing to try.
fn blocked_by(owner: &str, finding: &str) -> Vec<String> {
    let stages = STAGES.iter().filter(|stage| **stage != owner);
    let mut lines: Vec<String> =
        stages.map(|stage| format!("{stage} blocked by {owner}")).collect();
    let own = STAGES.iter().position(|stage| *stage == owner).expect("a stage");
    lines.insert(own, finding.to_owned());
    lines
}

#[tokio::test]
async fn healthy_bridge_passes_and_its_private_address_is_skipped() {
    let (bridge, overrides) = behind_nat(None).await;
    let cx = context(Some(bridge.rest), overrides, Vantage::Public);
    let all = run(&cx).await;
    assert_eq!(short(&all), PASSED);
    let private = all.iter().filter_map(|(_, result)| result.as_ref().ok());
    let private: Vec<_> = private.filter(|f| f.outcome == Outcome::Skip).collect();
    assert_eq!(private.len(), 1);
    assert_eq!(private[0].instance.as_deref(), Some(HOME));
    let pass = all.iter().find_map(|(_, result)| {
        result.as_ref().ok().filter(|finding| finding.instance.as_deref() == Some(MAPPED))
    });
    let pass = pass.expect("the mapped address");
    assert!(pass.metrics.iter().any(|metric| metric.name == "rtt" && metric.unit == "ms"));
    let text: String = pass.evidence.iter().map(|evidence| evidence.text.as_str()).collect();
    assert!(text.contains("198.51.100.20:10000 (srflx)") && text.contains("sees us as 127.0.0.1"));
}

#[tokio::test]
async fn silence_is_udp_blocked_and_the_rest_is_blocked_by_it() {
    let expected = stopped_at_udp("jitsi.udp fail udp-blocked");
    let (there, back) =
        tokio::join!(with_fault(BridgeFault::UdpBlocked), with_fault(BridgeFault::RepliesBlocked));
    assert_eq!(there, expected);
    assert_eq!(back, expected);
}

#[tokio::test]
async fn silence_where_no_udp_works_for_us_is_no_failure_of_the_target() {
    let (bridge, overrides) = behind_nat(Some(BridgeFault::UdpBlocked)).await;
    let (_silent, nowhere) = silent();
    let cx = context_with(Some(bridge.rest), overrides, Vantage::Public, nowhere);
    let blocked = STAGES.map(|id| format!("{id} blocked by vantage.resolver"));
    assert_eq!(short(&run(&cx).await), blocked);
}

#[tokio::test]
async fn later_stages_have_their_own_causes() {
    let [candidates, udp, ice, _] = PASSED;
    let after_ice = "jitsi.dtls blocked by jitsi.ice";
    let (stale, idle, silent, other) = tokio::join!(
        with_fault(BridgeFault::StalePassword),
        with_fault(BridgeFault::NoNomination),
        with_fault(BridgeFault::DtlsSilent),
        with_fault(BridgeFault::OtherCertificate),
    );
    assert_eq!(stale, [candidates, udp, "jitsi.ice fail bridge-credentials-stale", after_ice]);
    assert_eq!(idle, [candidates, udp, "jitsi.ice fail ice-not-nominated", after_ice]);
    assert_eq!(silent, [candidates, udp, ice, "jitsi.dtls fail dtls-no-answer"]);
    assert_eq!(other, [candidates, udp, ice, "jitsi.dtls fail dtls-fingerprint-mismatch"]);
}

#[tokio::test]
async fn no_offer_is_told_from_no_path() {
    for (fault, first) in [
        (BridgeFault::NoCandidates, "jitsi.candidates fail bridge-no-candidates"),
        (BridgeFault::Unhealthy, "jitsi.candidates fail bridge-unhealthy"),
        (BridgeFault::Refuses, "jitsi.udp error bridge-refuses-conferences"),
    ] {
        let owner = first.split(' ').next().expect("an id");
        assert_eq!(with_fault(fault).await, blocked_by(owner, first), "{fault:?}");
    }
}

#[tokio::test]
async fn what_is_switched_off_or_unknown_is_skipped_with_the_reason() {
    let (off, overrides) = behind_nat(Some(BridgeFault::RestOff)).await;
    let cases =
        [(Some(off.rest), "COLIBRI_REST_ENABLED"), (None, "private REST address is not known")];
    for (rest, reason) in cases {
        let all = run(&context(rest, overrides.clone(), Vantage::Cluster)).await;
        let finding = all[1].1.as_ref().expect("its own finding");
        assert_eq!(finding.outcome, Outcome::Skip);
        assert!(finding.summary.contains(reason), "{}", finding.summary);
        assert!(finding.remedy.is_some());
        let others = ["jitsi.candidates", "jitsi.ice", "jitsi.dtls"];
        assert_eq!(short(&all), others.map(|id| format!("{id} blocked by jitsi.udp")));
    }
}

#[tokio::test]
async fn an_interface_that_does_not_answer_is_no_failure_of_the_target() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let rest = listener.local_addr().expect("bound");
    drop(listener);
    let all = run(&context(Some(rest), Overrides::default(), Vantage::Public)).await;
    let own = "jitsi.udp error bridge-api-unreachable";
    assert_eq!(short(&all), blocked_by("jitsi.udp", own));
}

#[tokio::test]
async fn private_addresses_alone_are_named_from_outside_only() {
    let config = BridgeConfig { advertised: vec![address(HOME)], ..BridgeConfig::default() };
    let bridge = Bridge::start(config).await.expect("starts");
    let (_silent, nowhere) = silent();
    let cx = context(Some(bridge.rest), leads(&[(HOME, nowhere)]), Vantage::Public);
    let seen = short(&run(&cx).await);
    let own = "jitsi.candidates fail bridge-advertises-private-address";
    assert_eq!(seen, blocked_by("jitsi.candidates", own));
    // From inside the same address is as good as any other.
    let cx = context(Some(bridge.rest), leads(&[(HOME, bridge.udp)]), Vantage::Cluster);
    let seen = short(&run(&cx).await);
    assert_eq!(seen, PASSED);
}

#[tokio::test]
async fn a_mapped_address_of_another_machine_is_a_wrong_address() {
    let (bridge, _) = behind_nat(None).await;
    let cx =
        context(Some(bridge.rest), leads(&[(HOME, closed()), (MAPPED, closed())]), Vantage::Public);
    let seen = short(&run(&cx).await);
    assert_eq!(seen, stopped_at_udp("jitsi.udp fail bridge-advertises-wrong-address"));
}

#[tokio::test]
async fn from_inside_a_mapped_address_need_not_answer() {
    let (bridge, _) = behind_nat(None).await;
    let overrides = leads(&[(HOME, bridge.udp), (MAPPED, closed())]);
    let all = run(&context(Some(bridge.rest), overrides, Vantage::Cluster)).await;
    assert_eq!(short(&all), PASSED);
}

#[tokio::test]
async fn what_cannot_be_sent_from_here_is_never_a_failure() {
    let six = "[2001:db8::20]:10000";
    // A socket that did not ask for it may not send there.
    let forbidden = address("255.255.255.255:9");
    let config = BridgeConfig {
        advertised: vec![address(six)],
        mapped: vec![address(MAPPED)],
        ..BridgeConfig::default()
    };
    let bridge = Bridge::start(config).await.expect("starts");
    let overrides = leads(&[(six, forbidden), (MAPPED, bridge.udp)]);
    let all = run(&context(Some(bridge.rest), overrides, Vantage::Public)).await;
    assert_eq!(short(&all), PASSED);
    let first = all[1].1.as_ref().expect("its own finding");
    assert_eq!((first.instance.as_deref(), first.outcome), (Some(six), Outcome::Skip));
    assert!(first.summary.contains("no IPv6 from here"), "{}", first.summary);

    let overrides = leads(&[(six, forbidden), (MAPPED, forbidden)]);
    let seen = short(&run(&context(Some(bridge.rest), overrides, Vantage::Public)).await);
    assert_eq!(seen, stopped_at_udp("jitsi.udp error"));
}
