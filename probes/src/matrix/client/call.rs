//! One call: a request, its answer as JSON, and what kept it from succeeding.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use serde_json::{Map, Value};
use url::Url;

use crate::Net;
use crate::http::{HttpError, Request, Response};

/// Bytes of a JSON answer that are read at most.
const LIMIT: usize = 512 * 1024;
/// The longest pause that the server may ask for and that is kept at once.
const PAUSE: Duration = Duration::from_secs(6);
/// Bytes of the server's own words that are kept.
const WORDS: usize = 300;

/// A session: where the homeserver is, and as whom it is asked.
#[derive(Clone)]
pub struct Client {
    net: Net,
    base: Url,
    token: Option<String>,
    notes: Arc<Mutex<Notes>>,
}

/// What all clients of one session share.
#[derive(Default)]
struct Notes {
    /// Never to be told.
    secrets: Vec<String>,
    /// Each request in one line.
    lines: Vec<String>,
}

/// A successful answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The answer with its body.
    pub response: Response,
    /// From the request to the end of the answer.
    pub took: Duration,
    /// The object in the body; empty where it holds none.
    pub json: Map<String, Value>,
}

/// Why a call did not succeed. None of its texts holds a secret of the session.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// No answer came.
    #[error("{call}: {error}")]
    Silent {
        /// Method and path.
        call: String,
        /// How far it came.
        error: Box<HttpError>,
    },
    /// 429: the server wants to be asked later (Matrix client-server API, "Rate limiting").
    #[error("{call}: 429, too many requests{}", later(*retry_after))]
    Limited {
        /// Method and path.
        call: String,
        /// When it may be asked again, by `Retry-After`, else by `retry_after_ms`.
        retry_after: Option<Duration>,
    },
    /// Any other status than 2xx.
    #[error("{call}: {} {errcode} {words}", response.status.as_u16())]
    Refused {
        /// Method and path.
        call: String,
        /// `errcode` of the standard error response; empty where there is none.
        errcode: String,
        /// The server's words; cut where they are long.
        words: String,
        /// The answer, without its query and without secrets.
        response: Box<Response>,
    },
    /// 2xx, and the answer does not hold what it must.
    #[error("{call}: the answer is not as specified: {missing}")]
    Malformed {
        /// Method and path.
        call: String,
        /// What is missing or wrong.
        missing: String,
    },
}

fn later(retry_after: Option<Duration>) -> String {
    match retry_after {
        Some(after) => format!(", to be asked again in {} s", after.as_secs_f64().ceil()),
        None => String::new(),
    }
}

impl CallError {
    /// The standard error code; empty where there is none.
    pub fn errcode(&self) -> &str {
        match self {
            Self::Refused { errcode, .. } => errcode,
            Self::Limited { .. } => "M_LIMIT_EXCEEDED",
            Self::Silent { .. } | Self::Malformed { .. } => "",
        }
    }

    /// The status, where an answer came that is no success.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { response, .. } => Some(response.status.as_u16()),
            Self::Limited { .. } => Some(429),
            Self::Silent { .. } | Self::Malformed { .. } => None,
        }
    }

    /// Whether the server does not know the endpoint (404 or 405 `M_UNRECOGNIZED`).
    pub fn is_unknown_endpoint(&self) -> bool {
        self.errcode() == "M_UNRECOGNIZED" && matches!(self.status(), Some(400 | 404 | 405))
    }
}

/// A request to be made.
pub(crate) struct Call {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Bytes,
    kind: Option<HeaderValue>,
    anonymous: bool,
    limit: usize,
}

impl Call {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            body: Bytes::new(),
            kind: None,
            anonymous: false,
            limit: LIMIT,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: impl Into<String>, body: &Value) -> Self {
        Self::new(Method::POST, path).json(body)
    }

    pub(crate) fn put(path: impl Into<String>, body: &Value) -> Self {
        Self::new(Method::PUT, path).json(body)
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.bytes(HeaderValue::from_static("application/json"), body.to_string().into())
    }

    pub(crate) fn bytes(mut self, kind: HeaderValue, body: Bytes) -> Self {
        self.body = body;
        self.kind = Some(kind);
        self
    }

    /// Without the token.
    pub(crate) fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// Keeping at most so many bytes of the answer.
    pub(crate) fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A segment of a path, encoded so that every proxy leaves it as it is (RFC 3986, section 2.3).
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte.into());
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

impl Client {
    /// A session without a token with the homeserver at that base URL.
    pub fn new(net: Net, base: Url) -> Self {
        Self { net, base, token: None, notes: Arc::default() }
    }

    /// The same session at another base URL: the admin API inside the cluster.
    pub fn at(&self, base: Url) -> Self {
        Self { base, ..self.clone() }
    }

