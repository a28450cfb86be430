//! `ingress.http_redirect`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::{Exchange, HttpError, Request, Response};
use mxdoctor_probes::tls::{ConnectError, HandshakeError};
use url::Url;

use super::services;
use crate::facts::{Addresses, Endpoint};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Port 80 of the homeserver, Element Web and Jitsi Meet either takes no connections, serves
    /// nothing, or redirects to `https` of the same host, without a loop.
    ///
    /// ## Why it matters
    /// People type names without a scheme. A page served over plain HTTP shows them an application
    /// whose traffic anybody in between can read; a loop shows them none at all.
    ///
    /// ## What makes it fail
    /// - fail: the redirects go round in a loop, or do not end.
    /// - warn: the application is served over plain HTTP, or the redirect leads to another host.
    ///
    /// A closed port passes. Hosts on other ports than 443 are a skip, and so are hosts whose port
    /// 443 is directed elsewhere with `--resolve` while port 80 is not.
    ///
    /// ## How to fix it
    /// At Cloudflare: SSL/TLS, Edge Certificates, Always Use HTTPS; a loop there means the mode
    /// "Flexible", where the edge asks the origin over HTTP and is redirected. At Traefik: the
    /// entry point's `redirections.entryPoint` to `websecure`.
    ///
    /// ## Where it comes from
    /// RFC 9110, section 15.4; RFC 6797, section 7.2.
    "ingress.http_redirect" at PI: "plain HTTP redirects to HTTPS of the same host"
    causes ["http-redirect-loop", "http-not-redirected", "http-redirects-elsewhere"]
    timeout 30
}

/// Redirects followed; browsers follow 20, and a sound setup needs two or three.
const REDIRECTS: usize = 10;

async fn run(cx: &Cx) -> Verdict {
    let endpoints = services(cx).await?.into_iter().map(|host| Endpoint::new(host.host, host.port));
    Ok(cx.each(endpoints, |endpoint| look(cx, endpoint)).await)
}

async fn look(cx: &Cx, endpoint: Endpoint) -> Verdict {
    if endpoint.port != 443 {
        let reason = format!("port {} has no counterpart over plain HTTP", endpoint.port);
        return Ok(Finding::skip(reason).into());
    }
    if only_443_is_overridden(cx, &endpoint).await? {
        return Ok(
            Finding::skip("overridden: port 443 is directed elsewhere, port 80 is not").into()
        );
    }
    let host = &endpoint.host;
    let name = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let Ok(url) = Url::parse(&format!("http://{name}/")) else {
        return Ok(Finding::error(format!("internal: {host} does not fit into a URL")).into());
    };
    let mut request = Request::get(url);
    request.redirects = REDIRECTS;
    // Certificates have checks of their own.
    request.accept_any_certificate = true;
    Ok(match cx.net().http(request).await {
        Ok(exchange) => judge(host, &exchange),
        Err(error) => unanswered(&error),
    }
    .into())
}

async fn only_443_is_overridden(cx: &Cx, at: &Endpoint) -> Result<bool, crate::Unavailable> {
    let plain = Endpoint::new(&at.host, 80);
    if at.overridden(cx).is_some() {
        return Ok(plain.overridden(cx).is_none());
    }
    if plain.overridden(cx).is_some() {
        return Ok(false);
    }
    let resolved = cx.fact(Addresses { host: at.host.clone() }).await?;
    let by_address = &cx.net().config().overrides.addresses;
    let has = |port| resolved.addresses.iter().any(|ip| by_address.contains_key(&(*ip, port)));
    Ok(has(443) && !has(80))
}

fn unanswered(error: &HttpError) -> Finding {
    let finding = match error {
        HttpError::Handshake { error: HandshakeError::Connect(ConnectError::Ours(_)), .. }
        | HttpError::Ours(_) => Finding::error(format!("port 80 could not be asked: {error}")),
        HttpError::Handshake { .. } => Finding::pass("port 80 is closed"),
        _ => Finding::pass("port 80 serves nothing"),
    };
    finding.evidence(EvidenceKind::Connection, error.to_string())
}

