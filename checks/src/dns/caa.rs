//! `dns.caa`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::dns::{Answer, Data, Kind, Lookup};

use crate::facts::{Endpoint, Trusted, describe, endpoints};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The CAA records of each host permit the authority that issued the certificate in use. The
    /// records of the host itself hold, else those of the next name above that has any.
    ///
    /// ## Why it matters
    /// Authorities look at CAA when they issue. A record that leaves out the authority in use
    /// changes nothing today, and stops the next renewal.
    ///
    /// ## What makes it fail
    /// It warns where records are there and none of them names the issuer. For a wildcard
    /// certificate `issuewild` goes before `issue`. It is a skip where it is not known by which
    /// domain the issuer is named in CAA, and an error where the question has no answer.
    ///
    /// ## How to fix it
    /// Add the authority: `testing.borooka.ee. CAA 0 issue "letsencrypt.org"`. Certificates of the
    /// Cloudflare edge come from several authorities; Cloudflare adds records for them by itself
    /// only where it serves the zone.
    ///
    /// ## Where it comes from
    /// RFC 8659, sections 3 and 4; the authorities' own statements of their domains.
    "dns.caa" at P: "CAA permits the issuer of the certificate in use"
    causes ["caa-forbids-issuer"]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    Ok(cx.each(endpoints(cx).await?, |endpoint| look(cx, endpoint)).await)
}

async fn look(cx: &Cx, endpoint: Endpoint) -> Verdict {
    let Endpoint { host, port } = endpoint;
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Ok(Finding::skip("CAA is for names, and this host is an address").into());
    }
    let session = cx.fact(Trusted { host: host.clone(), port }).await?;
    let Some(leaf) = session.chain.first() else {
        return Ok(Finding::error("internal: a trusted session without a certificate").into());
    };
    let wildcard = !leaf.names.iter().any(|name| name.eq_ignore_ascii_case(&host));
    let finding = match relevant(cx, &host).await {
        Relevant::None => Finding::pass("no CAA record: any authority may issue"),
        Relevant::Unknown(lookup) => {
            Finding::error(format!("CAA of {} could not be asked", lookup.name))
                .evidence(EvidenceKind::Dns, describe(&lookup))
        }
        Relevant::Some(lookup) => judge(&lookup, &leaf.issuer, wildcard)
            .evidence(EvidenceKind::Dns, describe(&lookup))
            .evidence(EvidenceKind::Certificate, format!("issued by {}", leaf.issuer)),
    };
    Ok(finding.into())
}

/// The records that hold for a host.
enum Relevant {
    None,
    Some(Lookup),
    Unknown(Lookup),
}

/// Climbs from the host to just below the root (RFC 8659, section 3).
async fn relevant(cx: &Cx, host: &str) -> Relevant {
    let mut name = Some(host);
    while let Some(at) = name {
        let lookup = cx.net().lookup(at, Kind::Caa).await;
        match lookup.answer {
            Answer::Records(_) if lookup.records().next().is_some() => {
                return Relevant::Some(lookup);
            }
            Answer::Unanswered(_) | Answer::Refused(_) => return Relevant::Unknown(lookup),
            _ => {}
        }
        name = at.split_once('.').map(|(_, above)| above);
    }
    Relevant::None
}

fn judge(lookup: &Lookup, issuer: &str, wildcard: bool) -> Finding {
    let values = |wanted: &str| -> Vec<String> {
        let records = lookup.records().filter_map(|record| match &record.data {
            Data::Caa { tag, value, .. } if tag.eq_ignore_ascii_case(wanted) => {
                // The domain comes before the parameters; none at all permits nobody.
                let domain = value.split(';').next().unwrap_or_default();
                Some(domain.trim().trim_end_matches('.').to_lowercase())
            }
            _ => None,
        });
        records.collect()
    };
    let wild = values("issuewild");
    let permitted = if wildcard && !wild.is_empty() { wild } else { values("issue") };
    if permitted.is_empty() {
        return Finding::pass(format!("the records of {} restrict nobody here", lookup.name));
    }
    let Some(domains) = domains_of(issuer) else {
        return Finding::skip(format!("not known by which domain CAA names the issuer {issuer}"));
    };
    if let Some(domain) = permitted.iter().find(|domain| domains.contains(&domain.as_str())) {
        return Finding::pass(format!("{} permits {domain}", lookup.name));
    }
    let list: Vec<&str> =
        permitted.iter().map(|d| if d.is_empty() { "nobody" } else { d.as_str() }).collect();
    let domain = domains[0];
    Finding::warn(
        "caa-forbids-issuer",
        format!(
            "CAA of {} permits {}, and the certificate is of {issuer}",
            lookup.name,
            list.join(", ")
        ),
    )
    .expected(format!("issue \"{domain}\""))
    .actual(list.join(", "))
    .remedy(format!(
        "add `{} CAA 0 issue \"{domain}\"` before the certificate is to be renewed, or let an \
         authority issue it that is permitted (`issuerRef` of the cert-manager Certificate)",
        lookup.name
    ))
}

