//! Logging in, being somebody, logging out, and what a homeserver gives to its own people.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Call, CallError, Client, Reply, segment};

/// Servers of `voip/turnServer` that are read.
const MOST_URIS: usize = 32;

/// What a login gives.
#[derive(Clone)]
pub struct SignedIn {
    /// Full user id.
    pub user_id: String,
    /// Never printed.
    pub token: String,
    /// The device that the token is for.
    pub device: String,
    /// How long the login took.
    pub took: Duration,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// Whose token it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Full user id.
    pub user_id: String,
    /// The device, where the token has one.
    pub device: Option<String>,
}

/// What `voip/turnServer` tells.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnAnswer {
    /// `turn:` and `turns:` URIs; empty where no server is set up.
    pub uris: Vec<String>,
    /// User name.
    pub username: String,
    /// Never printed.
    pub password: String,
    /// For how many seconds they hold.
    pub ttl: i64,
}

impl std::fmt::Debug for TurnAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { uris, username, ttl, .. } = self;
        write!(f, "TurnAnswer {{ {uris:?}, {username}, {ttl} s }}")
    }
}

impl Client {
    /// Logs in with a password, as that device: a token that it had before ends (Matrix
    /// client-server API, "Login").
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn login(
        &self,
        user: &str,
        password: &str,
        device: &str,
    ) -> Result<SignedIn, CallError> {
        self.hide(password);
        let body = json!({
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": user},
            "password": password,
            "device_id": device,
            "initial_device_display_name": "mxdoctor",
        });
        let call = Call::post("/_matrix/client/v3/login", &body).anonymous();
        let reply = self.call(call).await?;
        let token = reply.text("access_token")?;
        self.hide(&token);
        let device = reply.text("device_id")?;
        Ok(SignedIn { user_id: reply.text("user_id")?, token, device, took: reply.took })
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn whoami(&self) -> Result<Identity, CallError> {
        let reply = self.call(Call::get("/_matrix/client/v3/account/whoami")).await?;
        let device = reply.text("device_id").ok();
        Ok(Identity { user_id: reply.text("user_id")?, device })
    }

    /// Ends the token and its device.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn logout(&self) -> Result<Reply, CallError> {
        self.call(Call::post("/_matrix/client/v3/logout", &json!({}))).await
    }

    /// Deactivates the account for ever and asks for its erasure, proving the password (Matrix
    /// client-server API, "Account deactivation", "User-Interactive Authentication").
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn deactivate(&self, user: &str, password: &str) -> Result<Reply, CallError> {
        const PATH: &str = "/_matrix/client/v3/account/deactivate";
        self.hide(password);
        let first = self.call(Call::post(PATH, &json!({"erase": true}))).await;
        let session = match first {
            Ok(reply) => return Ok(reply),
            Err(error) => session_of(error)?,
        };
        let auth = json!({
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": user},
            "password": password,
            "session": session,
        });
        self.call(Call::post(PATH, &json!({"erase": true, "auth": auth}))).await
    }

    /// A token by which a third party learns who this is, and for how many seconds (Matrix
    /// client-server API, "OpenID").
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn openid_token(&self, user_id: &str) -> Result<(String, String, i64), CallError> {
        let user = segment(user_id);
        let path = format!("/_matrix/client/v3/user/{user}/openid/request_token");
        let reply = self.call(Call::post(path, &json!({}))).await?;
        let token = reply.text("access_token")?;
        self.hide(&token);
        let holds = reply.json.get("expires_in").and_then(Value::as_i64);
        let holds = holds.ok_or_else(|| reply.lacks("no integer `expires_in`"))?;
        Ok((token, reply.text("matrix_server_name")?, holds))
    }

    /// The TURN servers that the homeserver gives to its people (Matrix client-server API, "Voice
    /// over IP"). Nothing set up is an answer without URIs.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn turn_server(&self) -> Result<TurnAnswer, CallError> {
        let reply = self.call(Call::get("/_matrix/client/v3/voip/turnServer")).await?;
        let uris = match reply.json.get("uris") {
            None => Vec::new(),
            Some(Value::Array(uris)) => {
                let texts = uris.iter().filter_map(Value::as_str).map(str::to_owned);
                texts.take(MOST_URIS).collect()
            }
            Some(_) => return Err(reply.lacks("`uris` is not a list")),
        };
        if uris.is_empty() {
            let (username, password) = (String::new(), String::new());
            return Ok(TurnAnswer { uris, username, password, ttl: 0 });
        }
        let (username, password) = (reply.text("username")?, reply.text("password")?);
        self.hide(&password);
        let ttl = reply.json.get("ttl").and_then(Value::as_i64);
        let ttl = ttl.ok_or_else(|| reply.lacks("no integer `ttl`"))?;
        Ok(TurnAnswer { uris, username, password, ttl })
    }
}

/// The session of the 401 that asks for a proof.
fn session_of(error: CallError) -> Result<String, CallError> {
    let CallError::Refused { response, .. } = &error else { return Err(error) };
    let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let session = document.get("session").and_then(Value::as_str);
    match session.filter(|_| response.status.as_u16() == 401) {
        Some(session) => Ok(session.to_owned()),
        None => Err(error),
    }
}
