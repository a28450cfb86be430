//! Which hop breaks: real applications behind a real Traefik, and behind the public way in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Failed;
use mxdoctor_fixtures::cluster::{Applications, Edge, INGRESS_ADDRESS, Traefik};

use super::bench::{Bench, Report, Stack, ensure, key, name, string, strings};
use super::faults::{Step, UNAVAILABLE};
use super::inject::Broken;

/// The public names, and those of the internal ingress.
const PUBLIC: &[&str] = &[
    "testing.borooka.ee",
    "matrix.testing.borooka.ee",
    "element.testing.borooka.ee",
    "meet.testing.borooka.ee",
];
const INTERNAL: &[&str] = &["matrix.cluster.arpa", "element.cluster.arpa", "meet.cluster.arpa"];

/// One hop, how it is broken, and what is to be said.
pub(super) struct Hop {
    pub(super) id: &'static str,
    how: How,
    cause: &'static str,
    /// The vantages from which the homeserver is not reached any more.
    from: &'static [&'static str],
    /// Words of each of their verdicts.
    says: &'static str,
}

enum How {
    /// Objects are changed.
    Objects(&'static [Step]),
    /// cloudflared is not connected.
    NoTunnel,
    /// Synapse has ended, and nobody has noticed yet.
    NoSynapse,
    /// Packets from the ingress controller to Synapse are dropped, as by a NetworkPolicy.
    Dropped,
}

pub(super) const HOPS: &[Hop] = &[
    Hop {
        id: "tunnel_name",
        how: How::Objects(&[
            Step::Change(
                "networking.cfargotunnel.com/v1alpha1/tunnelbindings/synapse",
                r#"[{"op": "replace", "path": "/subjects/0/name", "value": "synaps"}]"#,
            ),
            Step::Controllers,
        ]),
        cause: "tunnel-service-missing",
        from: &["public"],
        says: "it ends at TunnelBinding synapse",
    },
    Hop {
        id: "tunnel_down",
        how: How::NoTunnel,
        cause: "tunnel-down",
        from: &["public"],
        says: "it ends before TunnelBinding ",
    },
    Hop {
        id: "route",
        how: How::Objects(&[Step::Remove("traefik.io/v1alpha1/ingressroutes/synapse")]),
        cause: "ingress-route-missing",
        from: &["internal"],
        says: "no IngressRoute, Ingress, HTTPRoute or TunnelBinding here names matrix.cluster.arpa",
    },
    Hop {
        id: "selector",
        how: How::Objects(&[
            Step::Change(
                "v1/services/synapse",
                r#"{"spec": {"selector": {"app.kubernetes.io/name": "synaps"}}}"#,
            ),
            Step::Services,
        ]),
        cause: "service-selects-nothing",
        from: &["public", "internal"],
        says: "it ends at Service synapse",
    },
    Hop {
        id: "target_port",
        how: How::Objects(&[
            Step::Change(
                "v1/services/synapse",
                r#"[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8009}]"#,
            ),
            Step::Services,
        ]),
        cause: "port-mismatch",
        from: &["public", "internal"],
        says: "it ends at Service synapse",
    },
    Hop {
        id: "pod",
        how: How::NoSynapse,
        cause: "homeserver-down",
        from: &["public", "internal"],
        says: "it ends at Pod synapse-",
    },
    Hop {
        id: "pod_not_ready",
        how: How::Objects(&[
            Step::Change(
                "v1/pods/synapse-*/status",
                r#"{"status": {"conditions": [{"type": "Ready", "status": "False",
                "reason": "ContainersNotReady", "lastTransitionTime": "ago:600"},
                {"type": "PodScheduled", "status": "True"}]}}"#,
            ),
            Step::Change("apps/v1/deployments/synapse/status", UNAVAILABLE),
            Step::Services,
        ]),
        cause: "pod-not-ready",
        from: &["public", "internal"],
        says: "it ends at Service synapse",
    },
    Hop {
        id: "tls_secret",
        how: How::Objects(&[Step::Remove("v1/secrets/synapse-tls")]),
        cause: "ingress-default-certificate",
        from: &["internal"],
        says: "it ends at IngressRoute synapse",
    },
    Hop {
        id: "network_policy",
        how: How::Dropped,
        cause: "network-policy-blocks",
        from: &["internal"],
        says: "it ends between IngressRoute synapse and Service synapse",
    },
];