/// The domains by which CAA records name an authority, the usual one first.
pub(crate) fn domains_of(issuer: &str) -> Option<&'static [&'static str]> {
    AUTHORITIES.iter().find(|(name, _)| issuer.contains(name)).map(|(_, domains)| *domains)
}

/// What stands in the issuer's name, and the domains that the authority answers to.
const AUTHORITIES: &[(&str, &[&str])] = &[
    ("Let's Encrypt", &["letsencrypt.org"]),
    ("Google Trust Services", &["pki.goog", "google.com"]),
    ("SSL Corp", &["ssl.com"]),
    ("SSL.com", &["ssl.com"]),
    ("ZeroSSL", SECTIGO),
    ("Sectigo", SECTIGO),
    ("COMODO", SECTIGO),
    ("USERTRUST", SECTIGO),
    ("DigiCert", DIGICERT),
    ("GeoTrust", DIGICERT),
    ("RapidSSL", DIGICERT),
    ("Thawte", DIGICERT),
    ("Cloudflare", DIGICERT),
    ("Amazon", &["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"]),
    ("GlobalSign", &["globalsign.com"]),
    ("Entrust", &["entrust.net", "affirmtrust.com"]),
    ("Buypass", &["buypass.com", "buypass.no"]),
    ("Actalis", &["actalis.it"]),
    ("Hellenic Academic", &["harica.gr"]),
    ("HARICA", &["harica.gr"]),
    ("GoDaddy", &["godaddy.com", "starfieldtech.com"]),
    ("Starfield", &["starfieldtech.com", "godaddy.com"]),
    ("IdenTrust", &["identrust.com"]),
    ("Asseco", &["certum.pl", "certum.eu"]),
    ("Unizeto", &["certum.pl", "certum.eu"]),
    ("SwissSign", &["swisssign.com"]),
    ("D-Trust", &["d-trust.net"]),
    ("Microsoft Corporation", &["microsoft.com"]),
];

const SECTIGO: &[&str] =
    &["sectigo.com", "comodoca.com", "comodo.com", "usertrust.com", "trust-provider.com"];
const DIGICERT: &[&str] = &[
    "digicert.com",
    "www.digicert.com",
    "digicert.ne.jp",
    "symantec.com",
    "geotrust.com",
    "rapidssl.com",
    "thawte.com",
    "digitalcertvalidation.com",
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mxdoctor_model::Outcome;
    use mxdoctor_probes::dns::{Dnssec, Record};

    use super::*;

    const LE: &str = "C=US, O=Let's Encrypt, CN=E7";

    fn verdict(records: &[(&str, &str)], issuer: &str, wildcard: bool) -> Outcome {
        let record = |(tag, value): &(&str, &str)| Record {
            name: "example.org".into(),
            ttl: 60,
            data: Data::Caa { critical: false, tag: (*tag).into(), value: (*value).into() },
        };
        let lookup = Lookup {
            name: "example.org".into(),
            kind: Kind::Caa,
            answer: Answer::Records(records.iter().map(record).collect()),
            server: None,
            dnssec: Dnssec::Unsigned,
            elapsed: Duration::ZERO,
        };
        judge(&lookup, issuer, wildcard).outcome
    }

    #[test]
    fn the_issuer_must_be_named() {
        use Outcome::{Pass, Skip, Warn};
        let le = ("issue", "letsencrypt.org");
        assert_eq!(verdict(&[le], LE, false), Pass);
        assert_eq!(
            verdict(&[("issue", "LetsEncrypt.org; validationmethods=dns-01")], LE, false),
            Pass
        );
        assert_eq!(verdict(&[("issue", "pki.goog")], LE, false), Warn);
        assert_eq!(verdict(&[("issue", "pki.goog"), le], LE, false), Pass);
        assert_eq!(verdict(&[("issue", ";")], LE, false), Warn);
        assert_eq!(verdict(&[("iodef", "mailto:a@example.org")], LE, false), Pass);
        assert_eq!(verdict(&[le, ("issuewild", ";")], LE, true), Warn);
        assert_eq!(verdict(&[le, ("issuewild", ";")], LE, false), Pass);
        assert_eq!(verdict(&[le], LE, true), Pass);
        assert_eq!(verdict(&[le], "CN=home authority", false), Skip);
    }
}
