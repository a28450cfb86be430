use proptest::prelude::*;

use super::*;
use crate::dtls::SrtpKeys;

/// Keys of both sides of one association with the bridge in the middle left out.
fn keys(salt: usize) -> (SrtpKeys, SrtpKeys) {
    let (one, two) = ((vec![1; 16], vec![2; salt]), (vec![3; 16], vec![4; salt]));
    let ours = SrtpKeys { local: one.clone(), remote: two.clone() };
    (ours, SrtpKeys { local: two, remote: one })
}

fn plan(ssrc: u32, peer: u32, packets: u32) -> MediaPlan {
    let video = Some(VideoPlan { ssrc: ssrc + 1, payload_type: 100, peer: peer + 1, frames: 3 });
    let from = [ssrc as u8; 8];
    let level_extension = Some(1);
    MediaPlan {
        run: *b"run-0001",
        from,
        ssrc,
        payload_type: 111,
        level_extension,
        peer,
        packets,
        video,
    }
}

fn guests(now: Instant, packets: u32) -> (Session, Session) {
    let (a, b) = keys(12);
    let srtp = |keys: &SrtpKeys| Srtp::new(keys).expect("keys");
    (
        Session::new(now, plan(10, 20, packets), srtp(&a)),
        Session::new(now, plan(20, 10, packets), srtp(&b)),
    )
}

/// What happens to a datagram on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Arrives,
    IsLost,
    ComesTwice,
    ComesLate,
}

/// Lets time go by in steps of 1 ms; sound takes `way` milliseconds from A to B.
fn run(a: &mut Session, b: &mut Session, from: Instant, ms: u32, way: u32, fates: &[Fate]) {
    let mut fates = fates.iter().copied().chain(std::iter::repeat(Fate::Arrives));
    let mut flying: Vec<(Instant, bool, Vec<u8>)> = Vec::new();
    for step in 0..ms {
        let now = from + Duration::from_millis(step.into());
        for (to_b, session) in [(true, &mut *a), (false, &mut *b)] {
            session.handle_timeout(now);
            while let Some(datagram) = session.poll_transmit() {
                let time = |extra| now + Duration::from_millis(u64::from(way) + extra);
                let fate = if to_b && !is_rtcp(&datagram) { fates.next() } else { None };
                match fate.unwrap_or(Fate::Arrives) {
                    Fate::IsLost => {}
                    Fate::Arrives => flying.push((time(0), to_b, datagram)),
                    Fate::ComesLate => flying.push((time(50), to_b, datagram)),
                    Fate::ComesTwice => {
                        flying.push((time(0), to_b, datagram.clone()));
                        flying.push((time(5), to_b, datagram));
                    }
                }
            }
        }
        flying.retain(|(due, to_b, datagram)| {
            let arrives = *due <= now;
            if arrives {
                let to = if *to_b { &mut *b } else { &mut *a };
                to.handle(now, datagram);
            }
            !arrives
        });
    }
}

#[test]
fn a_clean_way_is_measured_exactly() {
    let now = Instant::now();
    let (mut a, mut b) = guests(now, 50);
    run(&mut a, &mut b, now, 2000, 30, &[]);
    for media in [a.media(), b.media()] {
        let heard = &media.audio.heard;
        assert_eq!((media.audio.sent, heard.received, heard.lost_of(0..50)), (50, 50, 0));
        assert_eq!((heard.late, heard.duplicate, heard.corrupt), (0, 0, 0));
        let delay = heard.delay().expect("heard");
        for time in [delay.min, delay.median, delay.max] {
            assert!(time.as_millis().abs_diff(30) <= 1, "{time:?}");
        }
        assert!(heard.jitter < Duration::from_millis(1), "{:?}", heard.jitter);
        assert_eq!(media.video.as_ref().expect("planned").heard.received, 3);
        assert_eq!((media.undecryptable, media.foreign.len()), (0, 0));
        let reports = &media.reports;
        assert!(reports.received >= 3 && reports.of_peer >= 3 && !reports.bye);
        let rtt = reports.rtt.expect("answered").as_millis();
        assert!(rtt.abs_diff(60) <= 2, "{rtt}");
        assert_eq!(reports.on_us.expect("reported").lost, 0);
    }
    a.end(now);
    while let Some(datagram) = a.poll_transmit() {
        b.handle(now, &datagram);
    }
    assert!(b.media().reports.bye && a.poll_timeout().is_none());
}

