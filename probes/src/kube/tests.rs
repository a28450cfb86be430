//! What needs no API server.

use http::StatusCode;
use proptest::prelude::*;
use serde_json::json;

use super::hops::read;
use super::{HopAnswer, KINDS, Outcome, Reach, Snapshot, missing_right, redact, rights, yaml};

#[test]
fn what_repeats_an_object_is_left_out() {
    let secret = "kubectl.kubernetes.io/last-applied-configuration";
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "synapse", "namespace": "app-matrix",
            "annotations": { secret: "{\"password\":1}", "kept": "yes" },
            "managedFields": [{ "manager": "kubectl" }],
        },
        "spec": {},
    });
    let snapshot = Snapshot::of("app-matrix", std::time::SystemTime::now(), &[object]);
    let found = snapshot.inventory.named("Deployment", "synapse").next().expect("there");
    assert!(found.at("metadata.managedFields").is_none());
    assert!(found.annotation(secret).is_none());
    assert!(found.annotation("kept").is_some());
    assert_eq!(found.place().to_string(), "Deployment app-matrix/synapse metadata.name");
    assert!(matches!(snapshot.outcome("Deployment"), Some(Outcome::Listed { count: 1, .. })));
}

#[test]
fn a_refusal_names_the_rule_that_lacks() {
    let kind = super::kind("Certificate").expect("known");
    assert_eq!(
        missing_right(kind, Some("app-matrix")),
        "Role in namespace app-matrix: apiGroups: [cert-manager.io], resources: [certificates], \
         verbs: [get, list]"
    );
    let node = super::kind("Node").expect("known");
    assert!(missing_right(node, None).starts_with("ClusterRole: apiGroups: [\"\"]"));
}

#[test]
fn permissions_are_for_reading_and_never_for_secrets() {
    for right in rights() {
        assert!(right.verbs.iter().all(|verb| ["get", "list"].contains(verb)), "{right:?}");
        assert!(right.resource != "secrets" || right.option.is_some());
    }
    let text = yaml("app-matrix", &["cert-manager".into()]);
    for kind in KINDS {
        assert!(text.contains(&format!("      - {}\n", kind.resource)), "{}", kind.resource);
    }
    let granted = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    assert!(
        granted.clone().all(|line| !line.contains("secrets") || line.contains("sealedsecrets"))
    );
    let kinds = granted.filter(|line| line.starts_with("kind: "));
    // The account, and three roles with their bindings.
    assert_eq!(kinds.count(), 7);
    assert!(KINDS.iter().any(|kind| kind.reach == Reach::Operators));
}

#[test]
fn the_api_servers_own_words_are_told_from_the_applications() {
    let own = |status: u16, message: &str| {
        let body = json!({ "kind": "Status", "message": message }).to_string();
        read(StatusCode::from_u16(status).expect("a status"), body.as_bytes())
    };
    assert_eq!(own(403, "no"), HopAnswer::Forbidden("no".into()));
    let none = "no endpoints available for service \"http:synapse:8008\"";
    assert_eq!(own(503, none), HopAnswer::NoBackend(none.into()));
    assert_eq!(
        own(404, "pods \"x\" not found"),
        HopAnswer::NotFound("pods \"x\" not found".into())
    );
    let matrix = br#"{"errcode":"M_UNRECOGNIZED"}"#;
    assert!(matches!(read(StatusCode::NOT_FOUND, matrix), HopAnswer::Answer { status: 404, .. }));
    let refused = b"error trying to reach service: dial tcp 10.42.0.9:8008: connection refused";
    assert!(matches!(read(StatusCode::BAD_GATEWAY, refused), HopAnswer::NoBackend(_)));
}

#[test]
fn lines_lose_their_secrets() {
    for (line, clean) in [
        ("password authentication failed for user \"synapse\"", None),
        ("registration_shared_secret: abc", Some("registration_shared_secret: ***")),
        ("GET /sync?access_token=syt_abc_def HTTP", Some("GET /sync?access_token=*** HTTP")),
        ("Authorization: Bearer abc", Some("Authorization: Bearer ***")),
        (
            "postgres://synapse:hunter2@matrix-db-rw/synapse",
            Some("postgres://***@matrix-db-rw/synapse"),
        ),
        ("got syt_bGVv_x", Some("got ***")),
        ("JVB_AUTH_PASSWORD=geheim", Some("JVB_AUTH_PASSWORD=***")),
    ] {
        assert_eq!(redact(line), clean.unwrap_or(line));
    }
}

proptest! {
    #[test]
    fn any_line_and_any_answer_can_be_read(line in ".{0,300}", status in 100u16..600, body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = redact(&line);
        let _ = read(StatusCode::from_u16(status).expect("a status"), &body);
    }
}
