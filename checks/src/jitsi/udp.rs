//! `jitsi.udp`

use mxdoctor_model::{Evidence, Finding, Vantage};
use mxdoctor_probes::ice::{Answer, Kind, Pair};

use crate::facts::{Bridge, BridgeSession, unreachable_from_outside};
use crate::{Cx, Findings, Verdict, check};

check! {
    /// ## What it asserts
    /// Every address that the video bridge advertises answers an authenticated STUN binding
    /// request over UDP (port 10000 as a rule), when looked at from here.
    ///
    /// ## Why it matters
    /// All sound and video of a conference goes over that port. With it closed people join, see
    /// each other's names, and hear nothing; two alone may still hear each other, because their
    /// browsers then talk directly.
    ///
    /// ## How it looks
    /// By the bridge's private REST interface (colibri2) it makes a conference with one endpoint,
    /// sends STUN to each candidate offered, counts every packet, and ends the conference. The
    /// bridge is silent to anybody without a valid user name, so there is no lighter test. An
    /// error 401 or 487 proves the path as much as a success does. It needs
    /// `COLIBRI_REST_ENABLED=true` on the jvb container and `jitsi.jvb_rest`; without them it is
    /// skipped and says so.
    ///
    /// ## What makes it fail
    /// Nothing comes back from any address although the bridge is healthy; ICMP says that nobody
    /// listens; only private addresses are offered to the outside; no candidates at all.
    /// An address that is silent while another one answers is a warning from outside, and no
    /// matter from inside. What cannot be sent from here (no IPv6) is skipped, and silence where
    /// not even our own name server answers is trouble on our side.
    ///
    /// ## How to fix it
    /// Open UDP 10000 to the node of the bridge, in the cloud's firewall and on the node; forward
    /// it where there is NAT; give the public address in `JVB_ADVERTISE_IPS`. Whether packets or
    /// answers are lost cannot be told from one side: `tcpdump -ni any udp port 10000` on the
    /// node tells, or the same check from another vantage.
    ///
    /// ## Where it comes from
    /// RFC 8489, RFC 8445 section 7; the bridge's single-port harvester.
    "jitsi.udp" at PIC: "the bridge's media port answers over UDP"
    causes [
        "udp-blocked", "bridge-unhealthy", "bridge-no-candidates", "bridge-refuses-conferences",
        "bridge-api-unreachable", "bridge-advertises-private-address",
        "bridge-advertises-wrong-address", "bridge-answers-from-another-address",
    ]
    timeout 45
}

async fn run(cx: &Cx) -> Verdict {
    let bridge = cx.fact(Bridge).await?;
    Ok(judge(cx, &bridge).into_iter().collect())
}

/// A finding for each candidate.
pub(super) fn judge(cx: &Cx, bridge: &BridgeSession) -> Vec<Finding> {
    let mut findings: Vec<Finding> = bridge
        .offered()
        .map(|pair| {
            judge_one(cx, bridge, pair)
                .on(pair.candidate.address.to_string())
                .metric("checks_sent", pair.sent.into(), "count")
                .metric("checks_answered", pair.answered.into(), "count")
        })
        .collect();
    if findings.is_empty() {
        findings.push(no_candidates(bridge));
    }
    findings.into_iter().map(|finding| finding.evidences(bridge.evidence())).collect()
}

fn no_candidates(bridge: &BridgeSession) -> Finding {
    let cause =
        if bridge.ailment().is_some() { "bridge-unhealthy" } else { "bridge-no-candidates" };
    Finding::fail(cause, "the bridge offers no UDP address at all")
        .expected("at least one candidate")
        .actual(ailment(bridge).unwrap_or_else(|| "none".into()))
}

fn ailment(bridge: &BridgeSession) -> Option<String> {
    bridge.ailment().map(|health| format!("its health is {}: {}", health.status, health.text))
}

fn judge_one(cx: &Cx, bridge: &BridgeSession, pair: &Pair) -> Finding {
    if let Some(why) = &pair.unsendable {
        return unsendable(pair, why);
    }
    if pair.is_open() {
        return open(bridge, pair);
    }
    if bridge.offered().any(Pair::is_open) { spare(cx, pair) } else { silent(cx, bridge, pair) }
}

fn unsendable(pair: &Pair, why: &str) -> Finding {
    let address = pair.candidate.address;
    if address.is_ipv6() {
        Finding::skip(format!("there is no IPv6 from here to {address}: {why}"))
    } else {
        Finding::error(format!("UDP cannot be sent from here to {address}: {why}"))
    }
}

fn open(bridge: &BridgeSession, pair: &Pair) -> Finding {
    let address = pair.candidate.address;
    let ms = pair.rtt.map(|rtt| rtt.as_secs_f64() * 1e3);
    let time = ms.map_or_else(String::new, |ms| format!(" in {ms:.1} ms"));
    if pair.last == Some(Answer::Unsigned) && !pair.valid && pair.asked == 0 {
        return Finding::fail(
            "bridge-advertises-wrong-address",
            format!("something at {address} answers STUN, and it is not the bridge"),
        )
        .expected("an answer signed with the password that the bridge gave")
        .actual("a success that is not signed with it");
    }
    let summary = match &pair.last {
        Some(Answer::Error(code, _)) if !pair.valid => {
            format!("{address} answers{time} with error {code}: the path is open")
        }
        None => format!("the bridge's checks arrive from {address}: the path is open"),
        _ => format!("{address} answers{time}"),
    };
    let finding = match ailment(bridge) {
        Some(ailment) => Finding::warn("bridge-unhealthy", format!("{summary}, but {ailment}")),
        None => Finding::pass(summary),
    };
    match ms {
        Some(ms) => finding.metric("rtt", ms, "ms"),
        None => finding,
    }
}

