//! The server's key document, `GET /_matrix/key/v2/server`, and signed JSON (server-server API,
//! "Retrieving server keys"; appendices, "Signing JSON").

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Map, Value};

use super::{NotCanonical, canonical_json, loose_number};

/// Peers take padding or none, and do not look at the bits left over in the last character.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Base64 with or without padding; the URL-safe alphabet is understood as well.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// Unpadded Base64 (appendices, "Unpadded Base64").
pub fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Whether a 64-byte signature over the object holds for a 32-byte Ed25519 key. `signatures` and
/// `unsigned` are left out, as the specification says.
///
/// # Errors
/// [`NotCanonical`] when the object has no canonical encoding.
pub fn verify_signature(
    object: &Map<String, Value>,
    key: &[u8],
    signature: &[u8],
) -> Result<bool, NotCanonical> {
    let mut signed = object.clone();
    signed.remove("signatures");
    signed.remove("unsigned");
    let text = canonical_json(&Value::Object(signed))?;
    Ok(UnparsedPublicKey::new(&ED25519, key).verify(text.as_bytes(), signature).is_ok())
}

/// A key document as published, every part examined.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyDocument {
    /// `server_name`, where it is a string.
    pub server_name: Option<String>,
    /// `valid_until_ts` in Unix milliseconds, where it is an integer.
    pub valid_until: Option<i64>,
    /// The keys in use, by id in sorted order.
    pub verify_keys: Vec<VerifyKey>,
    /// Retired keys, by id in sorted order.
    pub old_verify_keys: Vec<OldKey>,
    /// What is not as specified, apart from the keys' own states and the time window.
    pub defects: Vec<Defect>,
}

/// A key in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyKey {
    /// Algorithm and version: `ed25519:a_abcd`.
    pub id: String,
    /// Its 32 bytes, where it has them.
    pub bytes: Option<Vec<u8>>,
    /// What is known of its signature over the document.
    pub state: KeyState,
}

/// What is known of one key and its signature over the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyState {
    /// The signature holds.
    Signed,
    /// There is no signature by this key.
    NotSigned,
    /// The signature does not hold.
    BadSignature,
    /// The signature is not 64 bytes in Base64.
    UnreadableSignature,
    /// The key is not 32 bytes in Base64.
    UnreadableKey,
    /// An algorithm other than `ed25519`, which peers do not know.
    UnknownAlgorithm,
}

/// A retired key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldKey {
    /// Algorithm and version.
    pub id: String,
    /// Its 32 bytes, where it has them.
    pub bytes: Option<Vec<u8>>,
    /// `expired_ts` in Unix milliseconds, where it is an integer.
    pub expired: Option<i64>,
}

/// Something that is not as specified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// `verify_keys` is missing, empty or not an object.
    NoVerifyKeys,
    /// No key with the algorithm `ed25519`.
    NoEd25519,
    /// A key id out of grammar: an algorithm, a colon, letters, digits and underscores.
    KeyId(String),
    /// A key or signature written in the URL-safe alphabet, or padded.
    Encoding(String),
    /// An id among the keys in use and the retired ones.
    UsedAndRetired(String),
    /// A number that canonical JSON does not permit.
    Number(NotCanonical),
}

/// Why there is no key document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyDocumentError {
    /// A web page.
    #[error("the answer is a web page, not JSON")]
    Html,
    /// What the parser says.
    #[error("the answer is not JSON: {0}")]
    NotJson(String),
    /// JSON, and not an object.
    #[error("the answer is JSON, and not an object")]
    NotObject,
}

