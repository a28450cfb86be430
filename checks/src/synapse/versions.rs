//! `synapse.versions`.

use mxdoctor_model::{EvidenceKind, Finding};

use crate::facts::{ClientVersions, Homeserver, Located, Versions};
use crate::{Cx, Verdict, check};

check! {
    /// The homeserver says which versions of the Matrix specification it speaks.
    ///
    /// ## What it asserts
    /// `GET /_matrix/client/versions` on the homeserver's base URL is answered with 200 and a JSON
    /// object whose `versions` is a list that holds one of `v1.1` to `v1.13`, as current clients
    /// demand. The page of the result says how the base URL was found: configured, named by the
    /// client well-known, named by Element's `config.json`, or found by its name.
    ///
    /// ## Why it matters
    /// It is the first request of every client. Without a right answer Element says "Homeserver URL
    /// does not appear to be a valid Matrix homeserver" and stops.
    ///
    /// ## What makes it fail
    /// Something else than a homeserver answers (a wrong base URL, a web server's page, a path that
    /// the ingress does not route), the homeserver answers 5xx, or it is too old. That Synapse says
    /// no more than `v1.12` is right: newer features are there without being announced.
    ///
    /// ## How to fix it
    /// Compare the base URL in `/.well-known/matrix/client` and in Element's `config.json` with the
    /// route to the homeserver: `matrix.testing.borooka.ee` must lead to Service `synapse:8008`.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "API Versions"; `AutoDiscovery` of matrix-js-sdk, whose names of
    /// errors are used.
    "synapse.versions" at PIC: "the homeserver says which versions it speaks"
    causes ["homeserver-url-wrong", "homeserver-broken", "homeserver-too-old"]
    timeout 40
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    let versions = cx.fact(Versions).await?;
    Ok(judge(&homeserver, &versions).into())
}

fn judge(homeserver: &Located, said: &ClientVersions) -> Finding {
    let answer = said.exchange.last();
    let supported: Vec<&str> =
        said.versions.iter().map(String::as_str).filter(|version| is_supported(version)).collect();
    let finding = match newest(&supported) {
        Some(newest) => Finding::pass(format!(
            "{homeserver} speaks up to {newest}, {} versions in all",
            said.versions.len()
        )),
        None => Finding::fail(
            "homeserver-too-old",
            "The homeserver does not meet the version requirements: none of v1.1 to v1.13",
        )
        .expected("one of v1.1 to v1.13")
        .actual(said.versions.join(", ")),
    };
    let first_byte = answer.timings.first_byte.as_secs_f64() * 1000.0;
    finding.evidence(EvidenceKind::Request, answer.line()).metric("first_byte", first_byte, "ms")
}

/// Whether clients of today can work with a version.
fn is_supported(version: &str) -> bool {
    minor(version).is_some_and(|minor| minor >= 1)
}

fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("v1.")?.parse().ok()
}

fn newest<'a>(versions: &[&'a str]) -> Option<&'a str> {
    versions.iter().copied().max_by_key(|version| minor(version))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mxdoctor_model::Outcome;
    use mxdoctor_probes::http::Exchange;
    use serde_json::Map;

    use super::*;
    use crate::facts::Found;

    fn judged(versions: &[&str]) -> Finding {
        let answer = crate::facts::tests::answer(200, &[], "");
        let exchange = Arc::new(Exchange { hops: vec![answer], redirect_trouble: None });
        let versions = versions.iter().map(|&version| version.to_owned()).collect();
        let said = ClientVersions { versions, unstable: Map::new(), exchange };
        let base = "https://matrix.example.org/".parse().expect("a URL");
        judge(&Located::new(base, Found::ClientWellKnown), &said)
    }

    #[test]
    fn a_supported_version_is_enough() {
        let finding = judged(&["r0.6.1", "v1.1", "v1.9", "v1.12"]);
        assert_eq!(finding.outcome, Outcome::Pass);
        assert!(finding.summary.contains("up to v1.12"), "{}", finding.summary);
        assert!(finding.summary.contains("named by the client well-known"));
        assert_eq!(judged(&["v1.19"]).outcome, Outcome::Pass);
    }

    #[test]
    fn only_old_versions_are_not() {
        assert_eq!(judged(&["r0.5.0", "r0.6.1"]).cause, Some("homeserver-too-old"));
        assert_eq!(judged(&["nonsense", "v1.x"]).cause, Some("homeserver-too-old"));
    }
}
