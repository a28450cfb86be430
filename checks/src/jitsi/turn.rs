//! `jitsi.turn`

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome};
use mxdoctor_probes::turn::{Carrier, Proof, TurnError};

use super::turn_refusal::{self, Tried};
use crate::facts::{Offered, OfferedTurn, OutboundUdp, TurnServers, UdpOut, ipv6_is_here};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// Every TURN server that the deployment offers to its guests gives an allocation to the
    /// credentials that come with it, and relays datagrams both ways.
    ///
    /// ## Why it matters
    /// People whose network lets no UDP out, or only to a few ports, take part by TURN or not at
    /// all. Nobody else notices when it is broken.
    ///
    /// ## How it looks
    /// It takes the servers and credentials that a guest is told (XEP-0215), asks each over the
    /// transport offered (UDP, TCP, TLS) for an allocation, sends a datagram from one allocation to
    /// another, or where the server does not relay to itself to a socket of its own, and gives the
    /// allocations up. Over TLS the certificate is judged as a browser does.
    ///
    /// ## What makes it fail
    /// Credentials that are refused or out of their time, a server that does not answer, a
    /// certificate that clients refuse, an allocation over which nothing passes. A server that does
    /// not answer while another one of the list relays is a warning. No TURN server at all is
    /// normal, and a skip.
    ///
    /// ## How to fix it
    /// Give Prosody (`TURN_CREDENTIALS`, `TURN_HOST`, `TURN_PORT`, `TURN_TRANSPORT`, `TURNS_HOST`,
    /// `TURNS_PORT`) and the TURN server (`static-auth-secret`) the same secret; open its port and
    /// its relay ports in the firewall; renew its certificate.
    ///
    /// ## Where it comes from
    /// RFC 8656, RFC 6156; XEP-0215; Prosody's mod_external_services.
    "jitsi.turn" at P: "offered TURN servers allocate and relay"
    causes [
        "turn-credentials-rejected", "turn-credentials-expired", "turn-unreachable",
        "turn-refuses", "turn-tls-certificate", "turn-relay-broken",
    ]
    timeout 200
}

async fn run(cx: &Cx) -> Verdict {
    let offered = cx.fact(TurnServers).await?;
    assess(cx, &offered).await
}

/// Tries each server that is offered, whoever told of it.
///
/// # Errors
/// What another check reports, where a verdict depends on it.
pub async fn assess(cx: &Cx, offered: &Offered) -> Verdict {
    if offered.turn.is_empty() {
        let reason = "the deployment offers no TURN server, which is normal: the bridge is reached \
                      directly";
        return Ok(Finding::skip(reason).into());
    }
    let tried = join_all(offered.turn.iter().map(|turn| attempt(cx, turn).boxed())).await;
    let mut findings = Vec::new();
    for (turn, tried) in offered.turn.iter().zip(tried) {
        findings.push(judge(cx, turn, &tried).await?.on(turn.server.to_string()));
    }
    let relays = |finding: &Finding| finding.outcome == Outcome::Pass;
    if findings.iter().any(relays) {
        findings = findings.into_iter().map(spared).collect();
    }
    Ok(findings.into_iter().collect())
}

/// One way to a server is silent, and another one helps.
fn spared(finding: Finding) -> Finding {
    let silent = finding.cause == Some("turn-unreachable") && finding.outcome == Outcome::Fail;
    if silent { Finding { outcome: Outcome::Warn, ..finding } } else { finding }
}

/// Asks the server's addresses in turn until one gives an allocation, and tries that.
async fn attempt(cx: &Cx, turn: &OfferedTurn) -> Tried {
    let server = &turn.server;
    let mut tried = Tried::default();
    let mut addresses = match cx.net().addresses_for(&server.host, server.port).await {
        Ok(addresses) => addresses,
        Err(error) => {
            tried.unresolved = Some(error);
            return tried;
        }
    };
    // What is reached over IPv4 is what most people reach.
    addresses.sort_by_key(std::net::SocketAddr::is_ipv6);
    addresses.truncate(4);
    for address in addresses {
        if address.is_ipv6() && !ipv6_is_here(cx).await {
            tried.out_of_reach.push(address);
            continue;
        }
        let family = mxdoctor_probes::turn::Family::V4;
        let attempt = cx.net().turn(server, address, family).await;
        tried.lines.extend(attempt.steps.iter().map(|step| format!("{address}: {step}")));
        match attempt.outcome {
            Ok(mut relay) => {
                tried.proofs = relay.prove(cx.net(), server).await;
                tried.allocation = Some(relay.allocation.clone());
                tried.refreshed = Some(relay.refresh().await);
                // It ends by itself where this is not answered.
                let _ = relay.close().await;
                return tried;
            }
            Err(error) => tried.failed.push((address, error)),
        }
    }
    tried
}

