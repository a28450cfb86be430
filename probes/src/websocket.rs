//! WebSocket upgrade and text frames.

use http::StatusCode;
use url::Url;

use crate::Net;
use crate::http::{HttpError, Response};

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
}

impl WebSocket {
    /// Sends a text frame.
    ///
    /// # Errors
    /// What the connection says.
    pub async fn send(&mut self, _text: &str) -> std::io::Result<()> {
        unimplemented!()
    }

    /// The next text frame, at most 256 KiB; pings are answered on the way; none at the end.
    ///
    /// # Errors
    /// A binary frame, a frame too large, no frame within the limit, a broken connection.
    pub async fn receive(
        &mut self,
        _limit: std::time::Duration,
    ) -> std::io::Result<Option<String>> {
        unimplemented!()
    }

    /// Says goodbye and waits for the answer a moment.
    pub async fn close(self) {}
}

impl Net {
    /// Upgrades `wss://` or `ws://` over HTTP/1.1 with the subprotocol, sending `Origin` as a
    /// browser on `https://host` would.
    ///
    /// # Errors
    /// [`UpgradeError`].
    pub async fn websocket(&self, _url: &Url, _protocol: &str) -> Result<WebSocket, UpgradeError> {
        unimplemented!()
    }
}
