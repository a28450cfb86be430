//! `element.service_worker`.

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;
use url::Url;

use super::headers::policies;
use crate::facts::{Element, ElementConfig, ask, gist, is_html};
use crate::{Cx, Verdict, check};

check! {
    /// Pictures can be shown: the service worker that fetches them is there.
    ///
    /// ## What it asserts
    /// `sw.js` beside Element's page is answered with 200, as JavaScript and not as a page, the
    /// page is served over https, and its content security policy permits a worker of its own.
    ///
    /// ## Why it matters
    /// Homeservers give media to nobody without a token, and a browser sends none when it loads a
    /// picture. Element's service worker adds it. Without the worker people see the text and none
    /// of the pictures, avatars and files, and the homeserver's log has nothing but 401 and 404.
    ///
    /// ## What makes it fail
    /// 404 or a page in the place of `sw.js` (a rule that sends unknown paths to `index.html`), a
    /// content type that browsers refuse for scripts, plain http, a `worker-src`, `script-src` or
    /// `default-src` without `'self'`.
    ///
    /// ## How to fix it
    /// Serve all files of the image `vectorim/element-web` from the root of the host, with the
    /// types of its own nginx, and permit `worker-src 'self'` where a policy is added.
    ///
    /// ## Where it comes from
    /// Service Workers, "Register" (secure contexts, JavaScript types); Matrix client-server API
    /// v1.11, "Content repository"; Element Web's `src/serviceworker`.
    "element.service_worker" at P: "the service worker is there that makes pictures work"
    causes ["service-worker-missing"]
    timeout 60
}

async fn run(cx: &Cx) -> Verdict {
    cx.fact(ElementConfig).await?;
    let element = cx.fact(Element).await?;
    let (page, script) =
        futures_util::join!(ask::get(cx, element.url("/")), ask::get(cx, element.url("/sw.js")),);
    let page = page?;
    let script = match script {
        Ok(script) => script,
        Err(by) => return ask::own(by),
    };
    let finding = judge(&element.base, page.last(), script.last());
    Ok(finding.evidence(EvidenceKind::Request, script.last().line()).into())
}

fn judge(base: &Url, page: &Response, script: &Response) -> Finding {
    let wrong = |summary: String, expected: &str, actual: String| {
        Finding::fail("service-worker-missing", summary).expected(expected).actual(actual)
    };
    if base.scheme() != "https" {
        let summary = "browsers start no service worker over plain http: pictures stay empty";
        return wrong(summary.into(), "https", base.to_string());
    }
    let kind = script.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let status = script.status.as_u16();
    if status == 429 || status >= 500 {
        return Finding::error(format!("sw.js could not be had: {}", gist(script))).transient();
    }
    if status != 200 || is_html(&script.body) {
        let summary = "Element's service worker is not there: pictures stay empty".to_owned();
        return wrong(summary, "200 with JavaScript at sw.js", gist(script));
    }
    if !is_javascript(&kind) {
        let summary = "browsers refuse Element's service worker for its content type".to_owned();
        return wrong(summary, "text/javascript or application/javascript", gist(script));
    }
    if let Some(policy) = forbidding(page) {
        let summary = "the content security policy forbids Element's service worker".to_owned();
        return wrong(summary, "worker-src 'self'", policy);
    }
    Finding::pass("the service worker is there and may run")
}

/// The essence of a JavaScript MIME type (MIME Sniffing, section 4.6).
fn is_javascript(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let (family, name) = essence.split_once('/').unwrap_or_default();
    matches!(family, "text" | "application")
        && matches!(name, "javascript" | "x-javascript" | "ecmascript" | "x-ecmascript")
}

/// The directive that forbids a worker of the page's own (Content Security Policy Level 3,
/// "worker-src": the first of these that is there counts).
fn forbidding(page: &Response) -> Option<String> {
    let policies = policies(&page.headers);
    let counts = ["worker-src", "child-src", "script-src", "default-src"]
        .iter()
        .find_map(|wanted| policies.iter().find(|(name, _)| name == wanted))?;
    let (name, sources) = counts;
    let host = page.url.host_str().unwrap_or_default();
    let permits = |source: &String| {
        let bare = source.trim_start_matches("https://").trim_end_matches('/');
        matches!(source.as_str(), "'self'" | "*" | "https:" | "'strict-dynamic'") || bare == host
    };
    let permitted = sources.iter().any(permits);
    (!permitted).then(|| format!("{name} {}", sources.join(" ")))
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    const JS: &[(&str, &str)] = &[("content-type", "application/javascript")];

    fn judged(page: &[(&'static str, &str)], script: &Response) -> Outcome {
        let base = "https://element.example.org/".parse().expect("a URL");
        judge(&base, &answer(200, page, "<html>"), script).outcome
    }

    #[test]
    fn a_worker_that_may_run_passes() {
        let script = answer(200, JS, "self.addEventListener('fetch',()=>{});");
        assert_eq!(judged(&[], &script), Outcome::Pass);
        for policy in [
            "frame-ancestors 'self'",
            "default-src 'self'",
            "default-src 'none'; worker-src 'self' blob:",
            "script-src https://matrix.example.org",
        ] {
            assert_eq!(judged(&[("content-security-policy", policy)], &script), Outcome::Pass);
        }
    }

    #[test]
    fn each_way_to_be_without_one_fails() {
        let text = "self.addEventListener('fetch',()=>{});";
        let script = answer(200, JS, text);
        for policy in ["worker-src 'none'", "default-src 'none'", "script-src https://x.example"] {
            assert_eq!(judged(&[("content-security-policy", policy)], &script), Outcome::Fail);
        }
        for script in [
            answer(404, &[], "not found"),
            answer(200, &[("content-type", "text/html")], "<!doctype html>"),
            answer(200, JS, "<!doctype html>"),
            answer(200, &[("content-type", "text/plain")], text),
            answer(200, &[], text),
        ] {
            assert_eq!(judged(&[], &script), Outcome::Fail, "{script:?}");
        }
        let base = "http://element.example.org/".parse().expect("a URL");
        assert_eq!(judge(&base, &answer(200, &[], ""), &script).outcome, Outcome::Fail);
        assert_eq!(judged(&[], &answer(503, &[], "")), Outcome::Error);
    }
}
