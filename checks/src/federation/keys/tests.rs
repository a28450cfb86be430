use std::sync::Arc;

use mxdoctor_probes::http::Exchange;
use mxdoctor_probes::matrix::{OldKey, VerifyKey};

use super::*;
use crate::facts::tests::answer;

const NOW: i64 = 1_795_000_000_000;

fn document() -> KeyDocument {
    KeyDocument {
        server_name: Some("example.org".into()),
        valid_until: Some(NOW + 12 * HOUR),
        verify_keys: vec![VerifyKey {
            id: "ed25519:a".into(),
            bytes: Some(vec![7; 32]),
            state: KeyState::Signed,
        }],
        old_verify_keys: Vec::new(),
        defects: Vec::new(),
    }
}

fn sample(headers: &[(&'static str, &str)], document: KeyDocument) -> KeySample {
    let exchange = Exchange { hops: vec![answer(200, headers, "{}")], redirect_trouble: None };
    KeySample { place: "192.0.2.1".into(), exchange: Arc::new(exchange), document: Ok(document) }
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn seen(document: &KeyDocument) -> (Outcome, Option<&'static str>) {
    let finding = judge(document, &sample(JSON, document.clone()), NOW);
    (finding.outcome, finding.cause)
}

#[test]
fn a_good_document_passes() {
    assert_eq!(seen(&document()), (Outcome::Pass, None));
}

#[test]
fn signatures_must_hold() {
    for state in [KeyState::NotSigned, KeyState::BadSignature, KeyState::UnreadableSignature] {
        let mut wrong = document();
        wrong.verify_keys[0].state = state;
        assert_eq!(seen(&wrong), (Outcome::Fail, Some("key-signature-invalid")));
    }
    let mut also = document();
    let unknown = KeyState::UnknownAlgorithm;
    also.verify_keys.push(VerifyKey { id: "x:1".into(), bytes: None, state: unknown });
    assert_eq!(seen(&also).0, Outcome::Pass);
}

#[test]
fn the_window_is_judged() {
    let until = |valid_until| seen(&KeyDocument { valid_until, ..document() });
    assert_eq!(until(Some(NOW - 1)), (Outcome::Fail, Some("key-document-expired")));
    assert_eq!(until(Some(NOW + HOUR / 2)), (Outcome::Warn, Some("key-document-expired")));
    assert_eq!(until(None), (Outcome::Fail, Some("key-document-invalid")));
    assert_eq!(until(Some(i64::MIN)).0, Outcome::Fail);
    assert_eq!(until(Some(i64::MAX)).0, Outcome::Pass);
}

#[test]
fn a_known_weak_key_fails_however_it_is_written() {
    let mut weak = document();
    weak.verify_keys[0].bytes = decode_base64(&format!("{}=", WEAK[0]));
    assert_eq!(seen(&weak), (Outcome::Fail, Some("signing-key-weak")));
}

#[test]
fn what_is_odd_warns() {
    let mut retired = document();
    retired.old_verify_keys.push(OldKey {
        id: "ed25519:old".into(),
        bytes: Some(vec![1; 32]),
        expired: Some(NOW + 1),
    });
    assert_eq!(seen(&retired), (Outcome::Warn, Some("key-document-unusual")));
    let cached = [("content-type", "application/json"), ("cf-cache-status", "HIT")];
    let finding = judge(&document(), &sample(&cached, document()), NOW);
    assert_eq!(finding.outcome, Outcome::Warn);
    let html = [("content-type", "text/html")];
    let finding = judge(&document(), &sample(&html, document()), NOW);
    assert_eq!(finding.cause, Some("key-document-invalid"));
}

#[test]
fn other_keys_under_one_name_fail() {
    let one = sample(JSON, document());
    assert_eq!(unequal(&[one.clone(), one.clone()]), None);
    let mut other = document();
    other.verify_keys[0].bytes = Some(vec![8; 32]);
    let finding = unequal(&[one.clone(), one, sample(JSON, other)]).expect("a finding");
    assert_eq!(finding.cause, Some("signing-key-differs-between-servers"));
}
