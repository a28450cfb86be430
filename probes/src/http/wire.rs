//! A request as it goes over the wire.

use http::header::{ACCEPT, HOST, HeaderValue, USER_AGENT};
use url::Url;

use super::outgoing::Outgoing;
use super::{HttpError, Link, Origin, Request};

/// How we call ourselves (RFC 9110 section 10.1.5).
const AGENT: &str = concat!("mxdoctor/", env!("CARGO_PKG_VERSION"));

/// Where a URL leads.
pub(super) fn origin(request: &Request) -> Result<Origin, HttpError> {
    let url = &request.url;
    let tls = match url.scheme() {
        "https" | "wss" => true,
        "http" | "ws" => false,
        other => return Err(HttpError::Ours(format!("{other} is not asked over HTTP: {url}"))),
    };
    let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
    let port = url.port_or_known_default().unwrap_or(if tls { 443 } else { 80 });
    Ok(Origin { tls, name, port, address: request.address, version: request.version })
}

/// `Host` or `:authority`: the host, and the port where it is not the scheme's own.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The request for this connection: HTTP/2 names the whole URL, 1.1 the path and `Host`.
pub(super) fn encode(request: &Request, link: &Link) -> Result<http::Request<Outgoing>, HttpError> {
    let ours = |error: http::Error| HttpError::Ours(format!("{}: {error}", request.url));
    let authority = request.host.clone().unwrap_or_else(|| authority(&request.url));
    let target = match request.url.query() {
        Some(query) => format!("{}?{query}", request.url.path()),
        None => request.url.path().to_owned(),
    };
    let uri = http::Uri::builder().path_and_query(target);
    let uri = if link.is_http2() {
        uri.scheme("https").authority(authority.as_str()).build()
    } else {
        uri.build()
    };
    let mut encoded = http::Request::builder()
        .method(request.method.clone())
        .uri(uri.map_err(ours)?)
        .body(Outgoing::of(request))
        .map_err(ours)?;
    let headers = encoded.headers_mut();
    if !link.is_http2() {
        let host = HeaderValue::from_str(&authority).map_err(|error| ours(error.into()))?;
        headers.insert(HOST, host);
    }
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    let mut replaced = None;
    for (name, value) in &request.headers {
        // The first value of a name takes the place of our own, the others stand beside it.
        if replaced.replace(name) == Some(name) {
            headers.append(name, value.clone());
        } else {
            headers.insert(name, value.clone());
        }
    }
    Ok(encoded)
}