async fn judge(cx: &Cx, turn: &OfferedTurn, tried: &Tried) -> Result<Finding, Unavailable> {
    let finding = match &tried.allocation {
        Some(allocation) => {
            let finding = relayed(turn.server.carrier, &tried.proofs);
            if finding.outcome == Outcome::Error {
                // Where no UDP passes here, that is the reason.
                cx.fact(OutboundUdp).await?;
            }
            let finding = kept(finding, tried.refreshed.as_ref());
            let finding = finding.evidence(
                EvidenceKind::Packets,
                format!("relayed address {}, seen as {:?}", allocation.relayed, allocation.mapped),
            );
            match (&allocation.session, finding.outcome) {
                (Some(session), Outcome::Pass) => {
                    let ailing = turn_refusal::certificate(cx, turn, session).await?;
                    ailing.map_or(finding, |ailing| Finding { outcome: Outcome::Warn, ..ailing })
                }
                _ => finding,
            }
        }
        None => {
            let works = match cx.fact(OutboundUdp).await {
                Ok(udp) => matches!(*udp, UdpOut::Works(_)),
                Err(by) if turn.server.carrier == Carrier::Udp => return Err(by),
                Err(_) => false,
            };
            turn_refusal::judge(cx, turn, tried, works).await?
        }
    };
    let lines = tried.lines.iter().map(|line| Evidence::new(EvidenceKind::Packets, line.clone()));
    Ok(finding.evidences(lines))
}

/// An allocation that cannot be refreshed ends in the middle of a call.
fn kept(finding: Finding, refreshed: Option<&Result<Duration, TurnError>>) -> Finding {
    match refreshed {
        Some(Ok(lifetime)) if finding.outcome == Outcome::Pass => {
            finding.metric("lifetime", lifetime.as_secs_f64(), "s")
        }
        Some(Err(TurnError::Answer { .. })) if finding.outcome == Outcome::Pass => {
            let summary = "the server relays, and refuses to let the allocation stand for longer";
            let told = refreshed.and_then(|it| it.as_ref().err()).map(ToString::to_string);
            Finding::fail("turn-refuses", summary)
                .expected("a refreshed allocation")
                .actual(told.unwrap_or_default())
        }
        _ => finding,
    }
}

/// An allocation stands; what went over it.
fn relayed(carrier: Carrier, proofs: &[Proof]) -> Finding {
    let through = proofs.iter().filter_map(|proof| proof.outcome.as_ref().ok());
    if let Some(proven) = through.clone().find(|proven| proven.both_ways()) {
        let finding = Finding::pass("allocates, and relays both ways");
        return match proven.rtt {
            Some(rtt) => finding.metric("relay_rtt", rtt.as_secs_f64() * 1e3, "ms"),
            None => finding,
        };
    }
    let tried: Vec<String> = proofs.iter().map(told).collect();
    let finding = match through.clone().next() {
        // Over TCP it may be our own network that lets no UDP in.
        Some(_) if carrier == Carrier::Udp => Finding::fail(
            "turn-relay-broken",
            "the server allocates, and no datagram comes through the relay",
        )
        .likely(),
        Some(_) => Finding::error_of(
            "turn-relay-broken",
            "the server allocates; no datagram came through, which may be due to our own network",
        )
        .likely(),
        None => Finding::error("the server allocates; whether it relays could not be tried"),
    };
    finding.expected("datagrams both ways").actual(tried.join("; "))
}

fn told(proof: &Proof) -> String {
    let way = match proof.way {
        mxdoctor_probes::turn::Way::TwoAllocations => "between two allocations",
        mxdoctor_probes::turn::Way::OwnSocket => "to a socket of our own",
    };
    match &proof.outcome {
        Ok(proven) => format!(
            "{way} {} of {} out and {} of {} in",
            proven.outward.1, proven.outward.0, proven.inward.1, proven.inward.0
        ),
        Err(error) => format!("{way}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use mxdoctor_probes::turn::{Method, Proven, Way};

    use super::*;

    fn proof(way: Way, outward: u32, inward: u32) -> Proof {
        let rtt = (outward > 0 && inward > 0).then_some(Duration::from_millis(3));
        let proven = Proven { outward: (4, outward), inward: (4, inward), rtt };
        Proof { way, outcome: Ok(proven) }
    }

    fn forbidden(way: Way) -> Proof {
        let method = Method::CreatePermission;
        Proof {
            way,
            outcome: Err(TurnError::Answer { method, code: 403, reason: "forbidden".into() }),
        }
    }

    #[test]
    fn relaying_is_judged_by_what_came_through() {
        use Way::{OwnSocket, TwoAllocations};
        let judged = |carrier, proofs: &[Proof]| {
            let finding = relayed(carrier, proofs);
            (finding.outcome, finding.cause)
        };
        let broken = Some("turn-relay-broken");
        for (carrier, proofs, verdict) in [
            (Carrier::Udp, vec![proof(TwoAllocations, 1, 1)], (Outcome::Pass, None)),
            (
                Carrier::Tls,
                vec![proof(TwoAllocations, 0, 0), proof(OwnSocket, 1, 1)],
                (Outcome::Pass, None),
            ),
            (
                Carrier::Udp,
                vec![proof(TwoAllocations, 0, 0), proof(OwnSocket, 0, 0)],
                (Outcome::Fail, broken),
            ),
            (
                Carrier::Tcp,
                vec![forbidden(TwoAllocations), proof(OwnSocket, 0, 0)],
                (Outcome::Error, broken),
            ),
            (
                Carrier::Udp,
                vec![forbidden(TwoAllocations), forbidden(OwnSocket)],
                (Outcome::Error, None),
            ),
        ] {
            assert_eq!(judged(carrier, &proofs), verdict, "{proofs:?}");
        }
    }
}
