//! A guest's stream over WebSocket or BOSH.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use url::Url;

use super::polling::Polling;
use super::stanza::is_ping;
use super::websocket::open;
use super::{Element, LoggedIn, Login, LoginError, XmppError, XmppWebSocket, is_answer, login, ns};
use crate::Net;

/// Stanzas kept aside while an answer is waited for.
const MOST_ASIDE: usize = 256;

/// How long leaving may take altogether.
const FAREWELL: Duration = Duration::from_secs(3);

/// What carries a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// RFC 7395.
    WebSocket,
    /// XEP-0124, XEP-0206.
    Bosh,
}

/// A stream, logged in or not yet. Dropping it says goodbye in the background, with what
/// [`Client::set_farewell`] named.
pub struct Client {
    pub(super) net: Net,
    pub(super) url: Url,
    carrier: Carrier,
    pub(super) wire: Option<Wire>,
    aside: VecDeque<Element>,
    pong: Option<Element>,
    farewell: Vec<Element>,
    ids: u32,
}

/// The connection; none of BOSH before a session is requested.
pub(super) enum Wire {
    WebSocket(Box<XmppWebSocket>),
    Bosh(Polling),
}

impl Wire {
    /// Sends the elements together.
    async fn send(&mut self, elements: &[Element]) -> Result<(), XmppError> {
        match self {
            Self::Bosh(polling) => polling.send(elements.to_vec()).await,
            Self::WebSocket(socket) => {
                for element in elements {
                    socket.feed(element).await?;
                }
                socket.flush().await
            }
        }
    }

    async fn next(&mut self) -> Result<Element, XmppError> {
        match self {
            Self::WebSocket(socket) => socket.next().await,
            Self::Bosh(polling) => polling.next().await,
        }
    }

    async fn close(self, farewell: Vec<Element>) {
        match self {
            Self::Bosh(polling) => polling.close(farewell).await,
            Self::WebSocket(mut socket) => {
                let leave = async {
                    for element in &farewell {
                        socket.feed(element).await?;
                    }
                    socket.flush().await
                };
                // A connection that takes nothing any more is over anyway.
                let _ = timeout(FAREWELL, leave).await;
                let _ = timeout(FAREWELL, socket.close()).await;
            }
        }
    }
}

impl Net {
    /// Connects for XMPP. Over WebSocket that is the upgrade with the subprotocol `xmpp`; over
    /// BOSH nothing is sent before the login. `?room=` and `&token=` are the caller's to add.
    ///
    /// # Errors
    /// [`XmppError::Upgrade`], [`XmppError::Subprotocol`].
    pub async fn xmpp_client(&self, carrier: Carrier, url: &Url) -> Result<Client, XmppError> {
        let wire = match carrier {
            Carrier::WebSocket => Some(Wire::WebSocket(Box::new(self.xmpp_websocket(url).await?))),
            Carrier::Bosh => None,
        };
        Ok(Client {
            net: self.clone(),
            url: url.clone(),
            carrier,
            wire,
            aside: VecDeque::new(),
            pong: None,
            farewell: Vec::new(),
            ids: 0,
        })
    }
}

impl Client {
    /// What carries it.
    pub fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// Opens the stream to a domain, authenticates, and binds a resource. Opening and anonymous
    /// authentication go out together, and so do opening anew and binding: anything more makes
    /// Prosody lose its place in the stream. Each answer is waited for as long as a request may
    /// take.
    ///
    /// # Errors
    /// [`LoginError`]. The client is of no more use then.
    pub async fn login(&mut self, domain: &str, login: &Login) -> Result<LoggedIn, LoginError> {
        self.login_and(domain, login, &[]).await
    }

    /// As [`Client::login`], and sends some requests in the same breath as the binding, which
    /// saves their round trip. Their answers are given by [`Client::receive`].
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn login_and(
        &mut self,
        domain: &str,
        login: &Login,
        also: &[Element],
    ) -> Result<LoggedIn, LoginError> {
        login::login(self, domain, login, also).await
    }

    /// An id for the next request, of this client's own.
    pub fn next_id(&mut self) -> String {
        self.ids += 1;
        format!("mx{}", self.ids)
    }

    /// Sends one stanza; given up after as long as a request may take.
    ///
    /// # Errors
    /// [`XmppError`].
    pub async fn send(&mut self, stanza: &Element) -> Result<(), XmppError> {
        self.send_together(std::slice::from_ref(stanza)).await
    }

