//! What the documentation of Kubernetes says of policies, line by line.

use super::*;
use crate::lint::testing::inventory;

const PODS: &str = r"
apiVersion: v1
kind: Namespace
metadata: {name: m, labels: {team: chat}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: m}
spec:
  template:
    metadata: {labels: {app: a, tier: front}}
    spec: {containers: [{name: a}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: b, namespace: m}
spec:
  template:
    metadata: {labels: {app: b}}
    spec:
      containers: [{name: b, ports: [{name: xmpp, containerPort: 5222}]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: host, namespace: m}
spec:
  template:
    metadata: {labels: {app: host}}
    spec: {hostNetwork: true, containers: [{name: h}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: far, namespace: n}
spec:
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: f}]}
---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: db, namespace: m, labels: {team: chat}}
spec: {instances: 1, inheritedMetadata: {labels: {tier: data}}}
";

fn end<'a>(stack: &Stack<'a>, name: &str) -> End<'a> {
    let foreign =
        |namespace, elsewhere| End::Foreign(Foreign { name: "a stranger", namespace, elsewhere });
    match name {
        "dns" => End::Dns,
        "api" => End::Api,
        "internet" => End::Internet,
        "stranger" => foreign(None, false),
        "stranger elsewhere" => foreign(None, true),
        "stranger in x" => foreign(Some("x"), true),
        "db" => End::Instances(stack.inventory.named("Cluster", "db").next().expect("db")),
        _ => {
            let found = stack.workloads.iter().find(|it| it.object.name() == name);
            End::Pods(*found.expect("a workload"))
        }
    }
}

fn word(decision: &Decision<'_>) -> &'static str {
    match decision {
        Decision::Allowed => "allowed",
        Decision::Unknown => "unknown",
        Decision::Cut(_) => "cut",
    }
}

/// What policies with these lines of `spec` say, in a direction, of `FROM > TO PORT/PROTOCOL`.
fn decided(specs: &[&str], direction: Direction, connection: &str) -> &'static str {
    let policies = specs.iter().enumerate().map(|(index, spec)| {
        format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: \
             p{index}, namespace: m}}\nspec: {{{spec}}}\n"
        )
    });
    let inventory = inventory(&(PODS.to_owned() + &policies.collect::<String>()));
    let stack = Stack::new(&inventory);
    let (from, rest) = connection.split_once(" > ").expect("two ends");
    let (to, port) = rest.rsplit_once(' ').expect("a port");
    let (port, protocol) = port.split_once('/').unwrap_or((port, "TCP"));
    let connection = Connection {
        from: end(&stack, from),
        to: end(&stack, to),
        port: port.parse().expect("a number"),
        protocol: if protocol == "UDP" { "UDP" } else { "TCP" },
    };
    word(&decide(&stack, &connection, direction))
}

fn ingress(specs: &[&str], connection: &str) -> &'static str {
    decided(specs, Direction::Ingress, connection)
}

fn egress(specs: &[&str], connection: &str) -> &'static str {
    decided(specs, Direction::Egress, connection)
}

#[test]
fn who_is_isolated() {
    const FLOW: &str = "a > b 5222";
    for (specs, on_ingress, on_egress) in [
        (&[][..], "allowed", "allowed"),
        (&["podSelector: {}"], "cut", "allowed"),
        (&["podSelector: {}, policyTypes: [Ingress]"], "cut", "allowed"),
        (&["podSelector: {}, policyTypes: [Egress]"], "allowed", "cut"),
        (&["podSelector: {}, policyTypes: [Ingress, Egress]"], "cut", "cut"),
        // Egress is implied by rules of egress alone, and ingress always.
        (&["podSelector: {}, egress: [{}]"], "cut", "allowed"),
        (&["podSelector: {}, egress: [{ports: [{port: 1}]}]"], "cut", "cut"),
        (&["podSelector: {}, egress: []"], "cut", "allowed"),
        // Rules of a direction that the types leave out are no rules.
        (&["podSelector: {}, policyTypes: [Egress], ingress: [{}]"], "allowed", "cut"),
        (&["podSelector: {matchLabels: {app: b}}"], "cut", "allowed"),
        (&["podSelector: {matchLabels: {app: a}}"], "allowed", "allowed"),
        (&["podSelector: {matchLabels: {app: a}}, policyTypes: [Egress]"], "allowed", "cut"),
        // Rules add up.
        (&["podSelector: {}", "podSelector: {}, ingress: [{}]"], "allowed", "allowed"),
    ] {
        assert_eq!(ingress(specs, FLOW), on_ingress, "{specs:?}");
        assert_eq!(egress(specs, FLOW), on_egress, "{specs:?}");
    }
}

