//! `tls.protocol`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::tls::{Certificate, OldHello, Session};

use crate::facts::{Endpoint, Sessions, endpoints};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Every host speaks TLS 1.2 or 1.3 and nothing older, with keys and signatures that clients
    /// still accept.
    ///
    /// ## Why it matters
    /// Clients of today refuse TLS 1.0 and 1.1, RSA keys under 2048 bits and SHA-1. A server that
    /// still accepts the old versions works, and can be talked down by an attacker in between.
    ///
    /// ## What makes it fail
    /// - Only TLS 1.1 or older is spoken.
    /// - A certificate of the chain has an RSA key under 2048 bits, an elliptic-curve key under 224
    ///   bits, or a signature with MD5 or SHA-1 (roots aside: nobody verifies theirs).
    ///
    /// It warns where a hello that offers TLS 1.0 and 1.1 only is answered.
    ///
    /// ## How to fix it
    /// At Cloudflare: SSL/TLS, Edge Certificates, Minimum TLS Version 1.2 (the default is 1.0). At
    /// Traefik: `minVersion: VersionTLS12` in the `TLSOption` (that is its default).
    ///
    /// ## Where it comes from
    /// RFC 8996 (TLS 1.0 and 1.1 deprecated); RFC 9325, section 4; CA/Browser Forum Baseline
    /// Requirements, section 6.1.5; Matrix server-server API, "TLS".
    "tls.protocol" at PI: "TLS 1.2 or better, old versions refused"
    causes ["tls-too-old", "tls-old-versions-accepted", "certificate-weak"]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    let look = |endpoint: Endpoint| async move {
        let Endpoint { host, port } = endpoint;
        let handshakes = cx.fact(Sessions { host: host.clone(), port }).await?;
        let session = handshakes.session();
        let old = cx.net().old_hello(&host, session.address).await;
        Ok(judge(&host, session, &old).into())
    };
    Ok(cx.each(endpoints(cx).await?, look).await)
}

fn judge(host: &str, session: &Session, old: &OldHello) -> Finding {
    let chain =
        session.chain.iter().find_map(|certificate| Some((certificate, weak(certificate)?)));
    let finding = if let Some((certificate, what)) = chain {
        let summary =
            format!("{host} relies on a certificate with {what}: {}", certificate.subject);
        Finding::fail("certificate-weak", summary)
            .expected("RSA of 2048 bits or more, or an elliptic curve, signed with SHA-2")
            .actual(what)
    } else if let OldHello::Accepted(version) = old {
        let summary = format!("{host} also speaks {version}, which is no longer safe");
        Finding::warn("tls-old-versions-accepted", summary)
            .expected("TLS 1.2 and 1.3 only")
            .actual(format!("{version} accepted"))
    } else {
        let key = session.chain.first().map_or("", |leaf| leaf.key.as_str());
        Finding::pass(format!("{}, {key}", session.version))
    };
    let old = match old {
        OldHello::Accepted(version) => format!("accepted as {version}"),
        OldHello::Refused => "refused".into(),
        OldHello::Unknown(why) => format!("not known: {why}"),
    };
    finding.evidence(
        EvidenceKind::Connection,
        format!("{}; a hello of TLS 1.0 and 1.1: {old}", session.version),
    )
}

/// What clients no longer accept of a certificate.
fn weak(certificate: &Certificate) -> Option<String> {
    let Certificate { key, key_bits, signature, .. } = certificate;
    let small = (key.starts_with("RSA") && *key_bits < 2048)
        || (key.starts_with("ECDSA") && *key_bits > 0 && *key_bits < 224);
    if small {
        return Some(format!("a key of {key}"));
    }
    let lower = signature.to_ascii_lowercase();
    let old = ["sha1", "sha-1", "md5"].iter().any(|hash| lower.contains(hash));
    (old && !certificate.self_issued).then(|| format!("a signature by {signature}"))
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::tls::tests::session;

    #[test]
    fn old_versions_and_weak_keys_are_told_apart() {
        let good = session("example.org", 90);
        let judged = |session: &Session, old: &OldHello| {
            let finding = judge("example.org", session, old);
            (finding.outcome, finding.cause)
        };
        assert_eq!(judged(&good, &OldHello::Refused), (Outcome::Pass, None));
        assert_eq!(judged(&good, &OldHello::Unknown("closed".into())), (Outcome::Pass, None));
        assert_eq!(
            judged(&good, &OldHello::Accepted("TLSv1.0".into())),
            (Outcome::Warn, Some("tls-old-versions-accepted"))
        );
        let mut small = good.clone();
        small.chain[0].key = "RSA 1024".into();
        small.chain[0].key_bits = 1024;
        assert_eq!(judged(&small, &OldHello::Refused), (Outcome::Fail, Some("certificate-weak")));
        let mut sha1 = good.clone();
        sha1.chain[0].signature = "sha1WithRSAEncryption".into();
        assert_eq!(judged(&sha1, &OldHello::Refused).0, Outcome::Fail);
        sha1.chain[0].self_issued = true;
        assert_eq!(judged(&sha1, &OldHello::Refused).0, Outcome::Pass);
    }
}
