//! `jitsi.dtls`

use mxdoctor_model::{Finding, Outcome};
use mxdoctor_probes::dtls::{DtlsError, Secured};

use super::{ice, need};
use crate::facts::{EndpointPath, Paths, UdpPaths};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// The DTLS handshake with the video bridge completes over the nominated pair: both
    /// certificates are those whose fingerprints were signalled, and an SRTP profile is agreed.
    ///
    /// ## Why it matters
    /// The keys of all sound and video come from this handshake. Without it people are connected,
    /// and stay silent and black.
    ///
    /// ## What makes it fail
    /// No answer to the hello although STUN is answered (a filter that lets only STUN through);
    /// a handshake that begins and does not end (large packets are lost on the way); an alert;
    /// a certificate other than the one signalled (another bridge answers, or something sits in
    /// the middle).
    ///
    /// ## How to fix it
    /// Compare the MTU of the bridge's network with that of the way to it; take DTLS-inspecting
    /// firewalls out of the way; give every bridge an address or port of its own.
    ///
    /// ## Where it comes from
    /// RFC 5764, RFC 6347, RFC 8122 section 5.
    "jitsi.dtls" at PIC: "DTLS with the bridge completes with the signalled certificate"
    causes ["dtls-no-answer", "dtls-stalls", "dtls-fingerprint-mismatch", "dtls-refused"]
    timeout 180
}

async fn run(cx: &Cx) -> Verdict {
    let paths = cx.fact(Paths).await?;
    ice::reached(cx, &paths).await?;
    Ok(judge(&paths)?.into())
}

/// The stages after this one.
pub(super) async fn passed(cx: &Cx, paths: &UdpPaths) -> Result<(), Unavailable> {
    ice::reached(cx, paths).await?;
    need("jitsi.ice", ice::judge(paths))?;
    need("jitsi.dtls", judge(paths)?)
}

/// One finding for all endpoints: the first that failed, or the last that came through.
pub(super) fn judge(paths: &UdpPaths) -> Result<Finding, Unavailable> {
    let mut last = None;
    for endpoint in &paths.endpoints {
        let Some((outcome, hello)) = &endpoint.way.dtls else {
            need("jitsi.ice", ice::judge(paths))?;
            let summary = format!("the DTLS handshake of {} did not begin", endpoint.label);
            return Ok(Finding::error(summary).evidences(paths.evidence()));
        };
        let finding = opinion(endpoint, outcome, *hello);
        if finding.outcome != Outcome::Pass {
            return Ok(finding.evidences(paths.evidence()));
        }
        last = Some(finding);
    }
    let finding = last.unwrap_or_else(|| Finding::error("there was no endpoint to look at"));
    Ok(finding.evidences(paths.evidence()))
}

fn opinion(endpoint: &EndpointPath, outcome: &Result<Secured, DtlsError>, hello: bool) -> Finding {
    let (sent, received) = endpoint.way.traffic.dtls;
    let finding = match outcome {
        Ok(secured) => done(secured),
        Err(error) => failed(endpoint, error, hello),
    };
    finding.metric("dtls_packets_sent", sent.datagrams.into(), "count").metric(
        "dtls_packets_received",
        received.datagrams.into(),
        "count",
    )
}

fn failed(endpoint: &EndpointPath, error: &DtlsError, hello: bool) -> Finding {
    let (sent, received) = endpoint.way.traffic.dtls;
    let label = &endpoint.label;
    match error {
        DtlsError::Fingerprint { signalled, presented } => Finding::fail(
            "dtls-fingerprint-mismatch",
            "the certificate shown over UDP is not the one that the bridge signalled",
        )
        .expected(signalled.to_string())
        .actual(presented.to_string()),
        DtlsError::GaveUp(_) if hello => Finding::fail(
            "dtls-stalls",
            format!("the DTLS handshake with {label} begins and does not end"),
        )
        .expected("the end of the handshake")
        .actual(format!("{} packets sent, {} came", sent.datagrams, received.datagrams)),
        DtlsError::GaveUp(_) => Finding::fail(
            "dtls-no-answer",
            format!("the bridge answers STUN, and not the DTLS hello of {label}"),
        )
        .expected("a server hello")
        .actual(format!("{} packets sent, none came", sent.datagrams))
        .likely(),
        DtlsError::Alert(alert) => {
            Finding::fail("dtls-refused", format!("the bridge ends the handshake with {alert}"))
                .expected("the end of the handshake")
                .actual(format!("alert {alert}"))
        }
        // It may be our own part that cannot go on.
        DtlsError::Refused(why) => {
            Finding::error("the DTLS handshake could not be completed from here").actual(why)
        }
    }
}

fn done(secured: &Secured) -> Finding {
    let ms = secured.elapsed.as_secs_f64() * 1e3;
    Finding::pass(format!(
        "{} in {ms:.0} ms, {}, certificate as signalled",
        secured.version, secured.profile
    ))
    .metric("dtls_handshake", ms, "ms")
    .evidence(
        mxdoctor_model::EvidenceKind::Connection,
        format!("{}, {}, certificate {}", secured.version, secured.cipher, secured.fingerprint),
    )
}
