//! `federation.key_identity`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::matrix::{KeyDocument, KeyState, decode_base64, encode_base64};
use serde::{Deserialize, Serialize};

use super::keys::sound;
use crate::state::{State, StateError};
use crate::{Cx, ExpectedKey, Verdict, check};

check! {
    /// ## What it asserts
    /// The homeserver still has the signing key that it had at the last run, or the one that
    /// `expect.signing_key` names. A key that was exchanged is listed among the old ones.
    ///
    /// ## Why it matters
    /// A homeserver that comes up with a new key looks healthy from all sides. Other servers keep
    /// the old one: they refuse what is signed with the new key under the old id for good, and
    /// servers that come later can no longer verify what was said before.
    ///
    /// ## What makes it fail
    /// - The same key id with another key.
    /// - Another key, and the one before is not in `old_verify_keys`.
    /// - A key that is not in `expect.signing_key`.
    ///
    /// It goes on to fail until the old key is back or listed. The keys of the last good run are
    /// kept in a file of the folder `state`; one that cannot be read is left alone and warned of.
    ///
    /// ## How to fix it
    /// Mount the signing key from a Secret that is backed up, and bring the old one back. If it is
    /// lost, give the new one another id and list the public half of the old one under
    /// `old_signing_keys` in homeserver.yaml.
    ///
    /// ## Where it comes from
    /// Matrix server-server API, "Publishing keys"; Synapse's manual, `old_signing_keys`.
    "federation.key_identity" at P: "the signing key is the one that other servers know"
    causes ["signing-key-changed", "state-unusable"]
    timeout 60
    attempts 2
}

const KIND: &str = "keys";

/// The keys of the last good run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    keys: Vec<KnownKey>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KnownKey {
    id: String,
    /// Unpadded Base64.
    key: String,
}

async fn run(cx: &Cx) -> Verdict {
    let document = sound(cx).await?;
    let target = cx.target();
    let name = &target.server_name;
    let now = current(&document);
    let expected = &target.expect.signing_keys;
    let Some(state) = &target.state else {
        let finding = held_to(expected, &now).unwrap_or_else(|| {
            Finding::skip(
                "there is no folder for what is kept from run to run: set `state`, or \
                           write the key into `expect.signing_key`",
            )
        });
        return Ok(listed(finding, &now).into());
    };
    let finding = match held_to(expected, &now) {
        Some(finding) => finding,
        None => match state.load::<Remembered>(name, KIND) {
            Ok(before) => compared(before.as_ref(), &document, jiff::Timestamp::now()),
            Err(error) => return Ok(listed(unusable(state, &error), &now).into()),
        },
    };
    let finding =
        if finding.cause.is_none() { kept(finding, state, name, &now, expected) } else { finding };
    let path = state.path(name, KIND);
    Ok(listed(finding, &now)
        .evidence(EvidenceKind::Note, format!("kept in {}", path.display()))
        .into())
}

/// The keys in use that hold their own signature.
fn current(document: &KeyDocument) -> Vec<KnownKey> {
    let signed = document.verify_keys.iter().filter(|key| key.state == KeyState::Signed);
    let known = signed.filter_map(|key| {
        Some(KnownKey { id: key.id.clone(), key: encode_base64(key.bytes.as_deref()?) })
    });
    known.collect()
}

/// What the operator's own list says, if there is one.
fn held_to(expected: &[ExpectedKey], now: &[KnownKey]) -> Option<Finding> {
    if expected.is_empty() {
        return None;
    }
    let known = |key: &KnownKey| {
        let bytes = decode_base64(&key.key);
        expected.iter().any(|one| one.id == key.id && Some(&one.bytes) == bytes.as_ref())
    };
    let Some(other) = now.iter().find(|key| !known(key)) else {
        return Some(Finding::pass(format!("{}, as expected", ids(now))));
    };
    let wanted = expected.iter().map(|one| format!("{} {}", one.id, encode_base64(&one.bytes)));
    let summary = format!("the homeserver signs with {}, which is not expected", other.id);
    Some(
        Finding::fail("signing-key-changed", summary)
            .expected(wanted.collect::<Vec<_>>().join(" or "))
            .actual(format!("{} {}", other.id, other.key)),
    )
}

