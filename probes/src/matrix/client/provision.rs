//! Making accounts by Synapse's admin API, and removing what only an admin can remove.

use serde_json::{Value, json};

use super::{Call, CallError, Client, Reply, segment};

/// Media of a user that are looked at.
const MOST_MEDIA: usize = 1000;

impl Client {
    /// Makes an account with the secret that homeserver.yaml calls `registration_shared_secret`
    /// (Synapse, "Shared-Secret Registration"); the full user id. It does not log in.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn register_by_secret(
        &self,
        secret: &str,
        user: &str,
        password: &str,
        admin: bool,
    ) -> Result<String, CallError> {
        const PATH: &str = "/_synapse/admin/v1/register";
        self.hide(secret);
        self.hide(password);
        let nonce = self.call(Call::get(PATH).anonymous()).await?.text("nonce")?;
        let role = if admin { "admin" } else { "notadmin" };
        let mac = proof(secret, &[&nonce, user, password, role]);
        let body = json!({
            "nonce": nonce, "username": user, "password": password, "admin": admin, "mac": mac,
            "inhibit_login": true,
        });
        self.call(Call::post(PATH, &body).anonymous()).await?.text("user_id")
    }

    /// Makes an account with this client's token, which is an admin's (Synapse, "Create or modify
    /// account").
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn register_as_admin(&self, user_id: &str, password: &str) -> Result<(), CallError> {
        self.hide(password);
        let path = format!("/_synapse/admin/v2/users/{}", segment(user_id));
        let body = json!({"password": password, "admin": false});
        self.call(Call::put(path, &body)).await.map(|_| ())
    }

    /// Whether there is such an account; with an admin's token.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn has_account(&self, user_id: &str) -> Result<bool, CallError> {
        let path = format!("/_synapse/admin/v2/users/{}", segment(user_id));
        match self.call(Call::get(path)).await {
            Ok(_) => Ok(true),
            Err(error) if error.errcode() == "M_NOT_FOUND" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ids of a user's media whose file name begins so; with an admin's token.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn media_of(&self, user_id: &str, name: &str) -> Result<Vec<String>, CallError> {
        let path = format!("/_synapse/admin/v1/users/{}/media", segment(user_id));
        let call = Call::get(path).query("limit", MOST_MEDIA.to_string());
        let reply = self.call(call).await?;
        let media = reply.json.get("media").and_then(Value::as_array);
        let media = media.ok_or_else(|| reply.lacks("no list `media`"))?;
        let ours = |entry: &&Value| {
            entry.get("upload_name").and_then(Value::as_str).is_some_and(|it| it.starts_with(name))
        };
        let id = |entry: &Value| entry.get("media_id").and_then(Value::as_str).map(str::to_owned);
        Ok(media.iter().filter(ours).filter_map(id).take(MOST_MEDIA).collect())
    }

    /// Removes one of the homeserver's own media; with an admin's token.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn remove_media(&self, server_name: &str, id: &str) -> Result<Reply, CallError> {
        let (server, id) = (segment(server_name), segment(id));
        let path = format!("/_synapse/admin/v1/media/{server}/{id}");
        self.call(Call::new(http::Method::DELETE, path)).await
    }
}

/// A password that nobody can guess: 32 hexadecimal digits.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_password() -> Result<String, String> {
    let mut bytes = [0; 16];
    let random = ring::rand::SystemRandom::new();
    ring::rand::SecureRandom::fill(&random, &mut bytes)
        .map_err(|_| "the system gives no random bytes".to_owned())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// HMAC-SHA1 over the words with a zero byte between them, as hexadecimal digits.
fn proof(secret: &str, words: &[&str]) -> String {
    use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let tag = sign(&key, words.join("\0").as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by Python's `hmac` over the same bytes.
    #[test]
    fn the_proof_is_that_of_synapse() {
        let words = ["abcd", "pepper_roni", "pizza", "admin"];
        assert_eq!(proof("shared", &words), "9137dfcf7331b042a61078c43e3d321efd00a9dc");
    }
}
