//! Keys of a device for end-to-end encryption, made and looked up again.

use ring::agreement::{EphemeralPrivateKey, X25519};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::{Call, CallError, Client};
use crate::matrix::{canonical_json, encode_base64};

/// Signed identity keys of a device (Matrix client-server API, "Key algorithms", "Device keys").
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceKeys(Value);

impl DeviceKeys {
    /// Keys that are used for nothing else, signed by themselves. The private parts are dropped.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate(user_id: &str, device: &str) -> Result<Self, String> {
        let random = SystemRandom::new();
        let none = |_| "no keys can be made here".to_owned();
        let pair = Ed25519KeyPair::generate_pkcs8(&random).map_err(none)?;
        let pair = Ed25519KeyPair::from_pkcs8(pair.as_ref()).map_err(|error| error.to_string())?;
        let curve = EphemeralPrivateKey::generate(&X25519, &random).map_err(none)?;
        let curve = curve.compute_public_key().map_err(none)?;
        let mut keys = json!({
            "user_id": user_id,
            "device_id": device,
            "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
            "keys": {
                (format!("curve25519:{device}")): encode_base64(curve.as_ref()),
                (format!("ed25519:{device}")): encode_base64(pair.public_key().as_ref()),
            },
        });
        let signed = canonical_json(&keys).map_err(|error| error.to_string())?;
        let signature = encode_base64(pair.sign(signed.as_bytes()).as_ref());
        keys["signatures"] = json!({user_id: {(format!("ed25519:{device}")): signature}});
        Ok(Self(keys))
    }
}

impl Client {
    /// Uploads a device's keys.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn upload_keys(&self, keys: &DeviceKeys) -> Result<(), CallError> {
        let body = json!({"device_keys": keys.0});
        let reply = self.call(Call::post("/_matrix/client/v3/keys/upload", &body)).await?;
        match reply.json.get("one_time_key_counts") {
            Some(Value::Object(_)) => Ok(()),
            _ => Err(reply.lacks("no object `one_time_key_counts`")),
        }
    }

    /// The keys that the server has of a device, without what it adds; none if it has none.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn keys_of(
        &self,
        user_id: &str,
        device: &str,
    ) -> Result<Option<DeviceKeys>, CallError> {
        let body = json!({"device_keys": {user_id: [device]}});
        let reply = self.call(Call::post("/_matrix/client/v3/keys/query", &body)).await?;
        let users = reply.json.get("device_keys").and_then(Value::as_object);
        let users = users.ok_or_else(|| reply.lacks("no object `device_keys`"))?;
        let found = users.get(user_id).and_then(|devices| devices.get(device));
        Ok(found.cloned().map(|mut keys| {
            if let Some(keys) = keys.as_object_mut() {
                keys.remove("unsigned");
            }
            DeviceKeys(keys)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{decode_base64, verify_signature};

    #[test]
    fn keys_are_signed_by_themselves() {
        let DeviceKeys(keys) = DeviceKeys::generate("@a:b", "D").expect("keys");
        let bytes = |value: &Value| decode_base64(value.as_str().expect("text")).expect("Base64");
        let key = bytes(&keys["keys"]["ed25519:D"]);
        let signature = bytes(&keys["signatures"]["@a:b"]["ed25519:D"]);
        let object = keys.as_object().expect("an object");
        let holds = verify_signature(object, &key, &signature);
        assert_eq!(holds, Ok(true));
    }
}
