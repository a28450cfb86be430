//! `jitsi.jvb_health`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;
use serde_json::Value;

use super::health::{get, metric, unreachable, words};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The video bridge calls itself healthy, has joined its brewery (the room in which Jicofo
    /// finds bridges), and is not being drained or shut down.
    ///
    /// ## Why it matters
    /// The bridge's health says nothing of its XMPP connection: a bridge that cannot log in is
    /// "healthy", and no conference ever gets to it.
    ///
    /// ## How it looks
    /// It reads `/about/health`, `/metrics` and, where that is on, `/colibri/stats` of the bridge's
    /// private REST interface (`jitsi.jvb_rest`).
    ///
    /// ## What makes it fail
    /// Health 500 or 503; connections to XMPP or brewery rooms that are configured and not there.
    /// Draining is a warning. Where the metrics do not answer (they fail in some releases), the
    /// brewery is not judged, and a skip says so.
    ///
    /// ## How to fix it
    /// For the brewery: the same `JVB_AUTH_PASSWORD` on Prosody and jvb, `XMPP_SERVER` that
    /// resolves on the bridge's node (`dnsPolicy: ClusterFirstWithHostNet` with `hostNetwork`), and
    /// the same `XMPP_AUTH_DOMAIN`, `XMPP_INTERNAL_MUC_DOMAIN` and `JVB_BREWERY_MUC` everywhere.
    ///
    /// ## Where it comes from
    /// jitsi-videobridge, `doc/health-checks.md`, `doc/statistics.md`, `doc/muc.md`.
    "jitsi.jvb_health" at C: "the bridge is healthy and in its brewery"
    causes ["bridge-unhealthy", "bridge-not-in-brewery", "bridge-draining", "bridge-api-unreachable"]
    timeout 30
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let Some(base) = &cx.target().jvb_rest else {
        let reason = "the bridge's private REST address is not known";
        let remedy = "give jitsi.jvb_rest, for instance http://jvb.app-matrix.svc:8080";
        return Ok(Finding::skip(reason).remedy(remedy).into());
    };
    let (health, metrics, stats) = tokio::join!(
        get(cx, base, "about/health"),
        get(cx, base, "metrics"),
        get(cx, base, "colibri/stats"),
    );
    let health = match health {
        Ok(health) => health,
        Err(error) => {
            let what = "the bridge's private REST interface";
            return Ok(unreachable("bridge-api-unreachable", what, base, &error).into());
        }
    };
    let own = judge_health(&health).evidence(EvidenceKind::Request, health.line());
    let (metrics, stats) = (metrics.ok(), stats.ok());
    let mut brewery = judge_brewery(metrics.as_ref(), stats.as_ref());
    for answer in [&metrics, &stats].into_iter().flatten() {
        brewery = brewery.evidence(EvidenceKind::Request, answer.line());
    }
    Ok([own.on("health"), brewery.on("brewery")].into_iter().collect())
}

fn judge_health(health: &Response) -> Finding {
    match health.status.as_u16() {
        200 => Finding::pass("the bridge calls itself healthy"),
        404 => {
            Finding::error("what answers is not the bridge's private interface: no health there")
                .remedy("set jitsi.jvb_rest to the bridge's own port 8080")
        }
        status @ 500..=599 => {
            Finding::fail("bridge-unhealthy", "the bridge calls itself not healthy")
                .expected("HTTP 200")
                .actual(format!("HTTP {status}: {}", words(health)))
        }
        status => Finding::error(format!("the bridge answers {status} where its health should be")),
    }
}

