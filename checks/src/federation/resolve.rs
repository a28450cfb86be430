//! `federation.resolve`

use mxdoctor_model::{Evidence, EvidenceKind, Finding};

use crate::facts::{FederationRoute, Lead, Route, note_out_of_reach};
use crate::tls::handshake::describe;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The specification's steps from the server name to an address end at one that answers with
    /// TLS. The steps are shown: well-known, SRV records, port; and what peers send as `Host` and
    /// SNI and demand of the certificate.
    ///
    /// ## Why it matters
    /// Every other homeserver takes these steps, and no others. That users can log in proves
    /// nothing of them: clients go by another file.
    ///
    /// ## What makes it fail
    /// - No well-known, no SRV record, and nothing on port 8448 of the server name.
    /// - A delegation without a port: that means port 8448, not 443, and nothing answers there.
    /// - A delegation or a SRV record to a port that is closed.
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
    causes ["well-known-server-missing", "delegation-needs-port", "federation-port-closed"]
    timeout 60
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let route = cx.fact(FederationRoute).await?;
    Ok(shown(&route).into())
}

fn shown(route: &Route) -> Finding {
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
    let finding = Finding::pass(summary)
        .evidences(route.steps.iter().map(Evidence::note))
        .evidences(route.evidence.iter().cloned());
    let finding = route.attempts.iter().fold(finding, |finding, attempt| {
        finding.evidence(EvidenceKind::Connection, describe(attempt))
    });
    note_out_of_reach(finding, &route.out_of_reach)
}
