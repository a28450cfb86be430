//! `jitsi.bosh`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::{HttpError, Response};
use mxdoctor_probes::xmpp::{BoshError, Opened, StreamError};

use crate::facts::{Ask, Asked, Endpoint, JitsiXmpp, Page, classify};
use crate::{Cx, Unavailable, Verdict, check, ingress};

check! {
    /// ## What it asserts
    /// A session request over BOSH at the address in `config.js` is answered by an XMPP server that
    /// serves the domain in `config.js`, up to the features of the stream.
    ///
    /// ## Why it matters
    /// BOSH is the way of clients whose network lets no WebSocket through, and the plainest proof
    /// that Prosody is there. Without Prosody no call is set up.
    ///
    /// ## What makes it fail
    /// - 502, 503 or 504: the web container cannot reach Prosody, or Prosody is down.
    /// - Prosody does not serve the domain: `XMPP_DOMAIN` differs between web and Prosody.
    /// - A page of Jitsi Meet's own or another status: the path is not proxied.
    ///
    /// It is skipped where `config.js` names no BOSH address.
    ///
    /// ## How to fix it
    /// Look at the Prosody pod and its log, then at `XMPP_BOSH_URL_BASE` of the web container:
    /// `http://prosody.app-matrix.svc.cluster.local:5280`. Its nginx asks DNS for the full name;
    /// short names fail there.
    ///
    /// ## Where it comes from
    /// XEP-0124, XEP-0206; docker-jitsi-meet, `meet.conf`.
    "jitsi.bosh" at PIC: "a BOSH session request is answered by XMPP"
    causes ["prosody-down", "xmpp-domain-mismatch", "bosh-not-proxied", "xmpp-stream-broken"]
    timeout 60
    attempts 2
}

pub(crate) async fn run(cx: &Cx) -> Verdict {
    let places = cx.fact(JitsiXmpp).await?;
    let Some(url) = &places.bosh else {
        return Ok(Finding::skip("config.js names no BOSH address").into());
    };
    // Proves the connection; what is wrong with it is others' to say.
    let plain = cx.fact(Asked(Ask::get(url.clone()))).await?;
    edge(cx, plain.last())?;
    let finding = match cx.net().bosh(url, &places.domain).await {
        Ok(session) => {
            let finding = pass(&session.opened, "BOSH", &places.domain);
            let finding = finding.evidence(EvidenceKind::Request, session.response.line());
            session.close(cx.net()).await;
            finding
        }
        Err(error) => judge(&error, &places.domain),
    };
    Ok(finding.evidence(EvidenceKind::Request, plain.last().line()).into())
}

/// Leaves it to the ingress's checks where the edge answers in everybody's stead.
pub(super) fn edge(cx: &Cx, response: &Response) -> Result<(), Unavailable> {
    let (Some(page), Some(endpoint)) = (classify(response), Endpoint::of(&response.url)) else {
        return Ok(());
    };
    match page {
        Page::Challenge => Err(Unavailable::by(
            "ingress.challenge",
            ingress::challenge::judge(&endpoint, response),
        )),
        Page::TunnelDown(_) | Page::EdgeWithoutOrigin(_) => Err(Unavailable::by(
            "ingress.reachable",
            ingress::reachable::judge(&endpoint, cx.target(), response, &page),
        )),
        Page::BackendDown(_) | Page::TimedOut(_) | Page::NotRouted(_) => Ok(()),
    }
}

/// The stream is open.
pub(super) fn pass(opened: &Opened, way: &str, domain: &str) -> Finding {
    let from = opened.from.as_deref().unwrap_or(domain);
    let mechanisms = match opened.features.mechanisms.as_slice() {
        [] => "no mechanism".to_owned(),
        mechanisms => mechanisms.join(", "),
    };
    Finding::pass(format!("{from} answers over {way}, offers {mechanisms}")).metric(
        "stream_open",
        opened.elapsed.as_secs_f64() * 1000.0,
        "ms",
    )
}

