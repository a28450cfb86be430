//! The reference stack as it should be.

use mxdoctor_model::{CheckReport, Outcome, Report, Vantage};

use super::{HOSTS, With, check, pass, report, skip};

/// The checks of a healthy stack, from the public side.
pub(crate) fn checks() -> Vec<CheckReport> {
    let mut checks = vec![
        pass("vantage.resolver", "192.0.2.53 answers in 4 ms"),
        pass("vantage.clock", "within 1 s of 4 servers"),
        skip("vantage.ipv6", "no IPv6 here: IPv6 addresses are not tried"),
    ];
    checks.extend(
        HOSTS
            .iter()
            .zip(1..)
            .map(|(host, n)| pass("dns.address", &format!("198.51.100.{n}, TTL 300")).on(host)),
    );
    checks.push(pass("dns.srv", "no SRV records, the well-known leads"));
    checks.push(pass("dns.dnssec", "borooka.ee is not signed"));
    for host in HOSTS {
        checks.push(pass("tls.handshake", "TLS 1.3, h2").on(host).metric("handshake", 38.2, "ms"));
    }
    for host in HOSTS {
        checks.push(pass("tls.chain", "2 certificates, trusted").on(host));
    }
    for host in HOSTS {
        checks.push(pass("tls.validity", "61 days left").on(host).metric("left", 61.0, "days"));
    }
    for host in HOSTS {
        checks.push(pass("ingress.reachable", "answers over HTTPS").on(host));
    }
    checks.extend([
        pass("synapse.versions", "v1.1 to v1.12"),
        pass("synapse.health", "OK"),
        pass("synapse.software", "Synapse 1.147.0"),
        pass("synapse.well_known_client", "base_url https://matrix.testing.borooka.ee"),
        pass("synapse.cors", "6 classes of endpoints permit any origin"),
        pass("synapse.admin_private", "404 from outside"),
        pass("element.config", "https://element.testing.borooka.ee/config.json parses"),
        pass("element.base_url", "leads to https://matrix.testing.borooka.ee"),
        pass("element.jitsi_domain", "meet.testing.borooka.ee"),
        CheckReport { attempts: 2, ..pass("element.version", "1.12.10") },
        pass("federation.well_known", "m.server is matrix.testing.borooka.ee:443"),
        pass("federation.version", "Synapse 1.147.0").on("198.51.100.2"),
        pass("federation.keys", "ed25519:a_Xq3r signs, valid for 7 days").on("198.51.100.2"),
        pass("jitsi.web", "the page loads"),
        pass("jitsi.config_js", "hosts, bosh and websocket are of meet.testing.borooka.ee"),
        pass("jitsi.bosh", "Prosody answers with a session"),
        pass("jitsi.websocket", "stream opens, 9 features, ANONYMOUS offered"),
        skip("jitsi.udp", "no private REST address of the bridge is given (--jvb-rest URL)"),
    ]);
    checks
}

/// Nothing wrong, one thing to know, and a second vantage.
pub(crate) fn healthy() -> Report {
    let mut checks = checks();
    checks.extend([
        pass("database.connect", "matrix-db-rw.app-matrix.svc:5432").from(Vantage::Cluster),
        pass("database.encoding", "UTF8, collation C, ctype C").from(Vantage::Cluster),
    ]);
    let mut warning =
        check("ingress.hsts", Outcome::Warn, "no Strict-Transport-Security on element");
    warning.cause = Some("hsts-missing".into());
    warning.expected = Some("strict-transport-security with max-age of at least 15552000".into());
    warning.actual = Some("no such header".into());
    warning.remedy = Some("add the header in the Traefik middleware of the host".into());
    let warning = warning.on("element.testing.borooka.ee");
    let at = checks.iter().position(|check| check.family == "synapse").expect("synapse is checked");
    checks.insert(at, warning);
    let mut report = report(checks, Vec::new(), 2_431);
    report.run.vantages = vec![Vantage::Public, Vantage::Cluster];
    report
}
