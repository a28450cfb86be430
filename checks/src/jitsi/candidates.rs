//! `jitsi.candidates`

use std::net::IpAddr;

use mxdoctor_model::{Finding, Vantage};
use mxdoctor_probes::ice::{Kind, Pair};

use crate::facts::{Paths, UdpPaths, unreachable_from_outside};
use crate::{Cx, Unavailable, Verdict, check};

/// The port that firewalls are opened for (`JVB_PORT`).
const USUAL_PORT: u16 = 10_000;

check! {
    /// ## What it asserts
    /// The video bridge offers addresses that can be reached from where this looks: from outside
    /// at least one that is public and IPv4.
    ///
    /// ## Why it matters
    /// A browser sends its sound and video to one of these addresses and to no other. The bridge
    /// knows the addresses of its own interfaces; behind NAT, in a container, on a node with a
    /// private address it has to be told the public one.
    ///
    /// ## How it looks
    /// In the invitation of a real conference, and where there is none, in the bridge's own
    /// offer over its private REST interface. Each candidate is then tried, see `jitsi.udp`.
    ///
    /// ## What makes it fail
    /// - No candidate at all: the bridge could not bind its port, or found no interface.
    /// - From outside: private addresses only, or none but IPv6, which many networks lack.
    /// - Another port than 10000, silent: a firewall that was opened by the book has 10000 open.
    ///
    /// A private or IPv6 address that does answer here is a warning: others are elsewhere. From
    /// inside every address is as good as any other.
    ///
    /// ## How to fix it
    /// Set `JVB_ADVERTISE_IPS` on the jvb container to the public IPv4 address of its node, as
    /// `ip#port` where the outer port differs.
    ///
    /// ## Where it comes from
    /// RFC 8445 section 5.1; XEP-0176; docker-jitsi-meet, `jvb.conf`.
    "jitsi.candidates" at PIC: "the bridge offers addresses that can be reached"
    causes [
        "bridge-no-candidates", "bridge-unhealthy", "bridge-advertises-private-address",
        "bridge-only-ipv6", "bridge-port-unusual", "bridge-advertises-wrong-address",
    ]
    timeout 180
}

async fn run(cx: &Cx) -> Verdict {
    let paths = cx.fact(Paths).await?;
    Ok(judge(cx, &paths).into())
}

pub(super) fn judge(cx: &Cx, paths: &UdpPaths) -> Finding {
    let count = paths.offered().count() as f64;
    opinion(cx, paths).metric("candidates", count, "count").evidences(paths.evidence())
}

fn opinion(cx: &Cx, paths: &UdpPaths) -> Finding {
    let all: Vec<&Pair> = paths.offered().collect();
    let there: Vec<&Pair> = all.iter().copied().filter(|pair| !is_private(cx, pair)).collect();
    let open = paths.is_open();
    let listed = list(&all);
    if all.is_empty() {
        return none(paths);
    }
    // Its own word for being ill weighs more than what follows from it.
    if !open && paths.ailment().is_some() {
        return Finding::pass(format!("the bridge offers {listed}"));
    }
    if there.is_empty() {
        return private(&listed, open);
    }
    let public = cx.vantage() == Vantage::Public;
    if public && there.iter().all(|pair| pair.candidate.address.is_ipv6()) {
        return only_ipv6(&list(&there), open);
    }
    if let Some(node) = node(cx).filter(|_| public && !open)
        && there.iter().all(|pair| pair.candidate.address.ip() != node)
    {
        return Finding::fail(
            "bridge-advertises-wrong-address",
            format!("the bridge offers {}, which is not its node, and is silent", list(&there)),
        )
        .expected(format!("{node}, as `jitsi.node` says"))
        .actual("another address, and silence");
    }
    if !open && there.iter().all(|pair| is_elsewhere(paths, pair)) {
        return Finding::fail(
            "bridge-port-unusual",
            format!("the bridge offers {} and nothing answers there", list(&there)),
        )
        .expected(format!("port {USUAL_PORT}, or an answer"))
        .actual("another port, and silence")
        .likely();
    }
    Finding::pass(format!("the bridge offers {listed}"))
}

/// Nobody outside is meant to reach it.
pub(super) fn is_private(cx: &Cx, pair: &Pair) -> bool {
    cx.vantage() == Vantage::Public
        && unreachable_from_outside(cx.target(), pair.candidate.address.ip())
}

/// The address of the bridge's node, where it is configured as one.
fn node(cx: &Cx) -> Option<IpAddr> {
    cx.target().jitsi_node.as_ref()?.parse().ok()
}

/// Another port than the usual one, and nothing that says more than that nobody is there.
fn is_elsewhere(paths: &UdpPaths, pair: &Pair) -> bool {
    let address = pair.candidate.address;
    // Behind a mapping, that nothing listens speaks against the address.
    let mapped = pair.candidate.kind != Kind::Host;
    address.port() != USUAL_PORT
        && pair.sent > 0
        && pair.strayed.is_none()
        && pair.unsendable.is_none()
        && !(mapped && paths.is_closed(address))
}

fn none(paths: &UdpPaths) -> Finding {
    let ailment = paths.ailment();
    let cause = if ailment.is_some() { "bridge-unhealthy" } else { "bridge-no-candidates" };
    let health = ailment.map(|it| format!("its health is {}: {}", it.status, it.text));
    Finding::fail(cause, "the bridge offers no UDP address at all")
        .expected("at least one candidate")
        .actual(health.unwrap_or_else(|| "none".into()))
}

fn private(listed: &str, open: bool) -> Finding {
    let cause = "bridge-advertises-private-address";
    let finding = if open {
        Finding::warn(
            cause,
            format!("{listed} can be reached from here, and no public address is advertised"),
        )
    } else {
        Finding::fail(cause, format!("the bridge offers {listed}, and no public address"))
    };
    finding
        .expected("a candidate that can be reached from the internet")
        .actual("private addresses only")
}

fn only_ipv6(listed: &str, open: bool) -> Finding {
    let summary = format!("the bridge offers {listed}, and no public IPv4 address");
    let finding = if open {
        Finding::warn("bridge-only-ipv6", summary)
    } else {
        Finding::fail("bridge-only-ipv6", summary)
    };
    finding.expected("a public IPv4 address besides").actual("IPv6 only")
}

/// At most four, and how many more.
fn list(pairs: &[&Pair]) -> String {
    let shown: Vec<String> = pairs.iter().take(4).map(|pair| pair.candidate.to_string()).collect();
    let more = pairs.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// The later stages are blocked by this one where it fails.
pub(super) fn need(cx: &Cx, paths: &UdpPaths) -> Result<(), Unavailable> {
    super::need("jitsi.candidates", judge(cx, paths))
}
