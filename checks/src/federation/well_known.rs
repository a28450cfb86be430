//! `federation.well_known`

use std::net::SocketAddr;

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;
use url::Url;

use crate::facts::{
    FederationRoute, LONGEST_LIFETIME, Lifetime, ServerWellKnown, WellKnownAnswer,
    WellKnownProblem, WellKnownServer,
};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// `/.well-known/matrix/server` of the server name holds a valid delegation, the same on every
    /// address of the name, and the same for a server's user agent as for others.
    ///
    /// ## Why it matters
    /// It is the first place where other homeservers look, and they keep what they find: a good
    /// answer for a day, a failure for an hour.
    ///
    /// ## What makes it fail
    /// - A web page or something else that is not JSON, mostly because a rule that catches all
    ///   paths sends it to Element Web or a website.
    /// - `m.server` missing, not a string, or not a server name: `https://` in front is the
    ///   classic.
    /// - A status other than 200 and 404, a gateway's error page, no answer within 10 seconds,
    ///   redirects in a loop, more than 10 of them, or one to plain http, a body above 50 KiB or
    ///   one that does not come to its end.
    /// - Addresses or user agents that get different answers.
    ///
    /// It warns of
    /// - a redirect with 308, which older servers do not follow;
    /// - another content type than JSON, upper-case letters in `m.server`, and a lifetime
    ///   (`Cache-Control`, `Expires`) of more than 48 hours, for which a mistake would stay;
    /// - a cache that still gives another delegation than what is behind it;
    /// - a broken file, where other servers find their way all the same (by a SRV record or on
    ///   port 8448).
    ///
    /// That there is none (404) is fine where they find it; where they do not,
    /// `federation.resolve` says so. Redirects with 301, 302, 303 and 307, to another host too, are
    /// followed and fine.
    ///
    /// ## How to fix it
    /// Serve `{"m.server": "matrix.testing.borooka.ee:443"}` at
    /// `https://testing.borooka.ee/.well-known/matrix/server`, with the port, by a rule for that
    /// path above the one that catches all.
    ///
    /// ## Where it comes from
    /// Matrix server-server API, "Server discovery", "Resolving server names", step 3, and "GET
    /// /.well-known/matrix/server". The limits are those of Synapse's `well_known_resolver.py`.
    "federation.well_known" at P: "the delegation file is valid, everywhere the same"
    causes [
        "well-known-not-json",
        "well-known-server-malformed",
        "well-known-server-broken",
        "well-known-server-differs",
        "well-known-server-redirect-308",
        "well-known-server-unusual",
        "well-known-server-stale",
    ]
    timeout 60
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let known = cx.fact(WellKnownServer).await?;
    let Some(url) = &known.url else {
        let name = &cx.target().server_name;
        return Ok(Finding::skip(format!(
            "{name} has a port or is an address: no server asks for its well-known"
        ))
        .into());
    };
    if let Some(finding) = differs(url, &known) {
        return Ok(shown(finding, &known).into());
    }
    let finding = match (known.delegation(), known.answers.first()) {
        (Some(Ok(delegation)), _) => {
            let doubts = [stale(url, &known), redirected(&known), unusual(&known)];
            let doubt = doubts.into_iter().flatten().next();
            doubt.unwrap_or_else(|| Finding::pass(format!("delegates to {}", delegation.to)))
        }
        (Some(Err(problem)), Some(answer)) => {
            // Where peers get nowhere, the fact's owner says so: `federation.resolve`, or we.
            let route = cx.fact(FederationRoute).await?;
            despite(url, problem, answer, &route.summary())
        }
        _ => Finding::error(format!("{url} was not answered")),
    };
    Ok(shown(finding, &known).into())
}

/// There is a way all the same.
fn despite(
    url: &Url,
    problem: &WellKnownProblem,
    answer: &WellKnownAnswer,
    route: &str,
) -> Finding {
    if let WellKnownProblem::Missing(_) = problem {
        return Finding::pass(format!("there is none, and none is needed: {route}"));
    }
    let finding = problem.finding(url, answer);
    let summary = format!("{}; other servers still find {route}", finding.summary);
    Finding { outcome: mxdoctor_model::Outcome::Warn, summary, ..finding }
}

