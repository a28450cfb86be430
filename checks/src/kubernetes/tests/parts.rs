//! What leads there and what is handed out: Services, tunnels, certificates, Secrets, the bridge.

use super::*;

fn service(selector: &str) -> Value {
    object(
        "Service",
        "synapse",
        json!({ "spec": {
        "selector": { "app": selector }, "ports": [{ "port": 8008 }] } }),
    )
}

fn slice(endpoints: Value) -> Value {
    object(
        "EndpointSlice",
        "synapse-x",
        json!({
            "metadata": { "labels": { "kubernetes.io/service-name": "synapse" } },
            "ports": [{ "port": 8008 }], "endpoints": endpoints,
        }),
    )
}

#[test]
fn endpoints_tell_a_selector_from_a_pod() {
    let opinion = crate::kubernetes::endpoints::opinion;
    let (ready, unready) = (
        json!([{ "conditions": { "ready": true } }]),
        json!([{ "conditions": { "ready": false, "serving": false } }]),
    );
    is_well(opinion, &[service("synapse"), slice(ready.clone())]);
    is_well(opinion, &[service("synapse"), slice(json!([{ "addresses": ["10.0.0.1"] }]))]);
    fails(opinion, &[service("wrong"), pod(json!({}))], "service-selects-nothing");
    fails(opinion, &[service("synapse"), slice(unready)], "endpoints-not-ready");
    let none = deployment(json!({ "spec": { "replicas": 0 } }));
    fails(opinion, &[service("synapse"), none], "workload-scaled-to-zero");
    let mut portless = slice(ready);
    portless["ports"] = Value::Null;
    fails(opinion, &[service("synapse"), portless], "service-port-unresolved");
    let route = object(
        "IngressRoute",
        "matrix",
        json!({ "spec": {
        "routes": [{ "match": "Host(`matrix.cluster.arpa`)", "kind": "Rule",
            "services": [{ "name": "synapse", "port": 8008 }] }],
        "tls": { "secretName": "synapse-tls" } } }),
    );
    fails(
        crate::kubernetes::routes::opinion,
        &[service("wrong"), route.clone()],
        "route-without-endpoints",
    );
    let mut without = snapshot(&[service("synapse"), slice(json!([{}])), route]);
    without.secrets.insert("synapse-tls".into(), SecretUse::Absent);
    let findings = crate::kubernetes::routes::opinion(&View::new(&without));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].cause, Some("tls-secret-missing"));
}

#[test]
fn a_tunnel_says_what_it_did_not_find() {
    let opinion = crate::kubernetes::tunnels::opinion;
    let binding = |target: &str, host: &str| {
        object(
            "TunnelBinding",
            "matrix",
            json!({
                "subjects": [{ "name": "synapse", "spec": { "fqdn": "matrix.testing.borooka.ee" } }],
                "status": { "services": [{ "hostname": host, "target": target }] },
            }),
        )
    };
    let host = "matrix.testing.borooka.ee";
    is_well(opinion, &[binding("http://synapse.app-matrix.svc:8008", host)]);
    fails(opinion, &[binding("http_status:404", host)], "tunnel-service-missing");
    fails(opinion, &[binding("http://x:1", "old.testing.borooka.ee")], "tunnel-not-taken-up");
    let mut unseen = binding("", "");
    unseen["status"] = json!({});
    fails(opinion, &[unseen], "tunnel-not-taken-up");
}

#[test]
fn a_certificate_is_followed_to_its_issuer() {
    let opinion = crate::kubernetes::certificates::opinion;
    let certificate = |status: Value| {
        object(
            "Certificate",
            "synapse-tls",
            json!({
                "spec": { "secretName": "synapse-tls",
                    "issuerRef": { "kind": "ClusterIssuer", "name": "internal-ca" } },
                "status": status,
            }),
        )
    };
    let issuer = json!({ "apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer",
        "metadata": { "name": "internal-ca" },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] } });
    let ready = json!({ "notAfter": "2026-03-02T12:00:00Z", "renewalTime": "2026-02-02T12:00:00Z",
        "conditions": [{ "type": "Ready", "status": "True", "observedGeneration": 2 }] });
    is_well(opinion, &[certificate(ready.clone()), issuer.clone()]);
    let failed = json!({ "failedIssuanceAttempts": 3, "lastFailureTime": "2026-01-02T11:00:00Z",
        "conditions": [{ "type": "Ready", "status": "False", "reason": "DoesNotExist" }] });
    fails(opinion, &[certificate(failed.clone())], "certificate-issuer-missing");
    fails(opinion, &[certificate(failed.clone()), issuer.clone()], "certificate-not-issued");
    let snapshot = snapshot(&[certificate(failed), issuer.clone()]);
    let found = opinion(&View::new(&snapshot));
    let next = found[0].evidence.iter().any(|e| e.text.ends_with("again at 2026-01-02T15:00:00Z"));
    assert!(next, "{:?}", found[0].evidence);
    let mut broken = issuer.clone();
    broken["status"]["conditions"][0]["status"] = json!("False");
    let mut overdue = ready.clone();
    overdue["renewalTime"] = json!("2026-01-01T12:00:00Z");
    fails(opinion, &[certificate(overdue.clone()), issuer.clone()], "certificate-renewal-overdue");
    fails(opinion, &[certificate(overdue), broken], "certificate-issuer-broken");
    let mut ended = ready;
    ended["notAfter"] = json!("2026-01-01T12:00:00Z");
    fails(opinion, &[certificate(ended), issuer], "certificate-expired");
}

