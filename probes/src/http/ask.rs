//! Requests with their redirects.

use std::time::Duration;

use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::body::read_body;
use super::wire::{encode, origin};
use super::{Exchange, HttpError, Link, Request, Response, Timings, redirect};
use crate::Net;

impl Net {
    /// Sends the request, following as many redirects as it permits.
    ///
    /// # Errors
    /// [`HttpError`] when the first hop has no answer; trouble on a later hop is told by
    /// [`Exchange::redirect_trouble`].
    pub async fn http(&self, request: Request) -> Result<Exchange, HttpError> {
        let permitted = request.redirects;
        let mut seen = vec![(request.method.clone(), request.url.clone())];
        let mut hops = vec![self.hop(&request).await?];
        let mut request = request;
        let redirect_trouble = loop {
            let last = &hops[hops.len() - 1];
            if permitted == 0 || !redirect::is_one(last.status) {
                break None;
            }
            if hops.len() > permitted {
                break Some(format!("more than {permitted} redirects"));
            }
            request = match redirect::follow(request, last) {
                Ok(next) => next,
                Err(trouble) => break Some(trouble),
            };
            let step = (request.method.clone(), request.url.clone());
            if seen.contains(&step) {
                break Some(format!("a loop: {} was asked for before", request.url));
            }
            seen.push(step);
            match self.hop(&request).await {
                Ok(hop) => hops.push(hop),
                Err(error) => break Some(format!("{}: {error}", request.url)),
            }
        };
        Ok(Exchange { hops, redirect_trouble })
    }

    /// One request and its answer, without redirects.
    async fn hop(&self, request: &Request) -> Result<Response, HttpError> {
        Ok(self.head(request).await?.finish(request).await)
    }

    /// One request up to the head of its answer.
    pub(crate) async fn head(&self, request: &Request) -> Result<Head, HttpError> {
        let origin = origin(request)?;
        let link = self.link(&origin).await?;
        let reused = link.reused;
        match self.ask_over(link, request).await {
            // A kept connection may be closed by the other side at any moment: that is no answer
            // to this request. What must not be sent twice is left alone.
            Err(HttpError::Closed { .. }) if reused && request.method.is_idempotent() => {
                let link = self.link(&origin).await?;
                self.ask_over(link, request).await
            }
            outcome => outcome,
        }
    }

    /// What opening the connection took counts; waiting for leave to open it does not, for that
    /// is not the other side's doing.
    async fn ask_over(&self, mut link: Link, request: &Request) -> Result<Head, HttpError> {
        if let Some(session) = &link.session
            && !link.is_acceptable()
            && !request.accept_any_certificate
        {
            return Err(HttpError::Certificate { session: session.clone() });
        }
        let encoded = encode(request, &link)?;
        let limit = request.patience.unwrap_or(self.config().request_timeout);
        let address = link.address;
        let cost = link.cost();
        let start = Instant::now();
        let deadline = start + limit.saturating_sub(cost.connect + cost.handshake);
        match timeout_at(deadline, link.send(encoded)).await {
            Ok(answer) => {
                let timings = Timings { first_byte: start.elapsed(), ..cost };
                Ok(Head { answer: answer?, link, timings, deadline, limit })
            }
            Err(_) => Err(HttpError::TimedOut { address, limit }),
        }
    }
}

/// An answer whose body is still to come.
pub(crate) struct Head {
    pub(crate) answer: http::Response<Incoming>,
    /// When the request's time is over.
    pub(crate) deadline: Instant,
    link: Link,
    timings: Timings,
    limit: Duration,
}

impl Head {
    /// Reads the body, as much of it as the request wants.
    pub(crate) async fn finish(self, request: &Request) -> Response {
        let Self { answer, deadline, link, timings, limit } = self;
        let (head, incoming) = answer.into_parts();
        let start = Instant::now();
        let (body, cut) = read_body(incoming, request.limit, deadline, limit).await;
        Response {
            method: request.method.clone(),
            url: request.url.clone(),
            address: link.address,
            version: if head.version == http::Version::HTTP_2 { "HTTP/2" } else { "HTTP/1.1" },
            status: head.status,
            headers: head.headers,
            body,
            cut,
            session: link.session.clone(),
            timings: Timings { body: start.elapsed(), ..timings },
        }
    }
}
