//! Each rule over a small stack with policies.

mod selectors;

use crate::lint::testing::{found, inventory, jitsi, synapse};

/// Synapse on port 8008 with its database, and a route and a tunnel that lead to it.
fn stack() -> String {
    let homeserver = "server_name: a.example\nlisteners:\n- port: 8008\n  resources:\n  - names: \
                      [client, federation]\ndatabase:\n  name: psycopg2\n  args: {host: db-rw}";
    let text = synapse(homeserver)
        .replace("metadata:\n  name: synapse", "metadata:\n  namespace: m\n  name: synapse");
    text + "---\napiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: db, namespace: \
            m}\nspec: {instances: 1}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: synapse, \
            namespace: m}\nspec:\n  selector: {app: synapse}\n  ports: [{port: 80, targetPort: \
            8008}]\n---\napiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: s, \
            namespace: m}\nspec:\n  routes:\n  - match: Host(`a.example`)\n    services: [{name: \
            synapse, port: 80}]\n"
}

const SYNAPSE: &str = "podSelector: {matchLabels: {app: synapse}}";
const DATABASE: &str = "podSelector: {matchLabels: {cnpg.io/cluster: db}}";

/// A policy whose `spec` begins in the sixth of its lines; its lines are the first of the text.
fn policy(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, \
         namespace: m}}\nspec:\n  {}\n---\n",
        spec.replace('\n', "\n  ")
    )
}

fn with(policies: &[String]) -> String {
    policies.concat() + &stack()
}

#[test]
fn without_policies_nothing_is_cut() {
    for number in 1..=10 {
        assert_eq!(found(&format!("NP-{number:02}"), &stack()), [""; 0]);
    }
}

const ALL: &str = "podSelector: {}\npolicyTypes: [Ingress, Egress]";

#[test]
fn a_policy_that_denies_all_cuts_everything_and_says_each_once() {
    let text = with(&[policy("deny", ALL)]);
    let names = "6:16 NetworkPolicy deny keeps Deployment synapse from the name servers: nothing \
                 allows UDP 53";
    assert_eq!(found("NP-01", &text), [names]);
    assert_eq!(
        found("NP-02", &text),
        [
            "6:16 NetworkPolicy deny keeps Deployment synapse from its database (TCP 5432) and \
             other servers (TCP 443, 8448): no rule of egress allows it",
            "6:16 NetworkPolicy deny keeps Traefik (TCP 8008) from Deployment synapse: no rule of \
             ingress allows it",
        ]
    );
    let operator = "6:16 NetworkPolicy deny keeps the operator CloudNativePG (TCP 8000, 5432) from \
                    Cluster db: no rule of ingress allows it";
    assert_eq!(found("NP-06", &text), [operator]);
    let api = "6:16 NetworkPolicy deny keeps Cluster db from the API server (TCP 443): no rule of \
               egress allows it";
    assert_eq!(found("NP-07", &text), [api]);
    assert_eq!(found("NP-05", &text), [""; 0]);
    assert_eq!(found("NP-10", &text), [""; 0]);
}

fn egress(rules: &str) -> String {
    with(&[policy("p", &format!("{SYNAPSE}\npolicyTypes: [Egress]\negress:\n{rules}"))])
}

#[test]
fn names_are_asked_by_udp_and_by_tcp() {
    let open = "- to: [{podSelector: {}}, {ipBlock: {cidr: 0.0.0.0/0}}]\n  ports: [{port: 443}, \
                {port: 8448}, {port: 5432}]\n";
    let expected =
        "7:3 NetworkPolicy p keeps Deployment synapse from the name servers: nothing allows UDP 53";
    assert_eq!(found("NP-01", &egress(open)), [expected]);
    let both = "- ports: [{port: 53}, {port: 53, protocol: UDP}]\n";
    let one = "- ports: [{port: 53, protocol: UDP}]\n";
    let wrong = "- ports: [{port: 53}]\n";
    for (rules, short, long) in [
        (both, [""; 0].as_slice(), [""; 0].as_slice()),
        (
            one,
            &[],
            &["10:12 NetworkPolicy p keeps Deployment synapse from the name servers: nothing \
               allows TCP 53"],
        ),
        (
            wrong,
            &["10:12 NetworkPolicy p keeps Deployment synapse from the name servers: nothing \
               allows UDP 53"],
            &[],
        ),
        ("- to: [{ipBlock: {cidr: 10.43.0.10/32}}]\n", &[], &[]),
    ] {
        let text = egress(&format!("{open}{rules}"));
        assert_eq!(found("NP-01", &text), short, "{rules}");
        assert_eq!(found("NP-10", &text), long, "{rules}");
    }
}

