//! `ingress.long_poll`.

use std::time::{Duration, Instant};

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::HttpError;
use mxdoctor_probes::xmpp::{BoshError, ns};
use url::Url;

use crate::facts::JitsiXmpp;
use crate::{Cx, Verdict, check};

check! {
    /// Waiting is not cut short: neither a request that is held nor a WebSocket on which nothing is
    /// said.
    ///
    /// ## What it asserts
    /// A request that the server holds back for 31 s is answered then, and a WebSocket that is idle
    /// for 60 s is still open. Both are had without an account from Jitsi Meet, through its
    /// ingress: a BOSH request with `wait`, and the XMPP WebSocket. Usually the homeserver stands
    /// behind the same ingress with the same limits; its own `/sync` needs an account, and is the
    /// canary's.
    ///
    /// It takes a minute, and runs only with `--slow`, with `slow = true` below `[run]`, or when it
    /// is named with `--only ingress.long_poll`.
    ///
    /// ## Why it matters
    /// Clients wait for news with requests that are held for 30 s. Where they are cut, clients see
    /// errors, ask again at once and never rest. A call whose WebSocket is cut in a quiet moment
    /// loses its signalling.
    ///
    /// ## What makes it fail
    /// The held request ends with an error or a closed connection before its time; the WebSocket is
    /// closed before a minute is over.
    ///
    /// ## How to fix it
    /// Traefik: `respondingTimeouts` of the entry point (`readTimeout`, `writeTimeout`,
    /// `idleTimeout`) and `forwardingTimeouts.responseHeaderTimeout`, 0 or 120 s and more. nginx:
    /// `proxy_read_timeout 900s`. A load balancer in front has an idle timeout of its own;
    /// Cloudflare's is 100 s and stays.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Syncing" (`timeout`); XEP-0124, section 7.2; RFC 6455.
    "ingress.long_poll" at PI: "long waits and idle WebSockets are not cut"
    causes ["long-poll-cut", "websocket-idle-cut"]
    timeout 140
}

/// How long the request is to be held.
const HELD: Duration = Duration::from_secs(31);
/// How much longer it is waited for.
const GRACE: Duration = Duration::from_secs(15);
/// How long the WebSocket is left alone.
const IDLE: Duration = Duration::from_secs(60);

async fn run(cx: &Cx) -> Verdict {
    if !cx.target().slow {
        let reason = "it takes a minute: run with --slow, or with --only ingress.long_poll";
        return Ok(Finding::skip(reason).into());
    }
    let places = cx.fact(JitsiXmpp).await?;
    let domain = places.domain.as_str();
    let ways = [
        places.bosh.as_ref().map(|url| Way::Request(url.clone())),
        places.websocket.as_ref().map(|url| Way::WebSocket(url.clone())),
    ];
    let look = |way: Way| async move {
        Ok(match &way {
            Way::Request(url) => hold(cx, url, domain).await,
            Way::WebSocket(url) => idle(cx, url, domain).await,
        }
        .into())
    };
    Ok(cx.each(ways.into_iter().flatten(), look).await)
}

/// What is left waiting.
enum Way {
    Request(Url),
    WebSocket(Url),
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Request(_) => "a held request",
            Self::WebSocket(_) => "an idle WebSocket",
        })
    }
}

async fn hold(cx: &Cx, url: &Url, domain: &str) -> Finding {
    let session = match cx.net().bosh_waiting(url, domain, HELD.as_secs()).await {
        Ok(session) => session,
        Err(error) => return Finding::skip(format!("no BOSH session to wait in: {error}")),
    };
    let granted = session.wait();
    let start = Instant::now();
    let answer = session.hold(cx.net(), HELD + GRACE).await;
    let took = start.elapsed();
    session.close(cx.net()).await;
    let line = match &answer {
        Ok(()) => format!("POST {url}, held → 200 after {} s", took.as_secs()),
        Err(error) => format!("POST {url}, held → {error} after {} s", took.as_secs()),
    };
    judge_held(took, granted, answer).evidence(EvidenceKind::Request, line)
}

