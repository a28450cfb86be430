//! A BOSH session as a stream to and fro: a task keeps one request waiting at the server.

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, StreamExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use url::Url;

use super::{BoshError, BoshSession, Element, StreamError, XmppError, ns};
use crate::Net;
use crate::http::HttpError;

/// Requests under way at a time (XEP-0124 section 11: one more than the server holds).
const MOST_REQUESTS: usize = 2;

/// A server that holds requests back no time at all, and brings nothing, is asked once in this
/// time.
const PACE: Duration = Duration::from_millis(250);

/// Elements that wait for the reader; the session stands still when there are more.
const MOST_WAITING: usize = 256;

/// How long a goodbye is waited for.
const GOODBYE: Duration = Duration::from_secs(3);

/// What the task is to do.
enum Command {
    Send(Vec<Element>),
    Restart(String),
    /// Sends the last words with the end of the session.
    Close(Vec<Element>),
}

/// The session; dropped, it is aborted without a word.
pub(super) struct Polling {
    commands: mpsc::Sender<Command>,
    incoming: mpsc::Receiver<Result<Element, XmppError>>,
    task: JoinHandle<()>,
}

impl Polling {
    /// Goes on with an opened session.
    pub(super) fn start(net: Net, session: BoshSession) -> Self {
        let (commands, orders) = mpsc::channel(MOST_WAITING);
        let (deliver, incoming) = mpsc::channel(MOST_WAITING);
        let (url, sid, rid) = session.into_parts();
        let poller = Poller { net, url, sid, rid, deliver };
        Self { commands, incoming, task: tokio::spawn(poller.run(orders)) }
    }

    pub(super) async fn send(&self, elements: Vec<Element>) -> Result<(), XmppError> {
        self.order(Command::Send(elements)).await
    }

    /// Opens the stream anew after authentication (XEP-0206 section 5).
    pub(super) async fn restart(&self, domain: &str) -> Result<(), XmppError> {
        self.order(Command::Restart(domain.to_owned())).await
    }

    async fn order(&self, command: Command) -> Result<(), XmppError> {
        self.commands.send(command).await.map_err(|_| XmppError::Closed)
    }

    /// The next element. Being cancelled loses nothing.
    pub(super) async fn next(&mut self) -> Result<Element, XmppError> {
        self.incoming.recv().await.unwrap_or(Err(XmppError::Closed))
    }

    /// Says the last words, ends the session and waits for that a moment.
    pub(super) async fn close(mut self, last: Vec<Element>) {
        // Whatever comes now is read by nobody, and must not hold the task up.
        self.incoming.close();
        while self.incoming.try_recv().is_ok() {}
        let goodbye = async {
            if self.order(Command::Close(last)).await.is_ok() {
                let _ = (&mut self.task).await;
            }
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Poller {
    net: Net,
    url: Url,
    sid: String,
    rid: u64,
    deliver: mpsc::Sender<Result<Element, XmppError>>,
}

type Pending = FuturesOrdered<BoxFuture<'static, Result<Element, BoshError>>>;

impl Poller {
    async fn run(mut self, mut orders: mpsc::Receiver<Command>) {
        let mut pending = Pending::new();
        let mut next_poll = Instant::now();
        loop {
            tokio::select! {
                Some(answer) = pending.next() => match self.take(answer).await {
                    None => return,
                    // More may follow: only what brings nothing is asked for more slowly.
                    Some(0) => {}
                    Some(_) => next_poll = Instant::now(),
                },
                order = orders.recv(), if pending.len() < MOST_REQUESTS => match order {
                    Some(Command::Send(elements)) => {
                        let body = elements.into_iter().fold(self.body(), Element::child);
                        pending.push_back(self.request(body));
                    }
                    Some(Command::Restart(domain)) => {
                        let body = self.body();
                        pending.push_back(self.request(restart(body, &domain)));
                    }
                    Some(Command::Close(last)) => {
                        let body = self.body().attr("type", "terminate");
                        let body = last.into_iter().fold(body, Element::child);
                        pending.push_back(self.request(body));
                        // The answers say no more than that it is over.
                        while pending.next().await.is_some() {}
                        return;
                    }
                    None => return,
                },
                () = sleep_until(next_poll), if pending.is_empty() => {
                    next_poll = Instant::now() + PACE;
                    let body = self.body();
                    pending.push_back(self.request(body));
                }
            }
        }
    }

    /// Hands on what an answer brings, and counts it; none when the session is over.
    async fn take(&self, answer: Result<Element, BoshError>) -> Option<usize> {
        let body = match answer {
            Ok(body) => body,
            Err(error) => {
                let _ = self.deliver.send(Err(ended(error))).await;
                return None;
            }
        };
        for element in body.elements() {
            if let Some(error) = super::stream_error(element) {
                let _ = self.deliver.send(Err(XmppError::Stream(error))).await;
                return None;
            }
            // Nobody reads any more when the session is being closed.
            let _ = self.deliver.send(Ok(element.clone())).await;
        }
        Some(body.elements().count())
    }

    fn body(&mut self) -> Element {
        let rid = self.rid;
        self.rid += 1;
        Element::new("body", ns::HTTP_BIND).attr("rid", rid.to_string()).attr("sid", &self.sid)
    }

    fn request(&self, body: Element) -> BoxFuture<'static, Result<Element, BoshError>> {
        let (net, url) = (self.net.clone(), self.url.clone());
        Box::pin(async move {
            match net.bosh_request(&url, &body).await {
                // A kept connection may be closed at any moment. The request's id makes it safe to
                // send it again (XEP-0124 section 14.3).
                Err(BoshError::Http(HttpError::Closed { .. })) => {
                    net.bosh_request(&url, &body).await
                }
                outcome => outcome,
            }
            .map(|(_, body)| body)
        })
    }
}

fn restart(body: Element, domain: &str) -> Element {
    body.attr("to", domain)
        .attr("xml:lang", "en")
        .attr("xmlns:xmpp", ns::XBOSH)
        .attr("xmpp:restart", "true")
}

/// The end of a session in the words of streams.
pub(super) fn ended(error: BoshError) -> XmppError {
    match error {
        BoshError::Refused { condition: StreamError { condition, text: None }, .. }
            if condition == "undefined-condition" =>
        {
            XmppError::Closed
        }
        BoshError::Refused { condition, .. } => XmppError::Stream(condition),
        error => XmppError::Bosh(error),
    }
}