/// The numbers are in Prometheus' form at `/metrics`, and as JSON at `/colibri/stats`.
fn judge_brewery(metrics: Option<&Response>, stats: Option<&Response>) -> Finding {
    let well = |answer: Option<&Response>| {
        answer.filter(|answer| answer.status.as_u16() == 200).map(|a| a.text().into_owned())
    };
    let (text, stats) = (well(metrics).unwrap_or_default(), well(stats).unwrap_or_default());
    let stats: Value = serde_json::from_str(&stats).unwrap_or_default();
    let of = |name: &str| {
        let stat = stats.get(name);
        let stat = stat.and_then(|stat| stat.as_f64().or(stat.as_bool().map(f64::from)));
        metric(&text, &format!("jitsi_jvb_{name}")).or(stat)
    };
    let (Some(joined), Some(connected)) = (of("mucs_joined"), of("muc_clients_connected")) else {
        return Finding::skip(
            "whether the bridge is in its brewery is not known: neither its metrics nor its \
             statistics tell",
        );
    };
    // Older releases do not tell how many there should be.
    let rooms = of("mucs_configured").unwrap_or(1.0).max(1.0);
    let clients = of("muc_clients_configured").unwrap_or(1.0).max(1.0);
    let counts =
        format!("{connected} of {clients} XMPP connections, {joined} of {rooms} brewery rooms");
    let on = |name: &str| of(name).is_some_and(|value| value > 0.0);
    let finding = if connected <= 0.0 {
        let summary = "the bridge is not connected to XMPP: no conference gets to it";
        Finding::fail("bridge-not-in-brewery", summary)
    } else if joined <= 0.0 {
        let summary = "the bridge is connected to XMPP and not in its brewery";
        Finding::fail("bridge-not-in-brewery", summary)
    } else if joined < rooms || connected < clients {
        let summary = "the bridge is in some of its breweries and not in all";
        Finding::warn("bridge-not-in-brewery", summary)
    } else if on("drain") || on("graceful_shutdown") || on("shutting_down") {
        Finding::warn("bridge-draining", "the bridge takes no new conferences")
    } else {
        return Finding::pass(format!("the bridge is in its brewery: {counts}"));
    };
    finding.expected("every connection and room that is configured").actual(counts)
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    fn brewery(status: u16, lines: &str) -> (Outcome, Option<&'static str>) {
        let text: String = lines
            .split_whitespace()
            .map(|line| format!("jitsi_jvb_{}\n", line.replace('=', " ")))
            .collect();
        let finding = judge_brewery(Some(&answer(status, &[], &text)), None);
        (finding.outcome, finding.cause)
    }

    /// What a real bridge said, in the captures.
    #[test]
    fn statistics_do_where_metrics_fail() {
        let captures = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../fixtures/captures/jitsi/colibri2-and-stun.json"
        ));
        let line = captures.lines().find(|line| line.contains("mucs_joined")).expect("captured");
        let joined = line.trim().trim_end_matches(',');
        let metrics = answer(500, &[], "Internal Server Error");
        let body = format!(r#"{{{joined},"muc_clients_connected":1,"drain":false}}"#);
        let judged = judge_brewery(Some(&metrics), Some(&answer(200, &[], &body)));
        assert_eq!(judged.outcome, Outcome::Pass, "{judged:?}");
        let draining = body.replace("false", "true");
        let judged = judge_brewery(None, Some(&answer(200, &[], &draining)));
        assert_eq!(judged.cause, Some("bridge-draining"));
        assert_eq!(judge_brewery(None, None).outcome, Outcome::Skip);
    }

    #[test]
    fn healthy_without_xmpp_is_found() {
        use Outcome::{Fail, Pass, Skip, Warn};
        let missing = Some("bridge-not-in-brewery");
        let all = "muc_clients_configured=1.0 muc_clients_connected=1.0 mucs_configured=1.0";
        for (status, lines, verdict) in [
            (200, format!("{all} mucs_joined=1.0 drain=0.0"), (Pass, None)),
            (200, format!("{all} mucs_joined=0.0"), (Fail, missing)),
            (200, "muc_clients_connected=0.0 mucs_joined=0.0".into(), (Fail, missing)),
            (
                200,
                "muc_clients_connected=1.0 mucs_joined=1.0 mucs_configured=2.0".into(),
                (Warn, missing),
            ),
            (200, format!("{all} mucs_joined=1.0 drain=1.0"), (Warn, Some("bridge-draining"))),
            (200, "conferences=0.0".into(), (Skip, None)),
            (500, String::new(), (Skip, None)),
        ] {
            assert_eq!(brewery(status, &lines), verdict, "{lines}");
        }
    }

    #[test]
    fn health_is_read_for_what_it_says() {
        let health = |status| {
            let finding = judge_health(&answer(status, &[], "Failed to bind single-port"));
            (finding.outcome, finding.cause)
        };
        assert_eq!(health(200), (Outcome::Pass, None));
        assert_eq!(health(500), (Outcome::Fail, Some("bridge-unhealthy")));
        assert_eq!(health(503), (Outcome::Fail, Some("bridge-unhealthy")));
        assert_eq!(health(404), (Outcome::Error, None));
    }
}
