//! `synapse.health`.

use mxdoctor_model::{EvidenceKind, Finding, Vantage};
use mxdoctor_probes::http::Response;

use crate::facts::{Homeserver, Software, Versions, ask, gist};
use crate::{Cx, Verdict, check};

check! {
    /// Synapse's health endpoint says that the process is up.
    ///
    /// ## What it asserts
    /// `GET /health`, exactly that path, is answered with 200 and `OK`.
    ///
    /// ## Why it matters
    /// It is what Kubernetes' probes and load balancers go by. It says little more: Synapse answers
    /// without looking at its database, so it stays 200 while every login fails. That side is
    /// looked at by `synapse.login_flows`.
    ///
    /// ## What makes it fail
    /// An answer of 5xx, or from inside the cluster anything but 200 and `OK`. Where the ingress
    /// does not route `/health`, which is fine, or the software is not Synapse, it is a skip.
    ///
    /// ## How to fix it
    /// Look at the pod: `kubectl -n app-matrix logs deploy/synapse`. A probe configured with
    /// `/health/` gets 404 since Synapse 1.147: leave the slash out.
    ///
    /// ## Where it comes from
    /// Synapse documentation, "Health check endpoint" (reverse proxies).
    "synapse.health" at PIC: "Synapse says that it is up"
    causes ["homeserver-broken"]
    timeout 40
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    cx.fact(Versions).await?;
    let software = cx.fact(Software).await.ok();
    if let Some(software) = software.filter(|software| !software.is_synapse()) {
        let reason = format!("{} is not Synapse and need not have /health", software.name);
        return Ok(Finding::skip(reason).into());
    }
    let exchange = match ask::any(cx, homeserver.url("/health")).await {
        Ok(exchange) => exchange,
        Err(by) => return ask::own(by),
    };
    let answer = exchange.last();
    let finding = judge(answer, cx.vantage());
    Ok(finding.evidence(EvidenceKind::Request, answer.line()).into())
}

fn judge(answer: &Response, vantage: Vantage) -> Finding {
    let status = answer.status.as_u16();
    if status == 200 && answer.text().trim() == "OK" {
        return Finding::pass("Synapse says that it is up");
    }
    let broken = |summary: String| {
        Finding::fail("homeserver-broken", summary)
            .expected("200 OK")
            .actual(gist(answer))
            .transient()
    };
    if status >= 500 {
        return broken(format!("/health is answered with {status}"));
    }
    if vantage == Vantage::Cluster {
        return broken("the Service does not answer /health as Synapse does".into());
    }
    Finding::skip(format!(
        "/health is not routed to the homeserver from here ({status}), which is fine"
    ))
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    #[test]
    fn only_ok_is_ok() {
        let outcome = |status, body, vantage| judge(&answer(status, &[], body), vantage).outcome;
        assert_eq!(outcome(200, "OK", Vantage::Public), Outcome::Pass);
        assert_eq!(outcome(200, "<html>", Vantage::Public), Outcome::Skip);
        assert_eq!(outcome(404, "404 page not found", Vantage::Public), Outcome::Skip);
        assert_eq!(outcome(404, "404 page not found", Vantage::Cluster), Outcome::Fail);
        assert_eq!(outcome(503, "", Vantage::Public), Outcome::Fail);
    }
}
