//! `federation.well_known`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::{Exchange, Response};
use url::Url;

use crate::facts::{
    FederationRoute, ServerWellKnown, WellKnownAnswer, WellKnownProblem, WellKnownServer,
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
    /// - A status other than 200 and 404, redirects that lead nowhere or away from https, a file
    ///   above 50 KiB.
    /// - Addresses or user agents that get different answers.
    ///
    /// It warns of a redirect with 308, which older servers do not follow, and, where other servers
    /// find their way all the same (by a SRV record or on port 8448), of a broken file. That there
    /// is none (404) is fine where they do; where they do not, `federation.resolve` says so.
    ///
    /// ## How to fix it
    /// Serve `{"m.server": "matrix.testing.borooka.ee:443"}` at
    /// `https://testing.borooka.ee/.well-known/matrix/server`, with the port, by a rule for that
    /// path above the one that catches all.
    ///
    /// ## Where it comes from
    /// Matrix server-server API, "Server discovery", "Resolving server names", step 3.
    "federation.well_known" at P: "the delegation file is valid, everywhere the same"
    causes [
        "well-known-not-json",
        "well-known-server-malformed",
        "well-known-server-broken",
        "well-known-server-differs",
        "well-known-server-redirect-308",
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
    let finding = match known.delegation() {
        Some(Ok(delegation)) => {
            let pass = Finding::pass(format!("delegates to {}", delegation.to));
            redirected(&known).unwrap_or(pass)
        }
        Some(Err(problem)) => {
            // Where peers get nowhere, the fact's owner says so: `federation.resolve`, or we.
            let route = cx.fact(FederationRoute).await?;
            despite(url, problem, &known.answers[0], &route.summary())
        }
        None => Finding::error(format!("{url} was not answered")),
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
    let finding = problem.finding(url, answer.exchange.last());
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
    let place = |answer: &WellKnownAnswer| answer.exchange.last().address.ip();
    let finding = |other: String| {
        Finding::fail("well-known-server-differs", format!("{url} is not everywhere the same"))
            .expected("one answer on every address and for every user agent")
            .actual(format!("{}: {}; {other}", place(first), gist(first)))
    };
    if let Some(other) = known.answers.iter().find(|other| gist(other) != gist(first)) {
        return Some(finding(format!("{}: {}", place(other), gist(other))));
    }
    if let Some((address, by)) = known.silent.first() {
        return Some(finding(format!("{}: {}", address.ip(), by.finding.summary)));
    }
    let plain = known.plain.as_ref()?;
    let plain = WellKnownAnswer {
        exchange: plain.clone(),
        delegation: crate::facts::read_delegation(plain),
    };
    if gist(&plain) != gist(first) {
        return Some(finding(format!("for another user agent: {}", gist(&plain))));
    }
    None
}

fn redirected(known: &ServerWellKnown) -> Option<Finding> {
    let is_308 = |hop: &Response| hop.status.as_u16() == 308;
    let hops =
        |exchange: &Exchange| exchange.hops.iter().find(|hop| is_308(hop)).map(Response::line);
    let line = known.answers.iter().find_map(|answer| hops(&answer.exchange))?;
    let finding = Finding::warn(
        "well-known-server-redirect-308",
        "the file is behind a redirect with 308, which older servers do not follow",
    );
    Some(finding.expected("200 at once, or a redirect with 301 or 302").actual(line))
}

fn shown(finding: Finding, known: &ServerWellKnown) -> Finding {
    let hops = known.answers.iter().flat_map(|answer| &answer.exchange.hops);
    let finding =
        hops.fold(finding, |finding, hop| finding.evidence(EvidenceKind::Request, hop.line()));
    let kept = known.answers.first().and_then(|answer| {
        let last = answer.exchange.last();
        last.header("cache-control").map(|kept| format!("cache-control: {kept}"))
    });
    kept.into_iter().fold(finding, |finding, text| finding.evidence(EvidenceKind::Note, text))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::read_delegation;
    use crate::facts::tests::answer as response;

    fn answer(status: u16, body: &str) -> WellKnownAnswer {
        let mut response = response(status, &[], body);
        response.url = url();
        let exchange = Arc::new(Exchange { hops: vec![response], redirect_trouble: None });
        let delegation = read_delegation(&exchange);
        WellKnownAnswer { exchange, delegation }
    }

    fn url() -> Url {
        "https://example.org/.well-known/matrix/server".parse().expect("a URL")
    }

    fn known(answers: Vec<WellKnownAnswer>) -> ServerWellKnown {
        ServerWellKnown { url: Some(url()), answers, plain: None, silent: Vec::new() }
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
        let finding = problem.finding(&url(), wrong.exchange.last());
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
