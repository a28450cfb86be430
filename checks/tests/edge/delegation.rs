//! The delegation file, wrong in one thing each, where nothing else leads to the homeserver.

use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use mxdoctor_model::Finding;
use mxdoctor_model::Outcome::{Fail, Pass, Skip, Warn};

use crate::lab::{
    Answer, Handler, Lab, MATRIX, SERVER, Zone, address, answer, by_instance, versions,
};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const HTML: &[(&str, &str)] = &[("content-type", "text/html")];
const EDGE: &[(&str, &str)] = &[("server", "cloudflare"), ("cf-ray", "8a-TLL")];
const MITIGATED: &[(&str, &str)] = &[("cf-mitigated", "challenge")];
const GOOD: &str = r#"{"m.server":"matrix.testing.borooka.ee:443"}"#;
const WELL_KNOWN: &str = "/.well-known/matrix/server";

/// Answers for the one path; the host's other paths are as they should be.
#[derive(Clone)]
struct Only<F>(F);

impl<F> Handler for Only<F>
where
    F: Fn(&Request<Incoming>) -> Option<Answer> + Clone + Send + Sync + 'static,
{
    fn answer(&self, request: &Request<Incoming>) -> Option<Answer> {
        match request.uri().path() {
            "/.well-known/matrix/client" => Some(answer(404, JSON, "{}")),
            _ => (self.0)(request),
        }
    }
}

async fn lab(serve: impl Handler) -> Lab {
    let zone = Zone::default().a(SERVER, 1).a(MATRIX, 2).a("other.borooka.ee", 3);
    let mut lab = Lab::new(zone).await;
    lab.config.request_timeout = Duration::from_secs(1);
    lab.target.server_name = SERVER.into();
    lab.https_at((address(1), 443), &[SERVER], serve).await;
    lab.https(2, &[MATRIX], versions).await;
    lab.https_at((address(3), 443), &["other.borooka.ee"], |_: &_| answer(200, JSON, GOOD)).await;
    lab.http(1, |_| answer(200, JSON, GOOD)).await;
    lab.refuse(1, 8448).await;
    lab
}

async fn judged(serve: impl Handler) -> Finding {
    lab(serve).await.run("federation.well_known").await.remove(0)
}

/// A file with that `m.server`.
async fn naming(value: serde_json::Value) -> Finding {
    let body = serde_json::json!({ "m.server": value }).to_string();
    judged(move |_: &_| answer(200, JSON, body.clone())).await
}

#[tokio::test]
async fn what_m_server_may_not_be_is_told_with_the_line_to_write() {
    for value in [
        "https://matrix.testing.borooka.ee",
        "http://matrix.testing.borooka.ee:443/",
        "matrix.testing.borooka.ee/",
        "matrix.testing.borooka.ee:443/_matrix",
        "matrix.testing.borooka.ee?x",
        " matrix.testing.borooka.ee",
        "matrix.testing.borooka.ee\n",
        "\u{feff}matrix.testing.borooka.ee:443",
        "matrix.testing.borooka.ee.",
        "matrix.testing.borooka.ee:",
        "matrix.testing.borooka.ee:0",
        "matrix.testing.borooka.ee:65536",
        "matrix.testing.borooka.ee:https",
        "user@matrix.testing.borooka.ee",
    ] {
        let finding = naming(value.into()).await;
        assert_eq!(finding.cause, Some("well-known-server-malformed"), "{value:?}: {finding:?}");
        let remedy = finding.remedy.unwrap_or_default();
        assert!(
            remedy.contains(GOOD.replace(':', ": ").replace(": 443", ":443").as_str()),
            "{remedy}"
        );
    }
    for value in ["matrix_1.testing.borooka.ee", "", "::", "mätrix.testing.borooka.ee"] {
        let finding = naming(value.into()).await;
        assert_eq!((finding.outcome, finding.cause), (Fail, Some("well-known-server-malformed")));
    }
    for value in [serde_json::json!(null), serde_json::json!(443), serde_json::json!([MATRIX])] {
        let finding = naming(value).await;
        assert_eq!((finding.outcome, finding.cause), (Fail, Some("well-known-server-malformed")));
    }
}

