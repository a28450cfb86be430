//! `vantage.resolver`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::dns::Lookup;

use crate::facts::{Resolver, describe};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The name server that this machine uses, or the one given with `--dns-server`, answers
    /// questions at all: for the server name, or for `arpa`, which always exists.
    ///
    /// ## Why it matters
    /// A resolver that does not answer says nothing of the target. Without this check every host of
    /// the stack would look absent.
    ///
    /// ## What makes it fail
    /// It never fails, since the target is not at fault. It is an error when neither question gets
    /// anything but silence or SERVFAIL; everything that needs DNS is then skipped.
    ///
    /// ## How to fix it
    /// Look at `/etc/resolv.conf` of the machine or pod that runs this tool (in a pod: `dnsPolicy`
    /// and the NetworkPolicy's egress to port 53), or name another server with `--dns-server`.
    ///
    /// ## Where it comes from
    /// RFC 1035, section 4.2.1; RFC 2308, section 7.1 (server failure).
    "vantage.resolver" at PIC: "our resolver answers"
    causes ["own-resolver-down"]
    timeout 15
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let lookups = cx.fact(Resolver).await?;
    Ok(answered(&lookups).into())
}

fn answered(lookups: &[Lookup]) -> Finding {
    let quickest = lookups.iter().filter(|lookup| lookup.server.is_some()).map(|l| l.elapsed).min();
    let by = lookups.iter().find_map(|lookup| lookup.server);
    let mut finding = Finding::pass(match by {
        Some(server) => format!("{server} answers"),
        None => "answers".into(),
    });
    if let Some(elapsed) = quickest {
        finding = finding.metric("lookup", elapsed.as_secs_f64() * 1000.0, "ms");
    }
    lookups
        .iter()
        .fold(finding, |finding, lookup| finding.evidence(EvidenceKind::Dns, describe(lookup)))
}
