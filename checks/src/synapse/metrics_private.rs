//! `synapse.metrics_private`.

use futures_util::future::join_all;
use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome};
use mxdoctor_probes::http::Response;
use serde_json::Value;

use crate::facts::{Homeserver, Versions, ask};
use crate::{Cx, Verdict, check};

check! {
    /// Synapse's metrics and replication cannot be reached from outside.
    ///
    /// ## What it asserts
    /// On the homeserver's public address neither `/_synapse/metrics` nor `/metrics` shows
    /// Prometheus metrics, and no replication endpoint answers. Nothing else than the public
    /// address and its port is tried: a manhole or a metrics listener on a port of its own is not
    /// seen by this check.
    ///
    /// ## Why it matters
    /// Metrics tell strangers about users, load and the database. Replication without a secret lets
    /// anybody act as a part of the server.
    ///
    /// ## What makes it fail
    /// An answer that begins like Prometheus metrics, or a replication endpoint's own refusal. A
    /// 404 `M_UNRECOGNIZED` of Synapse is right: the resource is not on this listener.
    ///
    /// ## How to fix it
    /// Give `metrics` and `replication` listeners of their own in `homeserver.yaml` (not among the
    /// `resources` of port 8008), and route only `/_matrix` and `/_synapse/client`.
    ///
    /// ## Where it comes from
    /// Synapse documentation, "Monitoring Synapse metrics using Prometheus", "Workers" and "Using a
    /// reverse proxy with Synapse".
    "synapse.metrics_private" at P: "metrics and replication cannot be reached from outside"
    causes ["metrics-public", "replication-public"]
    timeout 40
}

/// A stream and a transaction that do not exist, so nothing is read. Both parts are needed: with one
/// alone Synapse does not know the path.
const REPLICATION: &str =
    "/_synapse/replication/get_repl_stream_updates/mxdoctor/mxdoctor?from_token=0&upto_token=0";

const PATHS: &[&str] = &["/_synapse/metrics", "/metrics", REPLICATION];

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    cx.fact(Versions).await?;
    let answers = join_all(PATHS.iter().map(|path| ask::any(cx, homeserver.url(path)))).await;
    let mut lines = Vec::new();
    let mut unknown = None;
    let mut found = None;
    for (path, answer) in PATHS.iter().zip(answers) {
        match answer {
            Ok(exchange) => {
                let answer = exchange.last();
                lines.push(Evidence::new(EvidenceKind::Request, answer.line()));
                let exposed = if *path == REPLICATION {
                    is_replication(answer).then_some(("replication-public", "replication"))
                } else {
                    is_metrics(answer).then_some(("metrics-public", "metrics"))
                };
                found = found.or(exposed.map(|exposed| (*path, exposed)));
            }
            Err(by) if by.finding.outcome == Outcome::Fail => {}
            Err(by) => unknown = Some(by.finding.summary),
        }
    }
    let finding = match (found, unknown) {
        (Some((path, (cause, what))), _) => {
            let path = path.split('?').next().unwrap_or(path);
            Finding::fail(cause, format!("Synapse's {what} can be reached from outside"))
                .expected("nothing of Synapse's own")
                .actual(format!("{path} answers"))
        }
        (None, Some(why)) => Finding::error(why),
        (None, None) => Finding::pass("neither metrics nor replication answer from outside"),
    };
    Ok(finding.evidences(lines).into())
}

/// Whether an answer is Prometheus metrics.
fn is_metrics(answer: &Response) -> bool {
    let text = answer.text();
    answer.status.as_u16() == 200
        && text
            .lines()
            .take(20)
            .any(|line| line.starts_with("# HELP ") || line.starts_with("# TYPE "))
}

/// Whether an answer is a replication endpoint's: it knows the path and refuses what was asked.
fn is_replication(answer: &Response) -> bool {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let errcode = document.get("errcode").and_then(Value::as_str);
    matches!(answer.status.as_u16(), 200 | 400 | 401 | 403 | 500)
        && errcode.is_some_and(|errcode| errcode != "M_UNRECOGNIZED")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    #[test]
    fn metrics_are_recognised_by_their_form() {
        let text = "# HELP python_gc_objects_collected_total Objects collected\n# TYPE x counter\n";
        assert!(is_metrics(&answer(200, &[], text)));
        assert!(!is_metrics(&answer(200, &[], "<!doctype html>")));
        assert!(!is_metrics(&answer(403, &[], text)));
    }

    #[test]
    fn replication_is_recognised_by_its_refusal() {
        let refused = r#"{"errcode":"M_UNKNOWN","error":"Unknown stream"}"#;
        assert!(is_replication(&answer(400, &[], refused)));
        // With `worker_replication_secret` set, a request without it.
        let secret = r#"{"errcode":"M_UNKNOWN","error":"Internal server error"}"#;
        assert!(is_replication(&answer(500, &[], secret)));
        let absent = r#"{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}"#;
        assert!(!is_replication(&answer(404, &[], absent)));
        assert!(!is_replication(&answer(403, &[], "Forbidden")));
    }
}
