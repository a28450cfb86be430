//! `element.version`.

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::http::Response;

use crate::facts::{
    ELEMENT_ADVISORIES, Element, ElementConfig, Release, Written, as_written, ask, is_html,
};
use crate::{Cx, Verdict, check};

check! {
    /// Element Web is the version that was written down, and none with an urgent weakness.
    ///
    /// ## What it asserts
    /// Element's file `/version` says the version of `expect.element_version`, where that is given,
    /// else that of the image tag in the namespace, where that is looked at, and not one with a published weakness by which a stranger can do serious harm. Lesser
    /// weaknesses are named in the result and do not change it.
    ///
    /// ## Why it matters
    /// An old version after a rollout is a rollout that did not happen, or an edge that keeps
    /// files.
    ///
    /// ## What makes it fail
    /// Another version than the one expected. A known urgent weakness is a warning. The table of
    /// weaknesses is small, dated and part of mxdoctor: what it does not list is not thereby safe.
    ///
    /// ## How to fix it
    /// Set the image tag in `apps/base/matrix/components/element.yaml`, wait for
    /// `kubectl -n app-matrix rollout status deploy/element`, and purge the edge's cache.
    ///
    /// ## Where it comes from
    /// Element Web's container image; the project's security advisories.
    "element.version" at P: "Element's version is as written and not known to be vulnerable"
    causes ["version-differs", "element-vulnerable"]
    timeout 60
}

async fn run(cx: &Cx) -> Verdict {
    cx.fact(ElementConfig).await?;
    let element = cx.fact(Element).await?;
    let exchange = match ask::get(cx, element.url("/version")).await {
        Ok(exchange) => exchange,
        Err(by) => return ask::own(by),
    };
    let answer = exchange.last();
    let written = cx.fact(Written).await?;
    let asked = cx.target().expect.element_version.is_some();
    let finding = judge(answer, written.element.as_deref(), asked);
    Ok(finding.evidence(EvidenceKind::Request, answer.line()).into())
}

/// `asked`: whether somebody wants to know, so that an answer without a version is no way out.
fn judge(answer: &Response, expected: Option<&str>, asked: bool) -> Finding {
    let text = answer.text();
    let version = text.trim();
    let told = answer.status.as_u16() == 200
        && !is_html(&answer.body)
        && (1..=60).contains(&version.len())
        && !version.contains(char::is_whitespace);
    if !told {
        let reason = "Element does not say its version: there is no file `version`";
        return match expected.filter(|_| asked) {
            None => Finding::skip(reason),
            Some(expected) => Finding::error(reason).expected(expected),
        };
    }
    if let Some(expected) = expected
        && !as_written(version, expected)
    {
        let summary = format!("Element {version} is served where {expected} was written down");
        return Finding::fail("version-differs", summary).expected(expected).actual(version);
    }
    let release = Release::parse(version);
    let known: Vec<_> =
        ELEMENT_ADVISORIES.iter().filter(|one| release.is_some_and(|r| one.concerns(r))).collect();
    let finding = match known.iter().find(|advisory| advisory.urgent) {
        Some(worst) => Finding::warn(
            "element-vulnerable",
            format!("Element {version} has a known weakness that strangers can use"),
        )
        .expected(format!("{} or newer", known[0].fixed))
        .actual(format!("{version}: {worst}")),
        None if known.is_empty() => Finding::pass(format!("Element {version}")),
        None => Finding::pass(format!(
            "Element {version}; {} known lesser {}, fixed in {}",
            known.len(),
            if known.len() == 1 { "weakness" } else { "weaknesses" },
            known[0].fixed
        )),
    };
    finding.evidences(known.iter().map(|advisory| Evidence::note(advisory.to_string())))
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    fn judged(status: u16, body: &str, expected: Option<&str>) -> Finding {
        judge(&answer(status, &[], body), expected, expected.is_some())
    }

    #[test]
    fn what_was_written_must_be_served() {
        assert_eq!(judged(200, "1.12.10\n", Some("v1.12.10")).outcome, Outcome::Pass);
        assert_eq!(judged(200, "1.12.9", Some("1.12.10")).cause, Some("version-differs"));
        assert_eq!(judged(200, "<!doctype html>", None).outcome, Outcome::Skip);
        assert_eq!(judged(404, "", None).outcome, Outcome::Skip);
        assert_eq!(judged(404, "", Some("1.12.10")).outcome, Outcome::Error);
    }

    #[test]
    fn only_urgent_weaknesses_are_warned_of() {
        assert_eq!(judged(200, "1.12.10", None).outcome, Outcome::Pass);
        assert_eq!(judged(200, "1.11.80", None).cause, Some("element-vulnerable"));
        assert_eq!(judged(200, "a1b2c3d-react-x", None).outcome, Outcome::Pass);
    }
}
