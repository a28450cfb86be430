//! `jitsi.udp`

use mxdoctor_model::{Evidence, Finding, Vantage};
use mxdoctor_probes::ice::{Answer, Kind, Pair};

use super::candidates::{self, is_private};
use crate::facts::{EndpointPath, Paths, UdpPaths, is_bridges};
use crate::{Cx, Unavailable, Verdict, check};

/// Checks that are surely lost rather than late when none of them is answered.
const ENOUGH: u32 = 4;

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
    /// As a guest of a conference, or where none comes to an invitation, by the bridge's private
    /// REST interface (colibri2), it is offered candidates, sends STUN to each of them and counts
    /// every packet. The bridge is silent to anybody without a valid user name, so there is no
    /// lighter test. An error 401 or 487 proves the path as much as a success does. The direct
    /// test needs `COLIBRI_REST_ENABLED=true` on the jvb container and `jitsi.jvb_rest`.
    ///
    /// ## What makes it fail
    /// Nothing comes back from any address although the bridge is healthy; ICMP says that nobody
    /// listens; one guest of two is answered. An address that is silent while another one answers
    /// is a warning from outside, and no matter from inside. What cannot be sent from here (no
    /// IPv6) is skipped, and silence where not even our own name server answers is trouble on our
    /// side.
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
        "udp-blocked", "bridge-unhealthy", "bridge-refuses-conferences",
        "bridge-api-unreachable", "bridge-advertises-wrong-address", "bridge-address-shared",
        "bridge-answers-from-another-address", "nat-hairpin-missing",
    ]
    timeout 180
}

async fn run(cx: &Cx) -> Verdict {
    let paths = cx.fact(Paths).await?;
    candidates::need(cx, &paths)?;
    Ok(judge(cx, &paths).into_iter().collect())
}

/// A finding for each candidate.
pub(super) fn judge(cx: &Cx, paths: &UdpPaths) -> Vec<Finding> {
    let findings: Vec<Finding> = paths
        .offered()
        .map(|pair| {
            judge_one(cx, paths, pair)
                .on(pair.candidate.address.to_string())
                .metric("checks_sent", pair.sent.into(), "count")
                .metric("checks_answered", pair.answered.into(), "count")
        })
        .collect();
    findings.into_iter().map(|finding| finding.evidences(paths.evidence())).collect()
}

fn ailment(paths: &UdpPaths) -> Option<String> {
    paths.ailment().map(|health| format!("its health is {}: {}", health.status, health.text))
}

fn judge_one(cx: &Cx, paths: &UdpPaths, pair: &Pair) -> Finding {
    if let Some(why) = &pair.unsendable {
        return unsendable(pair, why);
    }
    if !pair.is_open() {
        return if paths.is_open() { spare(cx, pair) } else { silent(cx, paths, pair) };
    }
    if pair.answered == 0 && pair.sent > ENOUGH && !paths.offered().any(|it| it.answered > 0) {
        return one_way(pair);
    }
    match paths.silent().next() {
        Some(endpoint) if is_bridges(pair) => shared(paths, pair, &endpoint.label),
        _ => open(paths, pair),
    }
}

/// The bridge's packets come, and ours do not arrive.
fn one_way(pair: &Pair) -> Finding {
    let address = pair.candidate.address;
    Finding::fail(
        "udp-blocked",
        format!("the bridge's checks come from {address}, and ours to it are not answered"),
    )
    .expected("an answer to an authenticated binding request")
    .actual(format!("{} checks sent, none answered, {} came", pair.sent, pair.asked))
}

/// One endpoint is answered and another one is not: who answers is not always the same.
fn shared(paths: &UdpPaths, pair: &Pair, silent: &str) -> Finding {
    let address = pair.candidate.address;
    let ours = |endpoint: &&EndpointPath| endpoint.offered().any(is_bridges);
    let answered = paths.endpoints.iter().find(ours).map_or("another", |it| it.label.as_str());
    Finding::fail(
        "bridge-address-shared",
        format!("{address} answers {answered} and is silent to {silent}"),
    )
    .expected("an answer to both guests of one conference")
    .actual("an answer to one of them")
    .likely()
}

