//! A signing identity, as each homeserver has one (server-server API, "Publishing keys" and
//! "Request authentication").

mod certificate;
mod server;
#[cfg(test)]
mod tests;

pub use certificate::Certificate;
pub use server::{IdentityListener, IdentityServer, Visit, VisitEnd};

use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Map, Value, json};

use super::{NotCanonical, ServerName, canonical_json, encode_base64};

/// How long the published key is valid, in milliseconds: as long as the specification demands at
/// least.
const VALID: i64 = 3_600_000;

/// A server name with an Ed25519 key that lives in memory only.
pub struct Identity {
    name: ServerName,
    key_id: String,
    pair: Ed25519KeyPair,
}

/// A request that is to be signed.
#[derive(Debug, Clone, Copy)]
pub struct Signable<'a> {
    /// `GET`, `PUT`, …
    pub method: &'a str,
    /// Path and query, as they are sent.
    pub uri: &'a str,
    /// The server name of who is asked, not what it delegates to.
    pub destination: &'a str,
    /// The body, where there is one.
    pub content: Option<&'a Value>,
}

impl Identity {
    /// A new key for a name. The key's id is new as well, so that nobody has an older key by it.
    ///
    /// # Errors
    /// The random generator's.
    pub fn generate(name: ServerName) -> Result<Self, String> {
        let random = SystemRandom::new();
        let (mut seed, mut version) = ([0; 32], [0; 4]);
        random
            .fill(&mut seed)
            .and_then(|()| random.fill(&mut version))
            .map_err(|_| "the random generator of this machine fails".to_owned())?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|e| e.to_string())?;
        let key_id = format!("ed25519:mx{:08x}", u32::from_be_bytes(version));
        Ok(Self { name, key_id, pair })
    }

    /// The server name.
    pub fn name(&self) -> &ServerName {
        &self.name
    }

    /// Algorithm and version of the key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The document of `GET /_matrix/key/v2/server` at a time (Unix milliseconds), valid for an
    /// hour.
    pub fn document(&self, now: i64) -> Value {
        let mut document = Map::new();
        document.insert("server_name".into(), json!(self.name.text));
        document.insert("valid_until_ts".into(), json!(now.saturating_add(VALID)));
        let key = encode_base64(self.pair.public_key().as_ref());
        document.insert("verify_keys".into(), json!({ &self.key_id: { "key": key } }));
        document.insert("old_verify_keys".into(), json!({}));
        let signature = sign(&self.pair, &document).unwrap_or_default();
        let signatures = json!({ &self.name.text: { &self.key_id: signature } });
        document.insert("signatures".into(), signatures);
        Value::Object(document)
    }

    /// The value of the `Authorization` header of a request.
    ///
    /// # Errors
    /// [`NotCanonical`] for a body that has no canonical encoding.
    pub fn authorization(&self, request: &Signable<'_>) -> Result<String, NotCanonical> {
        let mut object = Map::new();
        object.insert("method".into(), json!(request.method));
        object.insert("uri".into(), json!(request.uri));
        object.insert("origin".into(), json!(self.name.text));
        object.insert("destination".into(), json!(request.destination));
        if let Some(content) = request.content {
            object.insert("content".into(), content.clone());
        }
        let signature = sign(&self.pair, &object)?;
        Ok(x_matrix(&self.name.text, request.destination, &self.key_id, &signature))
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Identity");
        shown.field("name", &self.name.text).field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// The value of an `Authorization` header with these parts (server-server API, "Request
/// authentication"). The name of the last parameter is `sig` in all implementations.
pub fn x_matrix(origin: &str, destination: &str, key: &str, signature: &str) -> String {
    format!(
        "X-Matrix origin=\"{origin}\",destination=\"{destination}\",key=\"{key}\",\
         sig=\"{signature}\""
    )
}

/// The signature of an object, in unpadded Base64; `signatures` and `unsigned` are left out.
fn sign(pair: &Ed25519KeyPair, object: &Map<String, Value>) -> Result<String, NotCanonical> {
    let mut signed = object.clone();
    signed.remove("signatures");
    signed.remove("unsigned");
    let text = canonical_json(&Value::Object(signed))?;
    Ok(encode_base64(pair.sign(text.as_bytes()).as_ref()))
}
