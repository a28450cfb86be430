//! `jitsi.web`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;

use crate::facts::{Ask, Fetched, Jitsi, below, looks_like_jitsi};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The start page of Jitsi Meet loads, and it is Jitsi Meet's.
    ///
    /// ## Why it matters
    /// Element opens this host for every call.
    ///
    /// ## What makes it fail
    /// Another status than 200, or a page of something else: a rule of the ingress that leads
    /// elsewhere, or the wrong host.
    ///
    /// ## How to fix it
    /// Route the host to the Service `jitsi-web` on port 80 (`TunnelBinding`, `IngressRoute`).
    /// Behind an ingress that ends TLS, leave `ENABLE_HTTP_REDIRECT` unset and set
    /// `DISABLE_HTTPS=1`, or the page redirects to itself for ever.
    ///
    /// ## Where it comes from
    /// docker-jitsi-meet, `web` container.
    "jitsi.web" at PIC: "the page loads"
    causes ["jitsi-not-served"]
    timeout 60
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let located = cx.fact(Jitsi).await?;
    let ask = Ask::get(below(&located.base, "/")).redirects(5);
    let exchange = cx.fact(Fetched(ask)).await?;
    if let Some(trouble) = &exchange.redirect_trouble {
        let finding = Finding::fail("jitsi-not-served", format!("{located}: {trouble}"));
        let hops = exchange.hops.iter();
        return Ok(hops
            .fold(finding, |finding, hop| finding.evidence(EvidenceKind::Request, hop.line()))
            .into());
    }
    Ok(judge(exchange.last()).into())
}

fn judge(response: &Response) -> Finding {
    let (url, status) = (&response.url, response.status.as_u16());
    let finding = if status != 200 {
        Finding::fail("jitsi-not-served", format!("{url} answers with {status}"))
            .expected("200 and Jitsi Meet's page")
            .actual(status.to_string())
            .transient()
    } else if !looks_like_jitsi(&response.text()) {
        Finding::fail("jitsi-not-served", format!("{url} is not Jitsi Meet's page"))
            .expected("a page that loads lib-jitsi-meet")
            .actual(format!("{} bytes without it", response.body.len()))
    } else {
        Finding::pass("the page loads")
    };
    finding.evidence(EvidenceKind::Request, response.line())
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    #[test]
    fn another_page_is_not_jitsi() {
        let page = "<html><script src=\"libs/lib-jitsi-meet.min.js?v=10741\"></script></html>";
        assert_eq!(judge(&answer(200, &[], page)).outcome, Outcome::Pass);
        assert_eq!(judge(&answer(404, &[], page)).outcome, Outcome::Fail);
        let other = judge(&answer(200, &[], "<html><title>Element</title></html>"));
        assert_eq!(other.cause, Some("jitsi-not-served"));
    }
}
