//! `element.jitsi_widget`

use http::HeaderMap;
use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;
use url::Url;

use super::headers::{blocks_calls, permits, policies, value};
use crate::facts::{Element, ElementConfig, Jitsi, ask, below};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Element's own `jitsi.html` loads and may frame the Jitsi host; and the Jitsi host's pages
    /// may be framed by Element.
    ///
    /// ## Why it matters
    /// A call in Element is a page in a page in a page: Element frames `jitsi.html`, which frames
    /// the Jitsi host. One header too strict in any of them and the call stays a grey box, while
    /// the same call in a browser's own tab works.
    ///
    /// ## What makes it fail
    /// `jitsi.html` is missing or another page answers in its place; its `frame-src` leaves the
    /// Jitsi host out, or it may not be framed by Element; Jitsi's pages come with
    /// `X-Frame-Options` or with `frame-ancestors` that leave Element out.
    ///
    /// ## How to fix it
    /// Take `X-Frame-Options` off the Jitsi host (a headers middleware, the edge, the web
    /// container's nginx), or name Element in `frame-ancestors` there. Serve Element's files as
    /// they are in its image.
    ///
    /// ## Where it comes from
    /// Element Web, `docs/jitsi.md`; Content Security Policy Level 3; RFC 7034.
    "element.jitsi_widget" at P: "the Jitsi widget loads and may be framed"
    causes ["element-widget-missing", "element-frames-blocked", "jitsi-framing-forbidden"]
    timeout 60
}

/// A room that nobody is in: the page is the same for each, and to read it begins no call.
const ROOM: &str = "/mxdoctor-widget";

async fn run(cx: &Cx) -> Verdict {
    cx.fact(ElementConfig).await?;
    let (element, jitsi) = (cx.fact(Element).await?, cx.fact(Jitsi).await?);
    let (widget, room) = tokio::join!(
        ask::get(cx, element.url("/jitsi.html")),
        ask::get(cx, below(&jitsi.base, ROOM)),
    );
    let (widget, room) = (widget?, room?);
    let widget = judge_widget(widget.last(), &jitsi.base).on("jitsi.html");
    let framed = judge_framed(room.last(), &element.base).on(jitsi.host());
    Ok([widget, framed].into_iter().collect())
}

/// Element's page that holds the call.
fn judge_widget(page: &Response, jitsi: &Url) -> Finding {
    let text = page.text();
    let finding = if page.status.as_u16() != 200 {
        missing(page, format!("it is answered with {}", page.status.as_u16()))
    } else if text.contains("id=\"matrixchat\"") {
        missing(page, "Element's start page answers in its place".into())
    } else if !text.to_lowercase().contains("jitsi") {
        missing(page, "another page answers in its place".into())
    } else if let Some(what) = blocks_calls(&page.headers, &policies(&page.headers), Some(jitsi)) {
        Finding::fail("element-frames-blocked", format!("jitsi.html cannot hold a call: {what}"))
            .expected("it may be framed by Element, and frame the Jitsi host")
            .actual(what)
    } else {
        Finding::pass("jitsi.html loads, and may frame the Jitsi host")
    };
    finding.evidence(EvidenceKind::Request, page.line())
}

fn missing(page: &Response, why: String) -> Finding {
    let finding =
        Finding::fail("element-widget-missing", format!("jitsi.html does not load: {why}"))
            .expected("200 and Element's page for calls")
            .actual(why);
    if page.status.is_server_error() { finding.transient() } else { finding }
}

/// A page of Jitsi's in Element's frame.
fn judge_framed(page: &Response, element: &Url) -> Finding {
    let finding = match forbids(&page.headers, element) {
        Some(what) => Finding::fail(
            "jitsi-framing-forbidden",
            format!("Jitsi's pages may not be framed by Element: {what}"),
        )
        .expected("no X-Frame-Options, and no frame-ancestors without Element")
        .actual(what),
        None if !page.status.is_success() => Finding::skip(format!(
            "whether Jitsi's pages may be framed is not known: HTTP {}",
            page.status.as_u16()
        )),
        None => Finding::pass("Jitsi's pages may be framed by Element"),
    };
    finding.evidence(EvidenceKind::Request, page.line())
}

