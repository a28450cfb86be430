//! `tls.chain`

use mxdoctor_model::{EvidenceKind, Finding, Vantage};
use mxdoctor_probes::tls::{Certificate, Session, Trust};

use crate::facts::{Endpoint, Sessions, endpoints};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The certificates that a host sends lead, without gaps, to an authority that its clients
    /// trust: the public roots outside, the configured authority inside.
    ///
    /// ## Why it matters
    /// Browsers often repair a missing intermediate by themselves; other homeservers, phones and
    /// command-line tools do not. So a site may look fine and be closed to federation.
    ///
    /// ## What makes it fail
    /// - The intermediate certificate is not sent. It is fetched from the address that the
    ///   certificate names, and if that completes the chain the cause is certain.
    /// - The chain ends in a private authority, or in a certificate signed by itself.
    /// - The ingress shows its default certificate, since it has none for this name.
    ///
    /// Names and dates are judged apart: `tls.name` and `tls.validity`.
    ///
    /// ## How to fix it
    /// Serve the full chain (`tls.crt` of the Secret holds leaf and intermediates, in this order),
    /// from an authority that the clients of this host know.
    ///
    /// ## Where it comes from
    /// RFC 5280, section 6; RFC 8446, section 4.4.2 (the sender provides the chain); Matrix
    /// server-server API, "TLS".
    "tls.chain" at PI: "the certificate chain is complete and trusted"
    causes [
        "certificate-chain-incomplete",
        "certificate-untrusted-issuer",
        "ingress-default-certificate",
        "certificate-invalid",
    ]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    let endpoints = endpoints(cx).await?;
    let look = |endpoint: Endpoint| async move {
        let Endpoint { host, port } = endpoint.clone();
        let handshakes = cx.fact(Sessions { host, port }).await?;
        let session = handshakes.session();
        if let Some(finding) = judge(&endpoint, session, cx.vantage()) {
            super::unless_stale(cx, &endpoint, &handshakes).await?;
            return Ok(finding.into());
        }
        let issuer = session.chain.first().map_or("", |leaf| leaf.issuer.as_str());
        Ok(shown(Finding::pass(format!("trusted, issued by {issuer}")), session).into())
    };
    Ok(cx.each(endpoints, look).await)
}

/// The finding where the chain is not trusted.
pub(crate) fn judge(endpoint: &Endpoint, session: &Session, vantage: Vantage) -> Option<Finding> {
    let host = &endpoint.host;
    let finding = match &session.verification.trust {
        Trust::Trusted => return None,
        Trust::IssuerNotSent { issuer, completed: true } => Finding::fail(
            "certificate-chain-incomplete",
            format!("{host} does not send the intermediate certificate {issuer}"),
        ),
        Trust::IssuerNotSent { issuer, completed: false } => untrusted(
            host,
            vantage,
            &format!("issued by {issuer}, which is neither sent nor trusted"),
        ),
        Trust::UntrustedRoot(root) => {
            untrusted(host, vantage, &format!("of the authority {root}, which is not trusted"))
        }
        Trust::SelfSigned if session.chain.first().is_some_and(is_default) => Finding::fail(
            "ingress-default-certificate",
            format!("{host} shows the default certificate of the ingress"),
        ),
        Trust::SelfSigned => untrusted(host, vantage, "signed by itself"),
        Trust::Invalid(reason) => Finding::fail(
            "certificate-invalid",
            format!("{host} shows a certificate that does not verify: {reason}"),
        ),
    };
    let expected = match vantage {
        Vantage::Public => "a chain to a public authority, as sent",
        _ => "a chain to a trusted or configured authority",
    };
    Some(shown(finding.on(endpoint.to_string()).expected(expected), session))
}

fn untrusted(host: &str, vantage: Vantage, what: &str) -> Finding {
    let summary = format!("{host} shows a certificate {what}");
    let finding = Finding::fail("certificate-untrusted-issuer", summary);
    match vantage {
        Vantage::Public => finding,
        _ => finding.remedy(format!(
            "name the authority of the internal ingress with `ca_files` in the `[internal]` table \
             of stack.toml; if it is named already, {host} has a certificate of another one: look \
             at `issuerRef` of its cert-manager Certificate"
        )),
    }
}

/// Certificates that ingresses make for themselves until they are given one.
fn is_default(leaf: &Certificate) -> bool {
    let subject = leaf.subject.to_ascii_lowercase();
    subject.contains("traefik default cert") || subject.contains("ingress controller fake cert")
}

fn shown(finding: Finding, session: &Session) -> Finding {
    session.chain.iter().enumerate().fold(finding, |finding, (index, certificate)| {
        let Certificate { subject, issuer, .. } = certificate;
        let text = format!("{index}: {subject}, issued by {issuer}");
        finding.evidence(EvidenceKind::Certificate, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::tests::session;

    fn cause(trust: Trust) -> Option<&'static str> {
        let mut session = session("example.org", 90);
        session.verification.trust = trust;
        judge(&Endpoint::new("example.org", 443), &session, Vantage::Public).and_then(|f| f.cause)
    }

    #[test]
    fn each_kind_of_distrust_has_its_cause() {
        let issuer = |completed| Trust::IssuerNotSent { issuer: "CN=R11".into(), completed };
        assert_eq!(cause(Trust::Trusted), None);
        assert_eq!(cause(issuer(true)), Some("certificate-chain-incomplete"));
        assert_eq!(cause(issuer(false)), Some("certificate-untrusted-issuer"));
        assert_eq!(cause(Trust::SelfSigned), Some("certificate-untrusted-issuer"));
        assert_eq!(
            cause(Trust::UntrustedRoot("CN=home".into())),
            Some("certificate-untrusted-issuer")
        );
        assert_eq!(cause(Trust::Invalid("bad signature".into())), Some("certificate-invalid"));
    }

    #[test]
    fn the_default_certificate_is_named() {
        let mut session = session("example.org", 90);
        session.verification.trust = Trust::SelfSigned;
        session.chain[0].subject = "CN=TRAEFIK DEFAULT CERT".into();
        let finding = judge(&Endpoint::new("example.org", 443), &session, Vantage::Public);
        assert_eq!(finding.and_then(|f| f.cause), Some("ingress-default-certificate"));
    }
}