    /// Sends these without waiting in between.
    pub(super) async fn send_together(&mut self, elements: &[Element]) -> Result<(), XmppError> {
        let limit = self.net.config().request_timeout;
        let wire = self.wire.as_mut().ok_or(XmppError::Closed)?;
        timeout(limit, wire.send(elements)).await.unwrap_or(Err(XmppError::TimedOut(limit)))
    }

    /// The next stanza, however long it takes. Pings (XEP-0199) are answered on the way. Being
    /// cancelled loses nothing, so it serves in `select!`.
    ///
    /// # Errors
    /// [`XmppError`]: a stream error or the stream's end is one.
    pub async fn receive(&mut self) -> Result<Element, XmppError> {
        match self.aside.pop_front() {
            Some(stanza) => Ok(stanza),
            None => self.receive_new().await,
        }
    }

    async fn receive_new(&mut self) -> Result<Element, XmppError> {
        let wire = self.wire.as_mut().ok_or(XmppError::Closed)?;
        loop {
            if let Some(pong) = &self.pong {
                wire.send(std::slice::from_ref(pong)).await?;
                self.pong = None;
            }
            let stanza = wire.next().await?;
            if !is_ping(&stanza) {
                return Ok(stanza);
            }
            self.pong = Some(super::result(&stanza));
        }
    }

    /// Sends a request and waits for its answer, as long as the limit; what comes in between is
    /// given by [`Client::receive`] afterwards.
    ///
    /// # Errors
    /// [`XmppError`]; an answer of type `error` is none.
    pub async fn ask(&mut self, request: &Element, limit: Duration) -> Result<Element, XmppError> {
        self.send(request).await?;
        let id = request.get_attr("id").unwrap_or_default();
        timeout(limit, self.answer_to(id)).await.unwrap_or(Err(XmppError::TimedOut(limit)))
    }

    /// The answer to the request of that id, other stanzas kept aside.
    pub(super) async fn answer_to(&mut self, id: &str) -> Result<Element, XmppError> {
        loop {
            let stanza = self.receive_new().await?;
            if is_answer(&stanza, id) {
                return Ok(stanza);
            }
            if self.aside.len() == MOST_ASIDE {
                let got = format!("{MOST_ASIDE} other stanzas");
                return Err(XmppError::Unexpected { due: "the answer to a request", got });
            }
            self.aside.push_back(stanza);
        }
    }

    /// The next element within the time that a request may take.
    pub(super) async fn receive_soon(&mut self) -> Result<Element, XmppError> {
        let limit = self.net.config().request_timeout;
        timeout(limit, self.receive_new()).await.unwrap_or(Err(XmppError::TimedOut(limit)))
    }

    /// What is still to be said when the stream ends, also when the client is dropped because the
    /// run was cut short: the end of a session, leaving a room. Replaces what was named before.
    pub fn set_farewell(&mut self, stanzas: Vec<Element>) {
        self.farewell = stanzas;
    }

    /// Says the farewell, ends the stream and waits for that a moment. Goes on in the background
    /// when it is cancelled.
    pub async fn close(mut self) {
        let Some(goodbye) = self.goodbye() else { return };
        let (done, end) = oneshot::channel();
        self.net.clean_up(async move {
            goodbye.await;
            // The caller may have gone.
            let _ = done.send(());
        });
        // Fails when there is no runtime to clean up in: nothing can be said then.
        let _ = end.await;
    }

    fn goodbye(&mut self) -> Option<impl Future<Output = ()> + Send + use<>> {
        let farewell = std::mem::take(&mut self.farewell);
        self.wire.take().map(|wire| wire.close(farewell))
    }

    /// Opens the stream over WebSocket, `more` in the same breath.
    pub(super) async fn open_with(
        &mut self,
        domain: &str,
        more: Vec<Element>,
    ) -> Result<(), XmppError> {
        let elements: Vec<Element> = [open(domain)].into_iter().chain(more).collect();
        self.send_together(&elements).await
    }

    /// Whether nobody on the way can read along.
    pub(super) fn is_private(&self) -> bool {
        matches!(self.url.scheme(), "https" | "wss")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(goodbye) = self.goodbye() {
            self.net.clean_up(goodbye);
        }
    }
}

/// The stream's header in answer to ours.
pub(super) fn is_open(element: &Element) -> bool {
    element.is("open", ns::FRAMING)
}
