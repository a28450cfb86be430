use proptest::prelude::*;

use super::*;

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

fn candidate(port: u16) -> Candidate {
    Candidate { address: address(port), kind: Kind::Host, priority: 1 }
}

/// Carries datagrams between two agents at addresses 1 and 2 until both are quiet.
fn carry(now: Instant, one: &mut Agent, two: &mut Agent) {
    loop {
        let (a, b) = (one.poll_transmit(), two.poll_transmit());
        if a.is_none() && b.is_none() {
            one.handle_timeout(now);
            two.handle_timeout(now);
            if one.transmits.is_empty() && two.transmits.is_empty() {
                return;
            }
        }
        if let Some(sent) = a.filter(|sent| sent.to == address(2)) {
            two.handle(now, address(1), &sent.bytes);
        }
        if let Some(sent) = b.filter(|sent| sent.to == address(1)) {
            one.handle(now, address(2), &sent.bytes);
        }
    }
}

fn agents(one: Role, two: Role) -> (Agent, Agent) {
    (Agent::new(one, Credentials::random()), Agent::new(two, Credentials::random()))
}

/// Introduces them as a bridge and a guest are: only one knows a candidate.
fn introduce(now: Instant, guest: &mut Agent, bridge: &mut Agent) {
    guest.set_remote(now, bridge.local().clone());
    bridge.set_remote(now, guest.local().clone());
    guest.add_candidate(now, candidate(2), address(2));
}

#[test]
fn guest_waits_for_the_nomination() {
    let now = Instant::now();
    let (mut guest, mut bridge) = agents(Role::Controlled, Role::Controlling);
    introduce(now, &mut guest, &mut bridge);
    carry(now, &mut guest, &mut bridge);
    let pair = guest.selected().expect("nominated");
    assert_eq!((pair.candidate.address, pair.mapped), (address(2), Some(address(1))));
    assert!(pair.valid && pair.nominated && pair.asked > 0);
    assert_eq!(bridge.selected().expect("nominated").candidate.kind, Kind::PeerReflexive);
}

#[test]
fn answered_before_the_other_side_knows_us() {
    let now = Instant::now();
    let (mut guest, mut bridge) = agents(Role::Controlled, Role::Controlling);
    guest.set_remote(now, bridge.local().clone());
    guest.add_candidate(now, candidate(2), address(2));
    carry(now, &mut guest, &mut bridge);
    assert!(guest.pairs()[0].valid);
    assert!(guest.selected().is_none());
    bridge.set_remote(now, guest.local().clone());
    carry(now, &mut guest, &mut bridge);
    assert!(guest.selected().is_some());
}

#[test]
fn role_conflicts_are_settled() {
    for role in [Role::Controlled, Role::Controlling] {
        let now = Instant::now();
        let (mut guest, mut bridge) = agents(role, role);
        introduce(now, &mut guest, &mut bridge);
        carry(now, &mut guest, &mut bridge);
        assert_ne!(guest.role(), bridge.role());
        assert!(guest.selected().is_some() && bridge.selected().is_some());
    }
}

#[test]
fn wrong_password_is_401_and_proves_the_path() {
    let now = Instant::now();
    let (mut guest, mut bridge) = agents(Role::Controlled, Role::Controlling);
    let stale = Credentials { pwd: "another".into(), ..bridge.local().clone() };
    guest.set_remote(now, stale);
    guest.add_candidate(now, candidate(2), address(2));
    carry(now, &mut guest, &mut bridge);
    let pair = &guest.pairs()[0];
    assert!(matches!(pair.last, Some(Answer::Error(401, _))));
    assert!(pair.is_open() && !pair.valid);
    assert_eq!(bridge.refused, pair.answered);
}

#[test]
fn answer_from_elsewhere_validates_nothing() {
    let now = Instant::now();
    let (mut guest, mut bridge) = agents(Role::Controlled, Role::Controlling);
    introduce(now, &mut guest, &mut bridge);
    guest.handle_timeout(now);
    let check = guest.poll_transmit().expect("a check");
    bridge.handle(now, address(1), &check.bytes);
    let answer = bridge.poll_transmit().expect("an answer");
    guest.handle(now, address(9), &answer.bytes);
    let pair = &guest.pairs()[0];
    assert_eq!((pair.valid, pair.strayed), (false, Some((1, address(9)))));
}

#[test]
fn candidates_are_bounded_and_silence_is_counted() {
    let mut now = Instant::now();
    let (mut guest, bridge) = agents(Role::Controlled, Role::Controlling);
    guest.set_remote(now, bridge.local().clone());
    for port in 1..=1000 {
        guest.add_candidate(now, candidate(port), address(port));
    }
    assert_eq!((guest.pairs().len(), guest.dropped), (MAX_PAIRS, 1000 - MAX_PAIRS));
    for _ in 0..400 {
        now += Duration::from_millis(10);
        guest.handle_timeout(now);
    }
    for pair in guest.pairs() {
        assert!((4..=8).contains(&pair.sent) && !pair.is_open(), "{}", pair.sent);
    }
}

