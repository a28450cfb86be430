//! `ingress.challenge`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;

use super::url;
use crate::facts::{Ask, Asked, Endpoint, Hosts, Page, Role, StackHost, classify};
use crate::{Cx, Findings, Verdict, check};

check! {
    /// ## What it asserts
    /// Nothing before the homeserver and the well-known documents demands a browser: no challenge
    /// page, no block by a firewall rule.
    ///
    /// ## Why it matters
    /// Other homeservers, phones, bots and bridges cannot solve a challenge. A person who tries in
    /// a browser sees nothing wrong, since a browser solves it unseen.
    ///
    /// ## What makes it fail
    /// An answer with `cf-mitigated: challenge`, a page titled "Just a moment...", or a block page
    /// (1006, 1010, 1020 …) on `/_matrix/client/versions`, `/_matrix/federation/v1/version`,
    /// `/_matrix/key/v2/server`, `/.well-known/matrix/server` or `/.well-known/matrix/client`.
    ///
    /// Before Element Web and Jitsi Meet a challenge does not keep people out. It keeps this tool
    /// out, so that is an error: what lies behind was not measured.
    ///
    /// ## How to fix it
    /// In the Cloudflare dashboard switch Bot Fight Mode off for the zone (rules do not bypass it),
    /// and add a WAF rule that skips challenges, the browser integrity check and rate limiting for
    /// `/_matrix` and `/.well-known/matrix`.
    ///
    /// ## Where it comes from
    /// Matrix server-server API, "Resolving server names"; Cloudflare's documentation, "Detect a
    /// challenge page response".
    "ingress.challenge" at P: "no browser challenge before API, federation and well-known paths"
    causes ["edge-challenges-servers", "edge-challenges-us"]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    let mut all = Findings::default();
    let hosts = cx.fact(Hosts).await?;
    let looks = hosts.iter().map(|host| {
        let endpoint = Endpoint::new(&host.host, host.port);
        cx.each([endpoint], move |endpoint| look(cx, host, endpoint))
    });
    for Findings(entries) in futures_util::future::join_all(looks).await {
        all.0.extend(entries);
    }
    Ok(all)
}

async fn look(cx: &Cx, host: &StackHost, endpoint: Endpoint) -> Verdict {
    let mut paths: Vec<&str> = Vec::new();
    for role in &host.roles {
        paths.extend(match role {
            Role::ServerName => &["/.well-known/matrix/server", "/.well-known/matrix/client"][..],
            Role::Homeserver => &[
                "/_matrix/client/versions",
                "/_matrix/federation/v1/version",
                "/_matrix/key/v2/server",
            ],
            Role::Element | Role::Jitsi => &["/"],
        });
    }
    let asks = paths.iter().map(|path| cx.fact(Asked(Ask::get(url(host, path)))));
    for exchange in futures_util::future::join_all(asks).await {
        let exchange = exchange?;
        if classify(exchange.last()) == Some(Page::Challenge) {
            return Ok(judge(&endpoint, exchange.last()).into());
        }
    }
    Ok(Finding::pass(format!("no challenge on {} paths", paths.len())).into())
}

/// The finding for a challenge.
pub(crate) fn judge(endpoint: &Endpoint, response: &Response) -> Finding {
    let path = response.url.path();
    let api = path.starts_with("/.well-known/") || crate::facts::is_homeserver_path(path);
    let (host, status) = (&endpoint.host, response.status.as_u16());
    let finding = if api {
        Finding::fail(
            "edge-challenges-servers",
            format!("the edge answers {path} on {host} with {status} and a page for browsers"),
        )
    } else {
        Finding::error_of(
            "edge-challenges-us",
            format!("the edge shows {host} to browsers only: what lies behind was not measured"),
        )
    };
    let mitigated = response.header("cf-mitigated").unwrap_or("not there");
    finding
        .on(endpoint.to_string())
        .expected("an answer to any client")
        .actual(format!("{status}, cf-mitigated: {mitigated}"))
        .evidence(EvidenceKind::Request, response.line())
}
