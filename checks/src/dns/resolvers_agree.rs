//! `dns.resolvers_agree`

use std::net::IpAddr;

use mxdoctor_model::{EvidenceKind, Finding};

use crate::facts::{
    Addresses, Endpoint, Opinion, Resolved, SecondOpinion, Sessions, Source, describe, endpoints,
    stale,
};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Our resolver and the servers of the host's own zone give the same addresses, or at least
    /// such that each of them serves the host rightly. With `second_resolver` in stack.toml that
    /// resolver is asked instead of the zone's own servers.
    ///
    /// ## Why it matters
    /// After a move, a resolver may go on giving the old address until its copy expires. Those who
    /// use it reach a dead or foreign machine, while for everybody else all is well.
    ///
    /// ## What makes it fail
    /// Our resolver gives an address that the other side does not give, that address does not
    /// serve the host with an acceptable certificate, and one from the other side does. Answers
    /// that differ and all serve the host are how content networks work, and pass.
    ///
    /// It warns where the other side has no address at all any more. It is a skip where the zone's
    /// servers cannot be asked from here: many networks let only their own resolver ask.
    ///
    /// ## How to fix it
    /// Flush the resolver's cache, or wait for the record's time to live. If it stays, look for a
    /// zone of the same name that the resolver holds itself (split horizon).
    ///
    /// ## Where it comes from
    /// RFC 1034, section 3.6 and RFC 2181, section 5 (time to live); RFC 2308 (negative answers).
    "dns.resolvers_agree" at P: "our resolver agrees with the zone's own servers"
    causes ["dns-stale"]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    Ok(cx.each(endpoints(cx).await?, |endpoint| look(cx, endpoint)).await)
}

async fn look(cx: &Cx, endpoint: Endpoint) -> Verdict {
    let Endpoint { host, port } = endpoint.clone();
    let resolved = cx.fact(Addresses { host: host.clone() }).await?;
    if resolved.source != Source::Dns {
        let reason = format!("the address of {host} is not taken from DNS");
        return Ok(Finding::skip(reason).into());
    }
    let opinion = cx.fact(SecondOpinion { host: host.clone() }).await?;
    let finding = match compare(&resolved, &opinion) {
        Compared::Agree => Finding::pass(format!("the same answers as {}", opinion.by)),
        Compared::Gone => Finding::warn(
            "dns-stale",
            format!("our resolver still has an address of {host}, {} have none", opinion.by),
        ),
        Compared::Differ(ours) => {
            let handshakes = cx.fact(Sessions { host, port }).await?;
            let bad: Vec<_> = handshakes
                .attempts
                .iter()
                .filter(|attempt| !attempt.accepted() && ours.contains(&attempt.address.ip()))
                .map(|attempt| attempt.address)
                .collect();
            match stale(cx, &endpoint, &bad).await {
                Some(finding) => return Ok(finding.into()),
                None => Finding::pass(format!(
                    "{} give other addresses besides; nothing shows that ours are out of date",
                    opinion.by
                )),
            }
        }
    };
    Ok(shown(finding, &resolved, &opinion).into())
}

/// How two answers compare.
#[derive(Debug, PartialEq, Eq)]
enum Compared {
    /// Every address of ours is among theirs.
    Agree,
    /// They have none.
    Gone,
    /// These of ours they do not give.
    Differ(Vec<IpAddr>),
}

fn compare(resolved: &Resolved, opinion: &Opinion) -> Compared {
    let theirs = opinion.addresses();
    if theirs.is_empty() {
        return Compared::Gone;
    }
    let all = resolved.addresses.iter().chain(&resolved.private);
    let differ: Vec<IpAddr> = all.copied().filter(|ours| !theirs.contains(ours)).collect();
    if differ.is_empty() { Compared::Agree } else { Compared::Differ(differ) }
}

fn shown(finding: Finding, resolved: &Resolved, opinion: &Opinion) -> Finding {
    let theirs = |lookup| format!("{}: {}", opinion.by, describe(lookup));
    finding
        .evidence(EvidenceKind::Dns, describe(&resolved.a))
        .evidence(EvidenceKind::Dns, describe(&resolved.aaaa))
        .evidence(EvidenceKind::Dns, theirs(&opinion.a))
        .evidence(EvidenceKind::Dns, theirs(&opinion.aaaa))
}
