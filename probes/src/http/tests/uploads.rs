//! Bodies of which only the length matters.

use std::time::Duration;

use http::Method;
use http_body_util::BodyExt as _;

use super::helpers::{NAME, PATIENCE, answer, get, net, plain};
use crate::http::{Filler, HttpError, Request};

fn upload(length: u64, withheld: bool) -> Request {
    Request {
        method: Method::POST,
        filler: Some(Filler { length, withheld }),
        ..get(&format!("http://{NAME}/upload"))
    }
}

#[tokio::test]
async fn zeros_are_sent_to_the_last() {
    let address = plain(|request| async move {
        let announced = request.headers()["content-length"].to_str().expect("text").to_owned();
        let body = request.into_body().collect().await.expect("a body").to_bytes();
        let zeros = body.iter().all(|byte| *byte == 0);
        answer(&format!("{announced} {} {zeros}", body.len()))
    })
    .await;
    for length in [1, 16 * 1024, 100_000] {
        let exchange = net(address).http(upload(length, false)).await.expect("an answer");
        assert_eq!(exchange.last().text(), format!("{length} {length} true"));
    }
}

#[tokio::test]
async fn who_refuses_by_length_needs_no_body() {
    let refuses = plain(|request| async move {
        let mut refused = answer("too large");
        *refused.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
        let announced = request.headers()["content-length"].to_str().expect("text");
        refused.headers_mut().insert("announced", announced.parse().expect("a value"));
        refused
    })
    .await;
    let exchange = net(refuses).http(upload(52_428_800, true)).await.expect("an answer");
    let told = exchange.last();
    assert_eq!((told.status.as_u16(), told.header("announced")), (413, Some("52428800")));
}

#[tokio::test]
async fn who_waits_for_the_body_does_not_get_it() {
    let waits = plain(|request| async move {
        let body = request.into_body().collect().await;
        answer(if body.is_ok() { "all of it" } else { "none of it" })
    })
    .await;
    let request = Request { patience: Some(PATIENCE / 4), ..upload(1000, true) };
    let error = net(waits).http(request).await.expect_err("no answer");
    assert!(
        matches!(error, HttpError::TimedOut { limit, .. } if limit == PATIENCE / 4),
        "{error:?}"
    );
}

#[tokio::test]
async fn patience_may_be_longer_than_usual() {
    let slow = plain(|_| async move {
        tokio::time::sleep(PATIENCE * 2).await;
        answer("at last")
    })
    .await;
    let asked = get(&format!("http://{NAME}/"));
    let error = net(slow).http(asked.clone()).await.expect_err("no answer");
    assert!(matches!(error, HttpError::TimedOut { .. }), "{error:?}");
    let patient = Request { patience: Some(Duration::from_secs(30)), ..asked };
    assert_eq!(net(slow).http(patient).await.expect("an answer").last().text(), "at last");
}
