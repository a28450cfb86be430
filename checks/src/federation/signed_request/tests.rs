use mxdoctor_model::Outcome;

use super::*;
use crate::facts::tests::answer;

const NONE: &str = r#"{"errcode": "M_NOT_FOUND", "error": "Profile was not found"}"#;
const NO_KEY: &str =
    r#"{"errcode": "M_UNAUTHORIZED", "error": "Failed to find any key to satisfy"}"#;

fn visit(end: VisitEnd) -> Visit {
    let from = ([192, 0, 2, 7], 40_000).into();
    Visit { after: Duration::from_millis(35), from, sni: None, end }
}

fn fetched() -> Visit {
    visit(VisitEnd::Asked {
        line: "GET /_matrix/key/v2/server".into(),
        host: Some("192.0.2.1:8449".into()),
        agent: Some("Synapse/1.147.1".into()),
        status: 200,
    })
}

fn right() -> Account {
    Account {
        plain: Some(answer(404, &[], NONE)),
        escaped: Some(answer(404, &[], NONE)),
        changed: Some(answer(401, &[], NO_KEY)),
        sent: Some(answer(200, &[], r#"{"pdus": {}}"#)),
        visits: vec![fetched()],
        named: true,
        ..Account::default()
    }
}

fn seen(account: &Account) -> (Outcome, Option<&'static str>) {
    let finding = judge(account);
    (finding.outcome, finding.cause)
}

fn refused(visits: Vec<Visit>) -> Account {
    Account { plain: Some(answer(401, &[], NO_KEY)), visits, named: true, ..Account::default() }
}

#[test]
fn what_is_accepted_passes() {
    assert_eq!(seen(&right()), (Outcome::Pass, None));
    // The key came by a notary.
    assert_eq!(seen(&Account { visits: Vec::new(), ..right() }).0, Outcome::Pass);
    let closed =
        r#"{"errcode": "M_FORBIDDEN", "error": "Profile lookup over federation is disabled"}"#;
    assert_eq!(
        seen(&Account { plain: Some(answer(403, &[], closed)), ..right() }).0,
        Outcome::Pass
    );
}

#[test]
fn the_causes_are_told_apart() {
    assert_eq!(seen(&refused(vec![])), (Outcome::Fail, Some("federation-outbound-blocked")));
    let alert = visit(VisitEnd::Refused("UnknownCA".into()));
    let ours = (Outcome::Error, Some("identity-certificate-refused"));
    assert_eq!(seen(&refused(vec![alert.clone()])), ours);
    assert_eq!(seen(&refused(vec![visit(VisitEnd::Silent)])), ours);
    let had = (Outcome::Fail, Some("signed-request-refused"));
    assert_eq!(seen(&refused(vec![alert, fetched()])), had);
    let mute = Account { plain: None, ..refused(vec![]) };
    assert_eq!(seen(&mute), (Outcome::Fail, Some("federation-outbound-blocked")));
}

#[test]
fn our_own_trouble_is_not_the_homeservers() {
    let error = (Outcome::Error, Some("identity-unreachable"));
    assert_eq!(seen(&Account { named: false, ..refused(vec![]) }), error);
    assert_eq!(seen(&Account { private: true, ..refused(vec![]) }), error);
    let noise = visit(VisitEnd::NoSession("no TLS".into()));
    assert_eq!(seen(&refused(vec![noise])), error);
    let down = Account { plain: Some(answer(502, &[], "")), ..right() };
    assert_eq!(seen(&down), (Outcome::Error, None));
    let list = r#"{"errcode": "M_FORBIDDEN", "error": "Federation denied with 192.0.2.1."}"#;
    assert_eq!(seen(&Account { plain: Some(answer(403, &[], list)), ..right() }).0, Outcome::Skip);
}

#[test]
fn each_further_request_is_judged() {
    let told = |account| seen(&account);
    let accepted = Some(answer(404, &[], NONE));
    let fail = |cause| (Outcome::Fail, Some(cause));
    let changed = told(Account { changed: accepted, ..right() });
    assert_eq!(changed, fail("federation-accepts-unsigned"));
    let escaped = told(Account { escaped: Some(answer(401, &[], NO_KEY)), ..right() });
    assert_eq!(escaped, fail("escaped-paths-decoded"));
    let sent = told(Account { sent: Some(answer(401, &[], NO_KEY)), ..right() });
    assert_eq!(sent, fail("signed-request-refused"));
    assert_eq!(told(Account { sent: None, ..right() }), (Outcome::Error, None));
}
