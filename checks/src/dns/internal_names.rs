//! `dns.internal_names`

use std::net::IpAddr;

use mxdoctor_model::{EvidenceKind, Finding, Vantage};
use mxdoctor_probes::dns::{Answer, Kind, Lookup};

use crate::facts::{
    Addresses, Hosts, Resolver, SecondOpinion, describe, listed, unreachable_from_outside,
};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// The names given as `internal_names` in stack.toml resolve at the internal vantage, and do
    /// not exist outside.
    ///
    /// ## Why it matters
    /// The internal ingress bears certificates of a private authority and often fewer limits than
    /// the public one. A name of it in public DNS tells strangers where it is, and sends people to
    /// a certificate that their browsers refuse.
    ///
    /// ## What makes it fail
    /// - Outside: the name resolves to an address that can be reached from the internet. With a
    ///   private address in a public zone it warns. Where just our own resolver knows the name,
    ///   with a private address, that is an internal resolver, and nothing can be told: a skip.
    /// - Inside: the name does not resolve. Where it is one of the stack's own hosts at that
    ///   vantage, `dns.address` says so, and this check follows it.
    ///
    /// ## How to fix it
    /// Keep records of `cluster.arpa` in the internal DNS only; there, point them at Traefik.
    ///
    /// ## Where it comes from
    /// RFC 6890; the deployment's own split between `TunnelBinding` and `IngressRoute` hosts.
    "dns.internal_names" at PI: "internal names resolve inside and not outside"
    causes ["internal-name-public", "internal-name-missing"]
    timeout 25
}

async fn run(cx: &Cx) -> Verdict {
    let names = cx.target().internal_names.clone();
    if names.is_empty() {
        return Ok(Finding::skip("no `internal_names` are configured").into());
    }
    Ok(match cx.vantage() {
        Vantage::Public => cx.each(names, |name| outside(cx, name)).await,
        _ => cx.each(names, |name| inside(cx, name)).await,
    })
}

/// Whether `dns.address` looks at this name itself: then it is that check's to report.
async fn is_of_stack(cx: &Cx, name: &str) -> bool {
    cx.fact(Hosts).await.is_ok_and(|hosts| hosts.iter().any(|host| host.host == name))
}

async fn inside(cx: &Cx, name: String) -> Verdict {
    match cx.fact(Addresses { host: name.clone() }).await {
        Ok(resolved) => Ok(Finding::pass(listed(&resolved.addresses)).into()),
        Err(Unavailable { owner: "dns.address", finding }) if !is_of_stack(cx, &name).await => {
            let summary = format!("{name} does not resolve inside: {}", finding.summary);
            let own = Finding::fail("internal-name-missing", summary);
            Ok(own.evidences(finding.evidence).into())
        }
        Err(other) => Err(other),
    }
}

async fn outside(cx: &Cx, name: String) -> Verdict {
    cx.fact(Resolver).await?;
    let (a, aaaa) =
        tokio::join!(cx.net().lookup(&name, Kind::A), cx.net().lookup(&name, Kind::Aaaa));
    let addresses: Vec<IpAddr> = a.addresses().into_iter().chain(aaaa.addresses()).collect();
    let open = addresses.iter().any(|address| !unreachable_from_outside(cx.target(), *address));
    let elsewhere = if addresses.is_empty() || open {
        None
    } else {
        cx.fact(SecondOpinion { host: name.clone() }).await.ok().map(|other| other.addresses())
    };
    let finding = judge(&name, &[&a, &aaaa], &addresses, open, elsewhere.as_deref());
    let finding = [&a, &aaaa]
        .into_iter()
        .fold(finding, |finding, lookup| finding.evidence(EvidenceKind::Dns, describe(lookup)));
    Ok(finding.into())
}

fn judge(
    name: &str,
    lookups: &[&Lookup],
    addresses: &[IpAddr],
    open: bool,
    elsewhere: Option<&[IpAddr]>,
) -> Finding {
    if addresses.is_empty() {
        let silent = |l: &&&Lookup| matches!(l.answer, Answer::Unanswered(_) | Answer::Refused(_));
        return match lookups.iter().find(silent) {
            Some(lookup) => Finding::error(format!("not known of {name}: {}", describe(lookup))),
            None => Finding::pass("does not exist outside"),
        };
    }
    let list = listed(addresses);
    let finding = if open {
        Finding::fail("internal-name-public", format!("{name} resolves outside, to {list}"))
    } else if elsewhere.is_some_and(|elsewhere| !elsewhere.is_empty()) {
        Finding::warn("internal-name-public", format!("{name} is in a public zone, with {list}"))
    } else {
        return Finding::skip(format!(
            "our resolver gives {name} the address {list}: it is an internal one, and what is seen \
             outside cannot be told from here"
        ));
    };
    finding.expected("no such name outside").actual(list)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mxdoctor_model::Outcome;
    use mxdoctor_probes::dns::Dnssec;

    use super::*;

    #[test]
    fn only_what_others_can_see_counts() {
        let lookup = |answer| Lookup {
            name: "matrix.cluster.arpa".into(),
            kind: Kind::A,
            answer,
            server: None,
            dnssec: Dnssec::Unsigned,
            elapsed: Duration::ZERO,
        };
        let none = lookup(Answer::NxDomain);
        let verdict =
            |lookup: &Lookup, addresses: &[IpAddr], open, elsewhere: Option<&[IpAddr]>| {
                judge("matrix.cluster.arpa", &[lookup], addresses, open, elsewhere).outcome
            };
        let private: IpAddr = [10, 0, 0, 5].into();
        assert_eq!(verdict(&none, &[], false, None), Outcome::Pass);
        let silent = lookup(Answer::Unanswered("timed out".into()));
        assert_eq!(verdict(&silent, &[], false, None), Outcome::Error);
        assert_eq!(verdict(&none, &[[9, 9, 9, 9].into()], true, None), Outcome::Fail);
        assert_eq!(verdict(&none, &[private], false, None), Outcome::Skip);
        assert_eq!(verdict(&none, &[private], false, Some(&[])), Outcome::Skip);
        assert_eq!(verdict(&none, &[private], false, Some(&[private])), Outcome::Warn);
    }
}
