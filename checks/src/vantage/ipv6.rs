//! `vantage.ipv6`

use std::net::IpAddr;

use mxdoctor_model::{EvidenceKind, Finding};

use crate::facts::{Addresses, Endpoint, Ipv6, Sessions, endpoints, host_names};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// This machine has a way to the IPv6 internet, where the stack has IPv6 addresses. It is known
    /// from a connection to one of them, else from a TCP connection to port 53 of the DNS root
    /// server A, which is made only if none of them answers.
    ///
    /// ## Why it matters
    /// From a machine without IPv6 the IPv6 addresses of a healthy stack are out of reach. They
    /// must not count as broken then, and nobody should take them for verified either.
    ///
    /// ## What makes it fail
    /// It never fails. Without IPv6 here it is a skip, and so is whatever would need it; a host
    /// that has IPv6 addresses only is an error of `tls.handshake`.
    ///
    /// ## How to fix it
    /// Run from a machine with IPv6, if the IPv6 addresses are to be checked.
    ///
    /// ## Where it comes from
    /// RFC 8305 (Happy Eyeballs): clients try both families.
    "vantage.ipv6" at PIC: "IPv6 is there, where the stack has it"
    causes []
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    let mut v6 = Vec::new();
    for host in host_names(cx).await? {
        if let Ok(resolved) = cx.fact(Addresses { host }).await {
            v6.extend(resolved.addresses.iter().copied().filter(IpAddr::is_ipv6));
        }
    }
    if v6.is_empty() {
        return Ok(Finding::skip("no IPv6 address of the stack is known").into());
    }
    if let Some(address) = answering(cx).await? {
        return Ok(Finding::pass(format!("{address} answers")).into());
    }
    let route = cx.fact(Ipv6).await?;
    Ok(judge(&route).into())
}

/// An IPv6 address of the stack with which a connection came about, or which refused one.
async fn answering(cx: &Cx) -> Result<Option<IpAddr>, crate::Unavailable> {
    for Endpoint { host, port } in endpoints(cx).await? {
        let Ok(handshakes) = cx.fact(Sessions { host, port }).await else { continue };
        let answers =
            |attempt: &&crate::facts::Attempt| attempt.address.is_ipv6() && attempt.result.is_ok();
        if let Some(attempt) = handshakes.attempts.iter().find(answers) {
            return Ok(Some(attempt.address.ip()));
        }
    }
    Ok(None)
}

fn judge(route: &Result<String, String>) -> Finding {
    match route {
        Ok(said) => Finding::pass("the IPv6 internet can be reached")
            .evidence(EvidenceKind::Connection, said),
        Err(said) => Finding::skip(
            "this machine has no way to the IPv6 internet: IPv6 addresses are not judged",
        )
        .evidence(EvidenceKind::Connection, said),
    }
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;

    #[test]
    fn no_ipv6_here_is_never_a_failure() {
        assert_eq!(judge(&Err("network unreachable".into())).outcome, Outcome::Skip);
        assert_eq!(judge(&Ok("answers".into())).outcome, Outcome::Pass);
    }
}
