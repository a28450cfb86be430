//! The signing key, each field of its document wrong in turn, and what is kept of it.

use mxdoctor_checks::state::State;
use mxdoctor_checks::{Cx, Target};
use mxdoctor_model::{Outcome, Vantage};
use mxdoctor_probes::matrix::encode_base64;
use serde_json::{Value, json};

use super::{KEYS, keys, keys_changed, stack};
use crate::stack::{Answer, Running, expect, finding};

const HOUR: i64 = 3_600_000;

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("after 1970").as_millis() as i64
}

/// A stack whose key document is this.
async fn serving(answer: Answer) -> Running {
    let mut stack = stack();
    stack.set(KEYS, answer);
    stack.start().await
}

/// What `federation.keys` says of a document with something changed before it is signed.
async fn judged(change: impl FnOnce(&mut Value)) -> (Outcome, Option<&'static str>, String) {
    let document = keys_changed(7, "example.org", change);
    let running = serving(Answer::json(200, document)).await;
    let said = finding(&running.bare(), "federation.keys").await;
    (said.outcome, said.cause, said.summary)
}

/// One row for each field of the document.
#[tokio::test]
async fn a_document_that_is_wrong_in_one_field_is_told() {
    type Row = (&'static str, fn(&mut Value), Outcome, &'static str);
    let rows: &[Row] = &[
        ("no name", |d| drop(d["server_name"].take()), Outcome::Fail, "key-document-invalid"),
        (
            "expired",
            |d| d["valid_until_ts"] = json!(now() - 1),
            Outcome::Fail,
            "key-document-expired",
        ),
        (
            "soon expired",
            |d| d["valid_until_ts"] = json!(now() + HOUR / 2),
            Outcome::Warn,
            "key-document-expired",
        ),
        ("no time", |d| drop(d["valid_until_ts"].take()), Outcome::Fail, "key-document-invalid"),
        (
            "time in words",
            |d| d["valid_until_ts"] = json!("tomorrow"),
            Outcome::Fail,
            "key-document-invalid",
        ),
        ("no keys", |d| d["verify_keys"] = json!({}), Outcome::Fail, "key-document-invalid"),
        (
            "keys that are none",
            |d| d["verify_keys"] = json!([]),
            Outcome::Fail,
            "key-document-invalid",
        ),
        (
            "no known algorithm",
            |d| d["verify_keys"] = json!({"rsa:1": {"key": "AAAA"}}),
            Outcome::Fail,
            "key-document-invalid",
        ),
        (
            "a second key that has not signed",
            |d| d["verify_keys"]["ed25519:b"] = json!({"key": encode_base64(&[9; 32])}),
            Outcome::Fail,
            "key-signature-invalid",
        ),
        (
            "another key than the one that signed",
            |d| d["verify_keys"]["ed25519:a_1"] = json!({"key": encode_base64(&[9; 32])}),
            Outcome::Fail,
            "key-signature-invalid",
        ),
        (
            "a key too short",
            |d| d["verify_keys"]["ed25519:a_1"] = json!({"key": "AAAA"}),
            Outcome::Fail,
            "key-document-invalid",
        ),
        (
            "a padded key",
            |d| {
                let key = d["verify_keys"]["ed25519:a_1"]["key"].as_str().expect("text").to_owned();
                d["verify_keys"]["ed25519:a_1"]["key"] = json!(format!("{key}="));
            },
            Outcome::Warn,
            "key-document-unusual",
        ),
        (
            "an old key of the future",
            |d| {
                let key = encode_base64(&[9; 32]);
                d["old_verify_keys"] =
                    json!({"ed25519:o": {"key": key, "expired_ts": now() + HOUR}});
            },
            Outcome::Warn,
            "key-document-unusual",
        ),
        (
            "an old key without its time",
            |d| d["old_verify_keys"] = json!({"ed25519:o": {"key": encode_base64(&[9; 32])}}),
            Outcome::Warn,
            "key-document-unusual",
        ),
        (
            "an old key that is none",
            |d| d["old_verify_keys"] = json!({"ed25519:o": {"key": "AA", "expired_ts": 1}}),
            Outcome::Warn,
            "key-document-unusual",
        ),
        (
            "an old key in use",
            |d| {
                let key = d["verify_keys"]["ed25519:a_1"]["key"].clone();
                d["old_verify_keys"] = json!({"ed25519:a_1": {"key": key, "expired_ts": 1}});
            },
            Outcome::Warn,
            "key-document-unusual",
        ),
        (
            "a weak key that is retired",
            |d| {
                let key = "l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og";
                d["old_verify_keys"] = json!({"ed25519:w": {"key": key, "expired_ts": 1}});
            },
            Outcome::Warn,
            "signing-key-weak",
        ),
        (
            "a float that is a whole number",
            |d| d["more"] = json!(1.0),
            Outcome::Fail,
            "key-document-invalid",
        ),
    ];
    for (what, change, outcome, cause) in rows {
        let said = judged(change).await;
        assert_eq!((said.0, said.1), (*outcome, Some(*cause)), "{what}: {}", said.2);
    }
    let said = judged(|d| d["more"] = json!({"any": ["thing", 1, null]})).await;
    assert_eq!(said.0, Outcome::Pass, "what is not known is let be: {}", said.2);
    let said = judged(|d| d["valid_until_ts"] = json!(now() + 30 * 24 * HOUR)).await;
    assert_eq!(said.0, Outcome::Pass, "longer than peers believe does no harm: {}", said.2);
}

