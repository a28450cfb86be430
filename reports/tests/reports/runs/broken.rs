//! The reference stack with something wrong, or ourselves.

use mxdoctor_model::{CheckReport, Confidence, EvidenceKind, Outcome, Report};

use super::healthy::checks;
use super::{HOSTS, With, blocked, check, pass, report, root, skip};

const MATRIX: &str = "matrix.testing.borooka.ee";

/// The homeserver's certificate has expired; everything behind it cannot be asked.
pub(crate) fn one_cause() -> Report {
    let mut checks = checks();
    let blocker = format!("tls.validity[{MATRIX}]");
    let expired = expired();
    let mut consequences = Vec::new();
    for check in &mut checks {
        if check.key() == blocker {
            check.clone_from(&expired);
        } else if check.family == "synapse" || check.family == "federation" {
            let instance = check.instance.take();
            *check = CheckReport { instance, ..blocked(&check.id, &blocker, &expired.summary) };
            consequences.push(check.key());
        }
    }
    let consequences: Vec<_> = consequences.iter().map(String::as_str).collect();
    let remedy = "renew the certificate: the edge's for matrix.testing.borooka.ee, or where \
        cert-manager is to do it, look why it did not:\n\n    \
        kubectl -n app-matrix describe certificate synapse-tls\n\n\
        then restart what holds the old one in memory";
    let root = root("a certificate has expired", remedy, &expired, &consequences);
    report(checks, vec![root], 1_874)
}

fn expired() -> CheckReport {
    let summary = "the certificate of matrix.testing.borooka.ee expired 2 days ago";
    let mut expired = check("tls.validity", Outcome::Fail, summary)
        .on(MATRIX)
        .seen(
            EvidenceKind::Connection,
            "198.51.100.2:443 from 10.8.0.14, TLS 1.3, TLS_AES_128_GCM_SHA256, ALPN h2, 38 ms",
        )
        .seen(
            EvidenceKind::Certificate,
            "CN=matrix.testing.borooka.ee, issued by CN=R11, O=Let's Encrypt, C=US\n\
             not before 2025-10-24T01:58:10Z\nnot after  2026-01-22T01:58:09Z\n\
             sha256 6f1ed002ab5595859014ebf0951522d9a1c6f4d3c0b7d9d2f0d2c8f2f1b7a9e4",
        )
        .metric("left", -2.0, "days");
    expired.expected = Some("not after later than now, 2026-01-24T02:07:31Z".into());
    expired.actual = Some("not after 2026-01-22T01:58:09Z".into());
    expired.cause = Some("certificate-expired".into());
    expired
}

/// The server well-known is a page, and the bridge's port is closed: nothing to do with each other.
pub(crate) fn two_causes() -> Report {
    let mut checks = checks();
    let summary = "https://testing.borooka.ee/.well-known/matrix/server is a web page, not JSON";
    let mut html = check("federation.well_known", Outcome::Fail, summary).seen(
        EvidenceKind::Request,
        "GET https://testing.borooka.ee/.well-known/matrix/server → 200 text/html, 1724 bytes, \
         <!doctype html><html lang=\"en\"><head><title>Element</title>",
    );
    html.expected = Some("JSON with m.server".into());
    html.actual = Some("text/html that begins with <!doctype html>".into());
    html.cause = Some("well-known-not-json".into());
    let udp = udp_blocked();
    for check in &mut checks {
        match check.id.as_str() {
            "federation.well_known" => check.clone_from(&html),
            "federation.version" | "federation.keys" => {
                *check = blocked(&check.id, "federation.well_known", summary);
            }
            "jitsi.udp" => check.clone_from(&udp),
            _ => {}
        }
    }
    checks.push(blocked("jitsi.dtls", &udp.key(), &udp.summary));
    let mut first = root(
        "the server well-known answers with something that is not JSON",
        "route /.well-known/matrix on testing.borooka.ee to what serves the JSON, before the \
         catch-all rule of Element",
        &html,
        &["federation.version", "federation.keys"],
    );
    first.checks.push("federation.resolve".into());
    let mut second = root(
        "UDP does not get through to the bridge",
        "open UDP 10000 to the node of the bridge, in its firewall and in the provider's; \
         the bridge runs with hostNetwork, so no Service is in between",
        &udp,
        &["jitsi.dtls"],
    );
    second.confidence = Confidence::Likely;
    report(checks, vec![first, second], 6_204)
}