/// Everything between a user and the applications.
pub(super) struct Way {
    traefik: Traefik,
    edge: Edge,
    applications: Applications,
    config: PathBuf,
}

impl Way {
    fn open(stack: &Stack) -> Result<Self, Failed> {
        let applications = stack.cluster.with_applications()?;
        let traefik = stack.cluster.with_traefik()?;
        let edge = stack.cluster.with_edge(PUBLIC)?;
        let folder = stack.config.parent().unwrap_or(Path::new("/"));
        fs::write(folder.join("edge.pem"), edge.root_pem())?;
        fs::write(folder.join("cluster.pem"), stack.cluster.authority().root_pem())?;
        let config = folder.join("hops.toml");
        fs::write(&config, configuration(&edge, &traefik))?;
        Ok(Self { traefik, edge, applications, config })
    }

    /// What a run from all vantages says of the way.
    fn report(&self, stack: &Stack) -> Result<Report, Failed> {
        let mut command = stack.command(&self.config);
        command.args(["--vantage", "public", "--vantage", "internal", "--vantage", "cluster"]);
        for only in ["kubernetes.*", "ingress.hops_agree", "ingress.reachable", "tls.chain"] {
            command.args(["--only", only]);
        }
        Report::of(&mut command)
    }

    /// Waits until Traefik routes, or no longer routes, the homeserver's name.
    fn follow(&self, routed: bool) -> Result<(), Failed> {
        let answers = |traefik: &Traefik| {
            let routers = traefik.routers().unwrap_or_default();
            routers.iter().any(|it| string(&it["rule"]).contains(INTERNAL[0])) == routed
        };
        Ok(self.traefik.until(answers)?)
    }
}

fn configuration(edge: &Edge, traefik: &Traefik) -> String {
    let resolve = |names: &[&str], to: std::net::SocketAddr| {
        let lines = names.iter().map(|name| format!("\"{name}:443:{to}\""));
        lines.collect::<Vec<_>>().join(", ")
    };
    let bases = |section: &str, names: &[&str]| {
        let [matrix, element, meet] = names else { panic!("three names") };
        format!(
            "[{section}]\nhomeserver = \"https://{matrix}\"\nelement = \"https://{element}\"\n\
             jitsi = \"https://{meet}\"\n"
        )
    };
    format!(
        "server_name = \"testing.borooka.ee\"\nstate = \"hops-state\"\n\
         [homeserver]\nbase_url = \"https://{}\"\n[element]\nbase_url = \"https://{}\"\n\
         [jitsi]\nbase_url = \"https://{}\"\n\
         [network]\nca_files = [\"edge.pem\"]\nsystem_roots = false\nresolve = [{}]\n\
         {}ca_files = [\"cluster.pem\"]\nsystem_roots = false\nresolve = [{}]\n\
         [kubernetes]\noperators = [\"cert-manager\", \"cnpg-system\", \"traefik\", \
         \"flux-system\", \"cloudflare-operator-system\"]\n",
        PUBLIC[1],
        PUBLIC[2],
        PUBLIC[3],
        resolve(PUBLIC, edge.address()),
        bases("internal", INTERNAL),
        resolve(INTERNAL, traefik.websecure),
    )
}

/// Every hop answers, from each vantage, and nothing else is said.
pub(super) fn whole(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.aged()?;
    let way = Way::open(stack)?;
    way.follow(true)?;
    let report = way.report(stack)?;
    ensure(report.code == Some(0) && report.causes().is_empty(), || report.bad())?;
    for vantage in ["public", "internal", "cluster"] {
        let hops = report.checks().iter().filter(|entry| {
            entry["id"] == "ingress.hops_agree"
                && entry["vantage"] == vantage
                && entry["outcome"] == "pass"
        });
        let count = hops.count();
        ensure(count == 3, || format!("{count} of 3 parts at {vantage}\n{}", report.bad()))?;
    }
    Ok(())
}

