//! `federation.resolve`

use std::net::SocketAddr;

use mxdoctor_model::{EvidenceKind, Finding};

use crate::facts::{FederationRoute, Lead, Route, listed, note_out_of_reach};
use crate::tls::handshake::describe;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The specification's steps from the server name to an address end at one that answers with
    /// TLS. The steps are shown by their numbers: well-known, SRV records, port; what peers send as
    /// `Host` and SNI and demand of the certificate; and every address, IPv4 and IPv6, with what it
    /// says. Addresses of a family that this machine has no way to are not judged.
    ///
    /// ## Why it matters
    /// Every other homeserver takes these steps, and no others. That users can log in proves
    /// nothing of them: clients go by another file.
    ///
    /// ## What makes it fail
    /// - No well-known, no SRV record, and nothing on port 8448 of the server name.
    /// - A delegation without a port: that means port 8448, not 443, and nothing answers there.
    /// - A delegation or a SRV record to a port that is closed.
    /// - A delegation to a host that has no address, or one that nobody outside can reach.
    ///
    /// It warns where a host apart from the stack has IPv6 addresses only.
    ///
    /// Port 8448 closed is no fault where the steps do not lead there.
    ///
    /// ## How to fix it
    /// Behind a Cloudflare Tunnel, port 8448 can never answer. Serve
    /// `{"m.server": "matrix.testing.borooka.ee:443"}` at
    /// `https://testing.borooka.ee/.well-known/matrix/server`: the `:443` is mandatory, and the
    /// tunnel needs a rule for `testing.borooka.ee` as well.
    ///
    /// ## Where it comes from
    /// Matrix server-server API, "Resolving server names".
    "federation.resolve" at P: "other homeservers find an address that answers"
    causes [
        "well-known-server-missing",
        "delegation-needs-port",
        "federation-port-closed",
        "dns-record-missing",
        "dns-dangling-alias",
        "dns-zone-broken",
        "dns-private-address",
        "dns-ipv6-only",
    ]
    timeout 60
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let route = cx.fact(FederationRoute).await?;
    Ok(shown(judge(&route), &route).into())
}

fn judge(route: &Route) -> Finding {
    let host = route.to.host_text();
    let apart = !route.in_stack && route.to.dns().is_some();
    if !route.private.is_empty() {
        let list = listed(&route.private);
        let summary =
            format!("other servers are led to {list} among others, which nobody outside can reach");
        return Finding::fail("dns-private-address", summary)
            .expected("only addresses that can be reached from the internet")
            .actual(list)
            .remedy(format!("remove the private addresses from the records behind {host}"));
    }
    let v6 = |address: &SocketAddr| address.is_ipv6();
    let attempted = || route.attempts.iter().map(|attempt| &attempt.address);
    if apart && attempted().chain(&route.out_of_reach).all(v6) {
        let summary = format!(
            "{host} has IPv6 addresses only: servers without IPv6 are cut off ({})",
            route.summary()
        );
        return Finding::warn("dns-ipv6-only", summary);
    }
    let way = match route.lead {
        Lead::Name => "by the name itself",
        Lead::WellKnown => "by the well-known",
        Lead::WellKnownSrv => "by the well-known and a SRV record",
        Lead::Srv => "by a SRV record",
        Lead::Default => "by the default port",
    };
    let mut summary = format!("{way}: {}", route.summary());
    if let Some(problem) = &route.despite {
        summary.push_str(&format!("; although the well-known is broken ({problem})"));
    }
    Finding::pass(summary)
}

fn shown(finding: Finding, route: &Route) -> Finding {
    let finding = route.attempts.iter().fold(route.shown(finding), |finding, attempt| {
        finding.evidence(EvidenceKind::Connection, describe(attempt))
    });
    let finding = finding.evidences(route.evidence.iter().cloned());
    let finding = match route.beyond {
        0 => finding,
        more => finding.evidence(EvidenceKind::Note, format!("{more} more addresses, not asked")),
    };
    note_out_of_reach(finding, &route.out_of_reach)
}
