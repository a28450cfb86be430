//! `tls.handshake`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::tls::{ConnectError, HandshakeError, OldHello};

use crate::facts::{Attempt, Endpoint, Handshakes, Sessions, endpoints, note_out_of_reach};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Every host of the stack completes a TLS handshake with its own name as SNI on at least one
    /// of its addresses.
    ///
    /// ## Why it matters
    /// Without a TLS session there is no page, no login, no call and no federation.
    ///
    /// ## What makes it fail
    /// - The port refuses connections or does not answer.
    /// - The server ends the handshake with an alert before it shows a certificate. At Cloudflare
    ///   that means that the edge has no certificate for this name: Universal SSL covers the zone
    ///   and one label below it (`borooka.ee`, `*.borooka.ee`), not `matrix.testing.borooka.ee`.
    /// - The port speaks something that is not TLS, or closes the connection.
    ///
    /// Addresses of a family that this machine has no way to are not judged.
    ///
    /// ## How to fix it
    /// Look at what terminates TLS for the host: the Cloudflare edge for public names, Traefik
    /// with a cert-manager `Certificate` for internal ones.
    ///
    /// ## Where it comes from
    /// RFC 8446, sections 4 and 6 (handshake and alerts); RFC 6066, section 3 (SNI); Cloudflare's
    /// documentation, "Universal SSL limitations".
    "tls.handshake" at PI: "a TLS handshake completes"
    causes [
        "edge-has-no-certificate",
        "port-closed",
        "port-unanswered",
        "tls-not-spoken",
        "handshake-cut",
        "no-way-there",
    ]
    timeout 30
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let endpoints = endpoints(cx).await?;
    let look = |endpoint: Endpoint| async move {
        let Endpoint { host, port } = endpoint;
        let handshakes = cx.fact(Sessions { host, port }).await?;
        Ok(completed(&handshakes).into())
    };
    Ok(cx.each(endpoints, look).await)
}

fn completed(handshakes: &Handshakes) -> Finding {
    let session = handshakes.session();
    let finding = Finding::pass(format!("{} with {}", session.version, session.cipher))
        .metric("connect", session.connect.as_secs_f64() * 1000.0, "ms")
        .metric("handshake", session.handshake.as_secs_f64() * 1000.0, "ms");
    let finding = handshakes.attempts.iter().fold(finding, |finding, attempt| {
        finding.evidence(EvidenceKind::Connection, describe(attempt))
    });
    note_out_of_reach(finding, &handshakes.out_of_reach)
}

/// One line for evidence.
pub(crate) fn describe(attempt: &Attempt) -> String {
    match &attempt.result {
        Ok(session) => format!(
            "{}: {} in {} ms, {}, ALPN {}",
            attempt.address,
            session.version,
            (session.connect + session.handshake).as_millis(),
            session.cipher,
            session.alpn.as_deref().unwrap_or("none"),
        ),
        Err(error) => format!("{}: {error}", attempt.address),
    }
}

/// The attempt that came furthest: it tells most.
pub(crate) fn telling(attempts: &[Attempt]) -> Option<&Attempt> {
    attempts.iter().max_by_key(|attempt| progress(attempt))
}

fn progress(attempt: &Attempt) -> u8 {
    match &attempt.result {
        Err(HandshakeError::Connect(ConnectError::Ours(_))) => 0,
        Err(HandshakeError::Connect(ConnectError::Unreachable(_))) => 1,
        Err(HandshakeError::Connect(ConnectError::TimedOut(_))) => 2,
        Err(HandshakeError::Connect(ConnectError::Refused)) => 3,
        Err(HandshakeError::TimedOut(_)) => 4,
        Err(HandshakeError::Closed | HandshakeError::Other(_)) => 5,
        Err(HandshakeError::NotTls(_)) => 6,
        Err(HandshakeError::Alert(_)) => 7,
        Ok(_) => 8,
    }
}

/// The finding where this machine has no way to any address of the host.
pub(crate) fn ours(endpoint: &Endpoint, attempts: &[Attempt]) -> Finding {
    let v6 = attempts.iter().all(|attempt| attempt.address.is_ipv6());
    let summary = if v6 {
        format!(
            "{endpoint} has IPv6 addresses only, and this machine has no way to the IPv6 internet"
        )
    } else {
        format!("this machine has no way to {endpoint}")
    };
    shown(Finding::error_of("no-way-there", summary), endpoint, attempts)
}

