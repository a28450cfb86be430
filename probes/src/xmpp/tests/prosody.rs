//! Against a real Prosody behind a real nginx.

use super::helpers::{BOTH, PATIENCE, connect, guest, next};
use crate::focus::{FocusError, Request, answer};
use crate::testing::Prosody;
use crate::xmpp::{
    Carrier, Client, Element, Login, LoginError, info, info_request, iq, ns, services,
    services_request, stanza_error,
};

#[tokio::test]
async fn a_guest_logs_in_and_asks() {
    let prosody = Prosody::start().await;
    for (carrier, scheme) in BOTH {
        let (mut client, login) = guest(&prosody, carrier, scheme).await;
        assert!(login.jid.contains("@meet.jitsi/"), "{}", login.jid);
        assert_eq!(login.mechanism, "ANONYMOUS");
        assert_eq!(login.opened.features.mechanisms, ["ANONYMOUS"]);
        assert_eq!(login.opened.from.as_deref(), Some("meet.jitsi"));
        assert!(login.features.element.get("bind", ns::BIND).is_some());
        assert!(
            login.opened.elapsed <= login.authenticated && login.authenticated <= login.elapsed
        );
        let id = client.next_id();
        let told = client.ask(&info_request(&id, "meet.jitsi"), PATIENCE).await.expect("info");
        let told = info(&told).expect("no error");
        assert!(told.has(ns::PING) && told.identities[0].kind == "im", "{told:?}");
        for old in [false, true] {
            let id = client.next_id();
            let request = services_request(&id, "meet.jitsi", old);
            let answer = client.ask(&request, PATIENCE).await.expect("an answer");
            let told = services(&answer).expect("services");
            assert_eq!(told.len(), 2, "{told:?}");
            let turn = told.iter().find(|service| service.kind == "turn").expect("TURN");
            assert_eq!((turn.host.as_str(), turn.port), ("turn.example.org", Some(3478)));
            assert_eq!(turn.password.as_deref(), Some("ladder"));
            assert!(!format!("{turn:?}").contains("ladder"));
        }
        let error = ask_for_the_focus(&mut client).await;
        assert!(matches!(error, FocusError::Absent(_)), "{error:?}");
        let id = client.next_id();
        let request = services_request(&id, "muc.meet.jitsi", false);
        let answer = client.ask(&request, PATIENCE).await.expect("an answer");
        assert_eq!(services(&answer).expect_err("none").condition, "service-unavailable");
        client.close().await;
    }
}

fn focus_request() -> Request<'static> {
    Request {
        focus: "focus.meet.jitsi",
        room: "r@muc.meet.jitsi",
        machine_uid: "0123456789abcdef0123456789abcdef",
        session_id: None,
        token: None,
    }
}

/// Of a Prosody that has no such component.
async fn ask_for_the_focus(client: &mut Client) -> FocusError {
    let request = focus_request().to_iq(&client.next_id());
    answer(&client.ask(&request, PATIENCE).await.expect("an answer")).expect_err("no focus")
}

#[tokio::test]
async fn a_large_stanza_after_the_login_is_understood() {
    let prosody = Prosody::start().await;
    for (carrier, scheme) in BOTH {
        let mut client = connect(&prosody, carrier, scheme).await;
        // As much in one breath as a conference sends.
        let also = [
            focus_request().to_iq("focus"),
            info_request("info", "meet.jitsi"),
            services_request("services", "meet.jitsi", false),
        ];
        let login = client.login_and("meet.jitsi", &Login::Anonymous, &also).await;
        let login = login.expect("a login");
        let mut answers = Vec::new();
        for _ in &also {
            answers.push(next(&mut client).await.get_attr("id").expect("an id").to_owned());
        }
        answers.sort();
        assert_eq!(answers, ["focus", "info", "services"]);
        let body = "x&<'".repeat(15_000);
        let message = Element::new("message", ns::CLIENT)
            .attr("to", &login.jid)
            .attr("id", "large")
            .child(Element::new("body", ns::CLIENT).text(&body));
        client.send(&message).await.expect("sent");
        let back = next(&mut client).await;
        assert_eq!(back.get_attr("id"), Some("large"));
        assert_eq!(back.get("body", ns::CLIENT).expect("a body").get_text(), body);
        // And the stream goes on.
        let id = client.next_id();
        let ping = iq("get", &id, "meet.jitsi").child(Element::new("ping", ns::PING));
        let pong = client.ask(&ping, PATIENCE).await.expect("an answer");
        assert_eq!(pong.get_attr("type"), Some("result"));
        client.close().await;
    }
}

