//! The `ingress` family.

use mxdoctor_fixtures::ca::Leaf;
use mxdoctor_model::Outcome::{Error, Fail, Pass, Skip, Warn};

use crate::lab::{Lab, MATRIX, SERVER, Zone, answer, by_instance, versions};

#[tokio::test]
async fn pages_of_gateways_are_named_by_what_is_behind() {
    Lab::healthy(versions).await.expect("ingress.reachable", Pass, None).await;
    for (serve, cause) in [
        ((|_: &_| answer(502, &[], "Bad Gateway")) as crate::lab::Serve, "homeserver-down"),
        (|_| answer(503, &[], "no available server"), "homeserver-down"),
        (|_| answer(504, &[], "Gateway Timeout"), "gateway-timeout"),
        (|_| answer(404, &[], "404 page not found\n"), "ingress-route-missing"),
        (|_| answer(530, &[("server", "cloudflare")], "error code: 1033"), "tunnel-down"),
        (
            |_| answer(522, &[("server", "cloudflare")], "error code: 522"),
            "edge-cannot-reach-origin",
        ),
    ] {
        let lab = Lab::healthy(serve).await;
        lab.expect("ingress.reachable", Fail, Some(cause)).await;
    }
    // A 502 of the homeserver's own is an answer.
    let own =
        |_: &_| answer(502, &[("content-type", "application/json")], r#"{"errcode":"M_UNKNOWN"}"#);
    Lab::healthy(own).await.expect("ingress.reachable", Pass, None).await;
}

#[tokio::test]
async fn a_challenge_is_the_edges_fault_before_the_api_and_ours_before_pages() {
    const MOMENT: &str = "<html><head><title>Just a moment...</title></head></html>";
    Lab::healthy(versions).await.expect("ingress.challenge", Pass, None).await;
    let challenge: crate::lab::Serve = |_| answer(403, &[("cf-mitigated", "challenge")], MOMENT);
    let mut lab = Lab::new(Zone::default().a(MATRIX, 1).a("element.borooka.ee", 2)).await;
    lab.target.element = "https://element.borooka.ee".parse().ok();
    lab.https(1, &[MATRIX], challenge).await;
    lab.https(2, &["element.borooka.ee"], challenge).await;
    let found = by_instance(lab.run("ingress.challenge").await);
    assert_eq!(found[MATRIX].cause, Some("edge-challenges-servers"));
    assert_eq!(found["element.borooka.ee"].outcome, Error);
    let (skipped, _) = lab
        .run("ingress.reachable")
        .await
        .into_iter()
        .partition::<Vec<_>, _>(|finding| finding.summary == "blocked by ingress.challenge");
    assert_eq!(skipped.len(), 2);
}

#[tokio::test]
async fn plain_http_leads_to_tls_or_nowhere() {
    let mut lab = Lab::healthy(versions).await;
    // Directed elsewhere on one port only: what answers on the other is not the stack.
    lab.expect("ingress.http_redirect", Skip, None).await;
    lab.refuse(1, 80).await;
    lab.expect("ingress.http_redirect", Pass, None).await;
    for (serve, outcome, cause) in [
        (
            (|_: &_| answer(301, &[("location", "https://matrix.testing.borooka.ee/")], ""))
                as crate::lab::Serve,
            Pass,
            None,
        ),
        (|_| answer(404, &[], ""), Pass, None),
        (|_| answer(200, &[], "hello"), Warn, Some("http-not-redirected")),
        (
            |_| answer(301, &[("location", "https://www.borooka.ee/")], ""),
            Warn,
            Some("http-redirects-elsewhere"),
        ),
        (|_| answer(302, &[("location", "/")], ""), Fail, Some("http-redirect-loop")),
    ] {
        lab.http(1, serve).await;
        lab.expect("ingress.http_redirect", outcome, cause).await;
    }
    // The loop of an edge that asks the origin over HTTP.
    let to_itself = |_: &_| answer(301, &[("location", "https://matrix.testing.borooka.ee/")], "");
    lab.http(1, to_itself).await;
    lab.https(1, &[MATRIX], to_itself).await;
    lab.expect("ingress.http_redirect", Fail, Some("http-redirect-loop")).await;
}

#[tokio::test]
async fn http2_and_hsts_are_offered() {
    let mut lab = Lab::healthy(versions).await;
    lab.expect("ingress.http2", Pass, None).await;
    lab.expect("ingress.hsts", Pass, None).await;
    let issued = lab.authority.issue(&Leaf::of([MATRIX])).expect("a leaf");
    lab.https_with(1, issued, &["http/1.1"], |_| answer(200, &[], "{}")).await;
    lab.expect("ingress.http2", Warn, Some("http2-not-offered")).await;
    lab.expect("ingress.hsts", Warn, Some("hsts-missing")).await;
    // The host of the server name alone may be anybody's page.
    lab.target.server_name = SERVER.into();
    lab.target.homeserver = None;
    lab.expect("ingress.hsts", Skip, None).await;
}
