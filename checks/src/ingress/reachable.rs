//! `ingress.reachable`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;
use url::Url;

use super::{paths, url};
use crate::facts::{Ask, Endpoint, Fetched, Hosts, Page, Role, StackHost, is_homeserver_path};
use crate::{Cx, Findings, Target, Verdict, check};

check! {
    /// ## What it asserts
    /// Every host of the stack answers HTTP requests, and the answer comes from the application,
    /// not from a gateway, a tunnel or an edge that speaks in its stead.
    ///
    /// Asked are `/_matrix/client/versions` of the homeserver, `/` of Element Web and Jitsi Meet,
    /// and `/.well-known/matrix/client` of the server name. Any status that the application itself
    /// may give is fine here; what it means is for the checks of that application.
    ///
    /// ## Why it matters
    /// An error page of a gateway says which hop is broken. Everything behind it is out of sight,
    /// so one cause stands for many failures.
    ///
    /// ## What makes it fail
    /// - 530 with 1033 or 1016: the Cloudflare Tunnel has no connector, or is gone.
    /// - 520 to 527: the edge cannot talk to the origin.
    /// - 502, 503, 504: nginx, Traefik, `cloudflared` or another gateway has no backend, or waits
    ///   for it in vain.
    /// - Traefik's own `404 page not found`, or the empty 404 of a tunnel's last rule: nothing
    ///   routes this host. Below `/.well-known/` that is not judged here.
    /// - No answer at all on an established connection.
    ///
    /// ## How to fix it
    /// Follow the request: edge, tunnel (`TunnelBinding`), `IngressRoute`, `Service`, pod. The
    /// cause says at which of them it ends.
    ///
    /// ## Where it comes from
    /// RFC 9110, section 15.6; Cloudflare's documentation, "Cloudflare 5xx errors" and "1xxx
    /// errors"; the sources of Traefik.
    "ingress.reachable" at PI: "each host answers over HTTPS"
    causes [
        "tunnel-down",
        "edge-cannot-reach-origin",
        "homeserver-down",
        "element-down",
        "jitsi-web-down",
        "backend-down",
        "gateway-timeout",
        "ingress-route-missing",
        "no-http-answer",
        "port-closed",
    ]
    timeout 30
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let hosts = cx.fact(Hosts).await?;
    let looks = hosts.iter().map(|host| {
        let endpoint = Endpoint::new(&host.host, host.port);
        cx.each([endpoint], move |_| look(cx, host))
    });
    let all = futures_util::future::join_all(looks).await;
    Ok(Findings(all.into_iter().flat_map(|findings| findings.0).collect()))
}

async fn look(cx: &Cx, host: &StackHost) -> Verdict {
    // The documents of the server name last: what they need besides is not said by its parts.
    let paths = host.roles.iter().rev().flat_map(|role| paths(*role));
    let asks = paths.map(|path| cx.fact(Fetched(Ask::get(url(host, path)))));
    let mut finding = Finding::pass("answers");
    for exchange in futures_util::future::join_all(asks).await {
        let exchange = exchange?;
        let response = exchange.last();
        let first_byte = response.timings.first_byte.as_secs_f64() * 1000.0;
        finding.summary = format!("answers with {}", response.status.as_u16());
        finding = finding.evidence(EvidenceKind::Request, response.line()).metric(
            "first_byte",
            first_byte,
            "ms",
        );
    }
    Ok(finding.into())
}

/// What a path of a host is there for, by the configuration or by the path itself.
fn role_of(target: &Target, url: &Url) -> Option<Role> {
    if is_homeserver_path(url.path()) {
        return Some(Role::Homeserver);
    }
    let is = |base: &Option<Url>| base.as_ref().is_some_and(|base| base.origin() == url.origin());
    if url.path().starts_with("/.well-known/") {
        Some(Role::ServerName)
    } else if is(&target.element) {
        Some(Role::Element)
    } else if is(&target.jitsi) {
        Some(Role::Jitsi)
    } else {
        None
    }
}

/// The finding for a page that is not the application's own.
pub(crate) fn judge(
    endpoint: &Endpoint,
    target: &Target,
    response: &Response,
    page: &Page,
) -> Finding {
    let role = role_of(target, &response.url);
    let (host, status) = (&endpoint.host, response.status.as_u16());
    let finding = match page {
        Page::Challenge => super::challenge::judge(endpoint, response),
        Page::TunnelDown(what) => Finding::fail(
            "tunnel-down",
            format!("the Cloudflare edge has no tunnel for {host} (error {what})"),
        ),
        Page::EdgeWithoutOrigin(what) => Finding::fail(
            "edge-cannot-reach-origin",
            format!("the Cloudflare edge cannot reach the origin of {host} ({what})"),
        ),
        Page::BackendDown(by) => {
            let (cause, part) = part(role);
            let summary =
                format!("{by} answers {status} for {host}: {part} behind it does not answer");
            Finding::fail(cause, summary)
        }
        Page::TimedOut(by) => {
            let (_, part) = part(role);
            let summary =
                format!("{by} answers {status} for {host}: {part} behind it takes too long");
            Finding::fail("gateway-timeout", summary)
        }
        Page::NotRouted(by) => Finding::fail(
            "ingress-route-missing",
            format!("{by} has no route for {host}{}", response.url.path()),
        ),
    };
    let expected = match role {
        Some(Role::Homeserver) => "an answer of the homeserver",
        _ => "an answer of the application",
    };
    let body = excerpt(response);
    finding
        .on(endpoint.to_string())
        .expected(expected)
        .actual(format!("{status} {body}"))
        .evidence(EvidenceKind::Request, format!("{}: {body}", response.line()))
        .transient()
}

fn part(role: Option<Role>) -> (&'static str, &'static str) {
    match role {
        Some(Role::Homeserver) => ("homeserver-down", "the homeserver"),
        Some(Role::Element) => ("element-down", "Element Web"),
        Some(Role::Jitsi) => ("jitsi-web-down", "Jitsi Meet's web server"),
        Some(Role::ServerName) | None => ("backend-down", "the backend"),
    }
}

/// The start of a body, without tags and on one line.
fn excerpt(response: &Response) -> String {
    let text = response.text();
    let mut words = String::new();
    let mut inside = false;
    for c in text.chars().take(4096) {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                words.push(' ');
            }
            c if !inside && !c.is_control() => words.push(c),
            _ if !inside => words.push(' '),
            _ => {}
        }
    }
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(80).collect();
    if short.is_empty() { "with an empty body".into() } else { format!("`{short}`") }
}