fn judge(host: &str, exchange: &Exchange) -> Finding {
    let plain = exchange.hops.iter().take_while(|hop| hop.url.scheme() == "http").last();
    let trouble = exchange.redirect_trouble.as_deref();
    let endless = |what: &str| what.starts_with("a loop") || what.starts_with("more than");
    let finding = if let Some(trouble) = trouble.filter(|trouble| endless(trouble)) {
        let summary = format!("the redirects of http://{host}/ do not end: {trouble}");
        Finding::fail("http-redirect-loop", summary)
    } else {
        // The last answer over plain HTTP is what leads to TLS, or does not.
        match plain.map(|hop| (hop, next(hop))) {
            Some((_, Some(to))) if to.scheme() == "https" && leads_to(&to, host) => {
                Finding::pass(format!("redirects to {to}"))
            }
            Some((_, Some(to))) if to.scheme() == "https" => {
                let summary = format!("http://{host}/ redirects to another host: {to}");
                Finding::warn("http-redirects-elsewhere", summary)
            }
            Some((hop, None)) if hop.status.is_success() => {
                let summary = format!("{host} is served over plain HTTP as well");
                Finding::warn("http-not-redirected", summary).actual(hop.status.to_string())
            }
            Some((hop, _)) => {
                Finding::pass(format!("port 80 serves nothing: {}", hop.status.as_u16()))
            }
            None => Finding::error("internal: no answer over plain HTTP"),
        }
    };
    let finding = exchange
        .hops
        .iter()
        .fold(finding, |finding, hop| finding.evidence(EvidenceKind::Request, hop.line()));
    finding.expected(format!("a redirect to https://{host}/, or nothing"))
}

fn leads_to(url: &Url, host: &str) -> bool {
    Endpoint::of(url).is_some_and(|endpoint| endpoint.host == host)
}

/// Where a redirect leads.
fn next(response: &Response) -> Option<Url> {
    let location = response.header("location").filter(|_| response.status.is_redirection())?;
    response.url.join(location).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Method, StatusCode};
    use mxdoctor_model::Outcome;
    use mxdoctor_probes::http::Timings;

    use super::*;

    fn hop(url: &str, status: u16, location: Option<&'static str>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(location) = location {
            headers.insert("location", HeaderValue::from_static(location));
        }
        Response {
            method: Method::GET,
            url: url.parse().expect("a URL"),
            address: ([198, 51, 100, 1], 80).into(),
            version: "HTTP/1.1",
            status: StatusCode::from_u16(status).expect("a status"),
            headers,
            body: Bytes::new(),
            cut: None,
            session: None,
            timings: Timings::default(),
        }
    }

    fn judged(hops: Vec<Response>, trouble: Option<&str>) -> (Outcome, Option<&'static str>) {
        let exchange = Exchange { hops, redirect_trouble: trouble.map(str::to_owned) };
        let finding = judge("example.org", &exchange);
        (finding.outcome, finding.cause)
    }

    #[test]
    fn plain_http_must_lead_to_tls_of_the_same_host() {
        use Outcome::{Fail, Pass, Warn};
        const PLAIN: &str = "http://example.org/";
        let to = |location| hop(PLAIN, 301, Some(location));
        let home = hop("https://example.org/", 200, None);
        assert_eq!(judged(vec![to("https://example.org/"), home], None), (Pass, None));
        // Trouble behind the redirect belongs to others.
        let refused = Some("https://example.org/: connection refused");
        assert_eq!(judged(vec![to("https://example.org/")], refused), (Pass, None));
        assert_eq!(
            judged(vec![to("https://www.example.org/")], None),
            (Warn, Some("http-redirects-elsewhere"))
        );
        assert_eq!(judged(vec![hop(PLAIN, 200, None)], None), (Warn, Some("http-not-redirected")));
        let inside = hop("http://example.org/_matrix/static/", 200, None);
        assert_eq!(
            judged(vec![to("/_matrix/static/"), inside], None),
            (Warn, Some("http-not-redirected"))
        );
        assert_eq!(judged(vec![hop(PLAIN, 404, None)], None), (Pass, None));
        let round = Some("a loop: https://example.org/ was asked for before");
        assert_eq!(
            judged(vec![to("https://example.org/")], round),
            (Fail, Some("http-redirect-loop"))
        );
    }
}