#[test]
fn loss_repetition_and_order_are_told_apart() {
    let now = Instant::now();
    let (mut a, mut b) = guests(now, 50);
    // The first sound, the first picture, then sound.
    let fates = [
        Fate::Arrives,
        Fate::Arrives,
        Fate::IsLost,
        Fate::ComesTwice,
        Fate::ComesLate,
        Fate::IsLost,
    ];
    run(&mut a, &mut b, now, 2000, 10, &fates);
    let heard = &b.media().audio.heard;
    assert_eq!((heard.received, heard.lost(), heard.duplicate, heard.late), (48, 2, 1, 1));
    assert_eq!(heard.delay().expect("heard").max.as_millis(), 60);
    assert_eq!(a.media().reports.on_us.expect("reported").lost, 2);
}

#[test]
fn a_stall_of_ours_is_not_made_up_for() {
    let now = Instant::now();
    let (mut a, _) = guests(now, 500);
    a.handle_timeout(now);
    a.handle_timeout(now + Duration::from_secs(3));
    assert_eq!(a.media().audio.sent, 2, "no burst");
}

#[test]
fn other_keys_other_streams_and_other_runs_are_told_apart() {
    let now = Instant::now();
    let (mut a, mut b) = guests(now, 5);
    let (ours, _) = keys(14);
    let mut stranger = Session::new(now, plan(10, 20, 5), Srtp::new(&ours).expect("keys"));
    let (ours, _) = keys(12);
    let mut third = Session::new(now, plan(30, 20, 5), Srtp::new(&ours).expect("keys"));
    let other_run = MediaPlan { run: *b"run-0002", ..plan(10, 20, 5) };
    let mut yesterday = Session::new(now, other_run, Srtp::new(&ours).expect("keys"));
    for session in [&mut stranger, &mut third, &mut yesterday] {
        session.handle_timeout(now);
        while let Some(datagram) = session.poll_transmit() {
            b.handle(now, &datagram);
        }
    }
    let media = b.media();
    assert_eq!(media.undecryptable, 3, "sound, picture and report of the stranger");
    assert_eq!(media.foreign, BTreeMap::from([(30, 1), (31, 1)]));
    assert_eq!((media.audio.heard.corrupt, media.audio.heard.received), (1, 0));
    a.handle_timeout(now);
}

#[test]
fn a_whole_conference_of_two_takes_less_than_200_kbit_a_second() {
    let now = Instant::now();
    let (mut a, _) = guests(now, 50);
    a.video = None;
    let mut bytes = 0;
    for step in 0..1000 {
        a.handle_timeout(now + Duration::from_millis(step));
        // IPv4 and UDP around it.
        bytes += std::iter::from_fn(|| a.poll_transmit()).map(|d| d.len() + 28).sum::<usize>();
    }
    // Each guest sends so much, and the bridge sends it on.
    let kbits = bytes * 8 * 4 / 1000;
    assert!(kbits < 200, "{kbits}");
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Arrives),
        Just(Fate::IsLost),
        Just(Fate::ComesTwice),
        Just(Fate::ComesLate)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_packet_is_counted_once(fates in proptest::collection::vec(fate(), 0..60)) {
        let now = Instant::now();
        let (mut a, mut b) = guests(now, 50);
        a.video = None;
        run(&mut a, &mut b, now, 1500, 10, &fates);
        let lost = fates.iter().take(50).filter(|fate| **fate == Fate::IsLost).count();
        let twice = fates.iter().take(50).filter(|fate| **fate == Fate::ComesTwice).count();
        let heard = &b.media().audio.heard;
        prop_assert_eq!(heard.lost_of(0..50) as usize, lost);
        prop_assert_eq!((heard.received as usize, heard.duplicate as usize), (50 - lost, twice));
    }

    #[test]
    fn replayed_cut_and_changed_datagrams_never_panic(
        cut in 0..120usize, at in 0..120usize, flip in any::<u8>(),
        noise in proptest::collection::vec(any::<u8>(), 0..120)
    ) {
        let now = Instant::now();
        let (mut a, mut b) = guests(now, 5);
        a.handle_timeout(now);
        while let Some(mut datagram) = a.poll_transmit() {
            b.handle(now, &datagram[..cut.min(datagram.len())]);
            let at = at % datagram.len();
            datagram[at] ^= flip;
            b.handle(now, &datagram);
            b.handle(now, &datagram);
        }
        b.handle(now, &noise);
        b.handle_timeout(now);
        prop_assert!(b.media().audio.heard.received <= 1);
    }
}