fn judge(error: &BoshError, domain: &str) -> Finding {
    match error {
        BoshError::Http(HttpError::Ours(reason)) => Finding::error(reason.clone()),
        BoshError::Http(error) => {
            let summary = format!("the session request has no answer: {error}");
            Finding::fail("bosh-not-proxied", summary).transient()
        }
        BoshError::Status(response) => status(response, domain, "bosh-not-proxied"),
        BoshError::NotBosh { response, reason } => {
            let summary = format!("the session request is not answered by XMPP: {reason}");
            Finding::fail("bosh-not-proxied", summary)
                .actual(start(response))
                .evidence(EvidenceKind::Request, response.line())
        }
        BoshError::Refused { response, condition } => {
            refused(condition, domain).evidence(EvidenceKind::Request, response.line())
        }
    }
}

/// What a status other than that of success says of what stands behind.
pub(super) fn status(response: &Response, domain: &str, otherwise: &'static str) -> Finding {
    let code = response.status.as_u16();
    let text = response.text().to_ascii_lowercase();
    let finding = match classify(response) {
        Some(Page::BackendDown(by) | Page::TimedOut(by)) => {
            let path = response.url.path();
            let summary =
                format!("{by} answers {code} for {path}: Prosody behind it does not answer");
            Finding::fail("prosody-down", summary).transient()
        }
        _ if code == 404 && text.contains("unknown host") => mismatch(domain),
        _ => Finding::fail(otherwise, format!("{} is answered with {code}", response.url)),
    };
    finding
        .expected("an answer of Prosody")
        .actual(start(response))
        .evidence(EvidenceKind::Request, response.line())
}

/// What a stream error says.
pub(super) fn refused(error: &StreamError, domain: &str) -> Finding {
    if matches!(error.condition.as_str(), "host-unknown" | "host-gone" | "improper-addressing") {
        return mismatch(domain).actual(error.to_string());
    }
    Finding::fail("xmpp-stream-broken", format!("the XMPP server refuses the stream: {error}"))
        .expected("stream features")
        .actual(error.to_string())
        .transient()
}

pub(super) fn mismatch(domain: &str) -> Finding {
    Finding::fail("xmpp-domain-mismatch", format!("Prosody does not serve {domain}"))
        .expected(format!("a VirtualHost {domain}, which config.js names"))
        .remedy(format!(
            "give web, Prosody, Jicofo and the bridge the same `XMPP_DOMAIN` (and \
             `XMPP_GUEST_DOMAIN`); config.js says {domain}"
        ))
}

fn start(response: &Response) -> String {
    let text: String = response.text().split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{} {}", response.status.as_u16(), text.chars().take(120).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    #[test]
    fn each_answer_has_its_cause() {
        let nginx = "<html><head><title>502 Bad Gateway</title></head>\
                     <center>nginx</center></html>";
        let cause = |error: &BoshError| judge(error, "meet.jitsi").cause;
        let status = |code, body| BoshError::Status(Box::new(answer(code, &[], body)));
        assert_eq!(cause(&status(502, nginx)), Some("prosody-down"));
        assert_eq!(cause(&status(404, "Unknown host: meet.jitsi")), Some("xmpp-domain-mismatch"));
        assert_eq!(cause(&status(405, "<html>")), Some("bosh-not-proxied"));
        let condition = |text: &str| BoshError::Refused {
            response: Box::new(answer(200, &[], "")),
            condition: StreamError { condition: text.into(), text: None },
        };
        assert_eq!(cause(&condition("host-unknown")), Some("xmpp-domain-mismatch"));
        assert_eq!(cause(&condition("policy-violation")), Some("xmpp-stream-broken"));
        assert_eq!(cause(&BoshError::Http(HttpError::Ours("no file descriptors".into()))), None);
    }
}
