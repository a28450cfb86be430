//! What the checks of the `tls` family share.

use crate::facts::{Endpoint, Handshakes, stale};
use crate::{Cx, Unavailable};

/// Leaves it to `dns.resolvers_agree` where the addresses without an acceptable certificate are
/// just an old answer of our resolver.
///
/// # Errors
/// What `dns.resolvers_agree` reports.
pub(crate) async fn unless_stale(
    cx: &Cx,
    endpoint: &Endpoint,
    handshakes: &Handshakes,
) -> Result<(), Unavailable> {
    let bad: Vec<_> = handshakes
        .attempts
        .iter()
        .filter(|attempt| !attempt.accepted())
        .map(|attempt| attempt.address)
        .collect();
    match stale(cx, endpoint, &bad).await {
        Some(finding) => Err(Unavailable::by("dns.resolvers_agree", finding)),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use mxdoctor_probes::tls::{Certificate, Session, Trust, Verification};

    /// A session that a client accepts, with a leaf of that name and so many days to live.
    pub(crate) fn session(name: &str, days: i64) -> Session {
        let now = jiff::Timestamp::now().as_second();
        Session {
            name: name.into(),
            address: ([198, 51, 100, 1], 443).into(),
            version: "TLSv1.3".into(),
            cipher: "TLS13_AES_256_GCM_SHA384".into(),
            alpn: Some("h2".into()),
            chain: vec![Certificate {
                subject: format!("CN={name}"),
                issuer: "C=US, O=Let's Encrypt, CN=E7".into(),
                names: vec![name.into()],
                not_before: now - 86_400,
                not_after: now + days * 86_400,
                key: "ECDSA P-256".into(),
                key_bits: 256,
                signature: "ecdsa-with-SHA384".into(),
                sha256: "00".repeat(32),
                issuer_url: None,
                self_issued: false,
                scts: 2,
                must_staple: false,
            }],
            verification: Verification {
                trust: Trust::Trusted,
                name_matches: true,
                in_dates: true,
            },
            ocsp: None,
            connect: Duration::from_millis(2),
            handshake: Duration::from_millis(3),
        }
    }
}