/// Reads a key document and verifies each key's own signature, by the name in the document.
///
/// # Errors
/// [`KeyDocumentError`] when it is no JSON object; everything else is told by the document.
pub fn parse_key_document(body: &[u8]) -> Result<KeyDocument, KeyDocumentError> {
    if body.trim_ascii_start().starts_with(b"<") {
        return Err(KeyDocumentError::Html);
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| KeyDocumentError::NotJson(error.to_string()))?;
    let mut defects: Vec<Defect> = loose_number(&value).map(Defect::Number).into_iter().collect();
    let Value::Object(object) = value else {
        return Err(KeyDocumentError::NotObject);
    };
    let server_name = object.get("server_name").and_then(Value::as_str).map(str::to_owned);
    let signatures = signatures(&object, server_name.as_deref());
    let verify_keys = entries(&object, "verify_keys")
        .map(|(id, entry)| verify_key(&object, id, entry, signatures, &mut defects))
        .collect::<Vec<_>>();
    let old_verify_keys = entries(&object, "old_verify_keys")
        .map(|(id, entry)| old_key(id, entry))
        .collect::<Vec<_>>();
    if verify_keys.is_empty() {
        defects.push(Defect::NoVerifyKeys);
    } else if verify_keys.iter().all(|key| key.state == KeyState::UnknownAlgorithm) {
        defects.push(Defect::NoEd25519);
    }
    let retired = |key: &&VerifyKey| old_verify_keys.iter().any(|old| old.id == key.id);
    defects.extend(
        verify_keys.iter().filter(retired).map(|key| Defect::UsedAndRetired(key.id.clone())),
    );
    let valid_until = object.get("valid_until_ts").and_then(Value::as_i64);
    Ok(KeyDocument { server_name, valid_until, verify_keys, old_verify_keys, defects })
}

impl KeyDocument {
    /// Ids and bytes of the keys in use, which is what must be the same everywhere.
    pub fn identity(&self) -> Vec<(&str, Option<&[u8]>)> {
        self.verify_keys.iter().map(|key| (key.id.as_str(), key.bytes.as_deref())).collect()
    }
}

fn signatures<'o>(
    object: &'o Map<String, Value>,
    name: Option<&str>,
) -> Option<&'o Map<String, Value>> {
    object.get("signatures")?.get(name?)?.as_object()
}

/// The entries of an object in an object, by key in sorted order.
fn entries<'o>(
    object: &'o Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = (&'o str, &'o Value)> {
    let fields = object.get(key).and_then(Value::as_object);
    let mut fields: Vec<_> =
        fields.into_iter().flatten().map(|(key, value)| (key.as_str(), value)).collect();
    fields.sort_by_key(|(key, _)| *key);
    fields.into_iter()
}

fn key_text(entry: &Value) -> Option<&str> {
    entry.get("key")?.as_str()
}

fn key_bytes(entry: &Value) -> Option<Vec<u8>> {
    decode_base64(key_text(entry)?).filter(|bytes| bytes.len() == 32)
}

fn verify_key(
    object: &Map<String, Value>,
    id: &str,
    entry: &Value,
    signatures: Option<&Map<String, Value>>,
    defects: &mut Vec<Defect>,
) -> VerifyKey {
    if !is_key_id(id) {
        defects.push(Defect::KeyId(id.to_owned()));
    }
    let bytes = key_bytes(entry);
    let signature = signatures.and_then(|all| all.get(id)).and_then(Value::as_str);
    if key_text(entry).is_some_and(unusual) || signature.is_some_and(unusual) {
        defects.push(Defect::Encoding(id.to_owned()));
    }
    let state = match (&bytes, signature) {
        _ if !id.starts_with("ed25519:") => KeyState::UnknownAlgorithm,
        (None, _) => KeyState::UnreadableKey,
        (Some(_), None) => KeyState::NotSigned,
        (Some(key), Some(text)) => match decode_base64(text).filter(|bytes| bytes.len() == 64) {
            None => KeyState::UnreadableSignature,
            // Without a canonical encoding no peer can verify it either.
            Some(signature) => match verify_signature(object, key, &signature) {
                Ok(true) => KeyState::Signed,
                Ok(false) | Err(_) => KeyState::BadSignature,
            },
        },
    };
    VerifyKey { id: id.to_owned(), bytes, state }
}

fn old_key(id: &str, entry: &Value) -> OldKey {
    let expired = entry.get("expired_ts").and_then(Value::as_i64);
    OldKey { id: id.to_owned(), bytes: key_bytes(entry), expired }
}

/// Whether it is a key id by the grammar: an algorithm, a colon, letters, digits and underscores
/// (appendices, "Signing details"; server-server API, "Publishing keys").
pub fn is_key_id(id: &str) -> bool {
    id.split_once(':').is_some_and(|(algorithm, version)| {
        let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        !algorithm.is_empty()
            && algorithm.bytes().all(lower)
            && !version.is_empty()
            && version.bytes().all(word)
    })
}

fn unusual(text: &str) -> bool {
    text.contains(['=', '-', '_'])
}

#[cfg(test)]
mod tests;
