//! Answers made up for the tests of judgements.

use std::sync::Arc;

use mxdoctor_probes::http::{Exchange, Response, Timings};
use serde_json::Value;

use super::ElementSettings;

/// An answer with that status, headers and body.
pub(crate) fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
    let mut map = http::HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().expect("a header value"));
    }
    Response {
        method: http::Method::GET,
        url: "https://matrix.example.org/".parse().expect("a URL"),
        address: ([192, 0, 2, 1], 443).into(),
        version: "HTTP/1.1",
        status: http::StatusCode::from_u16(status).expect("a status"),
        headers: map,
        body: body.to_owned().into(),
        cut: None,
        session: None,
        timings: Timings::default(),
    }
}

/// Settings of Element made of that JSON object.
pub(crate) fn settings(json: Value) -> ElementSettings {
    let Value::Object(json) = json else { panic!("an object") };
    let exchange = Exchange { hops: vec![answer(200, &[], "")], redirect_trouble: None };
    ElementSettings {
        url: "https://element.example.org/config.json".parse().expect("a URL"),
        exchange: Arc::new(exchange),
        json,
    }
}
