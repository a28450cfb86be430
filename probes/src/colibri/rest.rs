//! The bridge's private REST interface: health, version, and conferences by colibri2.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use url::Url;

use super::Offer;
use crate::Net;
use crate::dtls::{Fingerprint, Side};
use crate::http::{HttpError, Request, Response};
use crate::ice::Credentials;
use crate::stun;

/// Payload type of Opus in our conferences.
pub(super) const OPUS: u8 = 111;

/// The interface at its base URL (`http://jvb:8080`).
#[derive(Clone)]
pub struct Rest {
    net: Net,
    base: Url,
}

/// What the bridge says of itself at `/about/health`.
#[derive(Debug, Clone)]
pub struct Health {
    /// 200 is healthy.
    pub status: StatusCode,
    /// What it says, without markup, at most 200 characters.
    pub text: String,
    /// `GET … → 200 in 3 ms …`
    pub line: String,
}

/// Why there is no conference.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// The colibri2 interface is switched off: 404, while the private interface itself answers.
    #[error("the bridge has no /colibri/v2 interface (HTTP 404)")]
    Off,
    /// The bridge refuses, with its reason.
    #[error("the bridge answers {status}: {reason}")]
    Refused {
        /// 400 as a rule.
        status: StatusCode,
        /// The title of its page.
        reason: String,
    },
    /// An answer that is not colibri2.
    #[error("the bridge's answer is not usable: {0}")]
    Garbled(String),
    /// No answer.
    #[error(transparent)]
    Unreachable(#[from] HttpError),
}

/// A conference, made and not yet expired. Dropping it expires it in the
/// background; [`Conference::expire`] also says how that went.
pub struct Conference {
    rest: Rest,
    meeting: String,
    endpoint: String,
    armed: bool,
}

impl Rest {
    /// The interface at that base URL.
    pub fn new(net: Net, base: Url) -> Self {
        Self { net, base }
    }

    /// `/about/health`: what the bridge tests itself. It says nothing of its XMPP connection.
    ///
    /// # Errors
    /// [`HttpError`] for no answer.
    pub async fn health(&self) -> Result<Health, HttpError> {
        let answer = self.ask(Method::GET, "about/health", None).await?;
        let text = title_or_text(&answer);
        Ok(Health { status: answer.status, text, line: answer.line() })
    }

    /// `/about/version`, for instance `2.3-242-g5fd5c8d0`; none where it does not say.
    ///
    /// # Errors
    /// [`HttpError`] for no answer.
    pub async fn version(&self) -> Result<Option<String>, HttpError> {
        let answer = self.ask(Method::GET, "about/version", None).await?;
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok(json["version"].as_str().map(|version| version.chars().take(80).collect()))
    }

    /// Makes a conference of a random name with one endpoint, and gives the bridge's offer.
    ///
    /// The conference is given in any case: a refused create leaves one behind.
    pub async fn create(&self) -> (Conference, Result<Offer, Refusal>) {
        let unique = stun::transaction().map(|byte| format!("{byte:02x}")).concat();
        let conference = Conference {
            rest: self.clone(),
            meeting: format!("mxdoctor-{unique}"),
            endpoint: unique[..8].to_owned(),
            armed: true,
        };
        let body = json!({
            "meeting-id": conference.meeting,
            "name": format!("mxdoctor-{unique}@mxdoctor.invalid"),
            "create": true,
            "endpoints": [wanted(&conference.endpoint)],
        });
        let offer = self.ask(Method::POST, "colibri/v2/conferences", Some(&body)).await;
        (conference, offer_of(offer))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, HttpError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        let mut request = Request::get(url);
        request.method = method;
        if let Some(body) = body {
            let json = HeaderValue::from_static("application/json");
            request.headers.insert(header::CONTENT_TYPE, json);
            request.body = Bytes::from(body.to_string());
        }
        Ok(self.net.http(request).await?.last().clone())
    }
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rest").field(&self.base.as_str()).finish()
    }
}