fn udp_blocked() -> CheckReport {
    let summary = "no answer from 198.51.100.30:10000 to 5 authenticated binding requests";
    let mut udp = check("jitsi.udp", Outcome::Fail, summary)
        .on("198.51.100.30:10000")
        .seen(
            EvidenceKind::Packets,
            "192.0.2.7:40112 → 198.51.100.30:10000 STUN binding request ×5 in 4.0 s, nothing back",
        )
        .seen(EvidenceKind::Request, "GET http://127.0.0.1:8080/about/health → 200, 2 ms")
        .seen(EvidenceKind::Note, "the bridge is healthy and never saw the requests");
    udp.expected = Some("a binding success response".into());
    udp.actual = Some("silence, no ICMP either".into());
    udp.cause = Some("udp-blocked".into());
    udp.duration_ms = 4_031;
    udp
}

/// Our own resolver is gone: nothing is said of the target.
pub(crate) fn own_error() -> Report {
    let summary = "192.0.2.53 does not answer";
    let mut resolver = check("vantage.resolver", Outcome::Error, summary)
        .seen(EvidenceKind::Dns, "192.0.2.53:53 SOA . → no answer within 2.0 s, 3 tries, UDP, TCP");
    resolver.cause = Some("resolver-unusable".into());
    resolver.expected = Some("an answer, whatever it says".into());
    resolver.actual = Some("no answer".into());
    resolver.duration_ms = 6_004;
    let mut checks = vec![resolver.clone(), pass("vantage.ipv6", "IPv6 is there")];
    let ids = ["tls.handshake", "tls.chain", "ingress.reachable"];
    let mut consequences = Vec::new();
    for id in ["dns.address"].iter().chain(&ids) {
        for host in HOSTS {
            checks.push(blocked(id, "vantage.resolver", summary).on(host));
        }
    }
    for id in ["synapse.versions", "element.index", "federation.well_known", "jitsi.web"] {
        checks.push(blocked(id, "vantage.resolver", summary));
    }
    checks.push(check("database.connect", Outcome::Error, "ran out of time after 10 s"));
    consequences.extend(checks.iter().filter(|c| c.blocked_by.is_some()).map(CheckReport::key));
    let consequences: Vec<_> = consequences.iter().map(String::as_str).collect();
    let root = root(
        "our own name server does not answer",
        "give a name server that does: --dns-server 192.0.2.54",
        &resolver,
        &consequences,
    );
    report(checks, vec![root], 6_010)
}

/// Ctrl-C in the middle.
pub(crate) fn interrupted() -> Report {
    let mut checks = checks();
    for check in checks.iter_mut().skip(19) {
        let instance = check.instance.take();
        let error = super::check(&check.id, Outcome::Error, "interrupted before it had an answer");
        *check = CheckReport { instance, duration_ms: 0, ..error };
    }
    let mut report = report(checks, Vec::new(), 911);
    report.run.interrupted = Some("SIGINT".into());
    report
}

/// A name that leads nowhere near a Matrix server, checked for Jitsi only.
pub(crate) fn skipped() -> Report {
    let reason = "no Jitsi found: Element's config.json names none, nor does the client \
        well-known of testing.borooka.ee; set [jitsi] base_url";
    let ids = ["jitsi.config_js", "jitsi.external_api", "jitsi.bosh"];
    let mut checks = vec![skip("jitsi.web", reason)];
    checks.extend(ids.iter().map(|id| blocked(id, "jitsi.web", reason)));
    checks.push(skip("jitsi.udp", "no private REST address of the bridge is given"));
    report(checks, Vec::new(), 208)
}
