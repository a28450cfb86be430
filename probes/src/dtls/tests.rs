use proptest::prelude::*;

use super::*;
use crate::dtls::wire::whole_records;

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

/// Carries datagrams until both are quiet, `lose` saying which are lost by their number.
fn carry(client: &mut Dtls, server: &mut Dtls, lose: impl Fn(u32) -> bool) {
    let mut now = Instant::now();
    let mut number = 0;
    for _ in 0..40 {
        for forth in [true, false] {
            let (from, to) =
                if forth { (&mut *client, &mut *server) } else { (&mut *server, &mut *client) };
            while let Some(datagram) = from.poll_transmit() {
                number += 1;
                if !lose(number) {
                    to.handle(now, &datagram);
                }
            }
        }
        if client.outcome().is_some() && server.outcome().is_some() {
            return;
        }
        now += FLIGHT;
        client.handle_timeout(now);
        server.handle_timeout(now);
    }
}

/// Each record as a datagram of its own.
fn apart(datagram: &[u8]) -> Vec<Vec<u8>> {
    whole_records(datagram).map(|(_, _, record)| record.to_vec()).collect()
}

fn pair_of(client_expects: &Identity, server_expects: &Identity) -> (Dtls, Dtls, Identity) {
    let (client, server) = (identity(), identity());
    let now = Instant::now();
    let of = |who: &Identity, real: &Identity| {
        let fingerprint = if who.fingerprint.value.is_empty() { real } else { who };
        vec![fingerprint.fingerprint.clone()]
    };
    let signalled = of(client_expects, &server);
    let one = Dtls::new(now, Side::Client, &client, address(2), signalled).expect("client");
    let signalled = of(server_expects, &client);
    let two = Dtls::new(now, Side::Server, &server, address(1), signalled).expect("server");
    (one, two, server)
}

fn identity() -> Identity {
    Identity::new().expect("an identity")
}

/// Stands for whatever the other side really has.
fn the_real_one() -> Identity {
    let mut identity = identity();
    identity.fingerprint.value.clear();
    identity
}

#[test]
fn both_sides_agree() {
    let (mut client, mut server, who) = pair_of(&the_real_one(), &the_real_one());
    carry(&mut client, &mut server, |_| false);
    let one = client.outcome().expect("over").clone().expect("secured");
    let two = server.outcome().expect("over").clone().expect("secured");
    assert_eq!(one.version, "DTLSv1.2");
    assert_eq!(one.profile, "SRTP_AEAD_AES_128_GCM");
    assert_eq!(one.fingerprint, who.fingerprint);
    assert_eq!(one.keys.local, two.keys.remote);
    assert_eq!(one.keys.remote, two.keys.local);
    assert_ne!(one.keys.local, one.keys.remote);
}

#[test]
fn survives_loss() {
    for lost in 1..8 {
        let (mut client, mut server, _) = pair_of(&the_real_one(), &the_real_one());
        carry(&mut client, &mut server, |number| number == lost);
        assert!(
            matches!(client.outcome(), Some(Ok(_))),
            "{lost} lost: {:?} {:?}",
            client.outcome(),
            server.outcome()
        );
    }
}

#[test]
fn survives_any_order() {
    for turn in 0..40_usize {
        let (mut client, mut server, _) = pair_of(&the_real_one(), &the_real_one());
        let mut now = Instant::now();
        for _ in 0..40 {
            for forth in [true, false] {
                let (from, to) =
                    if forth { (&mut client, &mut server) } else { (&mut server, &mut client) };
                let sent: Vec<_> = std::iter::from_fn(|| from.poll_transmit()).collect();
                let mut left: Vec<Vec<u8>> = sent.iter().flat_map(|it| apart(it)).collect();
                let mut next = turn;
                while !left.is_empty() {
                    next = (next * 31 + 7) % 1009;
                    to.handle(now, &left.remove(next % left.len()));
                }
            }
            if client.outcome().is_some() && server.outcome().is_some() {
                break;
            }
            now += FLIGHT / 20;
            client.handle_timeout(now);
            server.handle_timeout(now);
        }
        for side in [&client, &server] {
            assert!(matches!(side.outcome(), Some(Ok(_))), "{turn}: {:?}", side.outcome());
        }
        assert_eq!(client.repeats, 0, "{turn}: nothing was lost");
    }
}