/// What a peer reads out of an answer: all that must agree.
fn gist(answer: &WellKnownAnswer) -> String {
    match &answer.delegation {
        Ok(delegation) => format!("m.server {}", delegation.to),
        Err(problem) => problem.to_string(),
    }
}

fn differs(url: &Url, known: &ServerWellKnown) -> Option<Finding> {
    let first = known.answers.first()?;
    let place = |address: Option<SocketAddr>| {
        address.map_or_else(|| "as directed".to_owned(), |address| address.ip().to_string())
    };
    let finding = |other: String| {
        Finding::fail("well-known-server-differs", format!("{url} is not everywhere the same"))
            .expected("one answer on every address and for every user agent")
            .actual(format!("{}: {}; {other}", place(first.address), gist(first)))
    };
    if let Some(other) = known.answers.iter().find(|other| gist(other) != gist(first)) {
        return Some(finding(format!("{}: {}", place(other.address), gist(other))));
    }
    if let Some((address, by)) = known.silent.first() {
        return Some(finding(format!("{}: {}", place(*address), by.finding.summary)));
    }
    let plain = WellKnownAnswer::of(None, known.plain.clone()?);
    // That nobody answers, or a gateway, is one trouble however it is worded.
    if gist(&plain) != gist(first)
        && !matches!(first.delegation, Err(WellKnownProblem::Unserved(_)))
    {
        let finding = finding(format!("for another user agent: {}", gist(&plain)));
        let line = plain.last().map_or_else(String::new, Response::line);
        return Some(finding.evidence(EvidenceKind::Request, format!("as mxdoctor: {line}")));
    }
    None
}

/// A cache answers, and not with what is behind it.
fn stale(url: &Url, known: &ServerWellKnown) -> Option<Finding> {
    let cached = known.answers.first()?;
    let fresh = WellKnownAnswer::of(None, known.fresh.clone()?);
    let (Ok(old), Ok(new)) = (&cached.delegation, &fresh.delegation) else { return None };
    if old == new {
        return None;
    }
    let finding = Finding::warn(
        "well-known-server-stale",
        format!("a cache answers {url} with {}, while behind it is {}", old.to, new.to),
    )
    .expected(gist(&fresh))
    .actual(gist(cached));
    Some(match fresh.last() {
        Some(response) => finding.evidence(EvidenceKind::Request, response.line()),
        None => finding,
    })
}

fn redirected(known: &ServerWellKnown) -> Option<Finding> {
    let is_308 = |hop: &&Response| hop.status.as_u16() == 308;
    let line = hops(known).find(is_308).map(Response::line)?;
    let finding = Finding::warn(
        "well-known-server-redirect-308",
        "the file is behind a redirect with 308, which older servers do not follow",
    );
    Some(finding.expected("200 at once, or a redirect with 301 or 302").actual(line))
}

/// What peers take as it is, and what was hardly meant.
fn unusual(known: &ServerWellKnown) -> Option<Finding> {
    let mut odd = Vec::new();
    for answer in &known.answers {
        let (Ok(delegation), Some(response)) = (&answer.delegation, answer.last()) else {
            continue;
        };
        let kind = response.header("content-type").unwrap_or("none").to_ascii_lowercase();
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            odd.push(format!("its content type is {kind}, not application/json"));
        }
        if delegation.to.has_upper_case() {
            odd.push(format!("m.server {} has upper-case letters", delegation.to));
        }
        let lifetime = lifetime(response);
        if lifetime.asked.is_some_and(|asked| asked > LONGEST_LIFETIME) {
            odd.push(format!("a mistake in it would stay: {lifetime}"));
        }
    }
    odd.dedup();
    if odd.is_empty() {
        return None;
    }
    let summary = format!("other servers can use the file, and {}", odd.join("; "));
    let finding = Finding::warn("well-known-server-unusual", summary).actual(odd.join("; "));
    Some(finding.expected("JSON under its own content type, for at most 48 hours"))
}

fn lifetime(response: &Response) -> Lifetime {
    Lifetime::of(&response.headers, jiff::Timestamp::now())
}

fn hops(known: &ServerWellKnown) -> impl Iterator<Item = &Response> {
    known.answers.iter().filter_map(|answer| answer.exchange.as_ref()).flat_map(|it| &it.hops)
}

