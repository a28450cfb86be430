//! Redirects (RFC 9110 section 15.4) as a browser follows them.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION};
use http::{Method, StatusCode};

use super::{Request, Response};

pub(super) fn is_one(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The request that a redirect asks for; else why it cannot be followed.
pub(super) fn follow(request: Request, answer: &Response) -> Result<Request, String> {
    let location = answer.headers.get(LOCATION).ok_or("a redirect without a location")?;
    let text = String::from_utf8_lossy(location.as_bytes()).into_owned();
    let unusable = || format!("the location {text:?} is not usable");
    let mut url = request.url.join(&text).map_err(|_| unusable())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(unusable());
    }
    url.set_fragment(None);
    let mut next = Request { url, ..request };
    if next.url.origin() != answer.url.origin() {
        // What was meant for one host is not for the next.
        next.address = None;
        next.host = None;
        next.headers.remove(AUTHORIZATION);
        next.headers.remove(COOKIE);
    }
    let to_get = match answer.status.as_u16() {
        303 => next.method != Method::HEAD,
        301 | 302 => next.method == Method::POST,
        _ => false,
    };
    if to_get {
        next.method = Method::GET;
        next.body = Bytes::new();
        next.filler = None;
        next.headers.remove(CONTENT_TYPE);
        next.headers.remove(CONTENT_LENGTH);
    }
    Ok(next)
}
