//! `federation.notary`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;
use mxdoctor_probes::matrix::{KeyDocument, KeyState, parse_key_document};
use serde_json::Value;

use crate::facts::{Software, ask_place, federation_places, gist};
use crate::synapse::login_flows;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The homeserver answers as a notary for its own name: with documents that hold, or, as
    /// Synapse does until it has asked itself, with none.
    ///
    /// ## Why it matters
    /// Servers that cannot reach another one ask a third for its keys. What a notary has kept of
    /// its own keys also tells a key that was exchanged under the same id.
    ///
    /// ## What makes it fail
    /// - No answer, or none of this form.
    /// - A key that it vouches for under an id under which the homeserver publishes another one.
    ///
    /// A homeserver other than Synapse that knows no notary is fine.
    ///
    /// ## How to fix it
    /// Route `/_matrix/key` as a whole to the homeserver.
    ///
    /// ## Where it comes from
    /// Matrix server-server API, "Querying keys through another server".
    "federation.notary" at P: "the homeserver vouches for keys"
    causes ["notary-broken", "signing-key-changed"]
    timeout 60
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let document = super::keys::sound(cx).await?;
    let places = federation_places(cx).await?;
    let Some(place) = places.first() else {
        return Ok(Finding::error("there is no address that could be asked").into());
    };
    let path = format!("/_matrix/key/v2/query/{}", cx.target().server_name);
    let exchange = ask_place(cx, place, &path, true, false).await?;
    let synapse = cx.fact(Software).await.is_ok_and(|software| software.is_synapse());
    let answer = exchange.last();
    if answer.status.is_server_error() {
        // Its keys of others are in the database.
        login_flows::database(cx).await?;
    }
    let finding = judge(answer, &document, synapse);
    Ok(finding.evidence(EvidenceKind::Request, answer.line()).into())
}

fn judge(answer: &Response, published: &KeyDocument, synapse: bool) -> Finding {
    let broken = |what: &str| {
        Finding::fail("notary-broken", format!("the homeserver's notary answers {what}"))
            .expected("200 and an object with `server_keys`")
            .actual(gist(answer))
    };
    let status = answer.status.as_u16();
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if json.get("errcode").and_then(Value::as_str) == Some("M_UNRECOGNIZED") && !synapse {
        return Finding::skip("the homeserver knows no notary");
    }
    if status != 200 {
        return broken(&format!("with {status}"));
    }
    let Some(documents) = json.get("server_keys").and_then(Value::as_array) else {
        return broken("without `server_keys`");
    };
    for kept in documents {
        let Ok(kept) = parse_key_document(kept.to_string().as_bytes()) else {
            return broken("with something that is no key document");
        };
        if kept.server_name != published.server_name {
            return broken("with the keys of another server");
        }
        for key in &kept.verify_keys {
            if matches!(key.state, KeyState::BadSignature | KeyState::UnreadableSignature) {
                return broken("with a document whose signature does not hold");
            }
            let now = published.verify_keys.iter().find(|now| now.id == key.id);
            if now.is_some_and(|now| now.bytes != key.bytes) {
                let summary = format!("{} was another key when the notary saw it last", key.id);
                return Finding::fail("signing-key-changed", summary)
                    .expected("one key under one id, for good");
            }
        }
    }
    Finding::pass(match documents.len() {
        0 => "answers, and has not asked for its own keys yet".to_owned(),
        1 => "vouches for its own key".to_owned(),
        many => format!("vouches for its own keys, in {many} documents"),
    })
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;
    use mxdoctor_probes::matrix::Identity;
    use serde_json::json;

    use super::*;
    use crate::facts::tests::answer;

    fn document() -> Value {
        let name = "example.org".parse().expect("a name");
        Identity::generate(name).expect("random numbers").document(0)
    }

    fn parsed(document: &Value) -> KeyDocument {
        parse_key_document(document.to_string().as_bytes()).expect("a document")
    }

    fn seen(body: &Value, published: &Value) -> (Outcome, Option<&'static str>) {
        let finding = judge(&answer(200, &[], &body.to_string()), &parsed(published), true);
        (finding.outcome, finding.cause)
    }

    #[test]
    fn none_and_the_right_one_pass() {
        let own = document();
        assert_eq!(seen(&json!({"server_keys": []}), &own).0, Outcome::Pass);
        assert_eq!(seen(&json!({"server_keys": [own]}), &own).0, Outcome::Pass);
        assert_eq!(seen(&json!({"server_keys": [document(), own]}), &own).0, Outcome::Pass);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let own = document();
        let broken = (Outcome::Fail, Some("notary-broken"));
        assert_eq!(seen(&json!({}), &own), broken);
        assert_eq!(seen(&json!({"server_keys": ["x"]}), &own), broken);
        let mut changed = own.clone();
        changed["valid_until_ts"] = json!(1);
        assert_eq!(seen(&json!({"server_keys": [changed]}), &own), broken);
        let mut another = own.clone();
        another["server_name"] = json!("other.example");
        assert_eq!(seen(&json!({"server_keys": [another]}), &own), broken);
    }

    #[test]
    fn another_key_under_the_same_id_is_told() {
        let (own, other) = (parsed(&document()), document());
        let mut published = own.clone();
        published.verify_keys[0].id = parsed(&other).verify_keys[0].id.clone();
        let body = json!({"server_keys": [other]}).to_string();
        let finding = judge(&answer(200, &[], &body), &published, true);
        assert_eq!(finding.cause, Some("signing-key-changed"));
    }

    #[test]
    fn another_homeserver_needs_none() {
        let unknown = answer(404, &[], r#"{"errcode": "M_UNRECOGNIZED"}"#);
        let own = parsed(&document());
        assert_eq!(judge(&unknown, &own, false).outcome, Outcome::Skip);
        assert_eq!(judge(&unknown, &own, true).outcome, Outcome::Fail);
    }
}
