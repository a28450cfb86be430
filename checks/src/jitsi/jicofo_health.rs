//! `jitsi.jicofo_health`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;
use serde_json::Value;

use super::health::{get, unreachable, words};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Jicofo's own health check, where it is on, succeeds; and Jicofo knows at least one bridge
    /// that works.
    ///
    /// ## Why it matters
    /// Jicofo gives each conference to a bridge. Without one everybody waits in an empty room.
    ///
    /// ## How it looks
    /// It reads `/about/health` and `/stats` of Jicofo's REST interface (`jitsi.jicofo_rest`),
    /// which is reachable only with `JICOFO_ENABLE_REST=1`.
    ///
    /// ## What makes it fail
    /// Health 500 or 503; no bridge among those known, or none that works. A 404 at `/about/health`
    /// is no failure: health checks are off unless `JICOFO_ENABLE_HEALTH_CHECKS=1`.
    ///
    /// ## How to fix it
    /// See `jitsi.jvb_health`; compare `JVB_BREWERY_MUC` and `XMPP_INTERNAL_MUC_DOMAIN` of jicofo
    /// and jvb.
    ///
    /// ## Where it comes from
    /// jicofo, `doc/health-checks.md`; docker-jitsi-meet, `jicofo.conf`.
    "jitsi.jicofo_health" at C: "Jicofo is healthy and knows a bridge that works"
    causes [
        "jicofo-unhealthy", "jicofo-not-connected", "bridge-not-in-brewery", "bridge-not-operational",
        "component-api-unreachable",
    ]
    timeout 30
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let Some(base) = &cx.target().jicofo_rest else {
        let reason = "Jicofo's REST address is not known";
        let remedy = "give jitsi.jicofo_rest, for instance http://jicofo.app-matrix.svc:8888, and \
                      set JICOFO_ENABLE_REST=1 on jicofo";
        return Ok(Finding::skip(reason).remedy(remedy).into());
    };
    let (health, stats) = tokio::join!(get(cx, base, "about/health"), get(cx, base, "stats"));
    let (health, stats) = match (health, stats) {
        (Ok(health), Ok(stats)) => (health, stats),
        (Err(error), _) | (_, Err(error)) => {
            let finding =
                unreachable("component-api-unreachable", "Jicofo's REST interface", base, &error)
                    .remedy(
                        "set JICOFO_ENABLE_REST=1 on jicofo, which otherwise listens at loopback \
                         only, and correct jitsi.jicofo_rest",
                    );
            return Ok(finding.into());
        }
    };
    let own = judge_health(&health, &stats).evidence(EvidenceKind::Request, health.line());
    let bridges = judge_bridges(&stats).evidence(EvidenceKind::Request, stats.line());
    Ok([own.on("health"), bridges.on("bridges")].into_iter().collect())
}

fn judge_health(health: &Response, stats: &Response) -> Finding {
    match health.status.as_u16() {
        200 => Finding::pass("Jicofo's own health check succeeds"),
        404 if selector(stats).is_some() => {
            Finding::skip("Jicofo's own health checks are off (JICOFO_ENABLE_HEALTH_CHECKS)")
        }
        404 => Finding::error("what answers is not Jicofo's REST interface: no health, no stats")
            .remedy("set jitsi.jicofo_rest to Jicofo's own port 8888"),
        status @ 500..=599 => {
            let said = words(health);
            let (cause, summary) = ailment(&said, stats);
            Finding::fail(cause, summary)
                .expected("HTTP 200")
                .actual(format!("HTTP {status}: {said}"))
        }
        status => Finding::error(format!("Jicofo answers {status} where its health should be")),
    }
}