/// What is wrong after it was signed, and what is around it.
#[tokio::test]
async fn an_answer_that_is_wrong_is_told() {
    let good = || keys(7, "example.org");
    let with = |change: fn(&mut Value)| {
        let mut document = good();
        change(&mut document);
        Answer::json(200, document)
    };
    let invalid = Some("key-document-invalid");
    let unsigned = Some("key-signature-invalid");
    let unusual = Some("key-document-unusual");
    for (what, answer, outcome, cause) in [
        ("no signature", with(|d| drop(d["signatures"].take())), Outcome::Fail, unsigned),
        (
            "a signature too short",
            with(|d| d["signatures"]["example.org"]["ed25519:a_1"] = json!("AAAA")),
            Outcome::Fail,
            unsigned,
        ),
        (
            "a signature under another name",
            with(|d| {
                let signed = d["signatures"]["example.org"].take();
                d["signatures"] = json!({"other.example": signed});
            }),
            Outcome::Fail,
            unsigned,
        ),
        (
            "changed on its way",
            with(|d| d["valid_until_ts"] = json!(now())),
            Outcome::Fail,
            unsigned,
        ),
        ("from a cache", with(|_| {}).with("age", "77"), Outcome::Warn, unusual),
        ("from an edge", with(|_| {}).with("cf-cache-status", "HIT"), Outcome::Warn, unusual),
        ("an age of nothing", with(|_| {}).with("age", "0"), Outcome::Pass, None),
        (
            "as a page",
            Answer::new(200, good().to_string()).with("content-type", "text/plain"),
            Outcome::Fail,
            invalid,
        ),
    ] {
        let running = serving(answer).await;
        let said = finding(&running.bare(), "federation.keys").await;
        assert_eq!((said.outcome, said.cause), (outcome, cause), "{what}: {said:#?}");
    }
}

fn run(running: &Running, set: impl FnOnce(&mut Target)) -> Cx {
    running.run(Vantage::Public, set)
}