    /// The same session with a token.
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        let token = token.into();
        self.hide(&token);
        Self { token: Some(token), ..self.clone() }
    }

    /// The instruments.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// Whether there is a token.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Never tells that text.
    pub fn hide(&self, secret: &str) {
        if secret.len() >= 4 {
            self.notes().secrets.push(secret.to_owned());
        }
    }

    /// The text without the session's secrets.
    pub fn scrub(&self, text: &str) -> String {
        let notes = self.notes();
        notes.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    /// Each request so far in one line, without query and secrets.
    pub fn lines(&self) -> Vec<String> {
        self.notes().lines.clone()
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the call. A short pause that the server asks for is kept, and the call made again.
    pub(crate) async fn call(&self, call: Call) -> Result<Reply, CallError> {
        match self.once(&call).await {
            Err(CallError::Limited { retry_after: Some(after), .. }) if after <= PAUSE => {
                tokio::time::sleep(after).await;
                self.once(&call).await
            }
            outcome => outcome,
        }
    }

    async fn once(&self, call: &Call) -> Result<Reply, CallError> {
        let name = call.name();
        let silent = |error| CallError::Silent { call: name.clone(), error: Box::new(error) };
        let request = self.request(call).map_err(|error| silent(HttpError::Ours(error)))?;
        let started = std::time::Instant::now();
        let answer = self.net.http(request).await;
        let took = started.elapsed();
        let told = match &answer {
            Ok(exchange) => exchange.last().status.as_u16().to_string(),
            Err(error) => error.to_string(),
        };
        let line = self.scrub(&format!("{name} → {told} in {} ms", took.as_millis()));
        self.notes().lines.push(line);
        let mut response = answer.map_err(silent)?.hops.pop().ok_or_else(|| {
            silent(HttpError::Ours("internal: an exchange without an answer".into()))
        })?;
        let json = match serde_json::from_slice(&response.body) {
            Ok(Value::Object(object)) => object,
            _ => Map::new(),
        };
        response.url.set_query(None);
        if response.status.is_success() {
            return match response.cut.take() {
                Some(missing) => Err(CallError::Malformed { call: name, missing }),
                None => Ok(Reply { response, took, json }),
            };
        }
        if response.status.as_u16() == 429 && !is_page(&response) {
            return Err(CallError::Limited {
                retry_after: retry_after(&response, &json),
                call: name,
            });
        }
        let word = |key: &str| {
            let text = json.get(key).and_then(Value::as_str).unwrap_or_default();
            self.scrub(&text.chars().take(WORDS).collect::<String>())
        };
        let (errcode, words) = (word("errcode"), word("error"));
        response.body = self.scrub(&response.text()).into();
        Err(CallError::Refused { call: name, errcode, words, response: Box::new(response) })
    }

    fn request(&self, call: &Call) -> Result<Request, String> {
        let mut url = self.base.clone();
        let below = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{below}{}", call.path));
        url.set_query(None);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = Request::get(url);
        request.method = call.method.clone();
        request.body = call.body.clone();
        request.limit = call.limit;
        if let Some(kind) = &call.kind {
            request.headers.insert(CONTENT_TYPE, kind.clone());
        }
        if let (Some(token), false) = (&self.token, call.anonymous) {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| "the access token cannot stand in a header".to_owned())?;
            value.set_sensitive(true);
            request.headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// Whether it is a page for people: the edge's doing, and no limit of the homeserver's.
fn is_page(response: &Response) -> bool {
    response.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
}

/// `Retry-After` in seconds, else the deprecated `retry_after_ms`; at most a day.
fn retry_after(response: &Response, json: &Map<String, Value>) -> Option<Duration> {
    const DAY: Duration = Duration::from_secs(86_400);
    let header = response.header("retry-after").and_then(|text| text.trim().parse().ok());
    let field = || json.get("retry_after_ms").and_then(Value::as_u64).map(Duration::from_millis);
    header.map(Duration::from_secs).or_else(field).map(|after| after.min(DAY))
}

impl Reply {
    /// A field that must be a string.
    pub(crate) fn text(&self, field: &str) -> Result<String, CallError> {
        let text = self.json.get(field).and_then(Value::as_str).filter(|text| text.len() < 4096);
        text.map(str::to_owned).ok_or_else(|| self.lacks(format!("no string `{field}`")))
    }

    /// Says that something is missing.
    pub(crate) fn lacks(&self, missing: impl Into<String>) -> CallError {
        let call = format!("{} {}", self.response.method, self.response.url.path());
        CallError::Malformed { call, missing: missing.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_survive_every_proxy() {
        assert_eq!(segment("@a:b/c?d#é"), "%40a%3Ab%2Fc%3Fd%23%C3%A9");
        assert_eq!(segment("a-b._~"), "a-b._~");
    }

    #[test]
    fn secrets_are_not_told() {
        let base = Url::parse("http://192.0.2.1/").expect("a URL");
        let client = Client::new(Net::new(crate::NetConfig::default()), base);
        let client = client.with_token("syt_secret");
        client.hide("hunter22");
        assert_eq!(client.scrub("syt_secret and hunter22"), "*** and ***");
        assert!(!format!("{client:?}").contains("syt_secret"));
    }
}