impl Conference {
    /// The first endpoint's id.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Adds another endpoint, and gives the bridge's offer for it. (The bridge takes one endpoint
    /// in each request.)
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn add(&self, endpoint: &str) -> Result<Offer, Refusal> {
        let body = json!({ "endpoints": [wanted(endpoint)] });
        offer_of(self.rest.ask(Method::PATCH, &self.path(), Some(&body)).await)
    }

    /// Tells the bridge our side of an endpoint's transport, and the sound that it will send; no
    /// candidates, the bridge learns them.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn answer(
        &self,
        (endpoint, ssrc): (&str, u32),
        side: Side,
        credentials: &Credentials,
        fingerprint: &Fingerprint,
    ) -> Result<(), Refusal> {
        let setup = if side == Side::Client { "active" } else { "passive" };
        let body = json!({ "endpoints": [{
            "id": endpoint,
            "sources": [{
                "type": "audio",
                "id": format!("{endpoint}-a0"),
                "sources": [{ "ssrc": ssrc, "name": format!("{endpoint}-a0") }],
            }],
            "transport": { "transport": {
                "xmlns": "urn:xmpp:jingle:transports:ice-udp:1",
                "ufrag": credentials.ufrag,
                "pwd": credentials.pwd,
                "rtcp-mux": true,
                "fingerprints": [{
                    "hash": fingerprint.hash,
                    "fingerprint": fingerprint.value,
                    "setup": setup,
                }],
            }},
        }]});
        accept(&self.rest.ask(Method::PATCH, &self.path(), Some(&body)).await?)
    }

    /// Ends the conference at once.
    ///
    /// # Errors
    /// [`Refusal`]; the bridge then ends it itself after a minute or two without packets.
    pub async fn expire(mut self) -> Result<(), Refusal> {
        let body = json!({ "expire": true });
        let answer = self.rest.ask(Method::PATCH, &self.path(), Some(&body)).await;
        // Only now: while the request is under way, being dropped must still expire.
        self.armed = false;
        accept(&answer?)
    }

    /// Leaves the conference alone: it was never made.
    pub fn forget(mut self) {
        self.armed = false;
    }

    fn path(&self) -> String {
        format!("colibri/v2/conferences/{}", self.meeting)
    }
}

impl Drop for Conference {
    fn drop(&mut self) {
        if !std::mem::take(&mut self.armed) {
            return;
        }
        let (rest, path) = (self.rest.clone(), self.path());
        let net = rest.net.clone();
        net.clean_up(async move {
            let body = json!({ "expire": true });
            // The bridge ends it itself after a minute or two where this fails.
            let _ = rest.ask(Method::PATCH, &path, Some(&body)).await;
        });
    }
}

impl std::fmt::Debug for Conference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Conference").field(&self.meeting).finish()
    }
}

/// An endpoint with sound alone.
fn wanted(endpoint: &str) -> Value {
    json!({
        "id": endpoint,
        "create": true,
        "stats-id": "mxdoctor",
        "medias": [{
            "type": "audio",
            "payload-types": [{
                "name": "opus", "id": OPUS.to_string(), "channels": "2", "clockrate": "48000",
                "parameters": { "minptime": "10", "useinbandfec": "1" },
            }],
            "extmap-allow-mixed": true,
        }],
        "transport": { "ice-controlling": true },
        "capabilities": ["source-names"],
    })
}

fn offer_of(answer: Result<Response, HttpError>) -> Result<Offer, Refusal> {
    let answer = answer?;
    accept(&answer)?;
    Offer::parse(&answer.body).map_err(Refusal::Garbled)
}

fn accept(answer: &Response) -> Result<(), Refusal> {
    match answer.status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND => Err(Refusal::Off),
        status => Err(Refusal::Refused { status, reason: title_or_text(answer) }),
    }
}

/// The bridge's error pages have the reason in their title.
pub(super) fn title_or_text(answer: &Response) -> String {
    let text = answer.text();
    let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let words = title.map_or(text.as_ref(), |(title, _)| title);
    words.trim().chars().take(200).collect()
}
