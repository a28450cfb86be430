//! `tls.name`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::tls::Session;

use crate::facts::{Endpoint, Sessions, endpoints};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// The certificate that a host shows covers the host's name.
    ///
    /// ## Why it matters
    /// Every client refuses a certificate for another name, browsers with a full-page warning and
    /// other homeservers with silence.
    ///
    /// ## What makes it fail
    /// The subject alternative names hold neither the name nor a wildcard for it. A wildcard covers
    /// exactly one label: `*.borooka.ee` does not cover `matrix.testing.borooka.ee`.
    ///
    /// Not judged where the chain is not trusted: then the certificate is the wrong one altogether,
    /// and `tls.chain` says so.
    ///
    /// ## How to fix it
    /// Add the name to `dnsNames` of the cert-manager `Certificate`, or order an edge certificate
    /// for it; then see that the ingress uses that one for the host.
    ///
    /// ## Where it comes from
    /// RFC 9525, section 6; Matrix server-server API, "Resolving server names" for the name that
    /// other homeservers demand.
    "tls.name" at PI: "the certificate covers the name"
    causes ["certificate-wrong-name"]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    let endpoints = endpoints(cx).await?;
    let look = |endpoint: Endpoint| async move {
        let Endpoint { host, port } = endpoint.clone();
        let handshakes = cx.fact(Sessions { host, port }).await?;
        let session = handshakes.session();
        if let Some(finding) = super::chain::judge(&endpoint, session, cx.vantage()) {
            super::unless_stale(cx, &endpoint, &handshakes).await?;
            return Err(Unavailable::by("tls.chain", finding));
        }
        if let Some(finding) = judge(&endpoint, session) {
            super::unless_stale(cx, &endpoint, &handshakes).await?;
            return Ok(finding.into());
        }
        Ok(Finding::pass(format!("covered by {}", names(session))).into())
    };
    Ok(cx.each(endpoints, look).await)
}

/// The finding where the certificate does not cover the name.
pub(crate) fn judge(endpoint: &Endpoint, session: &Session) -> Option<Finding> {
    if session.verification.name_matches {
        return None;
    }
    let host = &endpoint.host;
    let names = names(session);
    let finding = Finding::fail(
        "certificate-wrong-name",
        format!("{host} shows a certificate for {names}"),
    )
    .on(endpoint.to_string())
    .expected(format!("a certificate for {host}"))
    .actual(names)
    .remedy(format!(
        "put {host} into the certificate that its ingress uses: `dnsNames` of the cert-manager \
         Certificate, or an edge certificate for {host} at Cloudflare; then see that the \
         IngressRoute of {host} names that Secret in `tls.secretName`"
    ));
    let leaf = session.chain.first()?;
    let text = format!("{}, names: {}", leaf.subject, leaf.names.join(", "));
    Some(finding.evidence(EvidenceKind::Certificate, text))
}

/// The names of the leaf, the first few of them.
fn names(session: &Session) -> String {
    let names = session.chain.first().map_or(&[][..], |leaf| &leaf.names);
    match names {
        [] => "no name".into(),
        names if names.len() > 4 => {
            format!("{} and {} more", names[..3].join(", "), names.len() - 3)
        }
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::tests::session;

    #[test]
    fn a_certificate_for_another_name_is_named() {
        let endpoint = Endpoint::new("matrix.example.org", 443);
        let mut session = session("other.example.org", 90);
        assert!(judge(&endpoint, &session).is_none());
        session.verification.name_matches = false;
        let finding = judge(&endpoint, &session).expect("a finding");
        assert_eq!(finding.cause, Some("certificate-wrong-name"));
        assert!(finding.summary.ends_with("for other.example.org"), "{}", finding.summary);
    }
}
