//! Answers that come from what stands before an application: gateways, tunnels, edges.

use http::{Method, StatusCode};
use mxdoctor_probes::http::Response;

/// Who answers in the application's stead, and what that says. Each bears a word for who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// The edge wants to see a browser, or blocks us by a rule.
    Challenge,
    /// The edge knows the name and has no tunnel for it (Cloudflare 1033), or the tunnel's own name
    /// is gone (1016).
    TunnelDown(&'static str),
    /// The edge cannot get at the origin (Cloudflare 520 to 527, with its meaning).
    EdgeWithoutOrigin(&'static str),
    /// A gateway has no backend that answers (502, 503).
    BackendDown(&'static str),
    /// A gateway waited for the backend in vain (504).
    TimedOut(&'static str),
    /// A gateway has no rule for this host and path.
    NotRouted(&'static str),
}

/// Recognises a page that is not the application's own. JSON always is the application's.
pub fn classify(response: &Response) -> Option<Page> {
    let body = response.text();
    let body = body.trim_start_matches('\u{feff}').trim();
    if is_challenge(response, body) {
        return Some(Page::Challenge);
    }
    if body.starts_with(['{', '[']) || response.header("content-type").is_some_and(is_json) {
        return None;
    }
    let cloudflare = at_cloudflare(response);
    match response.status.as_u16() {
        530 => Some(match code_of(body) {
            Some("1016") => Page::TunnelDown("1016, origin DNS error"),
            Some("1033") => Page::TunnelDown("1033, no connector of the tunnel"),
            _ => Page::TunnelDown("530"),
        }),
        status @ 520..=527 => Some(Page::EdgeWithoutOrigin(edge_meaning(status))),
        502 | 503 => Some(Page::BackendDown(gateway(response, body))),
        504 => Some(Page::TimedOut(gateway(response, body))),
        404 if body == "404 page not found" => Some(Page::NotRouted("Traefik")),
        404 if body.starts_with("default backend") => Some(Page::NotRouted("the ingress")),
        404 if body.contains("<center>nginx") && of_homeserver(response) => {
            Some(Page::NotRouted("nginx"))
        }
        404 if body.is_empty() && cloudflare && response.method == Method::GET => {
            Some(Page::NotRouted("the Cloudflare Tunnel"))
        }
        _ => None,
    }
}

fn is_json(kind: &str) -> bool {
    kind.to_ascii_lowercase().starts_with("application/json")
}

/// Whether the path is one that only a homeserver serves.
pub(crate) fn of_homeserver(response: &Response) -> bool {
    is_homeserver_path(response.url.path())
}

/// Whether the path is one that only a homeserver serves.
pub(crate) fn is_homeserver_path(path: &str) -> bool {
    ["/_matrix/", "/_synapse/", "/health"].iter().any(|prefix| path.contains(prefix))
}

fn at_cloudflare(response: &Response) -> bool {
    response.headers.contains_key("cf-ray")
        || response.header("server").is_some_and(|s| s.eq_ignore_ascii_case("cloudflare"))
}

fn is_challenge(response: &Response, body: &str) -> bool {
    let refused = matches!(
        response.status,
        StatusCode::FORBIDDEN | StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
    );
    let mitigated = response.header("cf-mitigated").is_some_and(|m| m.contains("challenge"));
    let interstitial = body.contains("<title>Just a moment...</title>")
        || body.contains("<title>Attention Required! | Cloudflare</title>");
    // Rules of the firewall: by browser integrity, by rule, by address, by country.
    let ruled_out = at_cloudflare(response)
        && matches!(code_of(body), Some("1005" | "1006" | "1009" | "1010" | "1012" | "1020"));
    mitigated || (refused && (interstitial || ruled_out))
}

/// The number in Cloudflare's error pages: `error code: 1033`, or `Error 1033` in a page.
fn code_of(body: &str) -> Option<&str> {
    let lower = body.to_ascii_lowercase();
    ["error code: ", "error code ", "error 1"].iter().find_map(|mark| {
        let at = lower.find(mark)? + mark.trim_end_matches('1').len();
        let digits = body.get(at..)?;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        Some(&digits[..end]).filter(|digits| digits.len() == 4)
    })
}

/// Cloudflare's own words for its statuses.
fn edge_meaning(status: u16) -> &'static str {
    match status {
        521 => "521, the origin refuses connections",
        522 => "522, connecting to the origin timed out",
        523 => "523, the origin is unreachable",
        524 => "524, the origin did not answer in time",
        525 => "525, the TLS handshake with the origin failed",
        526 => "526, the origin's certificate is not valid",
        527 => "527, the connection to the origin was interrupted",
        _ => "520, the origin's answer was not understood",
    }
}

fn gateway(response: &Response, body: &str) -> &'static str {
    let server = response.header("server").unwrap_or_default().to_ascii_lowercase();
    if body.contains("cloudflared") || at_cloudflare(response) {
        "the Cloudflare Tunnel"
    } else if server.starts_with("nginx") || body.contains("<center>nginx") {
        "nginx"
    } else if ["no available server", "Bad Gateway", "Gateway Timeout"].contains(&body) {
        "Traefik"
    } else if server.starts_with("envoy") || body.starts_with("no healthy upstream") {
        "Envoy"
    } else if body.contains("No server is available to handle this request") {
        "HAProxy"
    } else if server.starts_with("caddy") {
        "Caddy"
    } else {
        "the gateway"
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use bytes::Bytes;
    use http::{HeaderMap, HeaderName};
    use mxdoctor_probes::http::Timings;

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], path: &str, body: &str) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a header name");
            map.append(name, value.parse().expect("a header value"));
        }
        Response {
            method: Method::GET,
            url: format!("https://matrix.testing.borooka.ee{path}").parse().expect("a URL"),
            address: SocketAddr::from(([198, 51, 100, 1], 443)),
            version: "HTTP/2",
            status: StatusCode::from_u16(status).expect("a status"),
            headers: map,
            body: Bytes::copy_from_slice(body.as_bytes()),
            cut: None,
            session: None,
            timings: Timings::default(),
        }
    }

    const CF: &[(&str, &str)] = &[("server", "cloudflare"), ("cf-ray", "8a-TLL")];
    const VERSIONS: &str = "/_matrix/client/versions";

    #[test]
    fn pages_of_the_edge_are_recognised() {
        let page = |status, body| classify(&answer(status, CF, VERSIONS, body));
        assert_eq!(
            page(530, "error code: 1033"),
            Some(Page::TunnelDown("1033, no connector of the tunnel"))
        );
        assert_eq!(
            page(530, "<html><h1>Error 1016</h1></html>"),
            Some(Page::TunnelDown("1016, origin DNS error"))
        );
        assert!(matches!(page(522, "error code: 522"), Some(Page::EdgeWithoutOrigin(_))));
        assert_eq!(page(403, "error code: 1020"), Some(Page::Challenge));
        assert_eq!(page(404, ""), Some(Page::NotRouted("the Cloudflare Tunnel")));
        let moment = "<html><title>Just a moment...</title></html>";
        assert_eq!(page(403, moment), Some(Page::Challenge));
        assert_eq!(page(200, moment), None);
        let mitigated = [("cf-mitigated", "challenge")];
        assert_eq!(classify(&answer(403, &mitigated, "/", "{}")), Some(Page::Challenge));
    }

    #[test]
    fn pages_of_gateways_are_recognised() {
        let nginx = "<html><body><hr><center>nginx/1.26</center></body></html>";
        for (status, body, page) in [
            (502, "Bad Gateway", Page::BackendDown("Traefik")),
            (503, "no available server\n", Page::BackendDown("Traefik")),
            (504, "Gateway Timeout", Page::TimedOut("Traefik")),
            (502, nginx, Page::BackendDown("nginx")),
            (404, "404 page not found\n", Page::NotRouted("Traefik")),
            (404, "default backend - 404", Page::NotRouted("the ingress")),
            (404, nginx, Page::NotRouted("nginx")),
            (503, "sorry", Page::BackendDown("the gateway")),
        ] {
            assert_eq!(classify(&answer(status, &[], VERSIONS, body)), Some(page), "{body}");
        }
    }

    #[test]
    fn what_the_application_says_is_its_own() {
        let unrecognised = r#"{"errcode":"M_UNRECOGNIZED"}"#;
        for (status, path, body) in [
            (200, "/", "<html>Element</html>"),
            (404, VERSIONS, unrecognised),
            (502, VERSIONS, r#"{"errcode":"M_UNKNOWN","error":"remote server"}"#),
            (404, "/nothing", "<center>nginx</center>"),
            (403, "/", "forbidden"),
            (500, VERSIONS, "Internal Server Error"),
        ] {
            assert_eq!(classify(&answer(status, &[], path, body)), None, "{status} {body}");
        }
    }
}