#[test]
fn the_rule_that_fails_narrowly_is_named() {
    let to = |rule: &str| {
        egress(&format!(
            "- to: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}]\n  ports: [{{port: 443}}, {{port: \
                         8448}}]\n{rule}"
        ))
    };
    let good =
        "- to: [{podSelector: {matchLabels: {cnpg.io/cluster: db}}}]\n  ports: [{port: 5432}]";
    assert_eq!(found("NP-02", &to(good)), [""; 0]);
    assert_eq!(
        found("NP-02", &to(&good.replace("port: 5432", "port: 3306"))),
        [
            "11:12 NetworkPolicy p keeps Deployment synapse from its database (TCP 5432): the rule for \
          Cluster db has TCP 3306"
        ]
    );
    let other = to(&good.replace("cluster: db", "cluster: other"));
    assert_eq!(
        found("NP-02", &other),
        [
            "10:9 NetworkPolicy p keeps Deployment synapse from its database (TCP 5432): the peers of \
          its rule mean others"
        ]
    );
    // The dead selector is the same mistake.
    assert_eq!(found("NP-03", &other), [""; 0]);
}

fn ingress(rules: &str) -> String {
    with(&[policy("p", &format!("{SYNAPSE}\ningress:\n{rules}"))])
}

const TRAEFIK: &str = "- from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: \
                       traefik}}}]\n  ports: [{port: 8008}]";

#[test]
fn ports_are_those_of_the_pods() {
    assert_eq!(found("NP-02", &ingress(TRAEFIK)), [""; 0]);
    assert_eq!(
        found("NP-02", &ingress(&TRAEFIK.replace("8008", "80"))),
        ["8:12 NetworkPolicy p keeps Traefik (TCP 8008) from Deployment synapse: 80 is the \
          Service's port, and that of the pods is TCP 8008"]
    );
}

#[test]
fn traefik_is_known_where_it_is_shown() {
    let traefik = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: traefik, namespace: \
                   edge}\nspec:\n  template:\n    metadata: {labels: {app: traefik}}\n    spec: \
                   {containers: [{name: t, image: traefik:v3.7}]}\n";
    let text = ingress(TRAEFIK) + traefik;
    assert_eq!(
        found("NP-02", &text),
        ["7:11 NetworkPolicy p keeps Deployment traefik (TCP 8008) from Deployment synapse: the \
          peers of its rule mean others"]
    );
    let remedy = crate::lint::run(&inventory(&text)).into_iter().find_map(|one| one.remedy);
    let expected = "allow in spec.ingress of NetworkPolicy p: TCP 8008 from namespaceSelector \
                    kubernetes.io/metadata.name: edge and podSelector app: traefik in one item";
    assert_eq!(remedy.as_deref(), Some(expected));
    assert_eq!(found("NP-02", &text.replace("name: traefik}}", "name: edge}}")), [""; 0]);
}

/// Prosody, its Service and one of those who look for it.
fn conference(part: &str, variables: &str, pod: &str, policies: &str) -> String {
    policies.to_owned()
        + &jitsi("prosody", "A: b", "enableServiceLinks: false")
        + "---\napiVersion: v1\nkind: Service\nmetadata: {name: prosody}\nspec:\n  selector: {app: \
           prosody}\n  ports: [{port: 5222}, {port: 5280}]\n---\n"
        + &jitsi(part, variables, pod).replace("jitsi-config", "other-config")
}

#[test]
fn jitsi_meets_in_prosody() {
    let deny = policy("deny", "podSelector: {matchLabels: {app: prosody}}");
    let server = "XMPP_SERVER: prosody";
    let base = "XMPP_BOSH_URL_BASE: http://prosody.m.svc.cluster.local:5280";
    for (part, variables, pod, expected) in [
        ("jicofo", server, "hostNetwork: false", "Deployment jitsi-jicofo (TCP 5222)"),
        ("web", base, "hostNetwork: false", "Deployment jitsi-web (TCP 5280)"),
        ("jvb", server, "hostNetwork: true", "Deployment jitsi-jvb (TCP 5222)"),
    ] {
        let text = conference(part, variables, pod, &deny);
        let expected = format!(
            "5:3 NetworkPolicy deny keeps {expected} from Deployment jitsi-prosody: no rule of \
             ingress allows it"
        );
        assert_eq!(found("NP-02", &text), [expected.replace("5:3", "3:18")]);
        let open = deny.replace("\n---", "\n  ingress: [{}]\n---");
        assert_eq!(found("NP-02", &conference(part, variables, pod, &open)), [""; 0]);
    }
}