/// Both agents for 40 s of their time, which is more than 24 lost datagrams can cost at 0.8 s each,
/// with datagrams lost as `lost` says; whether both chose a pair.
fn meet_with_loss(lost: &[bool]) -> bool {
    let mut now = Instant::now();
    let mut lost = lost.iter().copied().chain(std::iter::repeat(false));
    let (mut guest, mut bridge) = agents(Role::Controlled, Role::Controlling);
    introduce(now, &mut guest, &mut bridge);
    for _ in 0..4000 {
        guest.handle_timeout(now);
        bridge.handle_timeout(now);
        for _ in 0..4 {
            while let Some(sent) = guest.poll_transmit() {
                if lost.next() == Some(false) {
                    bridge.handle(now, address(1), &sent.bytes);
                }
            }
            while let Some(sent) = bridge.poll_transmit() {
                if lost.next() == Some(false) {
                    guest.handle(now, address(2), &sent.bytes);
                }
            }
        }
        if guest.selected().is_some() && bridge.selected().is_some() {
            return true;
        }
        now += Duration::from_millis(10);
    }
    false
}

proptest! {
    #[test]
    fn loss_costs_time_and_not_the_nomination(
        lost in proptest::collection::vec(proptest::bool::weighted(0.4), 24)
    ) {
        prop_assert!(meet_with_loss(&lost), "{lost:?}");
    }

    #[test]
    fn arbitrary_datagrams_never_panic(
        datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..120), 0..8)
    ) {
        let now = Instant::now();
        let (mut guest, mut bridge) = agents(Role::Controlled, Role::Controlling);
        introduce(now, &mut guest, &mut bridge);
        for datagram in datagrams {
            guest.handle(now, address(2), &datagram);
        }
        prop_assert!(guest.selected().is_none());
    }
}

#[test]
fn a_valid_pair_is_usable_before_its_nomination() {
    let now = Instant::now();
    let (mut guest, mut bridge) = agents(Role::Controlled, Role::Controlling);
    guest.set_remote(now, bridge.local().clone());
    guest.add_candidate(now, candidate(2), address(2));
    assert!(guest.usable(now).is_none());
    carry(now, &mut guest, &mut bridge);
    assert!(guest.selected().is_none());
    assert_eq!(guest.usable(now).expect("valid").route, address(2));
}

#[test]
fn consent_is_asked_for_and_its_loss_is_seen() {
    let mut now = Instant::now();
    let (mut guest, mut bridge) = agents(Role::Controlled, Role::Controlling);
    introduce(now, &mut guest, &mut bridge);
    carry(now, &mut guest, &mut bridge);
    for _ in 0..600 {
        now += Duration::from_millis(100);
        carry(now, &mut guest, &mut bridge);
    }
    let sent = guest.pairs()[0].sent;
    assert!((12..20).contains(&sent) && !guest.is_consent_lost(now), "one each 5 s: {sent}");
    // A pause of ours is no loss of consent.
    assert!(!guest.is_consent_lost(now + Duration::from_secs(60)));
    for _ in 0..160 {
        now += Duration::from_millis(100);
        guest.handle_timeout(now);
        while guest.poll_transmit().is_some() {}
    }
    assert!(guest.is_consent_lost(now) && guest.usable(now).is_none());
    carry(now + Duration::from_secs(1), &mut guest, &mut bridge);
    assert!(!guest.is_consent_lost(now + Duration::from_secs(1)), "an answer brings it back");
}

#[test]
fn other_credentials_start_ice_anew() {
    let now = Instant::now();
    let (mut guest, mut bridge) = agents(Role::Controlled, Role::Controlling);
    introduce(now, &mut guest, &mut bridge);
    carry(now, &mut guest, &mut bridge);
    let before = guest.local().clone();
    guest.set_remote(now, bridge.local().clone());
    assert_eq!((guest.restarts, guest.local()), (0, &before), "the same ones change nothing");
    assert!(guest.selected().is_some());

    let mut other = Agent::new(Role::Controlling, Credentials::random());
    introduce(now, &mut guest, &mut other);
    assert_eq!(guest.restarts, 1);
    assert!(guest.local() != &before && guest.selected().is_none());
    assert_eq!(guest.pairs().len(), 1);
    // Introduced with the credentials that were new then.
    other.set_remote(now, guest.local().clone());
    carry(now, &mut guest, &mut other);
    assert!(guest.selected().is_some() && other.selected().is_some());
}