/// Nobody outside is meant to reach it.
fn is_private(cx: &Cx, pair: &Pair) -> bool {
    cx.vantage() == Vantage::Public
        && unreachable_from_outside(cx.target(), pair.candidate.address.ip())
}

/// Silent, while another candidate is open.
fn spare(cx: &Cx, pair: &Pair) -> Finding {
    let address = pair.candidate.address;
    if let Some((_, from)) = pair.strayed {
        return strayed(pair, from);
    }
    if is_private(cx, pair) {
        return Finding::skip(format!("{address} is a private address, not meant for outside"));
    }
    if cx.vantage() != Vantage::Public {
        return Finding::skip(format!(
            "{address} does not answer from inside, where another candidate does and is enough"
        ));
    }
    if address.is_ipv6() {
        return Finding::skip(format!(
            "{address} does not answer; whether IPv6 works from here is not known"
        ));
    }
    Finding::warn(
        "bridge-advertises-wrong-address",
        format!("{address} is advertised and does not answer, another candidate does"),
    )
    .expected("every advertised public address answers")
    .actual(format!("{} checks sent, none answered", pair.sent))
    .likely()
}

fn strayed(pair: &Pair, from: std::net::SocketAddr) -> Finding {
    Finding::fail(
        "bridge-answers-from-another-address",
        format!("answers to {} come from {from}", pair.candidate.address),
    )
    .expected("answers from the address that was asked")
    .actual(format!("answers from {from}, which every browser drops"))
}

/// Silent, as all others are.
fn silent(cx: &Cx, bridge: &BridgeSession, pair: &Pair) -> Finding {
    let address = pair.candidate.address;
    if let Some((_, from)) = pair.strayed {
        return strayed(pair, from);
    }
    if let Some(ailment) = ailment(bridge) {
        return Finding::fail("bridge-unhealthy", format!("{address} is silent, and {ailment}"));
    }
    if is_private(cx, pair) {
        if bridge.offered().all(|other| is_private(cx, other) || other.unsendable.is_some()) {
            return Finding::fail(
                "bridge-advertises-private-address",
                format!("{address} is private, and no public address is advertised"),
            )
            .expected("a candidate that can be reached from the internet")
            .actual("private addresses only");
        }
        return Finding::skip(format!("{address} is a private address, not meant for outside"));
    }
    if address.is_ipv6() {
        return Finding::skip(format!(
            "{address} does not answer; whether IPv6 works from here is not known"
        ));
    }
    let closed = bridge.session.way.closed.contains(&address);
    if closed && pair.candidate.kind != Kind::Host {
        return Finding::fail(
            "bridge-advertises-wrong-address",
            format!("nothing listens at {address}, which the bridge advertises as its own"),
        )
        .expected("the bridge behind the mapped address")
        .actual("ICMP port unreachable");
    }
    let actual = if closed { "ICMP port unreachable" } else { "silence" };
    let finding = Finding::fail(
        "udp-blocked",
        format!("{} packets to {address}, nothing comes back", pair.sent),
    )
    .expected("an answer to an authenticated binding request")
    .actual(actual);
    note_doubt(bridge, finding.likely())
}

/// What cannot be told from here, and what would tell it.
fn note_doubt(bridge: &BridgeSession, finding: Finding) -> Finding {
    let known = match &bridge.health {
        Ok(_) => "the bridge says that it is healthy",
        Err(_) => "its health is not known",
    };
    finding.evidences([Evidence::note(format!(
        "{known}, and our own name server answers over UDP; whether our packets or the bridge's \
         answers are lost on the way, or UDP out of this network is, cannot be told from one \
         side: `tcpdump -ni any udp port 10000` on the bridge's node during this check tells, or \
         this check from another vantage"
    ))])
}

/// The finding that keeps the later stages from being looked at, if there is one.
pub(super) fn obstacle(cx: &Cx, bridge: &BridgeSession) -> Option<Finding> {
    if bridge.offered().any(|pair| pair.is_open() && pair.last != Some(Answer::Unsigned)) {
        return None;
    }
    judge(cx, bridge).into_iter().max_by_key(|finding| finding.outcome)
}

/// Findings of the stages after this one, blocked by it where nothing was reached.
pub(super) fn after_udp(
    cx: &Cx,
    bridge: &BridgeSession,
    look: impl FnOnce() -> Result<Finding, crate::Unavailable>,
) -> Verdict {
    match obstacle(cx, bridge) {
        Some(finding) => Err(crate::Unavailable::by("jitsi.udp", finding)),
        None => look().map(Findings::from),
    }
}