#[tokio::test]
async fn bodies_that_hold_no_delegation_are_told() {
    let large = format!(r#"{{"m.server":"{MATRIX}:443","x":"{}"}}"#, "x".repeat(51_200));
    for (headers, body, cause) in [
        (HTML, "<!doctype html><title>Element</title>", "well-known-not-json"),
        (JSON, "", "well-known-not-json"),
        (JSON, "{\"m.server\":", "well-known-not-json"),
        (JSON, "OK", "well-known-not-json"),
        (JSON, "[]", "well-known-server-malformed"),
        (JSON, "{}", "well-known-server-malformed"),
        (JSON, "\"matrix.testing.borooka.ee\"", "well-known-server-malformed"),
        (JSON, &large, "well-known-server-malformed"),
    ] {
        let body = body.to_owned();
        let finding = judged(move |_: &_| answer(200, headers, body.clone())).await;
        assert_eq!((finding.outcome, finding.cause), (Fail, Some(cause)), "{finding:?}");
    }
}

#[tokio::test]
async fn error_pages_of_this_path_alone_are_the_files_trouble() {
    for (status, headers, body, part) in [
        (500, &[][..], "oops", "answered with 500"),
        (403, &[], "forbidden", "answered with 403"),
        (502, &[("server", "nginx")], "<center>nginx</center>", "nginx answers 502"),
        (503, &[], "no available server", "Traefik answers 503"),
        (504, &[], "Gateway Timeout", "takes too long"),
        (530, EDGE, "error code: 1033", "1033"),
        (522, EDGE, "error code: 522", "522"),
    ] {
        let serve = Only(move |_: &_| Some(answer(status, headers, body)));
        let lab = lab(serve).await;
        let finding = lab.run("federation.well_known").await.remove(0);
        assert_eq!((finding.outcome, finding.cause), (Fail, Some("well-known-server-broken")));
        assert!(finding.summary.contains(part), "{}", finding.summary);
        lab.expect("federation.resolve", Skip, None).await;
    }
    // A challenge is the edge's own check's to tell, unless only other servers meet it.
    let lab = lab(Only(move |_: &_| Some(answer(403, MITIGATED, "")))).await;
    let found = by_instance(lab.run("ingress.challenge").await);
    assert_eq!(found[SERVER].cause, Some("edge-challenges-servers"));
    lab.expect("federation.well_known", Skip, None).await;
    let finding = judged(Only(move |request: &Request<Incoming>| {
        let agent = request.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
        Some(match agent {
            Some(agent) if agent.starts_with("Synapse/") => answer(403, MITIGATED, ""),
            _ => answer(200, JSON, GOOD),
        })
    }))
    .await;
    assert_eq!((finding.outcome, finding.cause), (Fail, Some("well-known-server-broken")));
}

#[tokio::test]
async fn silence_on_this_path_alone_is_the_files_trouble() {
    let finding = judged(Only(|_: &_| None)).await;
    assert_eq!((finding.outcome, finding.cause), (Fail, Some("well-known-server-broken")));
    assert!(finding.summary.contains("does not answer within"), "{}", finding.summary);
    // A body that is shorter than was announced.
    let finding = judged(|_: &_| {
        let length = [("content-type", "application/json"), ("content-length", "1000")];
        answer(200, &length, GOOD)
    })
    .await;
    assert_eq!((finding.outcome, finding.cause), (Fail, Some("well-known-server-broken")));
    // Where the whole host is silent, that is the host's trouble.
    #[derive(Clone)]
    struct Silent;
    impl Handler for Silent {
        fn answer(&self, _: &Request<Incoming>) -> Option<Answer> {
            None
        }
    }
    let lab = lab(Silent).await;
    lab.expect("federation.well_known", Skip, None).await;
    lab.run("ingress.reachable").await.iter().find(|it| it.outcome == Fail).expect("it is told");
}

fn redirect(status: u16, to: &str) -> impl Handler + use<> {
    let to = to.to_owned();
    move |request: &Request<Incoming>| match request.uri().path() {
        WELL_KNOWN => answer(status, &[("location", to.as_str())], ""),
        "/static" => answer(200, JSON, GOOD),
        _ => answer(404, &[], ""),
    }
}

#[tokio::test]
async fn redirects_are_followed_as_peers_follow_them() {
    for to in ["/static", "https://testing.borooka.ee/static", "https://other.borooka.ee/x"] {
        for status in [301, 302, 303, 307] {
            let finding = judged(redirect(status, to)).await;
            assert_eq!((finding.outcome, finding.cause), (Pass, None), "{to}: {finding:?}");
        }
        let finding = judged(redirect(308, to)).await;
        let cause = Some("well-known-server-redirect-308");
        assert_eq!((finding.outcome, finding.cause), (Warn, cause), "{finding:?}");
    }
    for (to, part) in [
        (WELL_KNOWN, "a loop"),
        ("http://testing.borooka.ee/static", "not https"),
        ("ftp://testing.borooka.ee/static", "not usable"),
        ("https://gone.borooka.ee/x", "gone.borooka.ee"),
    ] {
        let finding = judged(redirect(302, to)).await;
        assert_eq!((finding.outcome, finding.cause), (Fail, Some("well-known-server-broken")));
        assert!(finding.summary.contains(part), "{}", finding.summary);
    }
    let endless = |request: &Request<Incoming>| {
        let next = format!("{}x", request.uri().path());
        answer(301, &[("location", next.as_str())], "")
    };
    let finding = judged(endless).await;
    assert!(finding.summary.contains("more than 10 redirects"), "{}", finding.summary);
    let nowhere = |_: &_| answer(302, &[], "");
    let finding = judged(nowhere).await;
    assert!(finding.summary.contains("without a location"), "{}", finding.summary);
}

/// Peers can use it all the same.
#[tokio::test]
async fn what_is_unusual_warns() {
    for (headers, body, part) in [
        (&[("content-type", "application/octet-stream")][..], GOOD, "application/octet-stream"),
        (&[], GOOD, "content type is none"),
        (JSON, r#"{"m.server":"Matrix.testing.borooka.ee:443"}"#, "upper-case"),
        (
            &[("content-type", "application/json"), ("cache-control", "max-age=31536000")],
            GOOD,
            "365 days",
        ),
        (
            &[("content-type", "application/json"), ("expires", "Thu, 31 Dec 2099 23:59:59 GMT")],
            GOOD,
            "to be kept for",
        ),
    ] {
        let finding = judged(move |_: &_| answer(200, headers, body)).await;
        let cause = Some("well-known-server-unusual");
        assert_eq!((finding.outcome, finding.cause), (Warn, cause), "{finding:?}");
        assert!(finding.summary.contains(part), "{}", finding.summary);
    }
    for (control, note) in [
        ("max-age=3600", "keep it for 60 min"),
        ("no-store", "make 5 min"),
        ("max-age=0", "make 5 min"),
        ("public", "24 h"),
    ] {
        let finding = judged(move |_: &_| {
            let headers = [("content-type", "application/json"), ("cache-control", control)];
            answer(200, &headers, GOOD)
        })
        .await;
        assert_eq!((finding.outcome, finding.cause), (Pass, None), "{finding:?}");
        assert!(finding.evidence.iter().any(|it| it.text.contains(note)), "{finding:?}");
    }
}

#[tokio::test]
async fn a_cache_with_an_old_file_is_told() {
    let hit = [("content-type", "application/json"), ("cf-cache-status", "HIT"), ("age", "7000")];
    let finding = judged(move |_: &_| answer(200, &hit, GOOD)).await;
    assert_eq!((finding.outcome, finding.cause), (Pass, None), "{finding:?}");
    let finding = judged(move |request: &Request<Incoming>| match request.uri().query() {
        None => answer(200, &hit, r#"{"m.server":"old.borooka.ee:443"}"#),
        Some(_) => answer(200, JSON, GOOD),
    })
    .await;
    let cause = Some("well-known-server-stale");
    assert_eq!((finding.outcome, finding.cause), (Warn, cause), "{finding:?}");
}

#[tokio::test]
async fn other_user_agents_get_the_same() {
    let finding = judged(|request: &Request<Incoming>| {
        let agent = request.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
        match agent {
            Some(agent) if agent.starts_with("Synapse/") => answer(403, JSON, "{}"),
            _ => answer(200, JSON, GOOD),
        }
    })
    .await;
    assert_eq!((finding.outcome, finding.cause), (Fail, Some("well-known-server-differs")));
}

#[tokio::test]
async fn a_missing_file_is_for_the_steps_after_it() {
    for status in [404, 410] {
        let lab = lab(Only(move |_: &_| Some(answer(status, &[], "404 page not found\n")))).await;
        lab.expect("federation.resolve", Fail, Some("well-known-server-missing")).await;
        lab.expect("federation.well_known", Skip, None).await;
    }
}