#[test]
fn the_bridge_is_its_node() {
    let rule = |peer: &str| {
        let spec =
            format!("podSelector: {{matchLabels: {{app: prosody}}}}\ningress:\n- from: {peer}");
        let policy = policy("p", &spec);
        conference("jvb", "XMPP_SERVER: prosody", "hostNetwork: true", &policy)
    };
    let by_label = rule("[{podSelector: {matchLabels: {app: jvb}}}]");
    assert_eq!(
        found("NP-08", &by_label),
        ["7:41 the peer app=jvb is Deployment jitsi-jvb, on the host's network"]
    );
    // Some networks tell it apart, and then it is not cut.
    assert_eq!(found("NP-02", &by_label), [""; 0]);
    let by_address = rule("[{ipBlock: {cidr: 192.0.2.10/32}}]");
    assert_eq!(found("NP-08", &by_address), [""; 0]);
    assert_eq!(found("NP-02", &by_address), [""; 0]);
    let other = rule("[{podSelector: {matchLabels: {app: prosody}}}]");
    assert_eq!(found("NP-02", &other).len(), 1);
    let one_node = other + "---\napiVersion: v1\nkind: Node\nmetadata: {name: n}\n";
    assert_eq!(found("NP-02", &one_node), [""; 0]);
    let guard = policy("g", "podSelector: {matchLabels: {app: jvb}}");
    let text = conference("jvb", "A: b", "hostNetwork: true", &guard);
    let expected =
        "5:31 NetworkPolicy g selects Deployment jitsi-jvb, which is on the host's network";
    assert_eq!(found("NP-08", &text), [expected]);
    let all = conference("jvb", "A: b", "hostNetwork: true", &policy("g", "podSelector: {}"));
    let bridge = all.split("---\n").filter(|one| !one.contains("prosody")).collect::<Vec<_>>();
    assert_eq!(found("NP-08", &bridge.join("---\n")), [""; 0]);
}

#[test]
fn the_bridge_s_websocket_is_on_its_node() {
    let both = |regex: &str| {
        let on = format!("ENABLE_COLIBRI_WEBSOCKET: '1'{regex}");
        let policy = policy("p", "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Egress]");
        policy
            + &jitsi("web", &on, "hostNetwork: false")
            + "---\n"
            + &jitsi("jvb", "A: b", "hostNetwork: true").replace("jitsi-config", "other-config")
    };
    assert_eq!(
        found("NP-02", &both("\n  COLIBRI_WEBSOCKET_REGEX: '[0-9.]+'")),
        [
            "6:16 NetworkPolicy p keeps Deployment jitsi-web from the bridge's websocket (TCP 9090): \
          no rule of egress allows it"
        ]
    );
    assert_eq!(found("NP-02", &both("")), [""; 0]);
}

#[test]
fn the_operator_is_in_another_namespace() {
    let rule = |rules: &str| with(&[policy("p", &format!("{DATABASE}\ningress:\n{rules}"))]);
    let own = "- from: [{podSelector: {matchLabels: {app: synapse}}}]\n  ports: [{port: 5432}]\n";
    let theirs = "- from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: \
                  cnpg-system}}}]\n  ports: [{port: 5432}, {port: 8000}]";
    assert_eq!(found("NP-06", &rule(&format!("{own}{theirs}"))), [""; 0]);
    // A label of a namespace that nobody knows may well be the operator's.
    let other = theirs.replace("kubernetes.io/metadata.name", "team");
    assert_eq!(found("NP-06", &rule(&format!("{own}{other}"))), [""; 0]);
    let without = |ports: &str| rule(&format!("{own}{}", theirs.replace(", {port: 8000}", ports)));
    assert_eq!(
        found("NP-06", &without("")),
        [
            "6:3 NetworkPolicy p keeps the operator CloudNativePG (TCP 8000) from Cluster db: no rule \
          of ingress allows it"
        ]
    );
    assert_eq!(found("NP-06", &without(", {port: status}")), [""; 0]);
}

#[test]
fn the_api_server_is_an_address() {
    let rule = |rules: &str| {
        with(&[policy("p", &format!("{DATABASE}\npolicyTypes: [Egress]\negress:\n{rules}"))])
    };
    assert_eq!(found("NP-07", &rule("- ports: [{port: 6443}]")), [""; 0]);
    assert_eq!(found("NP-07", &rule("- to: [{ipBlock: {cidr: 10.0.0.1/32}}]")), [""; 0]);
    let inside = "- to: [{podSelector: {}}]";
    let expected = "7:3 NetworkPolicy p keeps Cluster db from the API server (TCP 443): no rule of \
                    egress allows it";
    assert_eq!(found("NP-07", &rule(inside)), [expected]);
}

#[test]
fn instances_reach_each_other() {
    let text = with(&[policy("p", DATABASE)]).replace("instances: 1", "instances: 3");
    let problems = found("NP-02", &text);
    assert!(problems[0].contains("Cluster db (TCP 5432) from Cluster db"), "{problems:?}");
}

#[test]
fn synapse_reaches_the_internet_only_where_it_federates() {
    let rule = "- to: [{podSelector: {}}, {namespaceSelector: {}}]";
    let expected = "7:3 NetworkPolicy p keeps Deployment synapse from other servers (TCP 443, \
                    8448): no rule of egress allows it";
    assert_eq!(found("NP-02", &egress(rule)), [expected]);
    for closed in
        ["federation_domain_whitelist: []\n    database:", "send_federation: false\n    database:"]
    {
        let text = egress(rule).replace("database:", closed);
        assert_eq!(found("NP-02", &text), [""; 0], "{closed}");
    }
    let proxy = "env:\n        - {name: https_proxy, value: 'http://proxy:3128'}";
    assert_eq!(found("NP-02", &egress(rule).replacen("env:", proxy, 1)), [""; 0]);
}