#[tokio::test]
async fn a_domain_not_served_is_told() {
    let prosody = Prosody::start().await;
    for (carrier, scheme) in BOTH {
        let mut client = connect(&prosody, carrier, scheme).await;
        let error = client.login("other.example", &Login::Anonymous).await.expect_err("no login");
        let LoginError::HostUnknown { domain, .. } = &error else { panic!("{error:?}") };
        assert_eq!(domain, "other.example");
        client.close().await;
    }
}

#[tokio::test]
async fn users_log_in_by_the_best_mechanism() {
    let prosody = Prosody::start().await;
    let password =
        |password: &str| Login::Password { user: "romeo".into(), password: password.into() };
    let offers = [("auth", "SCRAM-SHA-256"), ("sha1", "SCRAM-SHA-1"), ("plain", "PLAIN")];
    for (carrier, scheme) in BOTH {
        for (host, mechanism) in offers {
            let domain = format!("{host}.meet.jitsi");
            let mut client = connect(&prosody, carrier, scheme).await;
            let login = client.login(&domain, &password("pencil")).await.expect(mechanism);
            assert_eq!(login.mechanism, mechanism);
            assert!(login.jid.starts_with(&format!("romeo@{domain}/")), "{}", login.jid);
            client.close().await;
            let mut client = connect(&prosody, carrier, scheme).await;
            let error = client.login(&domain, &password("pencils")).await.expect_err("wrong");
            let LoginError::Refused { condition, mechanism: used, .. } = &error else {
                panic!("{error:?}")
            };
            assert_eq!((condition.as_str(), *used), ("not-authorized", mechanism));
        }
        let mut client = connect(&prosody, carrier, scheme).await;
        let error = client.login("auth.meet.jitsi", &Login::Anonymous).await.expect_err("none");
        let LoginError::NotOffered { opened, wanted: "ANONYMOUS" } = &error else {
            panic!("{error:?}")
        };
        assert!(opened.features.mechanisms.iter().any(|name| name == "SCRAM-SHA-1"));
        let mut client = connect(&prosody, carrier, scheme).await;
        let error = client.login("meet.jitsi", &password("pencil")).await.expect_err("none");
        assert!(matches!(error, LoginError::NotOffered { .. }), "{error:?}");
    }
    for (carrier, scheme) in [(Carrier::WebSocket, "ws"), (Carrier::Bosh, "http")] {
        let mut client = connect(&prosody, carrier, scheme).await;
        let error = client.login("plain.meet.jitsi", &password("pencil")).await.expect_err("no");
        assert!(matches!(error, LoginError::PlainInTheClear(_)), "{error:?}");
    }
}

async fn finds_no_mechanism(prosody: &Prosody, domain: &str) {
    for (carrier, scheme) in BOTH {
        let mut client = connect(prosody, carrier, scheme).await;
        let error = client.login(domain, &Login::Anonymous).await.expect_err("none");
        assert!(matches!(error, LoginError::NoMechanisms { .. }), "{scheme} {domain}: {error:?}");
    }
}

#[tokio::test]
async fn no_mechanism_at_all_is_told() {
    finds_no_mechanism(&Prosody::start().await, "none.meet.jitsi").await;
}

/// Encryption is demanded, and Prosody does not know that the proxy in front has it.
#[tokio::test]
async fn a_prosody_that_takes_the_connection_for_insecure_offers_nothing() {
    let insecure = |config: String| {
        config
            .replace("consider_bosh_secure = true", "consider_bosh_secure = false")
            .replace("consider_websocket_secure = true", "consider_websocket_secure = false")
            .replace("c2s_require_encryption = false", "c2s_require_encryption = true")
    };
    finds_no_mechanism(&Prosody::start_with(insecure).await, "meet.jitsi").await;
}

#[tokio::test]
async fn pings_are_answered_on_the_way() {
    let prosody = Prosody::start().await;
    for (carrier, scheme) in BOTH {
        let (mut asks, _) = guest(&prosody, carrier, scheme).await;
        let (mut asked, login) = guest(&prosody, carrier, scheme).await;
        let id = asks.next_id();
        let ping = iq("get", &id, &login.jid).child(Element::new("ping", ns::PING));
        let answer = tokio::select! {
            answer = asks.ask(&ping, PATIENCE) => answer.expect("an answer"),
            stanza = asked.receive() => panic!("{stanza:?}"),
        };
        assert_eq!((answer.get_attr("type"), stanza_error(&answer)), (Some("result"), None));
        futures_util::join!(asks.close(), asked.close());
    }
}
