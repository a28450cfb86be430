use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use super::*;

/// `SIGNING_KEY_SEED` of the appendix.
const SEED: &str = "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1";

fn pair() -> Ed25519KeyPair {
    let seed = decode_base64(SEED).expect("Base64");
    Ed25519KeyPair::from_seed_unchecked(&seed).expect("a key")
}

fn signed(mut document: Value) -> Value {
    let text = canonical_json(&document).expect("canonical");
    let signature = encode_base64(pair().sign(text.as_bytes()).as_ref());
    document["signatures"] = json!({ "testing.borooka.ee": { "ed25519:1": signature } });
    document
}

fn document() -> Value {
    json!({
        "server_name": "testing.borooka.ee",
        "valid_until_ts": 1_795_000_000_000_i64,
        "verify_keys": { "ed25519:1": { "key": encode_base64(pair().public_key().as_ref()) } },
        "old_verify_keys": {},
    })
}

fn parse(value: &Value) -> KeyDocument {
    parse_key_document(value.to_string().as_bytes()).expect("a document")
}

/// The appendix's "Cryptographic Test Vectors", both ways.
#[test]
fn the_specifications_vectors() {
    for (object, expected) in [
        (
            json!({}),
            "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZ\
             KM5ZAQ",
        ),
        (
            json!({ "one": 1, "two": "Two" }),
            "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvh\
             JI+6Bw",
        ),
    ] {
        let text = canonical_json(&object).expect("canonical");
        assert_eq!(encode_base64(pair().sign(text.as_bytes()).as_ref()), expected);
        let Value::Object(mut object) = object else { panic!("an object") };
        object.insert("unsigned".into(), json!({ "age_ts": 1.5 }));
        object.insert("signatures".into(), json!({ "domain": { "ed25519:1": expected } }));
        let signature = decode_base64(expected).expect("Base64");
        let key = pair().public_key().as_ref().to_vec();
        assert_eq!(verify_signature(&object, &key, &signature), Ok(true));
        object.insert("three".into(), json!(3));
        assert_eq!(verify_signature(&object, &key, &signature), Ok(false));
    }
}

/// The signed minimal event of the same appendix.
#[test]
fn the_specifications_event() {
    let event = json!({
        "auth_events": [], "content": {}, "depth": 3,
        "hashes": { "sha256": "5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos" },
        "origin": "domain", "origin_server_ts": 1_000_000, "prev_events": [],
        "room_id": "!x:domain", "sender": "@a:domain", "type": "X",
        "unsigned": { "age_ts": 1_000_000 },
    });
    let signature = decode_base64(
        "KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg",
    )
    .expect("Base64");
    let key = pair().public_key().as_ref().to_vec();
    let event = event.as_object().expect("an object");
    assert_eq!(verify_signature(event, &key, &signature), Ok(true));
}

/// The signed event with content that can be redacted, of the same appendix: the signature is over
/// what remains when it is, and the hash over the whole.
#[test]
fn the_specifications_redacted_event() {
    let content = json!({
        "content": { "body": "Here is the message content" },
        "event_id": "$0:domain", "origin": "domain", "origin_server_ts": 1_000_000,
        "type": "m.room.message", "room_id": "!r:domain", "sender": "@u:domain",
    });
    let text = canonical_json(&content).expect("canonical");
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let hash = encode_base64(hash.as_ref());
    assert_eq!(hash, "onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g");
    let mut redacted = content;
    redacted["content"] = json!({});
    redacted["hashes"] = json!({ "sha256": hash });
    let signature = decode_base64(
        "Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA",
    )
    .expect("Base64");
    let key = pair().public_key().as_ref().to_vec();
    let redacted = redacted.as_object().expect("an object");
    assert_eq!(verify_signature(redacted, &key, &signature), Ok(true));
}

#[test]
fn a_good_document_is_good() {
    let read = parse(&signed(document()));
    assert_eq!(read.server_name.as_deref(), Some("testing.borooka.ee"));
    assert_eq!(read.valid_until, Some(1_795_000_000_000));
    assert_eq!(read.verify_keys.len(), 1);
    assert_eq!(read.verify_keys[0].state, KeyState::Signed);
    assert_eq!(read.defects, []);
}

#[test]
fn a_changed_document_is_not_signed() {
    let mut changed = signed(document());
    changed["valid_until_ts"] = json!(1_795_000_000_001_i64);
    assert_eq!(parse(&changed).verify_keys[0].state, KeyState::BadSignature);
    let mut other_name = signed(document());
    other_name["server_name"] = json!("matrix.testing.borooka.ee");
    assert_eq!(parse(&other_name).verify_keys[0].state, KeyState::NotSigned);
    assert_eq!(parse(&document()).verify_keys[0].state, KeyState::NotSigned);
}

#[test]
fn padding_and_the_other_alphabet_are_understood_and_told() {
    let mut padded = document();
    let key = padded["verify_keys"]["ed25519:1"]["key"].as_str().expect("a key").to_owned();
    padded["verify_keys"]["ed25519:1"]["key"] = json!(format!("{key}="));
    let read = parse(&signed(padded));
    assert_eq!(read.verify_keys[0].state, KeyState::Signed);
    assert_eq!(read.defects, [Defect::Encoding("ed25519:1".into())]);
}

#[test]
fn each_defect_is_told() {
    let mut wrong = document();
    wrong["verify_keys"] = json!({
        "ed25519:a-b": { "key": "AAAA" }, "rsa:1": { "key": "AAAA" },
    });
    wrong["old_verify_keys"] = json!({ "rsa:1": { "key": "AAAA", "expired_ts": 1.5 } });
    let read = parse(&wrong);
    assert_eq!(
        read.verify_keys.iter().map(|key| key.state.clone()).collect::<Vec<_>>(),
        [KeyState::UnreadableKey, KeyState::UnknownAlgorithm]
    );
    assert_eq!(read.old_verify_keys[0].expired, None);
    assert!(read.defects.contains(&Defect::KeyId("ed25519:a-b".into())));
    assert!(read.defects.contains(&Defect::UsedAndRetired("rsa:1".into())));
    assert!(read.defects.iter().any(|defect| matches!(defect, Defect::Number(_))));
    assert!(parse(&json!({})).defects.contains(&Defect::NoVerifyKeys));
    let body = b"<html>";
    assert_eq!(parse_key_document(body), Err(KeyDocumentError::Html));
    assert_eq!(parse_key_document(b"[]"), Err(KeyDocumentError::NotObject));
}

proptest! {
    #[test]
    fn any_bytes_are_judged(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_key_document(&body);
        let _ = decode_base64(&String::from_utf8_lossy(&body));
    }

    #[test]
    fn any_values_are_judged(
        id in ".{0,20}", key in ".{0,60}", signature in ".{0,90}", number in any::<f64>(),
    ) {
        let _ = parse(&json!({
            "server_name": "a", "valid_until_ts": number,
            "verify_keys": { &id: { "key": key }, "ed25519:1": key },
            "old_verify_keys": { &id: { "key": key, "expired_ts": number } },
            "signatures": { "a": { &id: signature } },
        }));
    }
}
