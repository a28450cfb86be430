//! `tls.ocsp_ct`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::tls::{Session, Staple, StapleStatus};

use crate::dns::caa::domains_of;
use crate::facts::{Endpoint, Trusted, endpoints};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Where a host staples an OCSP response, it is about its certificate, in its dates, and says
    /// that the certificate is not revoked. A certificate that demands a staple (must-staple) has
    /// one. Certificates of the public authorities carry proofs that they were logged (SCTs).
    ///
    /// ## Why it matters
    /// Firefox shows an error for a bad staple, and for a missing one that was demanded; Chrome
    /// and Safari refuse certificates of public authorities that were not logged. Other clients go
    /// on, so that it "works for some".
    ///
    /// ## What makes it fail
    /// - fail: the staple says revoked; the certificate demands a staple and none is sent, or none
    ///   that is of use.
    /// - warn: a staple that is out of its dates, about another certificate or without an answer;
    ///   a certificate of a known public authority without embedded SCTs (they could be sent by
    ///   other ways, which are not looked at).
    ///
    /// No staple at all is right: most authorities have ended OCSP. Certificates of a private
    /// authority need no SCTs. The staple's signature is not verified.
    ///
    /// ## How to fix it
    /// Restart what ends TLS, so that it fetches a new response; let cert-manager issue the
    /// certificate anew, without the must-staple extension, where it is revoked or demands one.
    ///
    /// ## Where it comes from
    /// RFC 6066, section 8; RFC 6960; RFC 7633; RFC 6962.
    "tls.ocsp_ct" at P: "stapled status is good, and public certificates were logged"
    causes [
        "certificate-revoked",
        "ocsp-staple-missing",
        "ocsp-staple-bad",
        "certificate-not-logged",
    ]
    timeout 30
}

/// Clocks may differ by so many seconds before a staple counts as old.
const TOLERANCE: i64 = 3600;

async fn run(cx: &Cx) -> Verdict {
    let look = |endpoint: Endpoint| async move {
        let Endpoint { host, port } = endpoint;
        let session = cx.fact(Trusted { host: host.clone(), port }).await?;
        Ok(judge(&host, &session, jiff::Timestamp::now().as_second()).into())
    };
    Ok(cx.each(endpoints(cx).await?, look).await)
}

fn judge(host: &str, session: &Session, now: i64) -> Finding {
    let Some(leaf) = session.chain.first() else {
        return Finding::error(format!("{host} sent no certificate to judge"));
    };
    let staple = session.ocsp.as_ref().map(|staple| match staple {
        Ok(staple) => useful(staple, now).map(|()| staple.status),
        Err(why) => Err(why.clone()),
    });
    let said = match &staple {
        None => "no OCSP response is stapled".to_owned(),
        Some(Ok(status)) => format!("the stapled OCSP response says {status:?}").to_lowercase(),
        Some(Err(why)) => format!("the stapled OCSP response is of no use: {why}"),
    };
    let finding = match (&staple, leaf.must_staple) {
        (Some(Ok(StapleStatus::Revoked)), _) => {
            Finding::fail("certificate-revoked", format!("the certificate of {host} is revoked"))
                .expected("a certificate that is not revoked")
                .actual(&said)
        }
        (None, true) => Finding::fail(
            "ocsp-staple-missing",
            format!("the certificate of {host} demands a stapled OCSP response, and none is sent"),
        )
        .expected("a stapled OCSP response (must-staple, RFC 7633)")
        .actual(&said),
        (Some(Err(why)), true) => {
            let summary = format!("{host} staples an OCSP response that is of no use: {why}");
            Finding::fail("ocsp-staple-bad", summary).expected("good, in its dates").actual(&said)
        }
        (Some(Err(why)), false) => {
            let summary = format!("{host} staples an OCSP response that is of no use: {why}");
            Finding::warn("ocsp-staple-bad", summary).expected("good, in its dates").actual(&said)
        }
        _ if leaf.scts == 0 && domains_of(&leaf.issuer).is_some() => Finding::warn(
            "certificate-not-logged",
            format!("the certificate of {host} carries no proof that it was logged"),
        )
        .expected("two embedded SCTs or more")
        .actual("none"),
        _ => Finding::pass(match leaf.scts {
            0 => said.clone(),
            scts => format!("{said}; {scts} SCTs"),
        }),
    };
    let line = format!("{}, {} SCTs; {said}", leaf.subject, leaf.scts);
    finding.evidence(EvidenceKind::Certificate, line)
}

/// Whether a client takes a response for an answer.
fn useful(staple: &Staple, now: i64) -> Result<(), String> {
    if staple.next_update.is_some_and(|next| next < now - TOLERANCE) {
        return Err("it is out of date".into());
    }
    if staple.this_update > now + TOLERANCE {
        return Err("it is not valid yet".into());
    }
    match staple.status {
        StapleStatus::Unknown => Err("the authority does not know the certificate".into()),
        StapleStatus::Good | StapleStatus::Revoked => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome::{self, Fail, Pass, Warn};

    use super::*;
    use crate::tls::tests::session;

    const NOW: i64 = 1_800_000_000;
    const PRIVATE: &str = "CN=Our own authority";

    fn staple(status: StapleStatus, from: i64, to: i64) -> Option<Result<Staple, String>> {
        let (this_update, next_update) = (NOW + from, Some(NOW + to));
        Some(Ok(Staple { status, this_update, next_update }))
    }

    fn told(
        issuer: &str,
        scts: usize,
        must_staple: bool,
        ocsp: Option<Result<Staple, String>>,
    ) -> (Outcome, Option<&'static str>) {
        let mut session = session("example.org", 60);
        session.ocsp = ocsp;
        let leaf = &mut session.chain[0];
        (leaf.scts, leaf.must_staple) = (scts, must_staple);
        leaf.issuer = issuer.into();
        let finding = judge("example.org", &session, NOW);
        (finding.outcome, finding.cause)
    }

    #[test]
    fn what_clients_accept_passes() {
        let public = "C=US, O=Let's Encrypt, CN=E7";
        let good = || staple(StapleStatus::Good, -10_000, 10_000);
        assert_eq!(told(public, 2, false, None), (Pass, None));
        assert_eq!(told(public, 2, true, good()), (Pass, None));
        assert_eq!(told(PRIVATE, 0, false, None), (Pass, None));
        assert_eq!(told(public, 0, false, None), (Warn, Some("certificate-not-logged")));
    }

    #[test]
    fn bad_staples_are_told_apart() {
        let revoked = staple(StapleStatus::Revoked, -10_000, 10_000);
        assert_eq!(told(PRIVATE, 0, false, revoked), (Fail, Some("certificate-revoked")));
        assert_eq!(told(PRIVATE, 0, true, None), (Fail, Some("ocsp-staple-missing")));
        let bad = Some("ocsp-staple-bad");
        let old = || staple(StapleStatus::Good, -90_000, -9000);
        assert_eq!(told(PRIVATE, 0, false, old()), (Warn, bad));
        assert_eq!(told(PRIVATE, 0, true, old()), (Fail, bad));
        let unknown = staple(StapleStatus::Unknown, -10_000, 10_000);
        assert_eq!(told(PRIVATE, 0, false, unknown), (Warn, bad));
        let early = staple(StapleStatus::Good, 9000, 90_000);
        assert_eq!(told(PRIVATE, 0, false, early), (Warn, bad));
        assert_eq!(told(PRIVATE, 0, false, Some(Err("not readable".into()))), (Warn, bad));
    }
}