#[test]
fn what_a_selector_selects() {
    for (selector, expected) in [
        ("matchLabels: {app: b}", "cut"),
        ("matchLabels: {app: b, tier: front}", "allowed"),
        ("matchExpressions: [{key: app, operator: In, values: [a, b]}]", "cut"),
        ("matchExpressions: [{key: app, operator: NotIn, values: [a]}]", "cut"),
        ("matchExpressions: [{key: app, operator: NotIn, values: [b]}]", "allowed"),
        ("matchExpressions: [{key: tier, operator: NotIn, values: [x]}]", "cut"),
        ("matchExpressions: [{key: app, operator: Exists}]", "cut"),
        ("matchExpressions: [{key: tier, operator: Exists}]", "allowed"),
        ("matchExpressions: [{key: tier, operator: DoesNotExist}]", "cut"),
        ("matchLabels: {app: b}, matchExpressions: [{key: x, operator: Exists}]", "allowed"),
        // Controllers may add it.
        ("matchLabels: {pod-template-hash: abc}", "unknown"),
    ] {
        let spec = format!("podSelector: {{{selector}}}");
        assert_eq!(ingress(&[&spec], "a > b 5222"), expected, "{selector}");
    }
}

#[test]
fn whom_a_peer_means() {
    let any = "stranger > b 5222";
    for (peers, connection, expected) in [
        ("", "a > b 5222", "allowed"),
        ("podSelector: {}", "a > b 5222", "allowed"),
        ("podSelector: {}", "far > b 5222", "cut"),
        ("podSelector: {matchLabels: {app: a}}", "a > b 5222", "allowed"),
        ("podSelector: {matchLabels: {app: a}}", "far > b 5222", "cut"),
        ("namespaceSelector: {}", "far > b 5222", "allowed"),
        ("namespaceSelector: {matchLabels: {team: chat}}", "a > b 5222", "allowed"),
        ("namespaceSelector: {matchLabels: {team: other}}", "a > b 5222", "cut"),
        // The labels of a namespace that is not in the inventory, but for its name.
        ("namespaceSelector: {matchLabels: {team: chat}}", "far > b 5222", "unknown"),
        (
            "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: n}}",
            "far > b 5222",
            "allowed",
        ),
        ("namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: n}}", "a > b 5222", "cut"),
        ("namespaceSelector: {}, podSelector: {matchLabels: {app: a}}", "far > b 5222", "allowed"),
        ("namespaceSelector: {}, podSelector: {matchLabels: {app: b}}", "far > b 5222", "cut"),
        // Meant for a, and who else has labels that nobody knows?
        ("podSelector: {matchLabels: {app: a}}", any, "cut"),
        ("podSelector: {matchLabels: {app: z}}", any, "unknown"),
        ("podSelector: {}", any, "unknown"),
        ("podSelector: {matchLabels: {app: a}}", "stranger elsewhere > b 5222", "cut"),
        ("namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: x}}", any, "unknown"),
        (
            "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: x}}",
            "stranger in x > b 5222",
            "allowed",
        ),
        (
            "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: y}}",
            "stranger in x > b 5222",
            "cut",
        ),
        (
            "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: x}}, podSelector: \
             {matchLabels: {app: z}}",
            "stranger in x > b 5222",
            "unknown",
        ),
        // Whether a block has pods' addresses depends on the network, but for public ones.
        ("ipBlock: {cidr: 10.0.0.0/8}", "a > b 5222", "unknown"),
        ("ipBlock: {cidr: 203.0.113.0/24}", "a > b 5222", "cut"),
    ] {
        let from = if peers.is_empty() { "[]" } else { &format!("[{{{peers}}}]") };
        let spec = format!("podSelector: {{}}, ingress: [{{from: {from}}}]");
        assert_eq!(ingress(&[&spec], connection), expected, "{peers}: {connection}");
    }
}

