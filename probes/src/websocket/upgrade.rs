//! The upgrade and what is said after it.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::{SinkExt, StreamExt as _};
use http::StatusCode;
use http::header::{
    CONNECTION, HeaderMap, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::time::{timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use url::Url;

use crate::Net;
use crate::http::{HttpError, Request, Response, Version, authority};

/// Bytes of one message that are accepted.
const MOST_MESSAGE: usize = 256 * 1024;

/// Bytes kept of the body of an answer other than 101.
const MOST_BODY: usize = 4 * 1024;

/// How long a goodbye is waited for.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why there is no WebSocket.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// No HTTP answer at all.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An answer other than 101, with the start of its body.
    #[error("the upgrade was answered with {}", .0.status)]
    Status(Box<Response>),
    /// 101 without what RFC 6455 demands of it.
    #[error("the upgrade's answer is not valid: {0}")]
    Invalid(String),
}

/// An open WebSocket.
pub struct WebSocket {
    /// The subprotocol that the server chose.
    pub protocol: Option<String>,
    /// Always 101.
    pub status: StatusCode,
    stream: WebSocketStream<TokioIo<Upgraded>>,
}

impl WebSocket {
    /// Sends a text frame.
    ///
    /// # Errors
    /// What the connection says.
    pub async fn send(&mut self, text: &str) -> io::Result<()> {
        self.stream.send(Message::text(text)).await.map_err(trouble)
    }

    /// Puts a text frame into the outgoing buffer, as [`WebSocket::flush`] then sends it. Being
    /// cancelled, it has done nothing.
    pub(crate) async fn feed(&mut self, text: &str) -> io::Result<()> {
        self.stream.feed(Message::text(text)).await.map_err(trouble)
    }

    /// Sends what is in the outgoing buffer. Cancelled, it goes on with the next call.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        SinkExt::<Message>::flush(&mut self.stream).await.map_err(trouble)
    }

    /// The next text frame, at most 256 KiB; pings are answered on the way; none at the end.
    ///
    /// # Errors
    /// A binary frame, a frame too large, no frame within the limit, a broken connection.
    pub async fn receive(&mut self, limit: Duration) -> io::Result<Option<String>> {
        match timeout(limit, self.next_text()).await {
            Ok(text) => text,
            Err(_) => {
                let text = format!("no message within {limit:?}");
                Err(io::Error::new(io::ErrorKind::TimedOut, text))
            }
        }
    }

    /// The next text frame, however long it takes. Being cancelled loses nothing.
    pub(crate) async fn next_text(&mut self) -> io::Result<Option<String>> {
        loop {
            match self.stream.next().await {
                None | Some(Ok(Message::Close(_))) => return Ok(None),
                Some(Ok(Message::Text(text))) => return Ok(Some(text.as_str().to_owned())),
                Some(Ok(Message::Binary(_))) => {
                    let text = "a binary message where text is expected";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, text));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Err(trouble(error)),
            }
        }
    }

    /// Says goodbye and waits for the answer a moment.
    pub async fn close(mut self) {
        let goodbye = async {
            let _ = self.stream.close(None).await;
            while let Some(Ok(_)) = self.stream.next().await {}
        };
        // Whether or not the other side is polite, we are done.
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

fn trouble(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        error => io::Error::other(error),
    }
}

impl Net {
    /// Upgrades `wss://` or `ws://` over HTTP/1.1 with the subprotocol, sending `Origin` as a
    /// browser on `https://host` would.
    ///
    /// # Errors
    /// [`UpgradeError`].
    pub async fn websocket(&self, url: &Url, protocol: &str) -> Result<WebSocket, UpgradeError> {
        self.websocket_from(url, Some(protocol), url).await
    }

    /// The same from a page at `site`, and without a subprotocol where none is wanted.
    ///
    /// # Errors
    /// [`UpgradeError`].
    pub async fn websocket_from(
        &self,
        url: &Url,
        protocol: Option<&str>,
        site: &Url,
    ) -> Result<WebSocket, UpgradeError> {
        let key = key()?;
        let request = Request {
            version: Version::Http1,
            limit: MOST_BODY,
            headers: headers(site, protocol, &key)?,
            ..Request::get(url.clone())
        };
        let head = self.head(&request).await?;
        if head.answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            let response = head.finish(&request).await;
            return Err(UpgradeError::Status(Box::new(response)));
        }
        let protocol = agreed(head.answer.headers(), &key, protocol)?;
        let upgraded = timeout_at(head.deadline, hyper::upgrade::on(head.answer)).await;
        let upgraded = match upgraded {
            Ok(Ok(upgraded)) => TokioIo::new(upgraded),
            Ok(Err(error)) => return Err(UpgradeError::Invalid(error.to_string())),
            Err(_) => return Err(UpgradeError::Invalid("it does not end".into())),
        };
        let config = WebSocketConfig::default()
            .max_message_size(Some(MOST_MESSAGE))
            .max_frame_size(Some(MOST_MESSAGE));
        let stream = WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await;
        Ok(WebSocket { protocol, status: StatusCode::SWITCHING_PROTOCOLS, stream })
    }
}

/// Sixteen random bytes (RFC 6455 section 4.1).
fn key() -> Result<String, HttpError> {
    let random = ring::rand::generate::<[u8; 16]>(&ring::rand::SystemRandom::new());
    let random = random.map_err(|_| HttpError::Ours("no randomness".into()))?;
    Ok(BASE64.encode(random.expose()))
}

/// What RFC 6455 section 4.1 demands of a client that is a browser.
fn headers(site: &Url, protocol: Option<&str>, key: &str) -> Result<HeaderMap, HttpError> {
    let scheme = if matches!(site.scheme(), "ws" | "http") { "http" } else { "https" };
    let origin = format!("{scheme}://{}", authority(site));
    let value = |text: &str| {
        HeaderValue::from_str(text).map_err(|error| HttpError::Ours(format!("{text:?}: {error}")))
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(SEC_WEBSOCKET_KEY, value(key)?);
    if let Some(protocol) = protocol {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, value(protocol)?);
    }
    headers.insert(ORIGIN, value(&origin)?);
    Ok(headers)
}

/// Checks what RFC 6455 section 4.1 demands of the answer; the subprotocol chosen.
fn agreed(
    headers: &HeaderMap,
    key: &str,
    wanted: Option<&str>,
) -> Result<Option<String>, UpgradeError> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let invalid = |reason: &str| Err(UpgradeError::Invalid(reason.into()));
    if !text(UPGRADE).is_some_and(|value| value.eq_ignore_ascii_case("websocket")) {
        return invalid("its Upgrade header is not websocket");
    }
    let mut connection = text(CONNECTION).unwrap_or_default().split(',');
    if !connection.any(|token| token.trim().eq_ignore_ascii_case("upgrade")) {
        return invalid("its Connection header does not contain Upgrade");
    }
    let accept = ring::digest::digest(
        &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
        format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes(),
    );
    if text(SEC_WEBSOCKET_ACCEPT).map(str::trim) != Some(&BASE64.encode(accept)) {
        return invalid("its Sec-WebSocket-Accept does not answer our key");
    }
    match text(SEC_WEBSOCKET_PROTOCOL) {
        Some(chosen) if Some(chosen) != wanted => invalid("it chooses a subprotocol not asked for"),
        chosen => Ok(chosen.map(str::to_owned)),
    }
}
