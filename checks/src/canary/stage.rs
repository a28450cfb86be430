//! What a call that did not succeed says.

use std::sync::Arc;
use std::time::Duration;

use mxdoctor_model::Finding;
use mxdoctor_probes::http::{HttpError, Response};
use mxdoctor_probes::matrix::client::CallError;
use mxdoctor_probes::tls::{ConnectError, HandshakeError};

use crate::facts::{Canary, Day, Endpoint, Page, classify};
use crate::{Cx, Unavailable, ingress};

/// The synthetic user's day, for a check of that id: its own skip where there is none in this run.
pub(crate) async fn day(cx: &Cx, id: &'static str) -> Result<Arc<Day>, Unavailable> {
    match Canary::withheld(cx) {
        Some(reason) => Err(Unavailable::by(id, Finding::skip(reason))),
        None => cx.fact(Canary).await,
    }
}

/// The finding for a call without success: `what` was to be done, and `cause` holds where the
/// homeserver itself refuses it.
pub(crate) fn trouble(cx: &Cx, cause: &'static str, what: &str, error: &CallError) -> Finding {
    let finding = match error {
        CallError::Limited { .. } => {
            Finding::error(format!("{what} could not be measured: the homeserver limits our rate"))
        }
        CallError::Silent { error, .. } if is_ours(error) => {
            Finding::error(format!("{what} could not be measured"))
        }
        CallError::Silent { .. } => {
            Finding::fail("no-http-answer", format!("{what}: no answer")).transient()
        }
        CallError::Malformed { .. } => {
            Finding::fail(cause, format!("{what}: the answer is not as specified"))
        }
        CallError::Refused { response, .. } => refused(cx, cause, what, response),
    };
    if finding.actual.is_some() { finding } else { finding.actual(error.to_string()) }
}

fn refused(cx: &Cx, cause: &'static str, what: &str, response: &Response) -> Finding {
    // Whoever could log in has come through to the homeserver: it is this path that leads astray.
    if let Some(Page::NotRouted(by)) = classify(response) {
        let path = response.url.path();
        return Finding::fail("homeserver-path-not-routed", format!("{what}: not routed"))
            .expected(format!("{path} leads to the homeserver"))
            .actual(format!("{} of {by}", response.status.as_u16()));
    }
    if let (Some(page), Some(endpoint)) = (classify(response), Endpoint::of(&response.url)) {
        return ingress::reachable::judge(&endpoint, cx.target(), response, &page);
    }
    let status = response.status.as_u16();
    if status >= 500 {
        let summary = format!("{what}: the homeserver answers {status}");
        return Finding::fail("homeserver-broken", summary).transient();
    }
    Finding::fail(cause, format!("{what}: the homeserver refuses"))
}

/// Whether there is no answer for a reason on our own side.
pub(super) fn is_ours(error: &HttpError) -> bool {
    match error {
        HttpError::Ours(_) | HttpError::Resolve { .. } | HttpError::Certificate { .. } => true,
        HttpError::Handshake { error: HandshakeError::Connect(ConnectError::Ours(_)), .. } => true,
        HttpError::Handshake { .. }
        | HttpError::TimedOut { .. }
        | HttpError::Closed { .. }
        | HttpError::Garbage { .. } => false,
    }
}

pub(super) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