/// The finding where no address has a session, and the check that reports it.
pub(crate) fn judge(
    endpoint: &Endpoint,
    telling: &Attempt,
    attempts: &[Attempt],
    old: Option<&OldHello>,
) -> (&'static str, Finding) {
    let Err(error) = &telling.result else {
        return ("tls.handshake", Finding::error(format!("internal: {endpoint} has a session")));
    };
    if let Some(finding) = too_old(endpoint, error, old) {
        return ("tls.protocol", shown(finding, endpoint, attempts));
    }
    let finding = match error {
        HandshakeError::Connect(ConnectError::Ours(_)) => ours(endpoint, attempts),
        HandshakeError::Connect(ConnectError::Refused) => {
            Finding::fail("port-closed", format!("{endpoint} refuses connections")).transient()
        }
        HandshakeError::Connect(error) => {
            Finding::fail("port-unanswered", format!("{endpoint}: {error}")).transient()
        }
        HandshakeError::Alert(alert) if is_of_no_certificate(alert) => {
            no_certificate(endpoint, alert)
        }
        HandshakeError::NotTls(start) => {
            let port = endpoint.port;
            let summary = format!("{} does not speak TLS on port {port}: {start}", endpoint.host);
            Finding::fail("tls-not-spoken", summary)
        }
        HandshakeError::TimedOut(_) | HandshakeError::Closed => {
            Finding::fail("handshake-cut", format!("{endpoint}: {error}")).transient()
        }
        HandshakeError::Alert(_) | HandshakeError::Other(_) => {
            Finding::fail("handshake-cut", format!("{endpoint}: {error}"))
        }
    };
    ("tls.handshake", shown(finding, endpoint, attempts))
}

fn shown(finding: Finding, endpoint: &Endpoint, attempts: &[Attempt]) -> Finding {
    let actual = attempts.iter().map(describe).collect::<Vec<_>>().join("; ");
    let finding = finding.on(endpoint.to_string()).expected("a TLS session").actual(actual);
    attempts.iter().fold(finding, |finding, attempt| {
        finding.evidence(EvidenceKind::Connection, describe(attempt))
    })
}

fn too_old(endpoint: &Endpoint, error: &HandshakeError, old: Option<&OldHello>) -> Option<Finding> {
    let spoken = match (error, old) {
        (_, Some(OldHello::Accepted(version))) => format!("{version}, and nothing newer"),
        (HandshakeError::Alert(alert), _) if alert == "protocol_version" => {
            "nothing that is still in use".into()
        }
        _ => return None,
    };
    Some(Finding::fail("tls-too-old", format!("{endpoint} speaks {spoken}")))
}

/// Alerts by which servers say that they have no certificate for the name: the edge of Cloudflare
/// the first, others the second (RFC 6066), Go programs such as Traefik the third.
fn is_of_no_certificate(alert: &str) -> bool {
    ["handshake_failure", "unrecognized_name", "internal_error"].contains(&alert)
}

fn no_certificate(endpoint: &Endpoint, alert: &str) -> Finding {
    let host = &endpoint.host;
    let summary = format!("{host} gets no certificate: the server ends the handshake with {alert}");
    Finding::fail("edge-has-no-certificate", summary).remedy(format!(
        "give what terminates TLS a certificate for {host}. At Cloudflare, Universal SSL covers \
         the zone and names one label below it only: order a certificate for {host} with Advanced \
         Certificate Manager (or switch Total TLS on), upload one, or use a name one label below \
         the zone. Behind Traefik, put {host} into the `dnsNames` of the cert-manager Certificate \
         and name its Secret in the IngressRoute's `tls.secretName`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(error: HandshakeError) -> Attempt {
        Attempt { address: ([198, 51, 100, 1], 443).into(), result: Err(error) }
    }

    fn judged(error: HandshakeError, old: Option<OldHello>) -> (&'static str, Finding) {
        let attempt = attempt(error);
        let endpoint = Endpoint::new("matrix.testing.borooka.ee", 443);
        judge(&endpoint, &attempt, std::slice::from_ref(&attempt), old.as_ref())
    }

    #[test]
    fn each_way_to_fail_has_its_cause() {
        let alert = |name: &str| HandshakeError::Alert(name.into());
        let refuses = Some(OldHello::Refused);
        for (error, old, owner, cause) in [
            (
                alert("handshake_failure"),
                refuses.clone(),
                "tls.handshake",
                "edge-has-no-certificate",
            ),
            (alert("protocol_version"), refuses.clone(), "tls.protocol", "tls-too-old"),
            (
                HandshakeError::Other("peer is incompatible".into()),
                Some(OldHello::Accepted("TLSv1.1".into())),
                "tls.protocol",
                "tls-too-old",
            ),
            (alert("bad_certificate"), refuses.clone(), "tls.handshake", "handshake-cut"),
            (HandshakeError::Closed, refuses, "tls.handshake", "handshake-cut"),
            (ConnectError::Refused.into(), None, "tls.handshake", "port-closed"),
            (
                ConnectError::TimedOut(std::time::Duration::from_secs(5)).into(),
                None,
                "tls.handshake",
                "port-unanswered",
            ),
            (
                HandshakeError::NotTls("HTTP/1.1 400".into()),
                None,
                "tls.handshake",
                "tls-not-spoken",
            ),
        ] {
            let (by, finding) = judged(error, old);
            assert_eq!((by, finding.cause), (owner, Some(cause)), "{}", finding.summary);
        }
    }

    #[test]
    fn trouble_on_our_side_is_no_failure() {
        let error = HandshakeError::Connect(ConnectError::Ours("no IPv6".into()));
        let finding = ours(&Endpoint::new("example.org", 443), &[attempt(error)]);
        assert_eq!(finding.outcome, mxdoctor_model::Outcome::Error);
    }
}
