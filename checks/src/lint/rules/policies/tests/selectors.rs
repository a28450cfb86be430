//! Selectors that meet nobody, and doors that stand open.

use super::{DATABASE, SYNAPSE, TRAEFIK, ingress, policy, with};
use crate::lint::testing::found;

#[test]
fn a_selector_fits_somebody() {
    let of = |spec: &str| found("NP-03", &with(&[policy("p", spec)]));
    let expected = "5:31 NetworkPolicy p selects app=synaps, which no pod here has";
    assert_eq!(of("podSelector: {matchLabels: {app: synaps}}"), [expected]);
    let peer = format!("{TRAEFIK}\n- from: [{{podSelector: {{matchLabels: {{app: grafana}}}}}}]");
    let text = ingress(&peer);
    assert_eq!(found("NP-03", &text), ["9:41 the peer app=grafana is no pod here"]);
    // Where it leaves somebody out, that one is told.
    let text =
        with(&[policy("p", &format!("{DATABASE}\ningress:\n{}", &peer[TRAEFIK.len() + 1..]))]);
    assert_eq!(found("NP-03", &text), [""; 0]);
    assert_eq!(found("NP-02", &text).len(), 1);
    for right in [
        "podSelector: {matchLabels: {app: synapse}}",
        "podSelector: {matchLabels: {cnpg.io/cluster: db}}",
        "podSelector: {matchLabels: {cnpg.io/poolerName: p}}",
        "podSelector: {matchLabels: {acme.cert-manager.io/http01-solver: 'true'}}",
    ] {
        assert_eq!(of(right), [""; 0], "{right}");
    }
    // A tree of policies alone says nothing of pods.
    let alone = policy("p", "podSelector: {matchLabels: {app: x}}");
    assert_eq!(found("NP-03", &alone), [""; 0]);
}

#[test]
fn a_namespace_has_the_label_that_selects_it() {
    let text = |label: &str| {
        let rule = format!("- from: [{{namespaceSelector: {{matchLabels: {{{label}: edge}}}}}}]");
        ingress(&rule) + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: edge}\n"
    };
    assert_eq!(found("NP-03", &text("name")), ["7:47 Namespace edge has no label name=edge"]);
    assert_eq!(found("NP-03", &text("kubernetes.io/metadata.name")), [""; 0]);
    assert_eq!(found("NP-03", &text("name").replace("name: edge}\n", "name: x}\n")), [""; 0]);
}

#[test]
fn a_namespace_and_its_pods_are_one_item() {
    let items = |first: &str, second: &str| {
        let rule = format!(
            "- from:\n  - namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: \
             {first}}}}}\n  - podSelector: {{matchLabels: {{app: {second}}}}}"
        );
        ingress(&rule)
    };
    let message = |what: &str| {
        format!(
            "9:35 app={what} is an item of its own, and lets in no pod that the namespace \
                 beside it means"
        )
    };
    let apart = items("traefik", "traefik");
    assert_eq!(found("NP-04", &apart), [message("traefik")]);
    assert_eq!(found("NP-03", &apart), [""; 0]);
    assert_eq!(found("NP-04", &items("traefik", "synapse")), [""; 0]);
    assert_eq!(found("NP-04", &items("m", "synapse")), [message("synapse")]);
    let one = apart.replace("  - podSelector", "    podSelector");
    assert_eq!(found("NP-04", &one), [""; 0]);
}

#[test]
fn the_database_and_synapse_are_guarded() {
    let guard = policy("p", SYNAPSE);
    let expected = "no policy guards Cluster db: every pod of the cluster can connect to it";
    let problems = found("NP-05", &with(std::slice::from_ref(&guard)));
    assert!(problems.len() == 1 && problems[0].ends_with(expected), "{problems:?}");
    let both = [guard.clone(), policy("d", DATABASE)];
    assert_eq!(found("NP-05", &with(&both)), [""; 0]);
    let egress = [guard.clone(), policy("d", &format!("{DATABASE}\npolicyTypes: [Egress]"))];
    assert_eq!(found("NP-05", &with(&egress)).len(), 1);
    let cilium = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c}\n---\n";
    assert_eq!(found("NP-05", &with(&[cilium.to_owned(), guard])), [""; 0]);
    let open = [
        policy("p", &format!("{SYNAPSE}\ningress:\n- ports: [{{port: 8008}}]")),
        policy("d", DATABASE),
    ];
    let expected = "7:5 NetworkPolicy p lets every pod to Deployment synapse";
    assert_eq!(found("NP-05", &with(&open)), [expected]);
}

#[test]
fn the_admin_api_is_not_for_every_address() {
    let block = |cidr: &str, port: i64| {
        let rule =
            format!("- from: [{{ipBlock: {{cidr: '{cidr}'}}}}]\n  ports: [{{port: {port}}}]");
        found("NP-09", &ingress(&rule))
    };
    let expected = "7:29 NetworkPolicy p lets 0.0.0.0/0 to port 8008, where Deployment synapse \
                    serves its admin API";
    assert_eq!(block("0.0.0.0/0", 8008), [expected]);
    assert_eq!(block("::/0", 8008).len(), 1);
    assert_eq!(block("10.0.0.0/8", 8008), [""; 0]);
    assert_eq!(block("0.0.0.0/0", 9000), [""; 0]);
}