fn shown(finding: Finding, known: &ServerWellKnown) -> Finding {
    let finding = hops(known)
        .fold(finding, |finding, hop| finding.evidence(EvidenceKind::Request, hop.line()));
    let delegates = known.answers.iter().find(|answer| answer.delegation.is_ok());
    match delegates.and_then(WellKnownAnswer::last) {
        Some(response) => finding.evidence(EvidenceKind::Note, lifetime(response).to_string()),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mxdoctor_model::Outcome;
    use mxdoctor_probes::http::Exchange;

    use super::*;
    use crate::facts::tests::answer as response;

    fn with(status: u16, headers: &[(&'static str, &str)], body: &str) -> WellKnownAnswer {
        let mut response = response(status, headers, body);
        response.url = url();
        let exchange = Exchange { hops: vec![response], redirect_trouble: None };
        WellKnownAnswer::of(None, Arc::new(exchange))
    }

    fn answer(status: u16, body: &str) -> WellKnownAnswer {
        with(status, &[], body)
    }

    fn url() -> Url {
        "https://example.org/.well-known/matrix/server".parse().expect("a URL")
    }

    fn known(answers: Vec<WellKnownAnswer>) -> ServerWellKnown {
        let silent = Vec::new();
        ServerWellKnown { url: Some(url()), answers, plain: None, fresh: None, silent }
    }

    #[test]
    fn what_is_odd_is_named() {
        let json = ("content-type", "application/json; charset=utf-8");
        let odd = |headers: &[(&'static str, &str)], body| {
            unusual(&known(vec![with(200, headers, body)])).map(|finding| finding.summary)
        };
        assert_eq!(odd(&[json, ("cache-control", "max-age=86400")], GOOD), None);
        let said = odd(&[("content-type", "application/octet-stream")], GOOD).expect("a finding");
        assert!(said.contains("application/octet-stream"), "{said}");
        let said = odd(&[json, ("cache-control", "max-age=31536000")], GOOD).expect("a finding");
        assert!(said.contains("365 days"), "{said}");
        let upper = r#"{"m.server": "Matrix.example.org:443"}"#;
        assert!(odd(&[json], upper).expect("a finding").contains("Matrix.example.org"));
    }

    const GOOD: &str = r#"{"m.server": "matrix.example.org:443"}"#;

    #[test]
    fn answers_that_differ_fail() {
        assert_eq!(differs(&url(), &known(vec![answer(200, GOOD), answer(200, GOOD)])), None);
        let other = r#"{"m.server": "old.example.org:443"}"#;
        for second in [answer(200, other), answer(404, ""), answer(200, "<html>")] {
            let finding = differs(&url(), &known(vec![answer(200, GOOD), second]));
            let finding = finding.expect("a finding");
            assert_eq!(finding.cause, Some("well-known-server-differs"));
        }
    }

    #[test]
    fn each_problem_has_its_cause() {
        let cause =
            |status, body: &str| answer(status, body).delegation.expect_err("a problem").cause();
        assert_eq!(cause(200, "<!doctype html>"), "well-known-not-json");
        assert_eq!(cause(200, "ok"), "well-known-not-json");
        assert_eq!(cause(200, "{}"), "well-known-server-malformed");
        assert_eq!(
            cause(200, r#"{"m.server": "https://matrix.example.org"}"#),
            "well-known-server-malformed"
        );
        assert_eq!(cause(404, "no"), "well-known-server-missing");
        assert_eq!(cause(500, "no"), "well-known-server-broken");
    }

    #[test]
    fn the_remedy_for_a_scheme_is_the_right_line() {
        let wrong = answer(200, r#"{"m.server": "https://matrix.example.org/"}"#);
        let problem = wrong.delegation.as_ref().expect_err("a problem");
        let finding = problem.finding(&url(), &wrong);
        let remedy = finding.remedy.expect("a remedy");
        assert!(remedy.contains(r#"{"m.server": "matrix.example.org:443"}"#), "{remedy}");
    }

    #[test]
    fn none_is_fine_where_there_is_a_way() {
        let none = answer(404, "");
        let problem = none.delegation.as_ref().expect_err("a problem");
        assert_eq!(despite(&url(), problem, &none, "port 8448").outcome, Outcome::Pass);
        let page = answer(200, "<html>");
        let problem = page.delegation.as_ref().expect_err("a problem");
        let finding = despite(&url(), problem, &page, "port 8448");
        assert_eq!((finding.outcome, finding.cause), (Outcome::Warn, Some("well-known-not-json")));
    }
}
