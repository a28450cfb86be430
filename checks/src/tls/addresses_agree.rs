//! `tls.addresses_agree`

use mxdoctor_model::{EvidenceKind, Finding};

use super::handshake::describe;
use crate::facts::{
    Attempt, Endpoint, Handshakes, Sessions, Trusted, endpoints, note_out_of_reach,
};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Every address of a name completes a handshake with an acceptable certificate.
    ///
    /// ## Why it matters
    /// Clients pick one of the addresses. With one of two broken, half of the people and half of
    /// the other homeservers fail, and each try looks different.
    ///
    /// ## What makes it fail
    /// At least one address is good, and another refuses, does not answer, or shows a certificate
    /// that clients refuse. Certificates that differ and are all acceptable pass.
    ///
    /// Addresses of a family that this machine has no way to are not judged. A name with one
    /// address is a skip.
    ///
    /// ## How to fix it
    /// Repair the server behind the address, or remove its A or AAAA record. An AAAA record of a
    /// node without a listener on IPv6 is the usual find.
    ///
    /// ## Where it comes from
    /// RFC 8305 (clients choose among addresses); Matrix server-server API, "Resolving server
    /// names": other homeservers may use any of them.
    "tls.addresses_agree" at P: "every address of a name shows an acceptable certificate"
    causes ["one-address-broken"]
    timeout 30
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let look = |endpoint: Endpoint| async move {
        let Endpoint { host, port } = endpoint.clone();
        let handshakes = cx.fact(Sessions { host: host.clone(), port }).await?;
        if let Some(finding) = too_few(&handshakes) {
            return Ok(finding.into());
        }
        // With no good address there is nothing to agree with.
        cx.fact(Trusted { host, port }).await?;
        super::unless_stale(cx, &endpoint, &handshakes).await?;
        Ok(judge(&endpoint, &handshakes).into())
    };
    Ok(cx.each(endpoints(cx).await?, look).await)
}

fn too_few(handshakes: &Handshakes) -> Option<Finding> {
    let reason = match (handshakes.attempts.len(), handshakes.out_of_reach.len()) {
        (1, 0) => "the name has one address",
        (1, _) => "only one address of the name can be reached from here",
        _ => return None,
    };
    Some(note_out_of_reach(Finding::skip(reason), &handshakes.out_of_reach))
}

fn judge(endpoint: &Endpoint, handshakes: &Handshakes) -> Finding {
    let bad: Vec<&Attempt> = handshakes.attempts.iter().filter(|a| !a.accepted()).collect();
    let all = handshakes.attempts.len();
    let finding = if let Some(first) = bad.first() {
        let addresses: Vec<_> =
            bad.iter().map(|attempt| attempt.address.ip().to_string()).collect();
        let list = addresses.join(", ");
        let host = &endpoint.host;
        let why = match &first.result {
            Ok(_) => "shows a certificate that clients refuse".to_owned(),
            Err(error) => error.to_string(),
        };
        let are = if bad.len() == 1 { "is" } else { "are" };
        let count = bad.len();
        let summary = format!("{count} of {all} addresses of {host} {are} broken: {list}: {why}");
        let finding = Finding::fail("one-address-broken", summary)
            .expected("an acceptable certificate on every address")
            .actual(bad.iter().map(|attempt| describe(attempt)).collect::<Vec<_>>().join("; "))
            .remedy(format!(
                "repair what answers for {host} on {list}, or remove that address from the DNS \
                 records of {host}"
            ));
        if first.result.is_err() { finding.transient() } else { finding }
    } else {
        let mut certificates: Vec<_> = handshakes
            .attempts
            .iter()
            .filter_map(|attempt| attempt.result.as_ref().ok()?.chain.first())
            .map(|leaf| &leaf.sha256)
            .collect();
        certificates.sort_unstable();
        certificates.dedup();
        match certificates.len() {
            1 => Finding::pass(format!("{all} addresses, one certificate")),
            n => Finding::pass(format!("{all} addresses, {n} certificates, all acceptable")),
        }
    };
    let finding = handshakes.attempts.iter().fold(finding, |finding, attempt| {
        finding.evidence(EvidenceKind::Connection, describe(attempt))
    });
    note_out_of_reach(finding, &handshakes.out_of_reach)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mxdoctor_model::Outcome;
    use mxdoctor_probes::tls::{ConnectError, Trust};

    use super::*;
    use crate::tls::tests::session;

    fn judged(second: Attempt) -> Finding {
        let first = Attempt {
            address: ([198, 51, 100, 1], 443).into(),
            result: Ok(Arc::new(session("example.org", 90))),
        };
        let handshakes = Handshakes { attempts: vec![first, second], out_of_reach: Vec::new() };
        judge(&Endpoint::new("example.org", 443), &handshakes)
    }

    #[test]
    fn one_bad_address_is_named() {
        let address = ([198, 51, 100, 2], 443).into();
        let refused = Attempt { address, result: Err(ConnectError::Refused.into()) };
        let finding = judged(refused);
        assert_eq!(finding.cause, Some("one-address-broken"));
        assert!(finding.summary.contains("198.51.100.2"), "{}", finding.summary);
        let mut other = session("example.org", 90);
        other.chain[0].sha256 = "11".repeat(32);
        let fine = Attempt { address, result: Ok(Arc::new(other.clone())) };
        assert_eq!(judged(fine).outcome, Outcome::Pass);
        other.verification.trust = Trust::SelfSigned;
        let bad = Attempt { address, result: Ok(Arc::new(other)) };
        assert_eq!(judged(bad).cause, Some("one-address-broken"));
    }
}