/// What the last run says.
fn compared(before: Option<&Remembered>, document: &KeyDocument, now: jiff::Timestamp) -> Finding {
    let keys = current(document);
    let Some(Remembered { keys: before }) = before else {
        return Finding::pass(format!("{}, seen for the first time", ids(&keys)));
    };
    let mut retired = false;
    for known in before {
        if keys.contains(known) {
            continue;
        }
        let old = document.old_verify_keys.iter().find(|old| old.id == known.id);
        let same = old.is_some_and(|old| old.bytes == decode_base64(&known.key));
        let taken = keys.iter().find(|key| key.id == known.id);
        match (taken, same) {
            (None, true) => retired = true,
            (taken, _) => return changed(known, taken, &keys, now),
        }
    }
    if retired {
        return Finding::pass(format!("{}, and the one before is listed as old", ids(&keys)));
    }
    Finding::pass(format!("{}, as at the last run", ids(&keys)))
}

fn changed(
    known: &KnownKey,
    taken: Option<&KnownKey>,
    keys: &[KnownKey],
    now: jiff::Timestamp,
) -> Finding {
    let KnownKey { id, key } = known;
    let (summary, also) = match taken {
        Some(_) => (
            format!("{id} is another key than at the last run: other servers keep the old one"),
            "give the new key another id (the word before it in the file of `signing_key_path`) \
             and ",
        ),
        None => (format!("{id} is gone, and is not listed as an old key"), ""),
    };
    let now = now.as_millisecond();
    Finding::fail("signing-key-changed", summary)
        .expected(format!("{id} {key}, in use or among the old keys"))
        .actual(keys.iter().map(|k| format!("{} {}", k.id, k.key)).collect::<Vec<_>>().join(", "))
        .remedy(format!(
            "bring the old key back from the backup of the Secret `synapse-signing-key`; if it is \
             lost, {also}add to homeserver.yaml `old_signing_keys: {{\"{id}\": {{key: \"{key}\", \
             expired_ts: {now}}}}}`"
        ))
}

/// Keeps the keys for the next run, if they are not what is kept already.
fn kept(
    finding: Finding,
    state: &State,
    name: &str,
    now: &[KnownKey],
    expected: &[ExpectedKey],
) -> Finding {
    let remembered = Remembered { keys: now.to_vec() };
    let stored = match state.load::<Remembered>(name, KIND) {
        Ok(Some(before)) if before == remembered => return finding,
        Ok(_) => state.store(name, KIND, &remembered),
        Err(error) => Err(error),
    };
    match stored {
        Ok(()) => finding,
        // The operator's own list has answered the question.
        Err(error) if !expected.is_empty() => {
            finding.evidence(EvidenceKind::Note, error.to_string())
        }
        Err(error) => unusable(state, &error),
    }
}

/// Nothing is known of the last run, or nothing can be kept for the next.
fn unusable(state: &State, error: &StateError) -> Finding {
    match error {
        StateError::Refused { .. } if !state.is_chosen() => Finding::skip(format!(
            "nothing is kept from run to run: {error}; choose a folder with `--state`, or write \
             the key into `expect.signing_key`"
        )),
        _ => Finding::warn(
            "state-unusable",
            format!("whether the signing key is the same as before is not known: {error}"),
        )
        .remedy("move the file away, or choose another folder with `--state`; it is left as it is"),
    }
}

fn ids(keys: &[KnownKey]) -> String {
    keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>().join(", ")
}

