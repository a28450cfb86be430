//! A session over BOSH (XEP-0124, XEP-0206).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderValue, Method, header};
use url::Url;

use super::{Element, Features, Opened, StreamError, features, ns, parse, stream_error};
use crate::Net;
use crate::http::{HttpError, Request, Response};

/// Seconds that the server may hold a request back.
const WAIT: u64 = 5;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum BoshError {
    /// No HTTP answer at all.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An answer other than 200.
    #[error("the session request was answered with {}", .0.status)]
    Status(Box<Response>),
    /// 200 with something else than BOSH; why.
    #[error("the answer is not BOSH: {reason}")]
    NotBosh {
        /// The answer.
        response: Box<Response>,
        /// What is wrong with it.
        reason: String,
    },
    /// The server refuses the session: `host-unknown`, `improper-addressing`, `remote-stream-error`
    /// with the stream's own condition, …
    #[error("the session was refused with {condition}")]
    Refused {
        /// The answer.
        response: Box<Response>,
        /// The condition that says most.
        condition: StreamError,
    },
}

/// A session over BOSH.
#[derive(Debug)]
pub struct BoshSession {
    url: Url,
    sid: String,
    rid: AtomicU64,
    wait: Option<u64>,
    /// What the server said at the start.
    pub opened: Opened,
    /// The answer to the session request.
    pub response: Response,
}

impl Net {
    /// Requests a session for a domain, up to the stream's features.
    ///
    /// # Errors
    /// [`BoshError`].
    pub async fn bosh(&self, url: &Url, domain: &str) -> Result<BoshSession, BoshError> {
        self.bosh_waiting(url, domain, WAIT).await
    }

    /// The same, and the server may hold a request back for so many seconds.
    ///
    /// # Errors
    /// [`BoshError`].
    pub async fn bosh_waiting(
        &self,
        url: &Url,
        domain: &str,
        wait: u64,
    ) -> Result<BoshSession, BoshError> {
        let start = Instant::now();
        let rid = first_rid();
        let request = Element::new("body", ns::HTTP_BIND)
            .attr("rid", rid.to_string())
            .attr("to", domain)
            .attr("wait", wait.to_string())
            .attr("hold", "1")
            .attr("ver", "1.6")
            .attr("content", "text/xml; charset=utf-8")
            .attr("xml:lang", "en")
            .attr("xmlns:xmpp", ns::XBOSH)
            .attr("xmpp:version", "1.0");
        let (response, body) = self.bosh_request(url, &request).await?;
        let Some(sid) = body.get_attr("sid").map(str::to_owned) else {
            let reason = "the session has no id".into();
            return Err(BoshError::NotBosh { response: Box::new(response), reason });
        };
        let text = |name| body.get_attr(name).map(str::to_owned);
        let (from, id) = (text("from"), text("authid"));
        let wait = text("wait").and_then(|wait| wait.parse().ok());
        let rid = AtomicU64::new(rid + 1);
        let first = body.elements().find_map(features);
        let elapsed = Duration::ZERO;
        let none = Features { mechanisms: Vec::new(), offers_sasl: false, element: body };
        let found = first.is_some();
        let opened = Opened { from, id, features: first.unwrap_or(none), elapsed };
        let mut session = BoshSession { url: url.clone(), sid, rid, wait, opened, response };
        if !found {
            // A server may answer first and send the features when asked again.
            let body = session.poll(self).await?;
            let Some(features) = body.elements().find_map(features) else {
                let reason = "the session begins without stream features".into();
                return Err(BoshError::NotBosh { response: Box::new(session.response), reason });
            };
            session.opened.features = features;
        }
        session.opened.elapsed = start.elapsed();
        Ok(session)
    }

    pub(super) async fn bosh_request(
        &self,
        url: &Url,
        body: &Element,
    ) -> Result<(Response, Element), BoshError> {
        self.bosh_patiently(url, body, None).await
    }

