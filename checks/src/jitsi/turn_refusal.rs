//! Why a TURN server gives no allocation, and whose fault that is.

use std::net::SocketAddr;
use std::time::Duration;

use mxdoctor_model::{EvidenceKind, Finding, Outcome};
use mxdoctor_probes::http::HttpError;
use mxdoctor_probes::tls::{ConnectError, HandshakeError, Session};
use mxdoctor_probes::turn::{Allocation, Carrier, Proof, TurnError};

use crate::facts::{Clock, Endpoint, OfferedTurn};
use crate::tls::validity::Judged;
use crate::tls::{chain, name, validity};
use crate::{Cx, Unavailable};

/// What trying a server came to.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// Its name leads nowhere.
    pub(super) unresolved: Option<HttpError>,
    /// Addresses to which this machine has no way.
    pub(super) out_of_reach: Vec<SocketAddr>,
    /// Addresses without an allocation.
    pub(super) failed: Vec<(SocketAddr, TurnError)>,
    /// The allocation, if one came about.
    pub(super) allocation: Option<Allocation>,
    /// What went over it.
    pub(super) proofs: Vec<Proof>,
    /// Whether it can be made to stand for longer.
    pub(super) refreshed: Option<Result<Duration, TurnError>>,
    /// Every request.
    pub(super) lines: Vec<String>,
}

/// Judges a server without an allocation. `udp` says whether UDP is known to work from here.
///
/// # Errors
/// What `vantage.clock` reports, where the verdict depends on whose clock is right.
pub(super) async fn judge(
    cx: &Cx,
    turn: &OfferedTurn,
    tried: &Tried,
    udp: bool,
) -> Result<Finding, Unavailable> {
    let ours = |error: &TurnError| {
        matches!(error, TurnError::Ours(_) | TurnError::Connect(ConnectError::Ours(_)))
    };
    // One that says something of the server before one that says something of us.
    let telling = tried.failed.iter().find(|(_, error)| !ours(error)).or(tried.failed.first());
    let Some((address, error)) = telling else { return Ok(nowhere(turn, tried)) };
    let finding = match error {
        TurnError::Certificate(session) => match certificate(cx, turn, session).await? {
            Some(finding) => finding,
            None => Finding::error(format!("{address}: {error}")),
        },
        error => refusal(turn, error, udp, jiff::Timestamp::now().as_second()),
    };
    Ok(finding.evidence(EvidenceKind::Packets, format!("{address}: {error}")))
}

fn nowhere(turn: &OfferedTurn, tried: &Tried) -> Finding {
    match &tried.unresolved {
        Some(HttpError::Resolve { name, reason }) => {
            Finding::fail("turn-unreachable", format!("the TURN server {name} does not resolve"))
                .expected("an address")
                .actual(reason.clone())
        }
        Some(error) => Finding::error(error.to_string()),
        None => Finding::skip(format!(
            "{} has addresses only to which this machine has no way",
            turn.server.host
        )),
    }
}

