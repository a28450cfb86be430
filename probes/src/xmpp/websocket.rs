//! A stream over WebSocket (RFC 7395).

use std::io;
use std::time::{Duration, Instant};

use url::Url;

use super::{
    BoshError, Element, Features, Opened, StreamError, XmlError, features, ns, parse, stream_error,
};
use crate::Net;
use crate::http::HttpError;
use crate::websocket::{UpgradeError, WebSocket};

/// Why a stream does not go on.
#[derive(Debug, thiserror::Error)]
pub enum XmppError {
    /// There is no WebSocket.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
    /// The server chose another subprotocol, or none.
    #[error("the server chose the subprotocol {}, not `xmpp`", .0.as_deref().unwrap_or("none"))]
    Subprotocol(Option<String>),
    /// The server ended the stream with an error.
    #[error("the stream ended with {0}")]
    Stream(StreamError),
    /// The server ended the stream or the connection without an error.
    #[error("the server closed the stream")]
    Closed,
    /// Nothing within the limit.
    #[error("nothing within {0:?}")]
    TimedOut(Duration),
    /// A frame that is not XMPP.
    #[error("a frame that is not XMPP: {error}")]
    NotXmpp {
        /// What the reader says.
        error: XmlError,
        /// The start of the frame.
        frame: String,
    },
    /// An element where another was due.
    #[error("`{got}` where `{due}` was due")]
    Unexpected {
        /// What was due.
        due: &'static str,
        /// What came.
        got: String,
    },
    /// BOSH gives no session, or none any more.
    #[error(transparent)]
    Bosh(BoshError),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
}

impl XmppError {
    /// The trouble, if it is on our own side: it says nothing about the server.
    pub fn ours(&self) -> Option<&str> {
        match self {
            Self::Upgrade(UpgradeError::Http(HttpError::Ours(trouble)))
            | Self::Bosh(BoshError::Http(HttpError::Ours(trouble))) => Some(trouble),
            _ => None,
        }
    }
}

/// An XMPP stream over WebSocket.
pub struct XmppWebSocket {
    socket: WebSocket,
    limit: Duration,
}

/// Opens a stream to a domain.
pub(super) fn open(domain: &str) -> Element {
    Element::new("open", ns::FRAMING).attr("to", domain).attr("version", "1.0")
}

impl XmppWebSocket {
    /// Opens the stream to a domain, or opens it anew after authentication; up to the features.
    ///
    /// # Errors
    /// [`XmppError`]: [`XmppError::Stream`] with `host-unknown` when the domain is not served.
    pub async fn open(&mut self, domain: &str) -> Result<Opened, XmppError> {
        let start = Instant::now();
        self.send(&open(domain)).await?;
        let answer = self.receive().await?;
        if !answer.is("open", ns::FRAMING) {
            return Err(XmppError::Unexpected { due: "open", got: answer.name });
        }
        let features = self.features().await?;
        let text = |name| answer.get_attr(name).map(str::to_owned);
        let elapsed = start.elapsed();
        Ok(Opened { from: text("from"), id: text("id"), features, elapsed })
    }

    async fn features(&mut self) -> Result<Features, XmppError> {
        let element = self.receive().await?;
        features(&element)
            .ok_or(XmppError::Unexpected { due: "stream:features", got: element.name })
    }

    /// Sends one element as one frame.
    ///
    /// # Errors
    /// [`XmppError::Broken`].
    pub async fn send(&mut self, element: &Element) -> Result<(), XmppError> {
        self.socket.send(&element.to_string()).await.map_err(|error| self.trouble(&error))
    }

    /// The next element.
    ///
    /// # Errors
    /// [`XmppError`]; a stream error or `<close/>` is one.
    pub async fn receive(&mut self) -> Result<Element, XmppError> {
        let frame = self.socket.receive(self.limit).await.map_err(|error| self.trouble(&error))?;
        read(frame)
    }

    /// The next element, however long it takes. Being cancelled loses nothing.
    pub(super) async fn next(&mut self) -> Result<Element, XmppError> {
        read(self.socket.next_text().await.map_err(|error| self.trouble(&error))?)
    }

    /// Puts an element into the outgoing buffer. Being cancelled, it has done nothing.
    pub(super) async fn feed(&mut self, element: &Element) -> Result<(), XmppError> {
        self.socket.feed(&element.to_string()).await.map_err(|error| self.trouble(&error))
    }

    /// Sends what is in the outgoing buffer. Cancelled, it goes on with the next call.
    pub(super) async fn flush(&mut self) -> Result<(), XmppError> {
        self.socket.flush().await.map_err(|error| self.trouble(&error))
    }

    /// Ends the stream and the connection.
    pub async fn close(mut self) {
        // Whether the goodbye arrives makes no difference to us.
        let _ = self.send(&Element::new("close", ns::FRAMING)).await;
        self.socket.close().await;
    }

    fn trouble(&self, error: &io::Error) -> XmppError {
        match error.kind() {
            io::ErrorKind::TimedOut => XmppError::TimedOut(self.limit),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => XmppError::Closed,
            _ => XmppError::Broken(error.to_string()),
        }
    }
}

/// What a frame says; none is the end.
fn read(frame: Option<String>) -> Result<Element, XmppError> {
    let frame = frame.ok_or(XmppError::Closed)?;
    let element = parse(&frame)
        .map_err(|error| XmppError::NotXmpp { error, frame: frame.chars().take(200).collect() })?;
    if let Some(error) = stream_error(&element) {
        return Err(XmppError::Stream(error));
    }
    if element.is("close", ns::FRAMING) {
        return Err(XmppError::Closed);
    }
    Ok(element)
}

impl Net {
    /// Connects for XMPP: a WebSocket with the subprotocol `xmpp`. Each answer is waited for as
    /// long as a request may take.
    ///
    /// # Errors
    /// [`XmppError::Upgrade`], [`XmppError::Subprotocol`].
    pub async fn xmpp_websocket(&self, url: &Url) -> Result<XmppWebSocket, XmppError> {
        let socket = self.websocket(url, "xmpp").await?;
        if socket.protocol.as_deref() != Some("xmpp") {
            let chosen = socket.protocol.clone();
            socket.close().await;
            return Err(XmppError::Subprotocol(chosen));
        }
        Ok(XmppWebSocket { socket, limit: self.config().request_timeout })
    }
}
