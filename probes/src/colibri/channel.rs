//! The bridge channel as WebSocket.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use http::StatusCode;
use url::Url;

use super::Message;
use super::rest::title_or_text;
use crate::Net;
use crate::http::HttpError;
use crate::websocket::{UpgradeError, WebSocket};

/// Messages before the greeting that are kept.
const MAX_BEFORE: usize = 16;

/// Why there is no bridge channel, or why it ended.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// 403: the bridge knows no such conference, endpoint or password.
    #[error("the bridge answers 403: {0}")]
    Forbidden(String),
    /// 404: another bridge's id, or no such path.
    #[error("the answer is 404: {0}")]
    NotFound(String),
    /// A page in place of a WebSocket: whoever answers does not pass it on to a bridge.
    #[error("a page came instead of a WebSocket (HTTP {status}): {start}")]
    Page {
        /// 200 as a rule.
        status: StatusCode,
        /// The start of the page.
        start: String,
    },
    /// Any other answer than 101.
    #[error("the answer is {status}: {start}")]
    Status {
        /// 502 where the proxy in between does not reach the bridge.
        status: StatusCode,
        /// The start of its body.
        start: String,
    },
    /// No HTTP answer at all.
    #[error(transparent)]
    Http(HttpError),
    /// 101 without what RFC 6455 demands.
    #[error("the upgrade's answer is not valid: {0}")]
    Invalid(String),
    /// The bridge, or a proxy, closed it.
    #[error("the channel was closed")]
    Closed,
    /// Nothing within the limit.
    #[error("no message within {0:?}")]
    TimedOut(Duration),
    /// What came is no message of the bridge.
    #[error("not a message of the bridge: {0}")]
    Garbled(String),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// An open bridge channel over WebSocket, greeted by the bridge.
pub struct BridgeSocket {
    socket: WebSocket,
    before: VecDeque<Message>,
    /// From the start of connecting to the greeting.
    pub greeted_after: Duration,
    /// The bridge's release, where it says so.
    pub version: Option<String>,
}

impl BridgeSocket {
    /// The next message.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub async fn receive(&mut self, limit: Duration) -> Result<Message, ChannelError> {
        match self.before.pop_front() {
            Some(message) => Ok(message),
            None => receive(&mut self.socket, limit).await,
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// [`ChannelError::Closed`], [`ChannelError::Broken`].
    pub async fn send(&mut self, message: &Message) -> Result<(), ChannelError> {
        let sent = self.socket.send(&message.to_string()).await;
        sent.map_err(|error| trouble(&error, Duration::ZERO))
    }

    /// Says goodbye.
    pub async fn close(self) {
        self.socket.close().await;
    }
}

impl std::fmt::Debug for BridgeSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BridgeSocket").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Net {
    /// Connects to the bridge as a page at `site` would, and waits for its greeting. The URL is
    /// that of the session's offer, unmodified: its query has the password.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub async fn bridge_socket(
        &self,
        url: &Url,
        site: &Url,
        limit: Duration,
    ) -> Result<BridgeSocket, ChannelError> {
        let start = Instant::now();
        let mut socket = self.websocket_from(url, None, site).await.map_err(refusal)?;
        let mut before = VecDeque::new();
        loop {
            let left = limit.saturating_sub(start.elapsed());
            match receive(&mut socket, left).await.map_err(|error| whole(error, limit))? {
                Message::ServerHello(version) => {
                    let greeted_after = start.elapsed();
                    return Ok(BridgeSocket { socket, before, greeted_after, version });
                }
                message if before.len() < MAX_BEFORE => before.push_back(message),
                _ => return Err(ChannelError::Garbled("no greeting among the first".into())),
            }
        }
    }
}

/// The limit as it was given, not what was left of it.
fn whole(error: ChannelError, limit: Duration) -> ChannelError {
    match error {
        ChannelError::TimedOut(_) => ChannelError::TimedOut(limit),
        error => error,
    }
}

async fn receive(socket: &mut WebSocket, limit: Duration) -> Result<Message, ChannelError> {
    let text = socket.receive(limit).await.map_err(|error| trouble(&error, limit))?;
    Message::parse(&text.ok_or(ChannelError::Closed)?).map_err(ChannelError::Garbled)
}

fn trouble(error: &io::Error, limit: Duration) -> ChannelError {
    match error.kind() {
        io::ErrorKind::TimedOut => ChannelError::TimedOut(limit),
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe => ChannelError::Closed,
        io::ErrorKind::InvalidData => ChannelError::Garbled(error.to_string()),
        _ => ChannelError::Broken(error.to_string()),
    }
}

fn refusal(error: UpgradeError) -> ChannelError {
    let answer = match error {
        UpgradeError::Http(error) => return ChannelError::Http(error),
        UpgradeError::Invalid(why) => return ChannelError::Invalid(why),
        UpgradeError::Status(answer) => answer,
    };
    let (status, start) = (answer.status, title_or_text(&answer));
    let page = answer.text().trim_start().starts_with('<');
    match status {
        StatusCode::FORBIDDEN => ChannelError::Forbidden(start),
        StatusCode::NOT_FOUND => ChannelError::NotFound(start),
        status if status.is_success() && page => ChannelError::Page { status, start },
        status => ChannelError::Status { status, start },
    }
}

#[cfg(test)]
#[path = "channel_tests.rs"]
mod tests;
