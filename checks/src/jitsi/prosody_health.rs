//! `jitsi.prosody_health`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;

use super::health::{get, unreachable, words};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Prosody's web server answers, serves BOSH, and none of Prosody's modules is in error, where
    /// it tells.
    ///
    /// ## Why it matters
    /// A module that does not load takes a part of Jitsi away: the lobby, moderation, or the proxy
    /// to the focus, without which no call begins.
    ///
    /// ## How it looks
    /// It reads `/health` and `/http-bind` at Prosody's own port (`jitsi.prosody_http`). The health
    /// page answers 403 to everybody but the container itself unless `http_health_allow_ips` or
    /// `http_health_allow_cidr` permit more: that is no failure, and a skip says that the modules
    /// were not judged.
    ///
    /// ## What makes it fail
    /// Health 500 (`HAS ERRORS`); no BOSH at `/http-bind`.
    ///
    /// ## How to fix it
    /// Look for "error" in `kubectl -n app-matrix logs deploy/jitsi-prosody` at its start: the
    /// module names itself.
    ///
    /// ## Where it comes from
    /// Prosody's mod_http_health; docker-jitsi-meet, `prosody.cfg.lua`.
    "jitsi.prosody_health" at C: "Prosody serves BOSH and its modules are well"
    causes ["prosody-module-failed", "prosody-down", "component-api-unreachable"]
    timeout 30
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let Some(base) = &cx.target().prosody_http else {
        let reason = "the address of Prosody's own web server is not known";
        let remedy = "give jitsi.prosody_http, for instance http://prosody.app-matrix.svc:5280";
        return Ok(Finding::skip(reason).remedy(remedy).into());
    };
    let (health, bosh) = tokio::join!(get(cx, base, "health"), get(cx, base, "http-bind"));
    let (health, bosh) = match (health, bosh) {
        (Ok(health), Ok(bosh)) => (health, bosh),
        (Err(error), _) | (_, Err(error)) => {
            let what = "Prosody's web server";
            let cause = "component-api-unreachable";
            return Ok(unreachable(cause, what, base, &error).into());
        }
    };
    let modules = judge_health(&health).evidence(EvidenceKind::Request, health.line());
    let bosh = judge_bosh(&bosh).evidence(EvidenceKind::Request, bosh.line());
    Ok([modules.on("modules"), bosh.on("bosh")].into_iter().collect())
}

fn judge_health(health: &Response) -> Finding {
    match health.status.as_u16() {
        200 if health.text().trim_start().starts_with('<') => {
            Finding::skip("a page answers at /health, which is not Prosody's own")
        }
        200 => Finding::pass("Prosody says that its modules are well"),
        403 => Finding::skip("Prosody tells its health to its own container only (HTTP 403)"),
        404 => Finding::skip("Prosody has no health page (mod_http_health is not loaded)"),
        status @ 500..=599 => {
            Finding::fail("prosody-module-failed", "a module of Prosody is in error")
                .expected("HTTP 200, OK")
                .actual(format!("HTTP {status}: {}", words(health)))
        }
        status => Finding::skip(format!("Prosody answers {status} where its health should be")),
    }
}

fn judge_bosh(bosh: &Response) -> Finding {
    let text = bosh.text();
    let well = ["BOSH", "It works", "http-bind"].iter().any(|word| text.contains(word));
    match bosh.status.as_u16() {
        200 if well => Finding::pass("Prosody serves BOSH"),
        // Prosody's host of that name is another one than the address in the request.
        404 => Finding::skip(
            "Prosody does not serve BOSH under this address; under its own name it may \
             (`jitsi.bosh` tells)",
        ),
        status => Finding::fail("prosody-down", "Prosody's web server does not serve BOSH")
            .expected("HTTP 200 and Prosody's own text")
            .actual(format!("HTTP {status}: {}", words(bosh))),
    }
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    fn verdict(finding: Finding) -> (Outcome, Option<&'static str>) {
        (finding.outcome, finding.cause)
    }

    #[test]
    fn a_refusal_of_the_health_page_is_no_failure() {
        let judged = |status, body| verdict(judge_health(&answer(status, &[], body)));
        assert_eq!(judged(200, "OK"), (Outcome::Pass, None));
        assert_eq!(judged(200, "<html>"), (Outcome::Skip, None));
        assert_eq!(judged(403, "Forbidden"), (Outcome::Skip, None));
        assert_eq!(judged(404, "<html>"), (Outcome::Skip, None));
        let errors = judged(500, "HAS ERRORS\n");
        assert_eq!(errors, (Outcome::Fail, Some("prosody-module-failed")));
    }

    #[test]
    fn bosh_is_known_by_its_words() {
        let judged = |status, body| verdict(judge_bosh(&answer(status, &[], body)));
        let works = "<h1>It works!</h1><p>Now point your BOSH client to this URL";
        assert_eq!(judged(200, works), (Outcome::Pass, None));
        assert_eq!(judged(404, "unknown host"), (Outcome::Skip, None));
        assert_eq!(judged(200, "<title>Jitsi Meet</title>"), (Outcome::Fail, Some("prosody-down")));
        assert_eq!(judged(502, ""), (Outcome::Fail, Some("prosody-down")));
    }
}
