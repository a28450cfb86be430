//! `jitsi.external_api`

use futures_util::future::join_all;
use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;

use crate::facts::{Ask, Fetched, Jitsi, below};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// `external_api.js`, by which Element embeds a call, and `libs/lib-jitsi-meet.min.js`, which
    /// is the client itself, load as JavaScript.
    ///
    /// ## Why it matters
    /// Jitsi's web server answers a path that it does not know with its start page and 200. A
    /// script that is such a page leaves the call's window white.
    ///
    /// ## What makes it fail
    /// Another status than 200, a web page, an empty body, or a content type that browsers refuse
    /// to run as a script.
    ///
    /// ## How to fix it
    /// Route all paths of the host to the Service `jitsi-web`, and keep caches and rewriting rules
    /// off them. After an upgrade, purge caches.
    ///
    /// ## Where it comes from
    /// Jitsi Meet handbook, "IFrame API".
    "jitsi.external_api" at PI: "the scripts load with the right type"
    causes ["jitsi-scripts-missing"]
    timeout 60
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let located = cx.fact(Jitsi).await?;
    let asks = ["/external_api.js", "/libs/lib-jitsi-meet.min.js"].map(|path| {
        cx.fact(Fetched(Ask::get(below(&located.base, path)).redirects(5).limit(16 * 1024)))
    });
    let mut finding = Finding::pass("both scripts load as JavaScript");
    for exchange in join_all(asks).await {
        let exchange = exchange?;
        let response = exchange.last();
        if let Some(wrong) = judge(response) {
            return Ok(wrong.into());
        }
        finding = finding.evidence(EvidenceKind::Request, response.line());
    }
    Ok(finding.into())
}

fn judge(response: &Response) -> Option<Finding> {
    let kind = response.header("content-type").unwrap_or("none").to_ascii_lowercase();
    let body = response.body.trim_ascii_start();
    let why = if response.status.as_u16() != 200 {
        format!("it is answered with {}", response.status.as_u16())
    } else if body.is_empty() {
        "it is empty".into()
    } else if body.starts_with(b"<") {
        "a web page answers".into()
    } else if !["javascript", "ecmascript"].iter().any(|word| kind.contains(word)) {
        format!("its content type is {kind}")
    } else {
        return None;
    };
    let finding =
        Finding::fail("jitsi-scripts-missing", format!("{} does not load: {why}", response.url))
            .expected("200 and JavaScript")
            .actual(format!("{}, content type {kind}", response.status.as_u16()))
            .evidence(EvidenceKind::Request, response.line());
    Some(if response.status.is_server_error() { finding.transient() } else { finding })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    #[test]
    fn a_page_is_no_script() {
        let js = [("content-type", "application/javascript")];
        assert_eq!(judge(&answer(200, &js, "!function(){}()")), None);
        assert!(judge(&answer(200, &js, "<!DOCTYPE html>")).is_some());
        assert!(judge(&answer(200, &js, " ")).is_some());
        assert!(judge(&answer(404, &js, "no")).is_some());
        assert!(judge(&answer(200, &[("content-type", "text/plain")], "!0")).is_some());
        assert_eq!(judge(&answer(200, &[("content-type", "text/javascript")], "!0")), None);
    }
}