    async fn bosh_patiently(
        &self,
        url: &Url,
        body: &Element,
        patience: Option<Duration>,
    ) -> Result<(Response, Element), BoshError> {
        let mut request = Request::get(url.clone());
        request.patience = patience;
        request.method = Method::POST;
        request.body = body.to_string().into();
        let xml = HeaderValue::from_static("text/xml; charset=utf-8");
        request.headers.insert(header::CONTENT_TYPE, xml);
        let response = self.http(request).await?.hops.swap_remove(0);
        if response.status != http::StatusCode::OK {
            return Err(BoshError::Status(Box::new(response)));
        }
        match bosh_body(&response.text()) {
            Err(reason) => Err(BoshError::NotBosh { response: Box::new(response), reason }),
            Ok(body) => match bosh_end(&body) {
                Some(condition) => {
                    Err(BoshError::Refused { response: Box::new(response), condition })
                }
                None => Ok((response, body)),
            },
        }
    }
}

impl BoshSession {
    /// What a poller needs to go on with it: the URL, the session's id, the next request's.
    pub(super) fn into_parts(self) -> (Url, String, u64) {
        (self.url, self.sid, self.rid.into_inner())
    }

    fn request(&self) -> Element {
        let rid = self.rid.fetch_add(1, Ordering::Relaxed);
        Element::new("body", ns::HTTP_BIND).attr("rid", rid.to_string()).attr("sid", &self.sid)
    }

    async fn poll(&self, net: &Net) -> Result<Element, BoshError> {
        net.bosh_request(&self.url, &self.request()).await.map(|(_, body)| body)
    }

    /// Sends elements (none: asks for what there is) and returns the body of the answer.
    ///
    /// # Errors
    /// [`BoshError`].
    pub async fn send(
        &self,
        net: &Net,
        elements: impl IntoIterator<Item = Element>,
    ) -> Result<Element, BoshError> {
        let body = elements.into_iter().fold(self.request(), Element::child);
        net.bosh_request(&self.url, &body).await.map(|(_, body)| body)
    }

    /// Seconds for which the server holds requests back, as it says itself.
    pub fn wait(&self) -> Option<u64> {
        self.wait
    }

    /// Asks for what there is, and waits for as long as the server holds the request back.
    ///
    /// # Errors
    /// [`BoshError`].
    pub async fn hold(&self, net: &Net, patience: Duration) -> Result<(), BoshError> {
        net.bosh_patiently(&self.url, &self.request(), Some(patience)).await.map(drop)
    }

    /// Ends the session.
    pub async fn close(self, net: &Net) {
        // The answer is a termination, which is what is wanted.
        let _ = net.bosh_request(&self.url, &self.request().attr("type", "terminate")).await;
    }
}

/// Reads the body of an answer of BOSH (XEP-0124 section 3).
///
/// # Errors
/// Why it is none.
pub fn bosh_body(text: &str) -> Result<Element, String> {
    let body = parse(text).map_err(|error| error.to_string())?;
    if body.is("body", ns::HTTP_BIND) {
        Ok(body)
    } else {
        Err(format!("the element is `{}`, not BOSH's `body`", body.name))
    }
}

/// Why the server ends the session with this body, if it does (XEP-0124 section 17): by the
/// stream's own condition, where there is one, else by BOSH's.
pub fn bosh_end(body: &Element) -> Option<StreamError> {
    if body.get_attr("type") != Some("terminate") {
        return None;
    }
    let inner = body.elements().find_map(stream_error);
    let condition = body.get_attr("condition").unwrap_or("undefined-condition").to_owned();
    Some(inner.unwrap_or(StreamError { condition, text: None }))
}

/// XEP-0124 section 14: hard to guess, and far from 2^53.
fn first_rid() -> u64 {
    let mut bytes = [0_u8; 4];
    // Without randomness any number serves as well: the session lives for a moment only.
    let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes);
    1_000_000 + u64::from(u32::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<StreamError> {
        bosh_end(&parse(text).expect("XML"))
    }

    #[test]
    fn the_condition_that_says_most_is_told() {
        let plain = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' \
                     condition='host-unknown'/>";
        assert_eq!(refused(plain).expect("refused").condition, "host-unknown");
        let inner = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' \
                     condition='remote-stream-error' \
                     xmlns:stream='http://etherx.jabber.org/streams'><stream:error>\
                     <host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>\
                     </body>";
        assert_eq!(refused(inner).expect("refused").condition, "host-unknown");
        let fine = "<body xmlns='http://jabber.org/protocol/httpbind' sid='1'/>";
        assert_eq!(refused(fine), None);
    }

    #[test]
    fn request_ids_leave_room() {
        assert!(first_rid() < 1 << 40);
    }
}
