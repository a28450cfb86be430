//! `element.index`.

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;
use url::Url;

use crate::facts::{Ask, Element, ask, gist, is_html, looks_like_element};
use crate::{Cx, Verdict, check};

check! {
    /// Element's page and the program that it loads are there.
    ///
    /// ## What it asserts
    /// Element's base URL is answered with 200 and Element's page, and the first script below
    /// `bundles/` that the page names is answered with 200 and a JavaScript type.
    ///
    /// ## Why it matters
    /// A page whose bundle is gone stays white, with nothing but a line in the browser's console.
    ///
    /// ## What makes it fail
    /// Another page (the web server's own, a parking page), an error, or a page from before the
    /// last upgrade that still names the old bundle: an edge or a browser has kept it.
    ///
    /// ## How to fix it
    /// Compare the route with Service `element:80`. For an old page: purge the edge's cache, do not
    /// cache the index (`element.cache`), and let one version at a time answer during a rollout.
    ///
    /// ## Where it comes from
    /// Element Web's README, "Caching requirements".
    "element.index" at PI: "Element's page and its first bundle load"
    causes ["element-page-wrong", "element-bundle-missing"]
    timeout 60
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let element = cx.fact(Element).await?;
    let exchange = ask::get(cx, element.url("/")).await?;
    let page = exchange.last();
    let bundle = match judge_page(page) {
        Ok(bundle) => bundle,
        Err(finding) => return Ok(finding.evidence(EvidenceKind::Request, page.line()).into()),
    };
    // Bundles are large; its beginning shows what it is.
    let exchange = match ask::fetch(cx, Ask::get(bundle).limit(4096)).await {
        Ok(exchange) => exchange,
        Err(by) => return ask::own(by),
    };
    let script = exchange.last();
    let finding = match judge_bundle(script) {
        Ok(()) => Finding::pass(format!("{element} loads")),
        Err(finding) => finding,
    };
    let lines = finding.evidence(EvidenceKind::Request, page.line());
    Ok(lines.evidence(EvidenceKind::Request, script.line()).into())
}

/// The first bundle that Element's page names.
fn judge_page(page: &Response) -> Result<Url, Finding> {
    let text = page.text();
    let is_element = page.status.as_u16() == 200 && looks_like_element(&text);
    let bundle = is_element.then(|| first_bundle(&text)).flatten();
    bundle.and_then(|path| page.url.join(path).ok()).ok_or_else(|| {
        Finding::fail("element-page-wrong", "something else than Element Web answers")
            .expected("200 with Element's page, which names a script below bundles/")
            .actual(gist(page))
    })
}

/// The first `bundles/….js` in quotes.
fn first_bundle(page: &str) -> Option<&str> {
    page.match_indices("bundles/").find_map(|(at, _)| {
        let start = page[..at].rfind(['"', '\''])? + 1;
        let end = at + page[at..].find(['"', '\''])?;
        let path = &page[start..end];
        let plain = path.len() < 300 && !path.contains(char::is_whitespace);
        (plain && path.ends_with(".js")).then_some(path)
    })
}

fn judge_bundle(script: &Response) -> Result<(), Finding> {
    let kind = script.header("content-type").unwrap_or_default();
    let is_script = kind.contains("javascript") || kind.contains("ecmascript");
    if script.status.as_u16() == 200 && is_script && !is_html(&script.body) {
        return Ok(());
    }
    Err(Finding::fail(
        "element-bundle-missing",
        "Element's page names a script that is not there: users see a white page",
    )
    .expected("200 with a JavaScript type")
    .actual(format!("{}: {}", script.url, gist(script))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    const PAGE: &str = "<!doctype html><title>Element</title><link href=\"bundles/0a1b/x.css\">\
                        <section id=\"matrixchat\"></section>\
                        <script src=\"bundles/0a1b/bundle.js\"></script>";

    #[test]
    fn the_first_bundle_is_found() {
        let url = judge_page(&answer(200, &[], PAGE)).expect("a URL");
        assert_eq!(url.as_str(), "https://matrix.example.org/bundles/0a1b/bundle.js");
        for page in
            ["", "<h1>Welcome to nginx!</h1>", "Element bundles/", "'bundles/ x.js' Element"]
        {
            let cause = judge_page(&answer(200, &[], page)).expect_err("a finding").cause;
            assert_eq!(cause, Some("element-page-wrong"), "{page}");
        }
        assert!(judge_page(&answer(500, &[], PAGE)).is_err());
    }

    #[test]
    fn a_bundle_is_a_script() {
        let script = |status, kind, body| {
            judge_bundle(&answer(status, &[("content-type", kind)], body)).map_err(|f| f.cause)
        };
        assert_eq!(script(200, "application/javascript", "(()=>{})()"), Ok(()));
        assert_eq!(script(200, "text/javascript; charset=utf-8", ""), Ok(()));
        let missing = Err(Some("element-bundle-missing"));
        assert_eq!(script(404, "application/javascript", ""), missing);
        assert_eq!(script(200, "text/html", PAGE), missing);
        assert_eq!(script(200, "application/javascript", PAGE), missing);
    }

    proptest::proptest! {
        #[test]
        fn no_page_makes_it_panic(page: String, tail in "[\"' a-z/.é]*") {
            let _ = first_bundle(&page);
            let _ = first_bundle(&format!("{page}bundles/{tail}"));
        }
    }
}