#[test]
fn two_items_are_either_and_one_item_is_both() {
    let either = "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: \
                  chat}}}, {podSelector: {matchLabels: {app: z}}}]}]";
    assert_eq!(ingress(&[either], "a > b 5222"), "allowed");
    let both = either.replace("}}}, {podSelector", "}}, podSelector");
    assert_eq!(ingress(&[&both], "a > b 5222"), "cut");
}

#[test]
fn which_ports_a_rule_has() {
    for (ports, connection, expected) in [
        ("{port: 5222}", "a > b 5222", "allowed"),
        ("{port: 5222}", "a > b 5222/UDP", "cut"),
        ("{port: 5222, protocol: UDP}", "a > b 5222", "cut"),
        ("{protocol: TCP}", "a > b 5222", "allowed"),
        ("{port: 5000, endPort: 6000}", "a > b 5222", "allowed"),
        ("{port: 5000, endPort: 5221}", "a > b 5222", "cut"),
        ("{port: xmpp}", "a > b 5222", "allowed"),
        ("{port: xmpp}", "a > b 5280", "cut"),
        ("{port: http}", "a > b 5222", "cut"),
        ("{port: postgresql}", "a > db 5432", "allowed"),
        ("{port: 80}, {port: 5222}", "a > b 5222", "allowed"),
    ] {
        let spec = format!("podSelector: {{}}, ingress: [{{ports: [{ports}]}}]");
        assert_eq!(ingress(&[&spec], connection), expected, "{ports}: {connection}");
    }
}

#[test]
fn pods_on_the_host_network_are_nodes() {
    let all = "podSelector: {}, policyTypes: [Ingress, Egress]";
    assert_eq!(ingress(&[all], "a > host 9090"), "allowed");
    assert_eq!(egress(&[all], "host > b 5222"), "allowed");
    assert_eq!(ingress(&[all], "host > b 5222"), "cut");
    for (peer, expected) in [
        ("podSelector: {matchLabels: {app: host}}", "unknown"),
        ("podSelector: {matchLabels: {app: a}}", "cut"),
        ("ipBlock: {cidr: 192.0.2.10/32}", "unknown"),
        ("ipBlock: {cidr: 0.0.0.0/0}", "allowed"),
    ] {
        let spec = format!("podSelector: {{}}, ingress: [{{from: [{{{peer}}}]}}]");
        assert_eq!(ingress(&[&spec], "host > b 5222"), expected, "{peer}");
    }
}

#[test]
fn the_operator_gives_instances_their_labels() {
    for (selector, expected) in [
        ("cnpg.io/cluster: db", "cut"),
        ("cnpg.io/cluster: other", "allowed"),
        ("tier: data", "cut"),
        // It hands on what its own configuration names.
        ("team: chat", "unknown"),
        ("cnpg.io/instanceRole: primary", "unknown"),
        ("app.kubernetes.io/name: postgresql", "unknown"),
        ("app.kubernetes.io/name: synapse", "allowed"),
        ("app: db", "allowed"),
    ] {
        let spec = format!("podSelector: {{matchLabels: {{{selector}}}}}");
        assert_eq!(ingress(&[&spec], "a > db 5432"), expected, "{selector}");
    }
}

