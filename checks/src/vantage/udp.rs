//! `vantage.udp`

use mxdoctor_model::{EvidenceKind, Finding, Outcome};

use crate::facts::{OutboundUdp, TurnServers, UdpOut};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// UDP works from the machine that runs this tool to the outside, where that can be known: a
    /// STUN server given as `network.stun_server` answers, or a STUN or TURN server of the
    /// deployment does, or its video bridge.
    ///
    /// ## Why it matters
    /// Sound and video go over UDP. Many office networks and some clusters let no UDP out, and from
    /// there every healthy bridge looks dead. That must not be taken for a fault of the bridge.
    ///
    /// ## What makes it fail
    /// It never fails. Silence of the server that was given is an error on our own side. Where only
    /// servers of the deployment are known and they are silent, it is a skip: the fault may be
    /// theirs, and `jitsi.turn` says so.
    ///
    /// ## How to fix it
    /// Give `network.stun_server = "HOST:PORT"` (or `--stun-server`), a server that is known to
    /// work; let UDP out of this network, in a pod also past NetworkPolicies; or run the check from
    /// elsewhere.
    ///
    /// ## Where it comes from
    /// RFC 8489, section 2.
    "vantage.udp" at PIC: "outbound UDP works from here, where that can be known"
    causes ["no-udp-from-here"]
    timeout 200
}

async fn run(cx: &Cx) -> Verdict {
    let udp = cx.fact(OutboundUdp).await?;
    if let UdpOut::Unknown(_) = *udp {
        heard_of_servers(cx).await?;
    }
    Ok(judge(&udp).into())
}

/// Where what keeps us from the deployment's own servers is a fault, that is why nothing is known.
async fn heard_of_servers(cx: &Cx) -> Result<(), Unavailable> {
    match cx.fact(TurnServers).await {
        Err(by) if matches!(by.finding.outcome, Outcome::Fail | Outcome::Error) => Err(by),
        Err(_) | Ok(_) => Ok(()),
    }
}

fn judge(udp: &UdpOut) -> Finding {
    match udp {
        UdpOut::Works(said) => Finding::pass(format!("UDP works from here: {said}"))
            .evidence(EvidenceKind::Packets, said),
        UdpOut::Unknown(why) => {
            Finding::skip(format!("whether UDP works from here is not known: {why}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_no_failure() {
        assert_eq!(judge(&UdpOut::Unknown("nobody".into())).outcome, Outcome::Skip);
        assert_eq!(judge(&UdpOut::Works("answers".into())).outcome, Outcome::Pass);
    }
}