/// What Jicofo's own words stand for.
fn ailment(said: &str, stats: &Response) -> (&'static str, &'static str) {
    if said.contains("XMPP") {
        return (
            "jicofo-not-connected",
            "Jicofo has no connection to XMPP: nobody can begin a call",
        );
    }
    // It is ill for want of bridges alone, and these are counted.
    let bridges = judge_bridges(stats).cause.filter(|_| said.contains("operational bridges"));
    (bridges.unwrap_or("jicofo-unhealthy"), "Jicofo's own health check fails")
}

fn selector(stats: &Response) -> Option<(u64, Option<u64>)> {
    let json: Value = serde_json::from_slice(&stats.body).ok()?;
    let selector = json.get("bridge_selector")?;
    let count = |name: &str| selector.get(name).and_then(Value::as_u64);
    Some((count("bridge_count")?, count("operational_bridge_count")))
}

fn judge_bridges(stats: &Response) -> Finding {
    let Some((known, operational)) = selector(stats) else {
        return Finding::skip(format!(
            "how many bridges Jicofo knows is not told: HTTP {} without bridge_selector",
            stats.status.as_u16()
        ));
    };
    let finding = match (known, operational) {
        (0, _) => {
            Finding::fail("bridge-not-in-brewery", "Jicofo knows no bridge: none is in the brewery")
        }
        (_, Some(0)) => {
            Finding::fail("bridge-not-operational", "no bridge that Jicofo knows works")
        }
        (known, Some(working)) if working < known => {
            Finding::warn("bridge-not-operational", "Jicofo has given up some of the bridges")
        }
        _ => return Finding::pass(format!("Jicofo knows {known} bridges, and all of them work")),
    };
    let working = operational.map_or_else(String::new, |working| format!(", {working} work"));
    finding.expected("at least one bridge, all working").actual(format!("{known} known{working}"))
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
    fn health_checks_that_are_off_are_no_failure() {
        let stats = answer(200, &[], r#"{"bridge_selector":{"bridge_count":1}}"#);
        let judged = |status| verdict(judge_health(&answer(status, &[], "no bridges"), &stats));
        assert_eq!(judged(200), (Outcome::Pass, None));
        assert_eq!(judged(404), (Outcome::Skip, None));
        assert_eq!(judged(500), (Outcome::Fail, Some("jicofo-unhealthy")));
        let alone = answer(500, &[], "No XMPP connection");
        let cut_off = (Outcome::Fail, Some("jicofo-not-connected"));
        assert_eq!(verdict(judge_health(&alone, &stats)), cut_off);
        let none = answer(200, &[], r#"{"bridge_selector":{"bridge_count":0}}"#);
        let ill = answer(500, &[], "No operational bridges available");
        let wanting = (Outcome::Fail, Some("bridge-not-in-brewery"));
        assert_eq!(verdict(judge_health(&ill, &none)), wanting);
        let other = answer(404, &[], "<html>");
        assert_eq!(verdict(judge_health(&other, &other)), (Outcome::Error, None));
    }

    #[test]
    fn bridges_are_counted() {
        use Outcome::{Fail, Pass, Skip, Warn};
        for (selector, expected) in [
            (r#"{"bridge_count":2,"operational_bridge_count":2}"#, (Pass, None)),
            (r#"{"bridge_count":1}"#, (Pass, None)),
            (r#"{"bridge_count":0}"#, (Fail, Some("bridge-not-in-brewery"))),
            (
                r#"{"bridge_count":1,"operational_bridge_count":0}"#,
                (Fail, Some("bridge-not-operational")),
            ),
            (
                r#"{"bridge_count":2,"operational_bridge_count":1}"#,
                (Warn, Some("bridge-not-operational")),
            ),
            ("{}", (Skip, None)),
            ("null", (Skip, None)),
        ] {
            let stats = answer(200, &[], &format!(r#"{{"bridge_selector":{selector}}}"#));
            assert_eq!(verdict(judge_bridges(&stats)), expected, "{selector}");
        }
        assert_eq!(judge_bridges(&answer(404, &[], "no")).outcome, Skip);
    }
}
