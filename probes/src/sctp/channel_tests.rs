use std::time::Duration;

use dcsctp::api::{
    DcSctpSocket, Message, Options, PpId, SendOptions, SocketEvent, SocketTime, StreamId,
};
use proptest::prelude::*;

use super::*;

/// What sends and receives datagrams as time goes by.
trait Side {
    fn poll(&mut self, now: Instant) -> Vec<Vec<u8>>;
    fn take(&mut self, now: Instant, datagram: &[u8]);
}

impl Side for Channel {
    fn poll(&mut self, now: Instant) -> Vec<Vec<u8>> {
        self.handle_timeout(now);
        std::iter::from_fn(|| self.poll_transmit()).collect()
    }

    fn take(&mut self, now: Instant, datagram: &[u8]) {
        self.handle(now, datagram);
    }
}

/// The stack inside the bridge, in the place of the bridge: answers the opening of a channel, and
/// sends every text back.
struct Bridge {
    socket: Box<dyn DcSctpSocket>,
    begun: Instant,
    opened: Option<Open>,
    heard: Vec<String>,
}

impl Bridge {
    fn new(begun: Instant) -> Self {
        let socket = dcsctp::new_socket("bridge", &Options::default());
        Self { socket, begun, opened: None, heard: Vec::new() }
    }

    fn advance(&mut self, now: Instant) {
        self.socket.advance_time(SocketTime::zero() + now.duration_since(self.begun));
    }

    fn send(&mut self, stream: StreamId, kind: u32, payload: &[u8]) {
        let message = Message::new(stream, PpId(kind), payload.to_vec());
        self.socket.send(message, &SendOptions::default()).expect("sent");
    }
}

impl Side for Bridge {
    fn poll(&mut self, now: Instant) -> Vec<Vec<u8>> {
        self.advance(now);
        while let Some(message) = self.socket.get_next_message() {
            match message.ppid {
                PpId(50) => {
                    self.opened = Some(Open::decode(&message.payload).expect("an opening"));
                    self.send(message.stream_id, 50, &[ACK]);
                }
                PpId(51) => {
                    self.heard.push(String::from_utf8(message.payload.clone()).expect("text"));
                    self.send(message.stream_id, 51, &message.payload);
                }
                other => panic!("{other:?}"),
            }
        }
        let mut all = Vec::new();
        while let Some(event) = self.socket.poll_event() {
            if let SocketEvent::SendPacket(bytes) = event {
                all.push(bytes);
            }
        }
        all
    }

    fn take(&mut self, now: Instant, datagram: &[u8]) {
        self.advance(now);
        self.socket.handle_input(datagram);
    }
}

/// What happens to a datagram on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Arrives,
    IsLost,
    ComesTwice,
    ComesLate,
}

/// Lets time go by in steps of 10 ms until `done`, for a minute at most; how much passed.
fn run<A: Side, B: Side>(
    (a, b): (&mut A, &mut B),
    begun: Instant,
    fates: &[Fate],
    done: impl Fn(&A, &B) -> bool,
) -> Option<Duration> {
    let mut fates = fates.iter().copied().chain(std::iter::repeat(Fate::Arrives));
    let mut flying: Vec<(Instant, bool, Vec<u8>)> = Vec::new();
    for step in 0..6000u64 {
        let now = begun + Duration::from_millis(step * 10);
        let sent = a.poll(now).into_iter().map(|datagram| (true, datagram));
        let sent: Vec<_> = sent.chain(b.poll(now).into_iter().map(|d| (false, d))).collect();
        for (to_b, datagram) in sent {
            let time = |extra: u64| now + Duration::from_millis(20 + extra);
            match fates.next().unwrap_or(Fate::Arrives) {
                Fate::IsLost => {}
                Fate::Arrives => flying.push((time(0), to_b, datagram)),
                Fate::ComesLate => flying.push((time(70), to_b, datagram)),
                Fate::ComesTwice => {
                    flying.push((time(0), to_b, datagram.clone()));
                    flying.push((time(30), to_b, datagram));
                }
            }
        }
        flying.retain(|(due, to_b, datagram)| {
            let arrives = *due <= now;
            match (arrives, *to_b) {
                (true, true) => b.take(now, datagram),
                (true, false) => a.take(now, datagram),
                _ => {}
            }
            !arrives
        });
        if done(a, b) {
            return Some(now.duration_since(begun));
        }
    }
    None
}

fn ours() -> Open {
    Open { label: "JVB data channel".into(), protocol: "colibri".into() }
}

fn texts(channel: &Channel) -> Vec<&str> {
    channel.received().map(|received| received.text.as_str()).collect()
}