/// Why a page may not be framed by another origin. Where there is `frame-ancestors`, the older
/// header does not count (Content Security Policy Level 3, section 6.4.2.2).
fn forbids(headers: &HeaderMap, element: &Url) -> Option<String> {
    let policies = policies(headers);
    let mut ancestors = policies.iter().filter(|(name, _)| name == "frame-ancestors").peekable();
    if ancestors.peek().is_some() {
        let wrong = ancestors.find(|(_, list)| !list.iter().any(|source| permits(source, element)));
        return wrong.map(|(_, list)| format!("frame-ancestors {}", list.join(" ")));
    }
    let framing = value(headers, "x-frame-options")?;
    // Browsers ignore what they do not know, ALLOW-FROM among it.
    let known = framing.split(',').any(|word| matches!(word.trim(), "deny" | "sameorigin"));
    known.then(|| format!("X-Frame-Options: {}", framing.to_uppercase()))
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    const WIDGET: &str = "<!DOCTYPE html><html><body><div id=\"jitsiContainer\"></div></body>";

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    fn verdict(finding: Finding) -> (Outcome, Option<&'static str>) {
        (finding.outcome, finding.cause)
    }

    #[test]
    fn the_widget_is_there_and_may_frame() {
        let jitsi = url("https://meet.example.org");
        let judged = |status, headers: &[(&'static str, &str)], body| {
            verdict(judge_widget(&answer(status, headers, body), &jitsi))
        };
        let missing = (Outcome::Fail, Some("element-widget-missing"));
        assert_eq!(judged(200, &[], WIDGET), (Outcome::Pass, None));
        assert_eq!(judged(404, &[], WIDGET), missing);
        assert_eq!(judged(200, &[], "<section id=\"matrixchat\">jitsi</section>"), missing);
        assert_eq!(judged(200, &[], "<html>parked</html>"), missing);
        let strict = ("content-security-policy", "frame-src 'self' https://other.example");
        let blocked = (Outcome::Fail, Some("element-frames-blocked"));
        assert_eq!(judged(200, &[strict], WIDGET), blocked);
        assert_eq!(judged(200, &[("x-frame-options", "DENY")], WIDGET), blocked);
        assert_eq!(judged(200, &[("x-frame-options", "SAMEORIGIN")], WIDGET).0, Outcome::Pass);
    }

    #[test]
    fn jitsi_may_be_framed_by_element() {
        let element = url("https://element.example.org");
        let judged = |headers: &[(&'static str, &str)]| {
            verdict(judge_framed(&answer(200, headers, "<html>"), &element))
        };
        let csp = |policy| ("content-security-policy", policy);
        let forbidden = (Outcome::Fail, Some("jitsi-framing-forbidden"));
        for (headers, expected) in [
            (vec![], (Outcome::Pass, None)),
            (vec![("x-frame-options", "SAMEORIGIN")], forbidden),
            (vec![("x-frame-options", "DENY")], forbidden),
            (vec![("x-frame-options", "ALLOW-FROM https://x")], (Outcome::Pass, None)),
            (vec![csp("frame-ancestors 'self'")], forbidden),
            (vec![csp("frame-ancestors 'none'")], forbidden),
            (
                vec![csp("frame-ancestors 'self' https://element.example.org")],
                (Outcome::Pass, None),
            ),
            (
                vec![csp("frame-ancestors *.example.org"), ("x-frame-options", "DENY")],
                (Outcome::Pass, None),
            ),
            (vec![csp("frame-ancestors *"), csp("frame-ancestors 'self'")], forbidden),
            (vec![csp("default-src 'self'")], (Outcome::Pass, None)),
        ] {
            assert_eq!(judged(&headers), expected, "{headers:?}");
        }
        let skipped = judge_framed(&answer(404, &[], ""), &element);
        assert_eq!(skipped.outcome, Outcome::Skip);
    }
}
