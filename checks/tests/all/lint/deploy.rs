//! The policies for our own pods, beside those of the reference stack.

use std::path::Path;

use mxdoctor_checks::lint::view::Stack;
use mxdoctor_checks::lint::view::policy::{Connection, Decision, Direction, End, decide};
use mxdoctor_probes::manifest::Inventory;

use super::{files, looked, objects, told};

/// The reference stack and what its overlay puts beside it, as one namespace.
fn tree() -> Vec<(String, String)> {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let mut all = files("apps/base/matrix", 20);
    for file in [
        "base/common/network-policy.yaml",
        "base/common/reports.yaml",
        "base/job/job.yaml",
        "base/cronjob/cronjob.yaml",
        "overlays/reference/network-policy.yaml",
    ] {
        let text = std::fs::read_to_string(deploy.join(file)).expect("a file");
        let text = text.replace("  namespace: app-matrix\n", "");
        // As the kustomization says.
        let text =
            text.replacen("metadata:\n  name:", "metadata:\n  namespace: app-matrix\n  name:", 9);
        all.push((file.to_owned(), text));
    }
    all
}

#[test]
fn our_own_policies_are_right() {
    let problems = looked(&tree());
    let ours = problems.iter().filter(|problem| problem.rule.family() == "NP");
    assert_eq!(ours.map(told).collect::<Vec<_>>(), [""; 0]);
}

fn pods<'a>(stack: &Stack<'a>, name: &str) -> End<'a> {
    let found = stack.workloads.iter().find(|it| it.object.name() == name);
    End::Pods(*found.unwrap_or_else(|| panic!("no {name}")))
}

fn is_allowed(stack: &Stack<'_>, from: End<'_>, to: End<'_>, port: i64, protocol: &'static str) {
    let connection = Connection { from, to, port, protocol };
    for direction in [Direction::Egress, Direction::Ingress] {
        let decision = decide(stack, &connection, direction);
        let allowed = matches!(decision, Decision::Allowed);
        assert!(allowed, "{from} to {to} {protocol} {port}, {direction:?}: {decision:?}");
    }
}

fn all(inventory: &Inventory) {
    let stack = Stack::new(inventory);
    let cluster = inventory.of_kind("Cluster").next().expect("the database");
    for ours in ["mxdoctor", "mxdoctor-deployment"] {
        let from = pods(&stack, ours);
        for (name, port) in [
            ("synapse", 8008),
            ("element", 8080),
            ("well-known", 8080),
            ("jitsi-web", 80),
            ("jitsi-prosody", 5280),
            ("jitsi-jicofo", 8888),
            ("jitsi-jvb", 8080),
        ] {
            is_allowed(&stack, from, pods(&stack, name), port, "TCP");
        }
        is_allowed(&stack, from, pods(&stack, "jitsi-jvb"), 10000, "UDP");
        is_allowed(&stack, from, End::Instances(cluster), 5432, "TCP");
        for protocol in ["UDP", "TCP"] {
            is_allowed(&stack, from, End::Dns, 53, protocol);
        }
        for port in [443, 8448] {
            is_allowed(&stack, from, End::Internet, port, "TCP");
        }
        // Nothing says where the API server listens; its Service has 443.
        let connection = Connection { from, to: End::Api, port: 443, protocol: "TCP" };
        let decision = decide(&stack, &connection, Direction::Egress);
        assert!(!matches!(decision, Decision::Cut(_)), "{decision:?}");
    }
}

#[test]
fn our_own_pods_reach_what_they_check() {
    let (inventory, _) = objects(&tree());
    all(&inventory);
}