fn unsendable(pair: &Pair, why: &str) -> Finding {
    let address = pair.candidate.address;
    if address.is_ipv6() {
        Finding::skip(format!("there is no IPv6 from here to {address}: {why}"))
    } else {
        Finding::error(format!("UDP cannot be sent from here to {address}: {why}"))
    }
}

fn open(paths: &UdpPaths, pair: &Pair) -> Finding {
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
    let finding = match ailment(paths) {
        Some(ailment) => Finding::warn("bridge-unhealthy", format!("{summary}, but {ailment}")),
        None => Finding::pass(summary),
    };
    match ms {
        Some(ms) => finding.metric("rtt", ms, "ms"),
        None => finding,
    }
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
fn silent(cx: &Cx, paths: &UdpPaths, pair: &Pair) -> Finding {
    let address = pair.candidate.address;
    if let Some((_, from)) = pair.strayed {
        return strayed(pair, from);
    }
    if let Some(ailment) = ailment(paths) {
        return Finding::fail("bridge-unhealthy", format!("{address} is silent, and {ailment}"));
    }
    if is_private(cx, pair) {
        return Finding::skip(format!("{address} is a private address, not meant for outside"));
    }
    if address.is_ipv6() {
        return Finding::skip(format!(
            "{address} does not answer; whether IPv6 works from here is not known"
        ));
    }
    let closed = paths.is_closed(address);
    if closed && pair.candidate.kind != Kind::Host {
        return Finding::fail(
            "bridge-advertises-wrong-address",
            format!("nothing listens at {address}, which the bridge advertises as its own"),
        )
        .expected("the bridge behind the mapped address")
        .actual("ICMP port unreachable");
    }
    if cx.vantage() != Vantage::Public && pair.candidate.kind == Kind::ServerReflexive {
        return hairpin(paths, pair);
    }
    let actual = if closed { "ICMP port unreachable" } else { "silence" };
    let finding = Finding::fail(
        "udp-blocked",
        format!("{} packets to {address}, nothing comes back", pair.sent),
    )
    .expected("an answer to an authenticated binding request")
    .actual(actual);
    note_doubt(paths, finding.likely())
}

/// From inside, a mapped address leads out to the NAT and back.
fn hairpin(paths: &UdpPaths, pair: &Pair) -> Finding {
    let address = pair.candidate.address;
    if paths.offered().any(|other| other.candidate.kind == Kind::Host) {
        return Finding::skip(format!(
            "{address} does not answer from inside; the bridge's own address is the one to ask here"
        ));
    }
    Finding::fail(
        "nat-hairpin-missing",
        format!("{address} is the bridge's address outside, and does not answer from inside"),
    )
    .expected("an answer, or an address of the inside among those offered")
    .actual("silence, and no other address")
    .likely()
}

/// What cannot be told from here, and what would tell it.
fn note_doubt(paths: &UdpPaths, finding: Finding) -> Finding {
    let known = match &paths.health {
        Some(Ok(_)) => "the bridge says that it is healthy",
        Some(Err(_)) | None => "the bridge's health is not known",
    };
    finding.evidences([Evidence::note(format!(
        "{known}, and our own name server answers over UDP; whether our packets or the bridge's \
         answers are lost on the way, or UDP out of this network is, cannot be told from one \
         side: `tcpdump -ni any udp port 10000` on the bridge's node during this check tells, or \
         this check from another vantage"
    ))])
}

/// The later stages are blocked by this one where any endpoint is without an answer.
pub(super) fn need(cx: &Cx, paths: &UdpPaths) -> Result<(), Unavailable> {
    candidates::need(cx, paths)?;
    if paths.silent().next().is_none() {
        return Ok(());
    }
    match judge(cx, paths).into_iter().max_by_key(|finding| finding.outcome) {
        Some(finding) => Err(Unavailable::by("jitsi.udp", finding)),
        None => Ok(()),
    }
}