#[tokio::test]
async fn the_key_of_the_last_run_is_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = || Some(State::chosen(folder.path()));
    let id = "federation.key_identity";
    let cause = Some("signing-key-changed");
    let first = serving(Answer::json(200, keys(7, "example.org"))).await;
    let said = finding(&run(&first, |target| target.state = state()), id).await;
    assert_eq!(said.outcome, Outcome::Pass, "{said:#?}");
    assert!(said.summary.contains("first time"), "{}", said.summary);
    let said = finding(&run(&first, |target| target.state = state()), id).await;
    assert!(said.summary.contains("as at the last run"), "{}", said.summary);
    let other = serving(Answer::json(200, keys(8, "example.org"))).await;
    // It goes on to fail: what is kept is the good one.
    for _ in 0..2 {
        expect(&run(&other, |target| target.state = state()), id, Outcome::Fail, cause).await;
    }
    expect(&run(&first, |target| target.state = state()), id, Outcome::Pass, None).await;
    let expected: Vec<_> = {
        let document = keys(8, "example.org");
        let key = document["verify_keys"]["ed25519:a_1"]["key"].as_str().expect("text");
        vec![format!("ed25519:a_1 {key}").parse().expect("a key")]
    };
    // What the operator writes down goes before what is kept, and is kept itself.
    let wants = |target: &mut Target| {
        target.state = state();
        target.expect.signing_keys = expected.clone();
    };
    expect(&run(&first, wants), id, Outcome::Fail, cause).await;
    let wants = |target: &mut Target| {
        target.state = state();
        target.expect.signing_keys = expected.clone();
    };
    expect(&run(&other, wants), id, Outcome::Pass, None).await;
    expect(&run(&first, |target| target.state = state()), id, Outcome::Fail, cause).await;
}

#[tokio::test]
async fn a_state_that_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = State::chosen(folder.path());
    let path = state.path("example.org", "keys");
    std::fs::write(&path, "precious").expect("written");
    let running = serving(Answer::json(200, keys(7, "example.org"))).await;
    let cx = run(&running, |target| target.state = Some(state));
    expect(&cx, "federation.key_identity", Outcome::Warn, Some("state-unusable")).await;
    assert_eq!(std::fs::read_to_string(&path).expect("there"), "precious");
    let cx = run(&running, |_| {});
    expect(&cx, "federation.key_identity", Outcome::Skip, None).await;
    // Where the keys are not sound, that is for another check to say.
    let mut broken = keys(7, "example.org");
    broken["added"] = json!(1);
    let running = serving(Answer::json(200, broken)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let cx = run(&running, |target| target.state = Some(State::chosen(folder.path())));
    let said = finding(&cx, "federation.key_identity").await;
    assert!(said.summary.starts_with("blocked by federation.keys"), "{said:#?}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told() {
    let date = |seconds: i64| {
        let then = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
        let date = then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        Answer::json(200, keys(7, "example.org")).with("date", &date)
    };
    for (seconds, outcome) in
        [(0, Outcome::Pass), (-30, Outcome::Warn), (600, Outcome::Fail), (-86_400, Outcome::Fail)]
    {
        let running = serving(date(seconds).with("server", "Synapse/1.147.1")).await;
        let cause = (outcome != Outcome::Pass).then_some("clock-skew");
        expect(&running.bare(), "federation.clock", outcome, cause).await;
    }
    let running = serving(Answer::json(200, keys(7, "example.org"))).await;
    expect(&running.bare(), "federation.clock", Outcome::Skip, None).await;
}

#[tokio::test]
async fn the_notary_is_asked() {
    const NOTARY: &str = "GET matrix.example.org:443/_matrix/key/v2/query/example.org";
    let mut stack = stack();
    stack.set(NOTARY, Answer::json(200, json!({"server_keys": []})));
    expect(&stack.start().await.bare(), "federation.notary", Outcome::Pass, None).await;
    let mut stack = super::stack();
    stack.set(NOTARY, Answer::json(200, json!({"server_keys": [keys(8, "example.org")]})));
    let cause = Some("signing-key-changed");
    expect(&stack.start().await.bare(), "federation.notary", Outcome::Fail, cause).await;
    let mut stack = super::stack();
    stack.set(NOTARY, Answer::json(500, json!({"errcode": "M_UNKNOWN"})));
    let cause = Some("notary-broken");
    expect(&stack.start().await.bare(), "federation.notary", Outcome::Fail, cause).await;
}