#[test]
fn the_way_out_of_the_cluster() {
    let to = |rule: &str| format!("podSelector: {{}}, policyTypes: [Egress], egress: [{{{rule}}}]");
    for (rule, connection, expected) in [
        ("to: [{ipBlock: {cidr: 0.0.0.0/0}}]", "a > internet 443", "allowed"),
        (
            "to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 169.254.0.0/16]}}]",
            "a > internet 443",
            "allowed",
        ),
        ("to: [{ipBlock: {cidr: 0.0.0.0/0, except: [1.0.0.0/8]}}]", "a > internet 443", "unknown"),
        ("to: [{ipBlock: {cidr: 10.0.0.0/8}}]", "a > internet 443", "cut"),
        ("to: [{ipBlock: {cidr: 203.0.113.7/32}}]", "a > internet 443", "unknown"),
        ("to: [{namespaceSelector: {}}]", "a > internet 443", "cut"),
        ("ports: [{port: 8448}]", "a > internet 443", "cut"),
        ("to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]", "a > b 5222", "unknown"),
        (
            "to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 172.16.0.0/12, \
             192.168.0.0/16, 100.64.0.0/10]}}]",
            "a > b 5222",
            "cut",
        ),
        ("to: [{namespaceSelector: {}}]", "a > dns 53/UDP", "allowed"),
        ("to: [{podSelector: {}}]", "a > dns 53/UDP", "cut"),
        (
            "to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: \
             kube-system}}}], ports: [{port: 53, protocol: UDP}]",
            "a > dns 53/UDP",
            "allowed",
        ),
        (
            "to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: traefik}}}]",
            "a > dns 53/UDP",
            "cut",
        ),
        ("to: [{namespaceSelector: {matchLabels: {name: dns}}}]", "a > dns 53/UDP", "unknown"),
        ("to: [{ipBlock: {cidr: 169.254.20.10/32}}]", "a > dns 53/UDP", "unknown"),
        ("ports: [{port: 53}]", "a > dns 53/UDP", "cut"),
        ("ports: [{port: 5353, protocol: UDP}]", "a > dns 53/UDP", "unknown"),
        ("to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 6443}]", "db > api 6443", "allowed"),
        ("to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 16443}]", "db > api 443", "unknown"),
        ("to: [{podSelector: {}}]", "db > api 443", "cut"),
        ("ports: [{port: 5432}]", "db > api 443", "cut"),
    ] {
        assert_eq!(egress(&[&to(rule)], connection), expected, "{rule}: {connection}");
    }
}

#[test]
fn the_narrow_miss_is_named() {
    let text = PODS.to_owned()
        + "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: all, \
           namespace: m}\nspec: {podSelector: {}}\n---\napiVersion: networking.k8s.io/v1\nkind: \
           NetworkPolicy\nmetadata: {name: b, namespace: m}\nspec:\n  podSelector: {matchLabels: \
           {app: b}}\n  ingress:\n  - from: [{podSelector: {matchLabels: {app: a}}}]\n    ports: \
           [{port: 5280}]\n";
    let inventory = inventory(&text);
    let stack = Stack::new(&inventory);
    let cut = |from: &str, port| {
        let (from, to) = (end(&stack, from), end(&stack, "b"));
        let connection = Connection { from, to, port, protocol: "TCP" };
        match decide(&stack, &connection, Direction::Ingress) {
            Decision::Cut(cut) => {
                let near = cut.near.map(|near| matches!(near, Near::Ports(_)));
                format!("{} {near:?}", cut.policy.object.name())
            }
            other => word(&other).to_owned(),
        }
    };
    assert_eq!(cut("a", 5280), "allowed");
    assert_eq!(cut("a", 5222), "b Some(true)");
    assert_eq!(cut("db", 5280), "b Some(false)");
    assert_eq!(cut("db", 5222), "b None");
}

#[test]
fn blocks_of_addresses() {
    let block = |text: &str| {
        let inventory = inventory(&format!("apiVersion: v1\nkind: X\nblock: {text}"));
        Block::new(inventory.objects()[0].at("block").expect("a block"))
    };
    let of = |text: &str| {
        let block = block(text).expect("a block");
        (block.is_everything(), block.is_internet(), block.has_public(), block.has_pods())
    };
    assert_eq!(of("{cidr: 0.0.0.0/0}"), (true, true, true, true));
    assert_eq!(of("{cidr: 0.0.0.0/0, except: [10.1.0.0/16]}"), (false, true, true, true));
    assert_eq!(of("{cidr: 0.0.0.0/1}"), (false, false, true, true));
    assert_eq!(of("{cidr: 10.42.0.0/16}"), (false, false, false, true));
    assert_eq!(of("{cidr: 198.51.100.0/24}"), (false, false, true, false));
    assert_eq!(of("{cidr: 'fd00::/8'}"), (false, false, false, true));
    assert_eq!(of("{cidr: '2001:db8::/32'}"), (false, false, true, false));
    for broken in ["{cidr: 10.0.0.0}", "{cidr: 10.0.0.0/33}", "{cidr: name/8}", "{}"] {
        assert!(block(broken).is_none(), "{broken}");
    }
}
