//! `element.unknown_path`.

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::http::Response;

use crate::facts::{Element, ElementConfig, Page, ask, classify, gist, is_html};
use crate::{Cx, Verdict, check};

check! {
    /// What is not there is answered with 404, not with Element's page.
    ///
    /// ## What it asserts
    /// A file that nobody has made is answered with 404 on Element's host, below the root and
    /// below `bundles/`.
    ///
    /// ## Why it matters
    /// Element asks for `config.<host>.json` first, and after an upgrade old pages ask for bundles
    /// that are gone. Where a page answers for everything, the configuration "is" HTML, a missing
    /// bundle ends in `Unexpected token '<'` and a white page, and edges keep the page under the
    /// bundle's name.
    ///
    /// ## What makes it fail
    /// 200 for a made-up name (a `try_files … /index.html`, an SPA fallback) is a warning. So are
    /// redirects.
    ///
    /// ## How to fix it
    /// Element needs no fallback, since its routes are in the URL's fragment: remove the
    /// `try_files` or the rewrite, or serve with the stock image's nginx.
    ///
    /// ## Where it comes from
    /// RFC 9110, section 15.5.5; Element Web's `docs/install.md` and `getVectorConfig`.
    "element.unknown_path" at PI: "unknown paths are answered with 404"
    causes ["element-unknown-path"]
    timeout 60
}

async fn run(cx: &Cx) -> Verdict {
    cx.fact(ElementConfig).await?;
    let element = cx.fact(Element).await?;
    let word = ask::fresh_word();
    let root = element.url(&format!("/{word}.json"));
    let bundle = element.url(&format!("/bundles/{word}/bundle.js"));
    let (root, bundle) = futures_util::join!(ask::any(cx, root), ask::any(cx, bundle));
    let mut lines = Vec::new();
    let mut wrong = Vec::new();
    for exchange in [root, bundle] {
        let exchange = match exchange {
            Ok(exchange) => exchange,
            Err(by) => return ask::own(by),
        };
        let answer = exchange.last();
        lines.push(Evidence::new(EvidenceKind::Request, answer.line()));
        match judge(answer) {
            Ok(()) => {}
            Err(Some(what)) => wrong.push(what),
            Err(None) => {
                let summary = format!("a made-up path could not be judged: {}", gist(answer));
                return Ok(Finding::error(summary).transient().evidences(lines).into());
            }
        }
    }
    let finding = match wrong.first() {
        None => Finding::pass("made-up paths are answered with 404"),
        Some(first) => Finding::warn(
            "element-unknown-path",
            "Element's host answers for files that are not there",
        )
        .expected("404")
        .actual(first),
    };
    Ok(finding.evidences(lines).into())
}

/// What is answered in the place of 404; the error is none where that cannot be told.
fn judge(answer: &Response) -> Result<(), Option<String>> {
    match answer.status.as_u16() {
        _ if matches!(classify(answer), Some(Page::Challenge)) => Err(None),
        403 | 404 | 410 => Ok(()),
        200..300 if is_html(&answer.body) => Err(Some(format!("{}, a page", answer.status))),
        200..400 => Err(Some(gist(answer))),
        _ => Err(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    #[test]
    fn only_not_found_is_right() {
        assert_eq!(judge(&answer(404, &[], "<html>not found")), Ok(()));
        assert_eq!(judge(&answer(403, &[], "")), Ok(()));
        assert!(matches!(judge(&answer(200, &[], "<!doctype html>")), Err(Some(_))));
        assert!(matches!(judge(&answer(301, &[], "")), Err(Some(_))));
        assert_eq!(judge(&answer(502, &[], "")), Err(None));
        assert_eq!(judge(&answer(429, &[], "")), Err(None));
    }
}
