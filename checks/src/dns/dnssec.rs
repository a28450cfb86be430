//! `dns.dnssec`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::dns::{Dnssec, Lookup};

use crate::facts::{Addresses, Resolved, Source, describe, host_names};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The DNSSEC signatures of every host's addresses hold, where the zone is signed. A zone that
    /// is not signed passes: that is information, not a fault.
    ///
    /// ## Why it matters
    /// For everybody whose resolver validates (most large public ones do), a zone with broken
    /// signatures does not exist; for everybody else all looks well.
    ///
    /// ## What makes it fail
    /// The resolver answers SERVFAIL, and gives an answer as soon as it is asked not to validate:
    /// expired signatures, or a DS record at the registrar that does not fit the zone's keys.
    ///
    /// ## How to fix it
    /// Compare the DS record at the registrar with the zone's key, sign again, or take the DS
    /// record away until it is in order.
    ///
    /// ## Where it comes from
    /// RFC 4035, section 5; RFC 6840, section 5.9 (the CD bit).
    "dns.dnssec" at P: "signed zones validate"
    causes ["dnssec-bogus"]
    timeout 20
}

async fn run(cx: &Cx) -> Verdict {
    let look = |host: String| async move {
        let resolved = cx.fact(Addresses { host: host.clone() }).await?;
        Ok(judge(&host, &resolved).into())
    };
    Ok(cx.each(host_names(cx).await?, look).await)
}

fn judge(host: &str, resolved: &Resolved) -> Finding {
    if resolved.source != Source::Dns {
        return Finding::skip(format!("the address of {host} is not taken from DNS"));
    }
    let lookups = [&resolved.a, &resolved.aaaa];
    let is = |state: Dnssec| lookups.iter().find(|lookup| lookup.dnssec == state);
    if let Some(lookup) = is(Dnssec::Bogus) {
        return bogus(host, lookup);
    }
    if is(Dnssec::Validated).is_some() {
        Finding::pass("signed, and validated by our resolver")
    } else if is(Dnssec::Signed).is_some() {
        Finding::pass("signed; our resolver does not say that it validates")
    } else {
        Finding::pass("not signed")
    }
}

/// The finding for signatures that do not hold.
pub(crate) fn bogus(host: &str, lookup: &Lookup) -> Finding {
    Finding::fail("dnssec-bogus", format!("the DNSSEC signatures of {host} do not hold"))
        .on(host)
        .expected("an answer from a validating resolver")
        .actual("SERVFAIL with validation, an answer without")
        .evidence(EvidenceKind::Dns, describe(lookup))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mxdoctor_model::Outcome;
    use mxdoctor_probes::dns::{Answer, Kind};

    use super::*;

    #[test]
    fn only_broken_signatures_fail() {
        let lookup = |dnssec| Lookup {
            name: "example.org".into(),
            kind: Kind::A,
            answer: Answer::NoData,
            server: None,
            dnssec,
            elapsed: Duration::ZERO,
        };
        let verdict = |a, aaaa| {
            let (a, aaaa) = (lookup(a), lookup(aaaa));
            let addresses = vec![[198, 51, 100, 1].into()];
            let resolved =
                Resolved { source: Source::Dns, a, aaaa, addresses, private: Vec::new() };
            judge("example.org", &resolved).outcome
        };
        assert_eq!(verdict(Dnssec::Unsigned, Dnssec::Unsigned), Outcome::Pass);
        assert_eq!(verdict(Dnssec::Validated, Dnssec::Validated), Outcome::Pass);
        assert_eq!(verdict(Dnssec::Signed, Dnssec::Unsigned), Outcome::Pass);
        assert_eq!(verdict(Dnssec::Validated, Dnssec::Bogus), Outcome::Fail);
    }
}