/// What a client would say of the certificate of TURN over TLS; none where it is as it must be.
///
/// # Errors
/// What `vantage.clock` reports.
pub(super) async fn certificate(
    cx: &Cx,
    turn: &OfferedTurn,
    session: &Session,
) -> Result<Option<Finding>, Unavailable> {
    let endpoint = Endpoint::new(turn.server.host.to_ascii_lowercase(), turn.server.port);
    let wrong =
        chain::judge(&endpoint, session, cx.vantage()).or_else(|| name::judge(&endpoint, session));
    let wrong = match wrong {
        Some(finding) => finding,
        None => {
            let offsets = cx.fact(Clock).await?;
            match validity::judge(&endpoint, session, now(), &offsets) {
                Judged::Ours(finding) => return Err(Unavailable::by("vantage.clock", finding)),
                Judged::Theirs(finding) => finding,
            }
        }
    };
    if wrong.outcome == Outcome::Pass {
        return Ok(None);
    }
    Ok(Some(Finding { instance: None, cause: Some("turn-tls-certificate"), ..wrong }))
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// All but certificates.
fn refusal(turn: &OfferedTurn, error: &TurnError, udp: bool, now: i64) -> Finding {
    let carrier = turn.server.carrier;
    let finding = match error {
        TurnError::Ours(why) | TurnError::Connect(ConnectError::Ours(why)) => {
            return Finding::error(why.clone());
        }
        TurnError::Answer { code: 401 | 441, .. } => return credentials(turn, error, now),
        TurnError::NoCredentials => Finding::fail(
            "turn-credentials-rejected",
            "the server is offered without credentials, and wants some",
        ),
        TurnError::Answer { code, .. } => {
            let finding = Finding::fail("turn-refuses", "the server refuses an allocation");
            // Both may be over in a moment.
            if matches!(code, 486 | 508) { finding.transient() } else { finding }
        }
        TurnError::Elsewhere(_) => Finding::fail("turn-refuses", "the server sends clients away"),
        TurnError::Handshake(HandshakeError::Connect(_)) | TurnError::Connect(_) => {
            Finding::fail("turn-unreachable", "the server takes no connection").transient()
        }
        TurnError::Handshake(_) | TurnError::Certificate(_) => {
            Finding::fail("turn-tls-certificate", "TLS with the server does not come about")
        }
        TurnError::Silent { .. } if carrier == Carrier::Udp && !udp => Finding::error_of(
            "turn-unreachable",
            "the server is silent over UDP, and whether UDP works from here is not known",
        )
        .remedy("give network.stun_server, or run the check from where UDP is known to work"),
        TurnError::Silent { .. } | TurnError::Refused | TurnError::Closed => {
            Finding::fail("turn-unreachable", "the server does not answer").likely()
        }
        TurnError::NotTurn(_) | TurnError::Incomplete(..) | TurnError::Unsigned(_) => {
            Finding::fail("turn-unreachable", "what answers there is not a TURN server")
        }
    };
    finding.expected("an allocation").actual(error.to_string())
}

fn credentials(turn: &OfferedTurn, error: &TurnError, now: i64) -> Finding {
    let finding = match turn.expires {
        Some(expires) if expires <= now => Finding::fail(
            "turn-credentials-expired",
            "the server refuses credentials that were out of their time when they were given",
        )
        .actual(format!("{error}; they expired {} s ago", now - expires)),
        _ => Finding::fail(
            "turn-credentials-rejected",
            "the server refuses the credentials that come with it",
        )
        .actual(error.to_string()),
    };
    finding.expected("an allocation")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mxdoctor_probes::turn::{Method, Server};

    use super::*;

    fn offered(carrier: Carrier, expires: Option<i64>) -> OfferedTurn {
        let credentials = Some(("user".into(), "password".into()));
        let server = Server { host: "turn.example.org".into(), port: 3478, carrier, credentials };
        OfferedTurn { server, expires }
    }

    fn answer(code: u16) -> TurnError {
        TurnError::Answer { method: Method::Allocate, code, reason: "no".into() }
    }

    #[test]
    fn each_refusal_has_its_cause() {
        let silent = || TurnError::Silent {
            method: Method::Allocate,
            sent: 4,
            limit: Duration::from_secs(4),
        };
        use Outcome::{Error, Fail};
        let rejected = Some("turn-credentials-rejected");
        let unreachable = Some("turn-unreachable");
        for (error, expires, udp, verdict) in [
            (answer(401), None, true, (Fail, rejected)),
            (answer(441), Some(2000), true, (Fail, rejected)),
            (answer(401), Some(999), true, (Fail, Some("turn-credentials-expired"))),
            (TurnError::NoCredentials, None, true, (Fail, rejected)),
            (answer(486), None, true, (Fail, Some("turn-refuses"))),
            (answer(403), None, true, (Fail, Some("turn-refuses"))),
            (silent(), None, true, (Fail, unreachable)),
            (silent(), None, false, (Error, unreachable)),
            (TurnError::Refused, None, false, (Fail, unreachable)),
            (TurnError::Connect(ConnectError::Refused), None, true, (Fail, unreachable)),
            (TurnError::Connect(ConnectError::Ours("no".into())), None, true, (Error, None)),
            (TurnError::Ours("no".into()), None, true, (Error, None)),
            (TurnError::NotTurn("HTTP".into()), None, true, (Fail, unreachable)),
            (
                TurnError::Handshake(HandshakeError::Alert("handshake_failure".into())),
                None,
                true,
                (Fail, Some("turn-tls-certificate")),
            ),
        ] {
            let finding = refusal(&offered(Carrier::Udp, expires), &error, udp, 1000);
            assert_eq!((finding.outcome, finding.cause), verdict, "{error}");
        }
        let finding = refusal(&offered(Carrier::Tcp, None), &silent(), false, 1000);
        assert_eq!(finding.outcome, Fail, "our UDP is no matter for TCP");
    }
}
