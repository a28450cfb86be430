//! Messages as they are written and read.

use proptest::prelude::*;

use super::*;

/// RFC 5769 section 2.4: a request with long-term credentials; the password is `TheMatrIX`.
const SAMPLE: &[u8] = b"\x00\x01\x00\x60\x21\x12\xa4\x42\x78\xad\x34\x33\xc6\xad\x72\xc0\
    \x29\xda\x41\x2e\x00\x06\x00\x12\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\
    \xaf\xe3\x82\xb9\x00\x00\x00\x15\x00\x1cf//499k954d6OL34oL9FSTvy64sA\x00\x14\x00\x0b\
    example.org\x00\x00\x08\x00\x14\xf6\x70\x24\x65\x6d\xd6\x4a\x3e\x02\xb8\xe0\x71\x2e\x85\
    \xc9\xa2\x8c\xa8\x96\x66";

#[test]
fn reads_the_sample_of_rfc_5769() {
    let message = Message::decode(SAMPLE).expect("a message");
    assert_eq!((message.method, message.class), (Method::Binding, Class::Request));
    assert_eq!(message.attributes.realm.as_deref(), Some("example.org"));
    let username = message.attributes.username.clone().expect("a user name");
    let key = super::super::session::key(&username, "example.org", "TheMatrIX");
    let key = key.expect("a key");
    assert!(message.signed && is_signed_with(SAMPLE, &key));
    assert!(!is_signed_with(SAMPLE, b"another key"));
}

#[test]
fn comes_back_as_it_was_sent() {
    let address = |text: &str| Some(text.parse().expect("an address"));
    let mut message = Message::new(Method::Allocate, Class::Success, [7; 12]);
    message.attributes = Attributes {
        username: Some("1700000000:a".into()),
        realm: Some("example.org".into()),
        nonce: Some(b"nonce".to_vec()),
        error: Some((486, "Allocation Quota Reached".into())),
        lifetime: Some(600),
        mapped: address("192.0.2.1:40000"),
        relayed: address("[2001:db8::7]:50000"),
        peer: address("198.51.100.9:10000"),
        data: Some(b"hello".to_vec()),
        channel: Some(0x4001),
        transport: Some(17),
        family: Some(2),
        alternate: address("203.0.113.5:3478"),
        software: Some("server".into()),
    };
    message.signed = true;
    let bytes = message.encode(Some(b"key")).expect("encodes");
    assert_eq!(Message::decode(&bytes), Some(message));
    assert!(is_signed_with(&bytes, b"key"));
}

#[test]
fn what_is_too_long_is_not_written() {
    let mut message = Message::new(Method::Send, Class::Indication, [7; 12]);
    message.attributes.data = Some(vec![0; MAX_BYTES]);
    assert!(message.encode(None).is_err());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Message::decode(&bytes);
        let _ = is_signed_with(&bytes, b"key");
    }

    #[test]
    fn mutated_messages_never_panic(
        at in 0..SAMPLE.len(), value: u8, cut in 0..SAMPLE.len(), fix_length: bool,
    ) {
        let mut bytes = SAMPLE.to_vec();
        bytes[at] = value;
        bytes.truncate(SAMPLE.len() - cut);
        if fix_length && bytes.len() >= HEADER {
            let length = u16::try_from(bytes.len() - HEADER).expect("short");
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
        }
        let _ = Message::decode(&bytes);
        let _ = is_signed_with(&bytes, b"key");
    }
}
