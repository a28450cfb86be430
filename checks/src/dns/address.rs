//! `dns.address`

use mxdoctor_model::{EvidenceKind, Finding, Vantage};
use mxdoctor_probes::dns::Answer;

use crate::facts::{Addresses, Resolved, Source, describe, host_names, listed};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Every host of the stack has an address in DNS. From outside, each address is one that can be
    /// reached from the internet.
    ///
    /// ## Why it matters
    /// It is the first step of everything. A private address in public DNS works for whoever is in
    /// the same network, so it is found late.
    ///
    /// ## What makes it fail
    /// - The name does not exist, or has neither an A nor an AAAA record.
    /// - The name is an alias of a name that has no address.
    /// - The zone's servers cannot be asked (SERVFAIL), while our resolver answers otherwise.
    /// - From outside, an address is private or reserved (RFC 6890: private, shared, loopback,
    ///   link-local, documentation …). Ranges given as `routable` in stack.toml are exempt. If the
    ///   zone's own servers give public addresses, our resolver has a view of its own, and that is
    ///   an error, not a failure.
    ///
    /// It warns where a host has IPv6 addresses only, where questions for AAAA end in SERVFAIL, and
    /// where the server name has SRV records and no address.
    ///
    /// A host whose connections are directed elsewhere with `--resolve` is a skip.
    ///
    /// ## How to fix it
    /// With a Cloudflare Tunnel the operator makes the records from the `TunnelBinding`: look for
    /// the name there and in the operator's log. Records of the internal ingress point at Traefik.
    ///
    /// ## Where it comes from
    /// RFC 1034, section 3.6; RFC 6890; Matrix server-server API, "Resolving server names".
    "dns.address" at PIC: "every host of the stack resolves"
    causes [
        "dns-record-missing",
        "dns-dangling-alias",
        "dns-zone-broken",
        "dns-private-address",
        "dns-ipv6-only",
        "server-name-without-address",
        "split-horizon-here",
    ]
    timeout 25
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let look = |host: String| async move {
        let resolved = cx.fact(Addresses { host: host.clone() }).await?;
        Ok(judge(&host, &resolved, cx.vantage()).into())
    };
    Ok(cx.each(host_names(cx).await?, look).await)
}

fn judge(host: &str, resolved: &Resolved, vantage: Vantage) -> Finding {
    let Resolved { source, a, aaaa, addresses, private } = resolved;
    match source {
        Source::Literal => return Finding::skip(format!("{host} is an address itself")),
        Source::Override => {
            let list = listed(addresses);
            return Finding::skip(format!("overridden: connections to {host} go to {list}"));
        }
        Source::Dns => {}
    }
    let summary = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let finding = if !private.is_empty() {
        let list = listed(private);
        let summary =
            format!("{host} resolves to {list} among others, which nobody outside can reach");
        Finding::fail("dns-private-address", summary)
            .expected("only addresses that can be reached from the internet")
            .actual(list)
    } else if let Some((kind, code)) = refused(resolved) {
        let summary = format!("{host} has an address, and questions for its {kind} end in {code}");
        Finding::warn("dns-zone-broken", summary).transient()
    } else if let Some(kind) = unanswered(resolved) {
        Finding::error(format!("no answer to the question for {kind} of {host}")).transient()
    } else if vantage == Vantage::Public && addresses.iter().all(std::net::IpAddr::is_ipv6) {
        let summary = format!("{host} has IPv6 addresses only: clients without IPv6 are cut off");
        Finding::warn("dns-ipv6-only", summary)
    } else {
        Finding::pass(summary)
    };
    finding
        .metric("lookup", a.elapsed.max(aaaa.elapsed).as_secs_f64() * 1000.0, "ms")
        .evidence(EvidenceKind::Dns, describe(a))
        .evidence(EvidenceKind::Dns, describe(aaaa))
}

fn refused(resolved: &Resolved) -> Option<(&'static str, &str)> {
    [("A", &resolved.a), ("AAAA", &resolved.aaaa)].into_iter().find_map(|(kind, lookup)| {
        match &lookup.answer {
            Answer::Refused(code) => Some((kind, code.as_str())),
            _ => None,
        }
    })
}

fn unanswered(resolved: &Resolved) -> Option<&'static str> {
    [("A", &resolved.a), ("AAAA", &resolved.aaaa)]
        .into_iter()
        .find_map(|(kind, l)| matches!(l.answer, Answer::Unanswered(_)).then_some(kind))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use mxdoctor_model::Outcome;
    use mxdoctor_probes::dns::{Dnssec, Kind, Lookup};

    use super::*;

    fn resolved(addresses: &[&str], private: &[&str], aaaa: Answer) -> Resolved {
        let parse = |list: &[&str]| {
            list.iter().map(|a| a.parse::<IpAddr>().expect("an address")).collect::<Vec<_>>()
        };
        let lookup = |kind, answer| Lookup {
            name: "example.org".into(),
            kind,
            answer,
            server: None,
            dnssec: Dnssec::Unsigned,
            elapsed: Duration::ZERO,
        };
        Resolved {
            source: Source::Dns,
            a: lookup(Kind::A, Answer::NoData),
            aaaa: lookup(Kind::Aaaa, aaaa),
            addresses: parse(addresses),
            private: parse(private),
        }
    }

    #[test]
    fn each_kind_of_answer_has_its_verdict() {
        let judged = |resolved: Resolved| {
            let finding = judge("example.org", &resolved, Vantage::Public);
            (finding.outcome, finding.cause)
        };
        let good = resolved(&["9.9.9.9"], &[], Answer::NoData);
        assert_eq!(judged(good), (Outcome::Pass, None));
        let mixed = resolved(&["9.9.9.9"], &["10.0.0.5"], Answer::NoData);
        assert_eq!(judged(mixed), (Outcome::Fail, Some("dns-private-address")));
        let servfail = resolved(&["9.9.9.9"], &[], Answer::Refused("SERVFAIL".into()));
        assert_eq!(judged(servfail), (Outcome::Warn, Some("dns-zone-broken")));
        let silent = resolved(&["9.9.9.9"], &[], Answer::Unanswered("timed out".into()));
        assert_eq!(judged(silent), (Outcome::Error, None));
        let v6 = resolved(&["2606:4700::1"], &[], Answer::NoData);
        assert_eq!(judged(v6), (Outcome::Warn, Some("dns-ipv6-only")));
        let mut overridden = resolved(&["127.0.0.1"], &[], Answer::NoData);
        overridden.source = Source::Override;
        assert_eq!(judged(overridden), (Outcome::Skip, None));
    }
}
