//! `federation.keys`

use mxdoctor_model::{EvidenceKind, Finding, Outcome};
use mxdoctor_probes::matrix::{
    Defect, KeyDocument, KeyState, OldKey, decode_base64, encode_base64,
};

use crate::facts::{Clock, KeySample, ServerKeys, another, server_name};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// The key document of the homeserver is valid: it bears the server name, each key in it has
    /// signed it, and it is in its time. It is fetched from every address and at least four times,
    /// and holds the same keys each time.
    ///
    /// ## Why it matters
    /// Every message between servers is signed. Who cannot verify the key believes none of them.
    ///
    /// ## What makes it fail
    /// - No signature, or one that does not hold, by one of the keys.
    /// - Different keys from one fetch to the next: two pods, each with a signing key of its own.
    /// - `valid_until_ts` in the past. Within the hour, or where a cache answers, it warns.
    /// - No Ed25519 key, a number that is not an integer, a content type that is not JSON.
    /// - A key that is known to be weak (CVE-2026-24044); it warns where that one is retired.
    ///
    /// ## How to fix it
    /// One homeserver has one signing key: mount it from the Secret `synapse-signing-key`, one
    /// replica, strategy `Recreate`. Never let it be generated at the start.
    ///
    /// ## Where it comes from
    /// Matrix server-server API, "Retrieving server keys"; appendices, "Signing JSON" and
    /// "Canonical JSON".
    "federation.keys" at PIC: "the signing keys are valid, and everywhere the same"
    causes [
        "signing-key-differs-between-servers",
        "key-signature-invalid",
        "key-document-invalid",
        "key-document-expired",
        "key-document-unusual",
        "signing-key-weak",
        "federation-not-served",
    ]
    timeout 60
    attempts 2
}

/// Public keys whose private halves are known, in unpadded Base64 (CVE-2026-24044).
const WEAK: &[&str] = &["l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og"];

const HOUR: i64 = 3_600_000;

/// The document, if this check finds it fit to be relied upon in every fetch.
///
/// # Errors
/// What this check says of it otherwise.
pub(crate) async fn sound(cx: &Cx) -> Result<KeyDocument, Unavailable> {
    let own = |finding: Finding| Unavailable::by("federation.keys", finding);
    let name = server_name(cx)?;
    let samples = cx.fact(ServerKeys).await?;
    if let Some(finding) = unequal(&samples) {
        return Err(own(shown(finding, &samples)));
    }
    let first = samples.first().ok_or_else(|| own(Finding::error("no key document")))?;
    let document = match &first.document {
        Err(error) => return Err(own(invalid(format!("{}: {error}", first.place)))),
        Ok(document) => document,
    };
    match document.server_name.as_deref() {
        Some(said) if said != name.text => return Err(another(&name, said)),
        _ => {}
    }
    match content(document).or_else(|| signatures(document)) {
        Some(finding) => Err(own(shown(finding, &samples))),
        None => Ok(document.clone()),
    }
}

async fn run(cx: &Cx) -> Verdict {
    let name = server_name(cx)?;
    let samples = cx.fact(ServerKeys).await?;
    if let Some(finding) = unequal(&samples) {
        return Ok(shown(finding, &samples).into());
    }
    for sample in samples.iter() {
        let finding = match &sample.document {
            Err(error) => invalid(format!("{}: {error}", sample.place)),
            Ok(document) => match document.server_name.as_deref() {
                Some(said) if said != name.text => return Err(another(&name, said)),
                _ => judge(document, sample, jiff::Timestamp::now().as_millisecond()),
            },
        };
        if finding.cause == Some("key-document-expired") {
            clock_is_right(cx).await?;
        }
        if finding.outcome != Outcome::Pass {
            return Ok(shown(finding, &samples).into());
        }
    }
    let ids = samples.first().and_then(|sample| sample.document.as_ref().ok()).map(ids);
    let fetched = samples.len();
    let summary = format!("{} signed, the same in {fetched} fetches", ids.unwrap_or_default());
    Ok(shown(Finding::pass(summary), &samples).into())
}

/// Times mean nothing by a clock that is wrong.
async fn clock_is_right(cx: &Cx) -> Result<(), Unavailable> {
    match cx.fact(Clock).await?.finding() {
        Some(finding) => Err(Unavailable::by("vantage.clock", finding)),
        None => Ok(()),
    }
}

fn ids(document: &KeyDocument) -> String {
    document.verify_keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>().join(", ")
}

fn invalid(what: String) -> Finding {
    Finding::fail("key-document-invalid", what)
}

/// The finding where two fetches hold different keys.
fn unequal(samples: &[KeySample]) -> Option<Finding> {
    let readable =
        || samples.iter().filter_map(|sample| Some((sample, sample.document.as_ref().ok()?)));
    let (first, document) = readable().next()?;
    let (other, different) =
        readable().find(|(_, other)| other.identity() != document.identity())?;
    let told = |sample: &KeySample, document: &KeyDocument| {
        let keys = document.verify_keys.iter().map(|key| {
            let bytes = key.bytes.as_deref().map(encode_base64).unwrap_or_default();
            format!("{} {bytes}", key.id)
        });
        format!("{}: {}", sample.place, keys.collect::<Vec<_>>().join(", "))
    };
    let finding = Finding::fail(
        "signing-key-differs-between-servers",
        "different signing keys from one fetch to the next",
    );
    let actual = format!("{}; then {}", told(first, document), told(other, different));
    Some(finding.expected("the same keys in every fetch").actual(actual))
}