#[test]
fn our_client_meets_the_stack_of_the_bridge() {
    let now = Instant::now();
    let (mut guest, mut bridge) = (Channel::client(now, ours()).expect("begun"), Bridge::new(now));
    let long = "x".repeat(20_000);
    guest.send(now, "hello").expect("waits");
    guest.send(now, &long).expect("waits");
    let took = run((&mut guest, &mut bridge), now, &[], |guest, _| texts(guest).len() == 2);
    assert_eq!(texts(&guest), ["hello", &long]);
    assert_eq!(bridge.opened, Some(ours()));
    assert_eq!(bridge.heard, ["hello", &long]);
    assert_eq!((guest.state(), guest.dropped), (&ChannelState::Open, 0));
    // Two round trips of 40 ms for the association; the first text goes with the opening.
    assert!(took.is_some_and(|took| took < Duration::from_secs(2)), "{took:?}");
    bridge.socket.close();
    let closed = |guest: &Channel, _: &Bridge| matches!(guest.state(), ChannelState::Closed(_));
    let later = now + Duration::from_secs(2);
    assert!(run((&mut guest, &mut bridge), later, &[], closed).is_some());
    assert!(guest.send(later, "late").is_err());
}

#[test]
fn the_stack_of_the_bridge_meets_our_server() {
    let now = Instant::now();
    let (mut guest, mut server) = (Bridge::new(now), Channel::server());
    guest.socket.connect();
    guest.send(StreamId(0), 50, &ours().encode());
    guest.send(StreamId(0), 51, b"hello");
    guest.send(StreamId(2), 51, b"on a stream that is not open");
    guest.send(StreamId(0), 53, b"binary");
    let heard = |_: &Bridge, server: &Channel| server.dropped == 2;
    assert!(run((&mut Mute(&mut guest), &mut server), now, &[], |m, s| heard(m.0, s)).is_some());
    assert_eq!((server.open(), texts(&server)), (Some(&ours()), vec!["hello"]));
    server.send(now, "answer").expect("open");
    let answered = |guest: &Mute, _: &Channel| guest.0.heard.contains(&"answer".to_owned());
    let later = now + Duration::from_secs(61);
    assert!(run((&mut Mute(&mut guest), &mut server), later, &[], answered).is_some());
}

/// The bridge's stack that hears answers and sends nothing back.
struct Mute<'a>(&'a mut Bridge);

impl Side for Mute<'_> {
    fn poll(&mut self, now: Instant) -> Vec<Vec<u8>> {
        self.0.advance(now);
        while let Some(message) = self.0.socket.get_next_message() {
            let text = match message.ppid {
                PpId(50) => format!("{:?}", message.payload),
                _ => String::from_utf8(message.payload).expect("text"),
            };
            self.0.heard.push(text);
        }
        self.0.poll(now)
    }

    fn take(&mut self, now: Instant, datagram: &[u8]) {
        self.0.take(now, datagram);
    }
}

#[test]
fn a_message_that_is_too_long_ends_the_association_and_takes_no_memory() {
    let now = Instant::now();
    let (mut guest, mut bridge) = (Channel::client(now, ours()).expect("begun"), Bridge::new(now));
    let opened = |guest: &Channel, _: &Bridge| guest.state() == &ChannelState::Open;
    assert!(run((&mut guest, &mut bridge), now, &[], opened).is_some());
    bridge.send(StreamId(0), 51, &vec![b'x'; 200_000]);
    let later = now + Duration::from_secs(61);
    let over = |guest: &Channel, _: &Bridge| matches!(guest.state(), ChannelState::Closed(_));
    assert!(run((&mut guest, &mut bridge), later, &[], over).is_some(), "{guest:?}");
    assert!(texts(&guest).is_empty());
}

#[test]
fn what_waits_is_bounded() {
    let now = Instant::now();
    let mut guest = Channel::client(now, ours()).expect("begun");
    let sent = (0..200).filter(|_| guest.send(now, "x").is_ok()).count();
    assert_eq!(sent, MAX_WAITING);
    assert!(guest.send(now, &"x".repeat(100_000)).is_err());
}

#[test]
fn both_sides_may_begin() {
    let now = Instant::now();
    let (mut guest, mut bridge) = (Channel::client(now, ours()).expect("begun"), Bridge::new(now));
    bridge.socket.connect();
    guest.send(now, "hello").expect("waits");
    let echoed = |guest: &Channel, _: &Bridge| texts(guest) == ["hello"];
    assert!(run((&mut guest, &mut bridge), now, &[], echoed).is_some(), "{guest:?}");
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Arrives),
        2 => Just(Fate::IsLost),
        1 => Just(Fate::ComesTwice),
        1 => Just(Fate::ComesLate)
    ]
}

/// CRC32c, as SCTP has it (RFC 9260 appendix A).
fn sealed(mut datagram: Vec<u8>) -> Vec<u8> {
    if datagram.len() < 12 {
        return datagram;
    }
    datagram[8..12].fill(0);
    let sum = datagram.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 { sum >> 1 ^ 0x82F6_3B78 } else { sum >> 1 }
        })
    });
    datagram[8..12].copy_from_slice(&(!sum).to_le_bytes());
    datagram
}