/// Without a version in stack.toml the one of the image's tag is taken for the one that is meant;
/// Synapse here is not of it.
pub(super) fn versions(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.stack()?;
    let way = Way::open(stack)?;
    let mut command = stack.command(&way.config);
    let report = Report::of(command.args(["--only", "synapse.software"]))?;
    let [cause] = report.causes() else { return Err(report.bad().into()) };
    let said = string(&cause["summary"]);
    let right = cause["cause"] == "version-differs" && said.contains("where Synapse 1.147.0 was");
    ensure(right, || report.bad())
}

/// The hop is named from where it is on the way, and is the one cause; from elsewhere all is well.
pub(super) fn broken(bench: &Bench, hop: &Hop) -> Result<(), Failed> {
    let stack = bench.aged()?;
    let mut way = Way::open(stack)?;
    way.follow(true)?;
    let objects = match hop.how {
        How::Objects(steps) => Some(Broken::by(&stack.cluster, steps)?),
        How::NoTunnel => {
            way.edge.connect(false);
            None
        }
        How::NoSynapse => {
            way.applications.kill_synapse()?;
            None
        }
        How::Dropped => {
            drop_packets()?;
            None
        }
    };
    let looked = look(stack, &way, hop);
    objects.map_or(Ok(()), Broken::heal)?;
    let mended = matches!(hop.how, How::Dropped).then(pass_packets);
    let report = looked?;
    mended.unwrap_or(Ok(()))?;
    judge(&report, hop)
}

fn look(stack: &Stack, way: &Way, hop: &Hop) -> Result<Report, Failed> {
    // Traefik drops the route to a Service without endpoints.
    if ["route", "selector", "pod_not_ready"].contains(&hop.id) {
        way.follow(false)?;
    }
    if hop.id == "tls_secret" {
        let shows = |traefik: &Traefik| traefik.subject(INTERNAL[0]).unwrap_or_default();
        way.traefik.until(|it| shows(it).contains("TRAEFIK DEFAULT CERT"))?;
    }
    way.report(stack)
}

fn judge(report: &Report, hop: &Hop) -> Result<(), Failed> {
    let [cause] = report.causes() else { return Err(report.bad().into()) };
    ensure(cause["cause"] == hop.cause && report.code == Some(1), || report.bad())?;
    let explained = [strings(&cause["checks"]), strings(&cause["consequences"])].concat();
    for entry in report.checks() {
        let (id, vantage) = (string(&entry["id"]), string(&entry["vantage"]));
        let bad = entry["outcome"] == "fail" || entry["outcome"] == "error";
        ensure(!bad || explained.contains(&key(entry)), || {
            format!("{} is not explained\n{}", key(entry), report.bad())
        })?;
        if id != "ingress.hops_agree" || vantage == "cluster" {
            continue;
        }
        // One tunnel carries all names; everything else that is broken here is Synapse's alone.
        let part = matches!(hop.how, How::NoTunnel) || entry["instance"] == "homeserver";
        let here = part && hop.from.contains(&&*vantage);
        let said = string(&entry["summary"]);
        let right = if here {
            entry["outcome"] == "fail" && said.contains(hop.says)
        } else {
            entry["outcome"] == "pass"
        };
        ensure(right, || format!("{}: {said}\n{}", key(entry), report.bad()))?;
    }
    let checks = strings(&cause["checks"]);
    let told = strings(&cause["consequences"]).into_iter().chain(checks);
    ensure(told.into_iter().any(|key| name(&key) == "ingress.hops_agree"), || report.bad())
}

/// Drops what the ingress controller sends to any pod at Synapse's port.
fn drop_packets() -> Result<(), Failed> {
    nft(&format!(
        "add table ip cut; add chain ip cut input {{ type filter hook input priority 0; }}; \
         add rule ip cut input ip saddr {INGRESS_ADDRESS} tcp dport 8008 drop"
    ))
}

fn pass_packets() -> Result<(), Failed> {
    nft("delete table ip cut")
}

fn nft(rules: &str) -> Result<(), Failed> {
    let output = Command::new("nft").arg(rules).output()?;
    let said = || format!("nft: {}", String::from_utf8_lossy(&output.stderr));
    ensure(output.status.success(), said)
}
