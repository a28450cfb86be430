//! `federation.tls`

use mxdoctor_model::{EvidenceKind, Finding, Outcome};
use mxdoctor_probes::tls::Session;

use crate::facts::{Attempt, Clock, Endpoint, FederationRoute, Route, Trusted};
use crate::tls::{chain, handshake, name, validity};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// At the end of the specification's steps the certificate is one that other homeservers
    /// accept: trusted, in its dates, and for the name that the steps demand.
    ///
    /// ## Why it matters
    /// Homeservers do not ask a person whether to go on. The name is not always that of the
    /// machine: behind a SRV record it is the name that the record belongs to, never its target.
    ///
    /// ## What makes it fail
    /// The same as for the checks `tls.handshake`, `tls.chain`, `tls.name` and `tls.validity`; like
    /// the last it warns of a certificate near its end. Where the place is a host of the stack those
    /// checks report it, and this one is skipped.
    ///
    /// ## How to fix it
    /// Put the name that is demanded into the certificate: the delegated host where a well-known
    /// delegates, else the server name.
    ///
    /// ## Where it comes from
    /// Matrix server-server API, "Resolving server names": what the target must present at each
    /// step.
    "federation.tls" at P: "the certificate is right for the name that is demanded"
    causes [
        "certificate-wrong-name",
        "certificate-expired",
        "certificate-chain-incomplete",
        "certificate-untrusted-issuer",
        "certificate-invalid",
        "certificate-not-yet-valid",
        "certificate-expiring",
        "edge-has-no-certificate",
        "tls-not-spoken",
        "tls-too-old",
        "handshake-cut",
    ]
    timeout 60
}

async fn run(cx: &Cx) -> Verdict {
    let route = cx.fact(FederationRoute).await?;
    let name = route.to.host_text();
    if route.in_stack {
        let Endpoint { host, port } = route.endpoint();
        cx.fact(Trusted { host, port }).await?;
    } else if let Some(finding) = refusal(cx, &route).await? {
        return Ok(finding.into());
    }
    let finding = match ending(cx, &route).await? {
        Some(finding) => finding,
        None => Finding::pass(format!("valid for {name}, which the steps demand")),
    };
    let sessions = route.attempts.iter().filter(|attempt| attempt.accepted());
    Ok(sessions
        .fold(finding, |finding, attempt| {
            finding.evidence(EvidenceKind::Connection, handshake::describe(attempt))
        })
        .into())
}

/// The finding where a certificate of a host apart from the stack is near its end.
async fn ending(cx: &Cx, route: &Route) -> Result<Option<Finding>, Unavailable> {
    if route.in_stack {
        return Ok(None);
    }
    let offsets = cx.fact(Clock).await?;
    let now = jiff::Timestamp::now().as_second();
    for attempt in route.attempts.iter().filter(|attempt| attempt.accepted()) {
        let Ok(session) = &attempt.result else { continue };
        let judged = validity::judge(&route.endpoint(), session, now, &offsets);
        if let validity::Judged::Theirs(finding) = judged
            && finding.outcome != Outcome::Pass
        {
            return Ok(Some(Finding { instance: None, ..finding }));
        }
    }
    Ok(None)
}

/// The finding where no session at the end of the way is one that a peer accepts.
pub(crate) async fn refusal(cx: &Cx, route: &Route) -> Result<Option<Finding>, Unavailable> {
    if route.attempts.iter().any(Attempt::accepted) {
        return Ok(None);
    }
    let Some(session) = route.attempts.iter().find_map(|attempt| attempt.result.as_ref().ok())
    else {
        return Ok(None);
    };
    let endpoint = route.endpoint();
    let finding = match chain::judge(&endpoint, session, cx.vantage()) {
        Some(finding) => finding,
        None => match name::judge(&endpoint, session) {
            Some(finding) => named(finding, route, session),
            None => {
                let offsets = cx.fact(Clock).await?;
                let now = jiff::Timestamp::now().as_second();
                match validity::judge(&endpoint, session, now, &offsets) {
                    validity::Judged::Ours(finding) => {
                        return Err(Unavailable::by("vantage.clock", finding));
                    }
                    validity::Judged::Theirs(finding) => finding,
                }
            }
        },
    };
    Ok(Some(route.shown(Finding { instance: None, ..finding })))
}

/// The name that is demanded is not always the machine's own.
fn named(finding: Finding, route: &Route, session: &Session) -> Finding {
    let name = route.to.host_text();
    let address = session.address;
    let remedy = format!(
        "give {address} a certificate for {name}: peers demand that name there, whatever the \
         machine is called"
    );
    finding.remedy(remedy)
}
