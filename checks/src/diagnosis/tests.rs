//! Diagnosis on entries written by hand.

use mxdoctor_model::{CheckReport, Confidence, Outcome, Vantage};

use super::diagnose;

fn entry(id: &str, outcome: Outcome, cause: Option<&str>) -> CheckReport {
    CheckReport {
        id: id.to_owned(),
        instance: None,
        family: id.split('.').next().unwrap_or_default().to_owned(),
        vantage: Vantage::Public,
        title: String::new(),
        outcome,
        summary: String::new(),
        expected: None,
        actual: None,
        cause: cause.map(str::to_owned),
        confidence: None,
        remedy: None,
        docs_url: String::new(),
        blocked_by: None,
        started_ms: 0,
        duration_ms: 0,
        attempts: 1,
        evidence: Vec::new(),
        metrics: Vec::new(),
        waited_for: Vec::new(),
        rule: None,
        about: Vec::new(),
    }
}

fn fail(id: &str, cause: &str) -> CheckReport {
    entry(id, Outcome::Fail, Some(cause))
}

fn on(instance: &str, check: CheckReport) -> CheckReport {
    CheckReport { instance: Some(instance.to_owned()), ..check }
}

fn blocked(id: &str, by: &str) -> CheckReport {
    CheckReport { blocked_by: Some(by.to_owned()), ..entry(id, Outcome::Skip, None) }
}

#[test]
fn nothing_wrong_is_nothing_to_say() {
    assert!(diagnose(&[entry("a.a", Outcome::Pass, None)]).is_empty());
    assert!(diagnose(&[entry("a.a", Outcome::Warn, Some("hsts-missing"))]).is_empty());
}

#[test]
fn one_cause_on_two_hosts_is_one_root() {
    let causes = diagnose(&[
        on("a", fail("tls.validity", "certificate-expired")),
        on("b", fail("tls.validity", "certificate-expired")),
    ]);
    assert_eq!(causes.len(), 1);
    assert_eq!(causes[0].checks, ["tls.validity[a]", "tls.validity[b]"]);
    assert_eq!(causes[0].confidence, Confidence::Certain);
}

#[test]
fn what_is_blocked_by_the_blocked_follows_too() {
    let causes = diagnose(&[
        on("a", fail("dns.address", "dns-record-missing")),
        on("a", blocked("tls.handshake", "dns.address[a]")),
        blocked("synapse.versions", "tls.handshake[a]"),
        blocked("x.x", "nothing.of_this"),
    ]);
    assert_eq!(causes.len(), 1);
    assert_eq!(causes[0].consequences, ["tls.handshake[a]", "synapse.versions"]);
}

#[test]
fn the_root_with_more_consequences_comes_first_and_failures_before_errors() {
    let causes = diagnose(&[
        entry("vantage.clock", Outcome::Error, Some("own-clock-wrong")),
        blocked("a.b", "vantage.clock"),
        blocked("a.c", "vantage.clock"),
        fail("synapse.cors", "cors-blocked"),
        fail("element.config", "element-config-invalid"),
        blocked("element.base_url", "element.config"),
    ]);
    let order: Vec<&str> = causes.iter().map(|cause| cause.cause.as_str()).collect();
    assert_eq!(order, ["element-config-invalid", "cors-blocked", "own-clock-wrong"]);
}

#[test]
fn a_database_that_refuses_synapse_explains_a_homeserver_that_is_down() {
    let cluster = |check| CheckReport { vantage: Vantage::Cluster, ..check };
    let causes = diagnose(&[
        on("matrix", fail("ingress.reachable", "homeserver-down")),
        blocked("synapse.versions", "ingress.reachable[matrix]"),
        cluster(fail("database.auth", "database-auth-failed")),
    ]);
    assert_eq!(causes.len(), 1);
    assert_eq!(causes[0].cause, "database-auth-failed");
    assert_eq!(causes[0].confidence, Confidence::Likely);
    assert_eq!(causes[0].consequences, ["ingress.reachable[matrix]", "synapse.versions"]);
}

fn about(objects: &[&str], check: CheckReport) -> CheckReport {
    let objects: Vec<String> = objects.iter().map(|&object| object.to_owned()).collect();
    CheckReport { about: objects, ..on(&check.id.clone(), check) }
}

#[test]
fn only_what_stands_on_the_broken_object_is_explained_by_it() {
    let pod = about(&["Pod a-1", "Deployment a"], fail("kubernetes.pods", "container-crashes"));
    let own = about(&["Service a", "Pod a-1"], fail("x.own", "endpoints-not-ready"));
    let other = about(&["Service b", "Pod b-1"], fail("x.other", "endpoints-not-ready"));
    let route = about(&["IngressRoute b", "Service b"], fail("x.route", "route-without-endpoints"));
    let causes = diagnose(&[pod, own, other, route]);
    let order: Vec<(&str, usize)> =
        causes.iter().map(|cause| (cause.cause.as_str(), cause.consequences.len())).collect();
    assert_eq!(order, [("container-crashes", 1), ("endpoints-not-ready", 1)]);
    assert_eq!(causes[0].consequences, ["x.own[x.own]"]);
    assert_eq!(causes[1].checks, ["x.other[x.other]"]);
}

/// Rules name causes of the table, or they would never hold.
#[test]
fn a_bridge_that_cannot_log_in_explains_a_focus_without_one() {
    let causes = diagnose(&[
        fail("jitsi.muc", "bridge-unavailable"),
        on("brewery", fail("jitsi.jvb_health", "bridge-not-in-brewery")),
        blocked("jitsi.session", "jitsi.muc"),
    ]);
    assert_eq!(causes.len(), 1);
    assert_eq!(causes[0].cause, "bridge-not-in-brewery");
    assert_eq!(causes[0].consequences.len(), 2);
}

#[test]
fn rules_name_known_causes() {
    for rule in super::rules::RULES {
        for id in rule.explains.iter().chain([&rule.cause]) {
            assert!(crate::cause(id).is_some(), "{id}");
        }
    }
}

#[test]
fn what_works_from_the_cluster_and_not_from_outside_is_a_firewall() {
    let cluster = |check| CheckReport { vantage: Vantage::Cluster, ..check };
    let silent = CheckReport {
        confidence: Some(Confidence::Likely),
        ..on("198.51.100.20:10000", fail("jitsi.udp", "udp-blocked"))
    };
    let blocked = blocked("jitsi.media", "jitsi.udp[198.51.100.20:10000]");
    let alone = diagnose(&[silent.clone(), blocked.clone()]);
    assert_eq!(alone[0].confidence, Confidence::Likely);
    let both = diagnose(&[
        silent,
        cluster(on("10.0.0.7:10000", entry("jitsi.udp", Outcome::Pass, None))),
        blocked,
        cluster(entry("jitsi.media", Outcome::Pass, None)),
    ]);
    assert_eq!((both.len(), both[0].cause.as_str()), (1, "udp-blocked"));
    assert_eq!(both[0].confidence, Confidence::Certain);
    assert!(both[0].summary.contains("cluster vantage sound flows"), "{}", both[0].summary);
    assert_eq!(both[0].consequences, ["jitsi.media"]);
}
