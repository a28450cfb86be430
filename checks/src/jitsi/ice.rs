//! `jitsi.ice`

use mxdoctor_model::Finding;
use mxdoctor_probes::ice::{Answer, Pair};

use super::{session, udp};
use crate::facts::{Call, EndpointPath, PathRoute, Paths, UdpPaths};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// ICE with the video bridge comes to an end: a pair of addresses is validated from both
    /// sides, and the bridge, which is in control, nominates it.
    ///
    /// ## Why it matters
    /// Until a pair is nominated no media is sent. Browsers show "connecting" and, after some
    /// seconds, that the connection is lost.
    ///
    /// ## What makes it fail
    /// The bridge answers with error 401 (the user name and password are not, or no longer, those
    /// of the bridge that answers: several bridges behind one address, or a bridge that was
    /// started anew), or it never sends its own checks or never nominates.
    ///
    /// ## How to fix it
    /// Give every bridge a public address or port of its own (`JVB_PORT`), and look into the
    /// bridge's log for the ICE agent's messages.
    ///
    /// ## Where it comes from
    /// RFC 8445 sections 7 and 8.
    "jitsi.ice" at PIC: "ICE with the bridge validates and nominates a pair"
    causes ["bridge-credentials-stale", "ice-not-nominated"]
    timeout 180
}

async fn run(cx: &Cx) -> Verdict {
    let paths = cx.fact(Paths).await?;
    reached(cx, &paths).await?;
    Ok(judge(&paths).into())
}

/// There is an answer over UDP, and in a conference the focus took ours.
pub(super) async fn reached(cx: &Cx, paths: &UdpPaths) -> Result<(), Unavailable> {
    udp::need(cx, paths)?;
    match paths.route {
        PathRoute::Conference => session::passed(&*cx.fact(Call).await?),
        PathRoute::Direct => Ok(()),
    }
}

/// One finding for all endpoints: the first that failed, or all that came through.
pub(super) fn judge(paths: &UdpPaths) -> Finding {
    let failed = |endpoint: &&EndpointPath| endpoint.way.ice.selected.is_none();
    let slowest = paths.endpoints.iter().map(|endpoint| endpoint.way.ice.elapsed).max();
    let ms = slowest.unwrap_or_default().as_secs_f64() * 1e3;
    let finding = match paths.endpoints.iter().find(failed) {
        Some(endpoint) => failure(endpoint),
        None => Finding::pass(passed(paths)).metric("nominated_after", ms, "ms"),
    };
    finding.evidences(paths.evidence())
}

fn passed(paths: &UdpPaths) -> String {
    let each = paths.endpoints.iter().filter_map(|endpoint| {
        let address = endpoint.way.ice.selected.as_ref()?.candidate.address;
        let ms = endpoint.way.ice.elapsed.as_secs_f64() * 1e3;
        Some(format!("{address} was nominated for {} after {ms:.0} ms", endpoint.label))
    });
    each.collect::<Vec<_>>().join(", ")
}

fn failure(endpoint: &EndpointPath) -> Finding {
    let label = &endpoint.label;
    if let Some(refusal) = &endpoint.refused {
        return Finding::error(format!("the bridge did not take the transport of {label}"))
            .actual(refusal);
    }
    let pairs = &endpoint.way.pairs;
    let stale = |pair: &Pair| matches!(pair.last, Some(Answer::Error(401, _))) && pair.sent > 0;
    let valid = pairs.iter().any(|pair| pair.valid);
    if !valid && pairs.iter().any(stale) {
        return Finding::fail(
            "bridge-credentials-stale",
            "the bridge answers with error 401 to the password that it gave",
        )
        .expected("a success signed with that password")
        .actual(format!("401, to {label}"));
    }
    let asked: u32 = pairs.iter().map(|pair| pair.asked).sum();
    let actual = match (valid, asked, endpoint.way.ice.refused) {
        (_, 0, 0) => "the bridge sends no checks of its own".to_owned(),
        (_, 0, refused) => format!("{refused} checks of the bridge, none signed with our password"),
        (true, asked, _) => format!("{asked} checks of the bridge, none that nominates"),
        (false, asked, _) => format!("{asked} checks of the bridge, and no success to ours"),
    };
    let ms = endpoint.way.ice.elapsed.as_secs_f64() * 1e3;
    let summary = format!("no pair was nominated for {label} within {ms:.0} ms");
    Finding::fail("ice-not-nominated", summary)
        .expected("a check of the bridge with USE-CANDIDATE")
        .actual(actual)
}
