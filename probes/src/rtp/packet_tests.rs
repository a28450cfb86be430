use proptest::prelude::*;

use super::*;

fn extension() -> impl Strategy<Value = Extension> {
    (1..=255u8, proptest::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(id, data)| Extension { id, data })
}

fn packet() -> impl Strategy<Value = Packet> {
    let numbers = (any::<bool>(), 0..=63u8, any::<u16>(), any::<u32>(), any::<u32>());
    let csrc = proptest::collection::vec(any::<u32>(), 0..=15);
    let extensions = proptest::collection::vec(extension(), 0..5);
    let payload = proptest::collection::vec(any::<u8>(), 0..200);
    (numbers, csrc, extensions, payload).prop_map(|(numbers, csrc, extensions, payload)| {
        let (marker, payload_type, sequence, timestamp, ssrc) = numbers;
        Packet { marker, payload_type, sequence, timestamp, ssrc, csrc, extensions, payload }
    })
}

#[test]
fn one_byte_extensions_with_padding_between() {
    // RFC 8285 section 4.2: lengths 1, 2, then two bytes of padding, then 4.
    let body = [0x10, 0xAA, 0x21, 0xBB, 0xCC, 0, 0, 0x33, 1, 2, 3, 4];
    let mut bytes = vec![0x90, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xBE, 0xDE, 0, 3];
    bytes.extend(body);
    bytes.extend([7, 8]);
    let read = Packet::decode(&bytes).expect("a packet");
    let lengths: Vec<_> = read.packet.extensions.iter().map(|e| (e.id, e.data.len())).collect();
    assert_eq!(lengths, [(1, 1), (2, 2), (3, 4)]);
    assert_eq!((read.header, read.packet.payload.as_slice()), (28, &[7, 8][..]));
    assert_eq!(read.extension, Some((0xBEDE, body.to_vec())));
}

#[test]
fn padding_is_taken_away_and_lies_about_it_are_refused() {
    let head = [0xA0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    let with = |payload: &[u8]| {
        Packet::decode(&[&head[..], payload].concat()).expect("a packet").unpadded()
    };
    assert_eq!(with(&[9, 9, 0, 2]).expect("padded by two").payload, [9, 9]);
    assert_eq!(with(&[9, 0, 0, 4]).expect("nothing but padding").payload, [0u8; 0]);
    assert_eq!(with(&[9, 5]), None);
    assert_eq!(with(&[]), None);
}

#[test]
fn rtcp_and_other_versions_are_not_rtp() {
    assert!(is_rtcp(&[0x80, 200]) && is_rtcp(&[0x81, 205]) && !is_rtcp(&[0x80, 111]));
    assert_eq!(Packet::decode(&[0x80, 200, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]), None);
    assert_eq!(Packet::decode(&[0x40, 100, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read(packet in packet()) {
        let bytes = packet.encode().expect("in range");
        let read = Packet::decode(&bytes).expect("a packet");
        prop_assert_eq!(bytes.len() - read.header, packet.payload.len());
        prop_assert_eq!(read.unpadded().expect("not padded"), packet);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        start in any::<u8>(), rest in proptest::collection::vec(any::<u8>(), 0..200)
    ) {
        for first in [start, 0x80 | start & 0x3F] {
            let bytes: Vec<u8> = std::iter::once(first).chain(rest.iter().copied()).collect();
            if let Some(read) = Packet::decode(&bytes) {
                prop_assert!(read.header <= bytes.len());
                prop_assert!(read.packet.extensions.len() <= MAX_EXTENSIONS);
                let _ = read.unpadded();
            }
        }
    }
}