#[test]
fn another_certificate_is_refused_and_named() {
    let (mut client, mut server, who) = pair_of(&identity(), &the_real_one());
    carry(&mut client, &mut server, |_| false);
    match client.outcome() {
        Some(Err(DtlsError::Fingerprint { presented, .. })) => {
            assert_eq!(*presented, who.fingerprint);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(server.outcome(), Some(Err(DtlsError::Alert(_)))), "{:?}", server.outcome());
}

#[test]
fn server_that_expects_another_sends_an_alert() {
    let (mut client, mut server, _) = pair_of(&the_real_one(), &identity());
    carry(&mut client, &mut server, |_| false);
    assert!(matches!(server.outcome(), Some(Err(DtlsError::Fingerprint { .. }))));
    match client.outcome() {
        Some(Err(DtlsError::Alert(name))) => assert_eq!(name, "bad_certificate"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn silence_ends() {
    let (mut client, mut server, _) = pair_of(&the_real_one(), &the_real_one());
    carry(&mut client, &mut server, |_| true);
    assert!(matches!(client.outcome(), Some(Err(DtlsError::GaveUp(_)))));
    assert!(!client.hello_came());
}

#[test]
fn strongest_hash_counts() {
    let weak = Fingerprint { hash: "sha-1".into(), value: "00".into() };
    let strong = Fingerprint { hash: "SHA-512".into(), value: "11".into() };
    let odd = Fingerprint { hash: "md9".into(), value: "22".into() };
    let all = [odd.clone(), strong.clone(), weak];
    assert_eq!(Fingerprint::strongest(&all), Some(&strong));
    assert_eq!(Fingerprint::strongest(&[odd]), None);
}

/// Torsos, repetitions and what nobody sends in the clear are left out (RFC 6347 section 4.1.2.7).
#[test]
fn replays_and_torsos_do_not_end_a_handshake() {
    let (mut client, mut server, _) = pair_of(&the_real_one(), &the_real_one());
    let mut now = Instant::now();
    let junk: [&[u8]; 5] = [
        &[23, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 1],
        &[20, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 1],
        &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 2],
        &[25, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 2],
        &[22, 254, 253, 0, 0],
    ];
    for _ in 0..20 {
        for to_server in [true, false] {
            let (from, to) = match to_server {
                true => (&mut client, &mut server),
                false => (&mut server, &mut client),
            };
            while let Some(datagram) = from.poll_transmit() {
                to.handle(now, &datagram[..datagram.len() / 2]);
                to.handle(now, &datagram[..datagram.len() - 1]);
                junk.iter().for_each(|junk| to.handle(now, junk));
                to.handle(now, &datagram);
                to.handle(now, &datagram);
            }
        }
        now += Duration::from_millis(500);
        client.handle_timeout(now);
        server.handle_timeout(now);
    }
    assert!(matches!(client.outcome(), Some(Ok(_))), "{:?}", client.outcome());
    assert!(matches!(server.outcome(), Some(Ok(_))), "{:?}", server.outcome());
    client.write(now, b"data").expect("an association");
    while let Some(datagram) = client.poll_transmit() {
        server.handle(now, &datagram[..datagram.len() / 2]);
        server.handle(now, &datagram);
        server.handle(now, &datagram);
    }
    assert_eq!(server.read().as_deref(), Some(&b"data"[..]));
    assert_eq!(server.read(), None, "a replay is no second message");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn arbitrary_datagrams_never_panic(
        kind in 20u8..26, epoch in 0u8..3,
        body in proptest::collection::vec(any::<u8>(), 0..160),
    ) {
        let length = u16::try_from(body.len()).expect("short").to_be_bytes();
        let mut datagram = vec![kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 1, length[0], length[1]];
        datagram.extend(&body);
        let (mut client, mut server, _) = pair_of(&the_real_one(), &the_real_one());
        client.handle(Instant::now(), &datagram);
        server.handle(Instant::now(), &datagram);
        client.handle(Instant::now(), &body);
    }

    #[test]
    fn repeated_cut_and_changed_datagrams_never_panic(
        cut in 0..400usize, at in 0..400usize, flip in 1..=255u8
    ) {
        let (mut client, mut server, _) = pair_of(&the_real_one(), &the_real_one());
        let now = Instant::now();
        for _ in 0..12 {
            for to_server in [true, false] {
                let (from, to) = if to_server {
                    (&mut client, &mut server)
                } else {
                    (&mut server, &mut client)
                };
                while let Some(datagram) = from.poll_transmit() {
                    to.handle(now, &datagram[..cut.min(datagram.len())]);
                    to.handle(now, &datagram);
                    to.handle(now, &datagram);
                    let mut changed = datagram;
                    let at = at % changed.len();
                    changed[at] ^= flip;
                    to.handle(now, &changed);
                }
            }
            let _ = client.write(now, b"data");
        }
        while server.read().is_some_and(|data| &data[..] == b"data") {}
        prop_assert!(server.read().is_none(), "nothing but what was written");
    }
}
