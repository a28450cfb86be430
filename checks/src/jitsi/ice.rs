//! `jitsi.ice`

use mxdoctor_model::Finding;
use mxdoctor_probes::ice::{Answer, Pair};

use super::udp::after_udp;
use crate::facts::{Bridge, BridgeSession};
use crate::{Cx, Verdict, check};

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
    timeout 45
}

async fn run(cx: &Cx) -> Verdict {
    let bridge = cx.fact(Bridge).await?;
    after_udp(cx, &bridge, || Ok(judge(&bridge)))
}

pub(super) fn judge(bridge: &BridgeSession) -> Finding {
    let ice = &bridge.session.way.ice;
    let ms = ice.elapsed.as_secs_f64() * 1e3;
    let finding = match &ice.selected {
        Some(pair) => {
            let address = pair.candidate.address;
            Finding::pass(format!("{address} was nominated after {ms:.0} ms")).metric(
                "nominated_after",
                ms,
                "ms",
            )
        }
        None => failed(bridge, ms),
    };
    finding.evidences(bridge.evidence())
}

fn failed(bridge: &BridgeSession, ms: f64) -> Finding {
    if let Err(refusal) = &bridge.session.answered {
        return Finding::error("the bridge did not take our side of the transport")
            .actual(refusal.to_string());
    }
    let pairs = &bridge.session.way.pairs;
    let stale = |pair: &Pair| matches!(pair.last, Some(Answer::Error(401, _))) && pair.sent > 0;
    let valid = pairs.iter().any(|pair| pair.valid);
    if !valid && pairs.iter().any(stale) {
        return Finding::fail(
            "bridge-credentials-stale",
            "the bridge answers with error 401 to the password that it gave",
        )
        .expected("a success signed with that password")
        .actual("401");
    }
    let asked: u32 = pairs.iter().map(|pair| pair.asked).sum();
    let actual = match (valid, asked, bridge.session.way.ice.refused) {
        (_, 0, 0) => "the bridge sends no checks of its own".to_owned(),
        (_, 0, refused) => format!("{refused} checks of the bridge, none signed with our password"),
        (true, asked, _) => format!("{asked} checks of the bridge, none that nominates"),
        (false, asked, _) => {
            format!("{asked} checks of the bridge, and no success to ours")
        }
    };
    Finding::fail("ice-not-nominated", format!("no pair was nominated within {ms:.0} ms"))
        .expected("a check of the bridge with USE-CANDIDATE")
        .actual(actual)
}