#[test]
fn sealed_secrets_tell_a_scope_from_a_lost_key() {
    let opinion = crate::kubernetes::sealed_secrets::opinion;
    let sealed = |name: &str, status: &str, message: &str| {
        object(
            "SealedSecret",
            name,
            json!({ "status": { "observedGeneration": 2,
            "conditions": [{ "type": "Synced", "status": status, "message": message }] } }),
        )
    };
    let good = sealed("a", "True", "");
    is_well(opinion, std::slice::from_ref(&good));
    let wrong = sealed("b", "False", "no key could decrypt secret (password)");
    fails(opinion, &[good.clone(), wrong.clone()], "sealed-secret-not-decrypted");
    let other = sealed("c", "False", "no key could decrypt secret (x)");
    let lost = told(opinion, &[wrong, other]);
    assert_eq!(lost, [(Outcome::Fail, Some("sealed-secrets-key-lost")); 2]);
    let there = "Resource \"x\" already exists and is not managed by SealedSecret";
    fails(opinion, &[sealed("d", "False", there)], "sealed-secret-unmanaged");
    fails(opinion, &[object("SealedSecret", "e", json!({}))], "sealed-secret-not-seen");
    let mut gone = snapshot(&[good]);
    gone.secrets.insert("a".into(), SecretUse::Absent);
    assert_eq!(opinion(&View::new(&gone))[0].cause, Some("secret-missing"));
}

#[test]
fn secrets_are_known_by_their_keys() {
    let opinion = crate::kubernetes::secrets::opinion;
    let mut asks = deployment(json!({}));
    asks["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{ "name": "PGPASSWORD",
        "valueFrom": { "secretKeyRef": { "name": "matrix-db-app", "key": "password" } } }]);
    let look = |found: SecretUse| {
        let mut taken = snapshot(std::slice::from_ref(&asks));
        taken.secrets.insert("matrix-db-app".into(), found);
        opinion(&View::new(&taken)).into_iter().map(|f| (f.outcome, f.cause)).collect::<Vec<_>>()
    };
    let keys = |key: &str| SecretUse::There(Some(vec![key.to_owned()]));
    assert_eq!(look(keys("password")), []);
    assert_eq!(look(SecretUse::There(None)), []);
    assert_eq!(look(keys("pass")), [(Outcome::Fail, Some("secret-key-missing"))]);
    assert_eq!(look(SecretUse::Absent), [(Outcome::Fail, Some("secret-missing"))]);
    assert_eq!(look(SecretUse::Forbidden), [(Outcome::Skip, None)]);
    let mut read = snapshot(&[asks]);
    let lengths = [("a/empty".to_owned(), (0, false)), ("a/word".to_owned(), (9, true))];
    read.agreement = Some(Agreement { lengths: lengths.into(), ..Agreement::default() });
    let outcomes: Vec<_> = opinion(&View::new(&read)).into_iter().map(|f| f.outcome).collect();
    assert_eq!(outcomes, [Outcome::Fail, Outcome::Warn]);
}

#[test]
fn a_bridge_is_held_to_its_node() {
    let opinion = crate::kubernetes::jvb_network::opinion;
    let node = |name: &str, address: &str| {
        json!({ "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name },
        "status": { "addresses": [{ "type": "ExternalIP", "address": address }] } })
    };
    let bridge = |policy: &str| {
        let template = json!({ "hostNetwork": true, "dnsPolicy": policy, "nodeName": "one",
            "containers": [{ "name": "jvb", "image": "jitsi/jvb:stable-10741",
                "env": [{ "name": "JVB_ADVERTISE_IPS", "value": "198.51.100.1" }] }] });
        let labels = json!({ "app": "jvb" });
        [
            object(
                "Deployment",
                "jitsi-jvb",
                json!({ "spec": { "template": {
                "metadata": { "labels": labels }, "spec": template } } }),
            ),
            object(
                "Pod",
                "jitsi-jvb-1",
                json!({ "metadata": { "labels": labels },
                "spec": template }),
            ),
        ]
    };
    let with = |policy: &str, nodes: &[Value]| [&bridge(policy)[..], nodes].concat();
    let good = "ClusterFirstWithHostNet";
    is_well(opinion, &with(good, &[node("one", "198.51.100.1")]));
    fails(opinion, &with("ClusterFirst", &[]), "jvb-dns-policy");
    let moved = [node("one", "198.51.100.9"), node("two", "198.51.100.1")];
    fails(opinion, &with(good, &moved), "bridge-on-another-node");
    let nat = told(opinion, &with(good, &[node("one", "198.51.100.9")]));
    assert_eq!(nat, [(Outcome::Warn, Some("bridge-advertises-wrong-address"))]);
}

#[test]
fn jitsis_parts_are_of_one_release() {
    let part = |name: &str, image: &str| {
        object(
            "Deployment",
            name,
            json!({ "spec": { "template": {
            "metadata": { "labels": { "app": name } },
            "spec": { "containers": [{ "name": name, "image": image }] } } } }),
        )
    };
    let opinion = crate::jitsi::versions::opinion;
    let jvb = part("jvb", "jitsi/jvb:stable-10741");
    is_well(opinion, &[jvb.clone(), part("web", "jitsi/web:stable-10741")]);
    fails(opinion, &[jvb, part("web", "jitsi/web:stable-11146")], "jitsi-versions-differ");
}