fn listed(finding: Finding, keys: &[KnownKey]) -> Finding {
    keys.iter().fold(finding, |finding, KnownKey { id, key }| {
        finding.evidence(EvidenceKind::Note, format!("signing key {id} {key}"))
    })
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;
    use mxdoctor_probes::matrix::{OldKey, VerifyKey};

    use super::*;

    fn document(keys: &[(&str, u8)], old: &[(&str, u8)]) -> KeyDocument {
        let bytes = |seed: u8| Some(vec![seed; 32]);
        KeyDocument {
            server_name: Some("example.org".into()),
            valid_until: None,
            verify_keys: keys
                .iter()
                .map(|(id, seed)| VerifyKey {
                    id: (*id).into(),
                    bytes: bytes(*seed),
                    state: KeyState::Signed,
                })
                .collect(),
            old_verify_keys: old
                .iter()
                .map(|(id, seed)| OldKey {
                    id: (*id).into(),
                    bytes: bytes(*seed),
                    expired: Some(1),
                })
                .collect(),
            defects: Vec::new(),
        }
    }

    fn seen(before: &[(&str, u8)], keys: &[(&str, u8)], old: &[(&str, u8)]) -> Outcome {
        let before = Remembered { keys: current(&document(before, &[])) };
        let finding = compared(Some(&before), &document(keys, old), jiff::Timestamp::UNIX_EPOCH);
        let cause = (finding.outcome == Outcome::Fail).then_some("signing-key-changed");
        assert_eq!(finding.cause, cause);
        finding.outcome
    }

    #[test]
    fn a_change_is_told_from_a_rotation() {
        let (a, b) = (("ed25519:a", 1), ("ed25519:b", 2));
        assert_eq!(seen(&[a], &[a], &[]), Outcome::Pass);
        assert_eq!(seen(&[a], &[a, b], &[]), Outcome::Pass);
        assert_eq!(seen(&[a], &[b], &[a]), Outcome::Pass);
        assert_eq!(seen(&[a], &[b], &[]), Outcome::Fail);
        assert_eq!(seen(&[a, b], &[b], &[]), Outcome::Fail);
        assert_eq!(seen(&[a], &[("ed25519:a", 2)], &[]), Outcome::Fail);
        assert_eq!(seen(&[a], &[b], &[("ed25519:a", 2)]), Outcome::Fail);
        assert_eq!(seen(&[a], &[("ed25519:a", 2)], &[a]), Outcome::Fail);
    }

    #[test]
    fn the_remedy_is_the_line_to_write() {
        let before = Remembered { keys: current(&document(&[("ed25519:a", 1)], &[])) };
        let after = document(&[("ed25519:b", 2)], &[]);
        let finding = compared(Some(&before), &after, jiff::Timestamp::UNIX_EPOCH);
        let remedy = finding.remedy.expect("a remedy");
        let line = format!("{{\"ed25519:a\": {{key: \"{}\", expired_ts: 0}}}}", before.keys[0].key);
        assert!(remedy.contains(&line), "{remedy}");
    }

    #[test]
    fn what_is_expected_decides() {
        let keys = current(&document(&[("ed25519:a", 1)], &[]));
        let expected = |id: &str, seed| ExpectedKey { id: id.into(), bytes: vec![seed; 32] };
        assert_eq!(held_to(&[], &keys), None);
        let outcome = |expected: &[ExpectedKey]| held_to(expected, &keys).expect("said").outcome;
        assert_eq!(outcome(&[expected("ed25519:b", 2), expected("ed25519:a", 1)]), Outcome::Pass);
        assert_eq!(outcome(&[expected("ed25519:a", 2)]), Outcome::Fail);
        assert_eq!(outcome(&[expected("ed25519:b", 1)]), Outcome::Fail);
    }

    #[test]
    fn the_next_run_knows_and_a_failure_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = State::chosen(folder.path());
        let keys = current(&document(&[("ed25519:a", 1)], &[]));
        let finding = kept(Finding::pass("first"), &state, "example.org", &keys, &[]);
        assert_eq!(finding.outcome, Outcome::Pass);
        let before = state.load::<Remembered>("example.org", KIND).expect("ours");
        assert_eq!(before, Some(Remembered { keys }));
        let path = state.path("example.org", KIND);
        std::fs::write(&path, "something else").expect("written");
        let finding = kept(Finding::pass("again"), &state, "example.org", &[], &[]);
        assert_eq!((finding.outcome, finding.cause), (Outcome::Warn, Some("state-unusable")));
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "something else");
    }
}