/// A chunk of a known kind, whole, with whatever in it.
fn chunk() -> impl Strategy<Value = Vec<u8>> {
    let kinds = vec![0u8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 64, 128, 130, 132, 192, 193, 194];
    let kind = proptest::sample::select(kinds);
    // Small numbers meet those of the association more often than large ones.
    let byte = prop_oneof![3 => 0..4u8, 1 => any::<u8>()];
    (kind, any::<u8>(), proptest::collection::vec(byte, 0..48)).prop_map(|(kind, flags, body)| {
        let length = u16::try_from(4 + body.len()).expect("short").to_be_bytes();
        let mut bytes = [&[kind, flags, length[0], length[1]], &body[..]].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn hostile_chunks_in_an_association_never_panic(
        chunks in proptest::collection::vec((0..12u64, any::<bool>(), chunk(), any::<u16>()), 1..12)
    ) {
        let now = Instant::now();
        let (mut guest, mut bridge) =
            (Channel::client(now, ours()).expect("begun"), Channel::server());
        guest.send(now, "hello").expect("waits");
        // The last header of each direction has the tag of the association, and the last numbers.
        let mut heads = [Vec::new(), Vec::new()];
        for step in 0..12u64 {
            let now = now + Duration::from_millis(step * 300);
            for to_bridge in [true, false, true, false] {
                let (from, to) = if to_bridge {
                    (&mut guest, &mut bridge)
                } else {
                    (&mut bridge, &mut guest)
                };
                for datagram in from.poll(now) {
                    heads[usize::from(to_bridge)] = datagram.clone();
                    to.handle(now, &datagram);
                }
            }
            for (_, to_bridge, chunk, near) in chunks.iter().filter(|(at, ..)| *at == step) {
                let (head, to) = if *to_bridge {
                    (&heads[1], &mut bridge)
                } else {
                    (&heads[0], &mut guest)
                };
                let Some(tag) = head.get(..12) else { continue };
                let mut chunk = chunk.clone();
                // The number of the last datagram, or one near it, where there is one.
                if let (Some(number), true) = (head.get(16..20), chunk.len() >= 8) {
                    let number = u32::from_be_bytes([number[0], number[1], number[2], number[3]]);
                    let number = number.wrapping_add(u32::from(*near % 8)).wrapping_sub(4);
                    chunk[4..8].copy_from_slice(&number.to_be_bytes());
                }
                to.handle(now, &sealed([tag, &chunk].concat()));
                to.handle_timeout(now);
            }
        }
        prop_assert!(guest.received.len() <= MAX_KEPT && bridge.received.len() <= MAX_KEPT);
    }

    #[test]
    fn loss_and_order_cost_time_and_no_message(
        fates in proptest::collection::vec(fate(), 0..40)
    ) {
        let now = Instant::now();
        let mut guest = Channel::client(now, ours()).expect("begun");
        let mut bridge = Bridge::new(now);
        let all = ["one", "two", "three", "four"];
        for text in all {
            guest.send(now, text).expect("waits");
        }
        let done = |guest: &Channel, _: &Bridge| texts(guest).len() >= all.len();
        prop_assert!(run((&mut guest, &mut bridge), now, &fates, done).is_some());
        prop_assert_eq!(texts(&guest), all);
        prop_assert_eq!(bridge.heard, all);
    }

    #[test]
    fn hostile_datagrams_never_panic(
        noise in proptest::collection::vec(any::<u8>(), 0..100),
        at in 0..200usize, flip in 1..=255u8, cut in 0..200usize
    ) {
        let now = Instant::now();
        let (mut guest, mut bridge) =
            (Channel::client(now, ours()).expect("begun"), Channel::server());
        bridge.handle(now, &sealed(noise.clone()));
        // Its own beginning, and one with arbitrary chunks, come back to the guest.
        let mut mirror = Channel::client(now, ours()).expect("begun");
        for first in mirror.poll(now) {
            guest.handle(now, &first);
            guest.handle(now, &sealed([&first[..12], &noise].concat()));
        }
        for step in 0..40 {
            let now = now + Duration::from_millis(step * 100);
            for (datagram, to) in guest.poll(now).into_iter().map(|d| (d, true))
                .chain(bridge.poll(now).into_iter().map(|d| (d, false))).collect::<Vec<_>>()
            {
                let to = if to { &mut bridge } else { &mut guest };
                let mut changed = datagram.clone();
                let at = at % changed.len();
                changed[at] ^= flip;
                to.handle(now, &sealed(changed));
                to.handle(now, &sealed(datagram[..cut.min(datagram.len())].to_vec()));
                to.handle(now, &datagram);
                to.handle(now, &datagram);
                // With the association's own tag in front of arbitrary chunks.
                to.handle(now, &sealed([&datagram[..12], &noise].concat()));
            }
        }
    }
}

#[test]
fn a_client_that_is_asked_for_an_association_goes_on() {
    let now = Instant::now();
    let mut guest = Channel::client(now, ours()).expect("begun");
    let mut other = Channel::client(now, ours()).expect("begun");
    let init = other.poll_transmit().expect("its INIT");
    guest.handle(now, &init);
    assert_eq!(guest.state(), &ChannelState::Associating);
}
