//! `jitsi.websocket`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::{HttpError, Response};
use mxdoctor_probes::websocket::UpgradeError;
use mxdoctor_probes::xmpp::{Opened, XmppError};
use url::Url;

use super::bosh::{edge, pass, refused, status};
use super::config_js::over_http;
use crate::facts::{Ask, Asked, JitsiXmpp, Page, classify, looks_like_jitsi};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The WebSocket in `config.js` is upgraded with the subprotocol `xmpp`, the stream opens for
    /// the domain in `config.js`, and its features arrive.
    ///
    /// ## Why it matters
    /// It is the way that browsers take first.
    ///
    /// ## What makes it fail
    /// - The upgrade is answered with 200, 400 or 426, mostly with Prosody's "It works!": something
    ///   between takes the upgrade's headers away.
    /// - Jitsi Meet's start page: WebSocket is off on the web container, and `config.js` names it.
    /// - 502, 503 or 504 for plain requests too: Prosody is down, as `jitsi.bosh` says.
    /// - `host-unknown`: `XMPP_DOMAIN` differs between web and Prosody.
    ///
    /// It is skipped where `config.js` names no WebSocket; clients then use BOSH.
    ///
    /// ## How to fix it
    /// Let the ingress pass `Upgrade` and `Connection` on over HTTP/1.1, for `/xmpp-websocket`,
    /// with a read timeout of minutes. `ENABLE_XMPP_WEBSOCKET` must be the same on web and Prosody.
    ///
    /// ## Where it comes from
    /// RFC 7395; RFC 6455, section 4; docker-jitsi-meet, `meet.conf`.
    "jitsi.websocket" at PIC: "the XMPP WebSocket opens a stream"
    causes [
        "websocket-not-proxied",
        "websocket-disabled",
        "prosody-down",
        "xmpp-domain-mismatch",
        "xmpp-stream-broken",
    ]
    timeout 60
    attempts 2
}

pub(crate) async fn run(cx: &Cx) -> Verdict {
    let places = cx.fact(JitsiXmpp).await?;
    let Some(url) = &places.websocket else {
        return Ok(Finding::skip("config.js names no WebSocket: clients use BOSH").into());
    };
    let plain = cx.fact(Asked(Ask::get(over_http(url)))).await?;
    edge(cx, plain.last())?;
    let finding = match open(cx, url, &places.domain).await {
        Ok(opened) => pass(&opened, "WebSocket", &places.domain),
        Err(error) => judge(&error, plain.last(), &places.domain),
    };
    Ok(finding.evidence(EvidenceKind::Request, plain.last().line()).into())
}

async fn open(cx: &Cx, url: &Url, domain: &str) -> Result<Opened, XmppError> {
    let mut stream = cx.net().xmpp_websocket(url).await?;
    let opened = stream.open(domain).await;
    stream.close().await;
    opened
}

/// `plain` is the answer to the same path without an upgrade.
fn judge(error: &XmppError, plain: &Response, domain: &str) -> Finding {
    match error {
        XmppError::Upgrade(UpgradeError::Http(HttpError::Ours(reason))) => {
            Finding::error(reason.clone())
        }
        XmppError::Upgrade(error) => upgrade(error, plain, domain),
        XmppError::Subprotocol(_) => {
            let summary = format!("the upgrade loses its subprotocol: {error}");
            Finding::fail("websocket-not-proxied", summary)
                .expected("`Sec-WebSocket-Protocol: xmpp` in the answer")
        }
        XmppError::Stream(condition) => refused(condition, domain),
        error => {
            let summary = format!("the WebSocket opens, and the stream does not: {error}");
            Finding::fail("xmpp-stream-broken", summary).expected("stream features").transient()
        }
    }
}

fn upgrade(error: &UpgradeError, plain: &Response, domain: &str) -> Finding {
    // Where a plain request does not get through, the upgrade is not to blame.
    if let Some(Page::BackendDown(_) | Page::TimedOut(_)) = classify(plain) {
        return status(plain, domain, "websocket-not-proxied");
    }
    let finding = if plain.status.as_u16() == 200 && looks_like_jitsi(&plain.text()) {
        Finding::fail(
            "websocket-disabled",
            format!("{} is Jitsi Meet's page: no WebSocket is there", plain.url),
        )
    } else {
        match error {
            UpgradeError::Status(response) if response.status.as_u16() == 404 => {
                return status(response, domain, "websocket-not-proxied");
            }
            UpgradeError::Status(response) => Finding::fail(
                "websocket-not-proxied",
                format!("the upgrade is answered with {}", response.status.as_u16()),
            )
            .evidence(EvidenceKind::Request, response.line()),
            error => Finding::fail("websocket-not-proxied", format!("no upgrade: {error}")),
        }
    };
    finding.expected("101 with the subprotocol `xmpp`").actual(error.to_string()).transient()
}

#[cfg(test)]
mod tests {
    use mxdoctor_probes::xmpp::StreamError;

    use super::*;
    use crate::facts::tests::answer;

    const WORKS: &str = "<!DOCTYPE html><html>It works! Now point your WebSocket client here";
    const SPA: &str = "<!DOCTYPE html><html><script src='libs/lib-jitsi-meet.min.js'></script>";
    const NGINX: &str = "<html><title>502 Bad Gateway</title><center>nginx</center></html>";

    fn cause(upgrade: u16, plain: (u16, &str)) -> Option<&'static str> {
        let answered = UpgradeError::Status(Box::new(answer(upgrade, &[], "")));
        let plain = answer(plain.0, &[], plain.1);
        judge(&XmppError::Upgrade(answered), &plain, "meet.jitsi").cause
    }

    #[test]
    fn the_plain_answer_tells_the_causes_apart() {
        for status in [200, 400, 426, 501] {
            assert_eq!(cause(status, (200, WORKS)), Some("websocket-not-proxied"));
        }
        assert_eq!(cause(200, (200, SPA)), Some("websocket-disabled"));
        assert_eq!(cause(502, (502, NGINX)), Some("prosody-down"));
        assert_eq!(cause(502, (200, WORKS)), Some("websocket-not-proxied"));
    }

    #[test]
    fn stream_errors_have_their_cause() {
        let plain = answer(200, &[], WORKS);
        let error = |condition: &str| {
            XmppError::Stream(StreamError { condition: condition.into(), text: None })
        };
        let cause = |error| judge(&error, &plain, "meet.jitsi").cause;
        assert_eq!(cause(error("host-unknown")), Some("xmpp-domain-mismatch"));
        assert_eq!(cause(error("internal-server-error")), Some("xmpp-stream-broken"));
        assert_eq!(cause(XmppError::Closed), Some("xmpp-stream-broken"));
        assert_eq!(cause(XmppError::Subprotocol(None)), Some("websocket-not-proxied"));
    }
}