fn judge(document: &KeyDocument, sample: &KeySample, now: i64) -> Finding {
    let pass = Finding::pass("");
    [
        content(document),
        signatures(document),
        weak(document),
        window(document, now),
        weak_once(document),
        odd(document, sample, now),
    ]
    .into_iter()
    .flatten()
    .next()
    .unwrap_or(pass)
}

fn signatures(document: &KeyDocument) -> Option<Finding> {
    let wrong = document
        .verify_keys
        .iter()
        .find(|key| !matches!(key.state, KeyState::Signed | KeyState::UnknownAlgorithm))?;
    let id = &wrong.id;
    let why = match wrong.state {
        KeyState::NotSigned => format!("the key document is not signed by {id}"),
        KeyState::BadSignature => format!("the signature of {id} does not hold"),
        KeyState::UnreadableSignature => format!("the signature of {id} is not 64 bytes of Base64"),
        KeyState::UnreadableKey => format!("the key {id} is not 32 bytes of Base64"),
        KeyState::Signed | KeyState::UnknownAlgorithm => return None,
    };
    if wrong.state == KeyState::UnreadableKey {
        return Some(invalid(why));
    }
    let finding = Finding::fail("key-signature-invalid", why);
    Some(finding.expected(format!("a signature of {id} over the document's canonical JSON")))
}

fn content(document: &KeyDocument) -> Option<Finding> {
    if document.server_name.is_none() {
        return Some(invalid("the key document has no `server_name`".into()));
    }
    document.defects.iter().find_map(|defect| match defect {
        Defect::NoVerifyKeys => Some(invalid("the key document has no `verify_keys`".into())),
        Defect::NoEd25519 => Some(invalid("no key of the algorithm ed25519".into())),
        Defect::Number(number) => Some(invalid(number.to_string())),
        Defect::KeyId(_) | Defect::Encoding(_) | Defect::UsedAndRetired(_) => None,
    })
}

fn weak(document: &KeyDocument) -> Option<Finding> {
    let weak: Vec<_> = WEAK.iter().filter_map(|key| decode_base64(key)).collect();
    let found = document
        .verify_keys
        .iter()
        .find(|key| key.bytes.as_ref().is_some_and(|bytes| weak.contains(bytes)))?;
    let summary = format!("{} is a key that everybody knows the private half of", found.id);
    Some(Finding::fail("signing-key-weak", summary))
}

/// Retired keys still vouch for what was signed before they were.
fn weak_once(document: &KeyDocument) -> Option<Finding> {
    let weak: Vec<_> = WEAK.iter().filter_map(|key| decode_base64(key)).collect();
    let known = |old: &&OldKey| old.bytes.as_ref().is_some_and(|bytes| weak.contains(bytes));
    let found = document.old_verify_keys.iter().find(known)?;
    let summary = format!(
        "the retired key {} is one that everybody knows the private half of, and still vouches \
         for old events",
        found.id
    );
    Some(Finding::warn("signing-key-weak", summary))
}

fn window(document: &KeyDocument, now: i64) -> Option<Finding> {
    let Some(until) = document.valid_until else {
        let what = "the key document has no `valid_until_ts` that is a whole number";
        return Some(invalid(what.into()));
    };
    let minutes = (until.saturating_sub(now)) / 60_000;
    if until <= now {
        let summary = format!("the key document was valid until {} minutes ago", -minutes);
        let finding = Finding::fail("key-document-expired", summary).transient();
        return Some(finding.expected("`valid_until_ts` in the future"));
    }
    (until < now.saturating_add(HOUR)).then(|| {
        let summary = format!("the key document is valid for {minutes} minutes more only");
        Finding::warn("key-document-expired", summary).expected("at least an hour")
    })
}

fn odd(document: &KeyDocument, sample: &KeySample, now: i64) -> Option<Finding> {
    let warn = |what: String| Finding::warn("key-document-unusual", what);
    let response = sample.exchange.last();
    let kind = response.header("content-type").unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/json") {
        let what = format!("the key document has the content type `{kind}`");
        return Some(invalid(what).expected("application/json"));
    }
    let cached = response.header("cf-cache-status").is_some_and(|s| s.eq_ignore_ascii_case("hit"))
        || response.header("age").is_some_and(|age| age.trim() != "0");
    if cached {
        return Some(warn("the key document comes from a cache".into()));
    }
    if let Some(key) = document
        .old_verify_keys
        .iter()
        .find(|key| key.bytes.is_none() || key.expired.is_none_or(|expired| expired > now))
    {
        return Some(warn(format!("the retired key {} is not as it must be", key.id)));
    }
    document.defects.iter().find_map(|defect| match defect {
        Defect::KeyId(id) => Some(warn(format!("`{id}` is not a key id by the grammar"))),
        Defect::Encoding(id) => Some(warn(format!("{id} is not in unpadded standard Base64"))),
        Defect::UsedAndRetired(id) => Some(warn(format!("{id} is in use and retired at once"))),
        Defect::NoVerifyKeys | Defect::NoEd25519 | Defect::Number(_) => None,
    })
}

fn shown(finding: Finding, samples: &[KeySample]) -> Finding {
    samples.iter().fold(finding, |finding, sample| {
        let line = format!("{}: {}", sample.place, sample.exchange.last().line());
        finding.evidence(EvidenceKind::Request, line)
    })
}

#[cfg(test)]
mod tests;