fn judge_held(took: Duration, granted: Option<u64>, answer: Result<(), BoshError>) -> Finding {
    let seconds = took.as_secs_f64();
    let early = took + Duration::from_millis(1500) < HELD;
    let cut = |how: String| {
        Finding::fail("long-poll-cut", format!("a held request is cut after {seconds:.0} s: {how}"))
            .expected(format!("an answer after {} s", HELD.as_secs()))
            .actual(how)
    };
    match answer {
        Ok(()) if !early => {
            Finding::pass(format!("a request was held for {seconds:.0} s and then answered"))
                .metric("held", seconds, "s")
        }
        Ok(()) => Finding::error(format!(
            "the server did not hold the request: it answered after {seconds:.0} s (it grants {} s)",
            granted.map_or("unknown".into(), |granted| granted.to_string())
        )),
        Err(BoshError::Http(error @ HttpError::Closed { .. })) => cut(error.to_string()),
        Err(BoshError::Status(answer)) => cut(format!("{}", answer.status.as_u16())),
        Err(BoshError::Http(HttpError::TimedOut { .. })) => {
            Finding::error("the request was held, and never answered")
        }
        Err(error) => Finding::error(format!("how long requests are held cannot be told: {error}")),
    }
}

async fn idle(cx: &Cx, url: &Url, domain: &str) -> Finding {
    let mut socket = match cx.net().websocket(url, "xmpp").await {
        Ok(socket) => socket,
        Err(error) => return Finding::skip(format!("no WebSocket to leave alone: {error}")),
    };
    let open = format!("<open xmlns='{}' to='{domain}' version='1.0'/>", ns::FRAMING);
    if let Err(error) = socket.send(&open).await {
        return Finding::error(format!("the stream could not be opened: {error}"));
    }
    let mut start = Instant::now();
    // What the server says starts the time anew: idle is when nobody speaks.
    let mut said = 0;
    let ended = loop {
        match socket.receive(IDLE).await {
            Ok(Some(_)) if said < 20 => {
                said += 1;
                start = Instant::now();
            }
            Ok(Some(_)) => break Some("the server does not stop speaking".to_owned()),
            Ok(None) => break Some("it was closed".into()),
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    let took = start.elapsed();
    socket.close().await;
    let line =
        format!("{url}, idle: {} after {} s", ended.as_deref().unwrap_or("open"), took.as_secs());
    judge_idle(took, said, ended).evidence(EvidenceKind::Connection, line)
}

fn judge_idle(took: Duration, said: usize, ended: Option<String>) -> Finding {
    let seconds = took.as_secs_f64();
    match ended {
        None => Finding::pass(format!("a WebSocket idle for {seconds:.0} s is still open")),
        Some(_) if said == 0 => Finding::error("the WebSocket never spoke: see jitsi.websocket"),
        // Who answers with the end of the stream has not been idle.
        Some(how) if took < Duration::from_secs(2) => Finding::error(format!(
            "the stream ends by itself, which says nothing of limits: {how}"
        )),
        Some(how) => {
            let summary = format!("an idle WebSocket is cut after {seconds:.0} s: {how}");
            Finding::fail("websocket-idle-cut", summary)
                .expected(format!("open after {} s", IDLE.as_secs()))
                .actual(how)
        }
    }
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome::{Error, Fail, Pass};

    use super::*;
    use crate::facts::tests::answer;

    #[test]
    fn a_request_must_be_held_to_its_end() {
        let after = |seconds, answer| {
            let finding = judge_held(Duration::from_secs(seconds), Some(31), answer);
            (finding.outcome, finding.cause)
        };
        assert_eq!(after(31, Ok(())), (Pass, None));
        assert_eq!(after(5, Ok(())), (Error, None));
        let status = |status| Err(BoshError::Status(Box::new(answer(status, &[], ""))));
        assert_eq!(after(10, status(504)), (Fail, Some("long-poll-cut")));
        assert_eq!(after(30, status(502)), (Fail, Some("long-poll-cut")));
        let address = ([192, 0, 2, 1], 443).into();
        let closed = || Err(BoshError::Http(HttpError::Closed { address }));
        assert_eq!(after(20, closed()), (Fail, Some("long-poll-cut")));
        let ours = || Err(BoshError::Http(HttpError::Ours("no file descriptors".into())));
        assert_eq!(after(1, ours()), (Error, None));
    }

    #[test]
    fn a_websocket_must_stay_open() {
        let after = |seconds, said, ended: Option<&str>| {
            let ended = ended.map(str::to_owned);
            let finding = judge_idle(Duration::from_secs(seconds), said, ended);
            (finding.outcome, finding.cause)
        };
        assert_eq!(after(60, 2, None), (Pass, None));
        assert_eq!(after(30, 2, Some("it was closed")), (Fail, Some("websocket-idle-cut")));
        assert_eq!(after(0, 2, Some("it was closed")), (Error, None));
        assert_eq!(after(30, 0, Some("it was closed")), (Error, None));
    }
}
