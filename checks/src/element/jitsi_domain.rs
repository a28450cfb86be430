//! `element.jitsi_domain`.

use mxdoctor_model::{EvidenceKind, Finding};

use crate::facts::{
    ElementConfig, ElementSettings, Found, Jitsi, Located, WellKnownClient, bare_host,
    is_third_party,
};
use crate::{Cx, Verdict, check};

check! {
    /// Calls from Element go to this deployment's Jitsi.
    ///
    /// ## What it asserts
    /// The Jitsi host that Element ends up with is this deployment's: `im.vector.riot.jitsi` →
    /// `preferredDomain` of the client well-known where that is there, else `jitsi` →
    /// `preferred_domain` of Element's configuration, else Element's default `meet.element.io`. It
    /// is a bare host, without `https://`.
    ///
    /// ## Why it matters
    /// With a key that is spelt wrong everything seems to work: calls take place, on a stranger's
    /// server.
    ///
    /// ## What makes it fail
    /// The key `preferredDomain` inside `jitsi`. It was right once; today Element merges its own
    /// default for `preferred_domain` in first, and that wins. Or another host, in either place.
    /// Where a foreign Jitsi is named on purpose although one answers under this domain, it is a
    /// warning.
    ///
    /// ## How to fix it
    /// In ConfigMap `element-config`, `apps/base/matrix/config/element-config.yaml`:
    /// `"jitsi": {"preferred_domain": "meet.testing.borooka.ee"}`.
    ///
    /// ## Where it comes from
    /// Element Web's `docs/config.md` and `docs/jitsi.md`; its defaults and how they are merged.
    "element.jitsi_domain" at P: "calls from Element go to this deployment's Jitsi"
    causes ["element-jitsi-key-ignored", "element-jitsi-domain-wrong"]
    timeout 60
}

/// Where Element sends calls when it is told nothing.
const DEFAULT: &str = "meet.element.io";

async fn run(cx: &Cx) -> Verdict {
    let config = cx.fact(ElementConfig).await?;
    let jitsi = cx.fact(Jitsi).await?;
    let known = cx.fact(WellKnownClient).await.ok();
    let announced = known.as_deref().and_then(|known| known.jitsi_domain());
    let finding = judge(&config, announced, &jitsi);
    Ok(finding.evidence(EvidenceKind::Request, config.exchange.last().line()).into())
}

fn judge(config: &ElementSettings, announced: Option<&str>, jitsi: &Located) -> Finding {
    let ours = authority(jitsi);
    let (domain, source) = match (announced, config.jitsi_domain()) {
        (Some(domain), _) => (domain, "the client well-known says so"),
        (None, Some(domain)) => (domain, "its configuration says so"),
        (None, None) => (DEFAULT, "its default"),
    };
    if domain == ours || domain == jitsi.host() {
        let summary = format!("calls go to {ours}: {source}");
        return Finding::pass(summary);
    }
    let wrong = |cause, summary: String| {
        Finding::fail(cause, summary).expected(&ours).actual(format!("{domain} ({source})"))
    };
    if bare_host(domain) == jitsi.host() {
        return wrong(
            "element-jitsi-domain-wrong",
            format!("the Jitsi host is written `{domain}`, which is not a bare host"),
        )
        .remedy(format!("write just `{ours}`"));
    }
    if announced.is_some() {
        return wrong(
            "element-jitsi-domain-wrong",
            format!("calls go to {domain}, because the client well-known overrides Element's own"),
        )
        .remedy(format!(
            "set `preferredDomain` in the client well-known to `{ours}`, or remove it"
        ));
    }
    match (config.jitsi_domain(), config.ignored_jitsi_domain()) {
        (None, Some((key, meant))) if bare_host(meant) == jitsi.host() => wrong(
            "element-jitsi-key-ignored",
            format!("calls go to {domain}: Element ignores the key `{key}`, which names {meant}"),
        )
        .remedy(format!("rename `{key}` to `jitsi.preferred_domain` in Element's config.json")),
        (Some(_), _) if jitsi.found == Found::Name && is_third_party(domain) => Finding::warn(
            "element-jitsi-domain-wrong",
            format!("calls go to {domain}, though a Jitsi Meet answers at {ours}"),
        )
        .expected(&ours)
        .actual(format!("{domain} ({source})")),
        _ => wrong(
            "element-jitsi-domain-wrong",
            format!("calls go to {domain}, and this deployment's Jitsi Meet is {jitsi}"),
        )
        .remedy(format!("set `jitsi.preferred_domain` to `{ours}` in Element's config.json")),
    }
}

/// Host, and port where it is not the usual one.
fn authority(jitsi: &Located) -> String {
    match jitsi.base.port() {
        Some(port) => format!("{}:{port}", jitsi.host()),
        None => jitsi.host().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;
    use serde_json::{Value, json};

    use super::*;
    use crate::facts::tests::settings;

    fn judged(config: Value, announced: Option<&str>, found: Found) -> Finding {
        let base = "https://meet.example.org/".parse().expect("a URL");
        judge(&settings(config), announced, &Located::new(base, found))
    }

    #[test]
    fn the_right_host_in_the_right_place_passes() {
        let right = json!({"jitsi": {"preferred_domain": "meet.example.org"}});
        assert_eq!(judged(right, None, Found::ElementConfig).outcome, Outcome::Pass);
        let announced = Some("meet.example.org");
        assert_eq!(judged(json!({}), announced, Found::ClientWellKnown).outcome, Outcome::Pass);
    }

    #[test]
    fn a_key_of_old_is_ignored() {
        let old = json!({"jitsi": {"preferredDomain": "meet.example.org"}});
        let finding = judged(old, None, Found::ElementConfig);
        assert_eq!(finding.cause, Some("element-jitsi-key-ignored"));
        assert!(finding.summary.contains("calls go to meet.element.io"));
        assert!(finding.remedy.expect("a remedy").contains("jitsi.preferredDomain"));
    }

    #[test]
    fn other_hosts_are_wrong_wherever_they_come_from() {
        let config = |domain: &str| json!({"jitsi": {"preferred_domain": domain}});
        let wrong = Some("element-jitsi-domain-wrong");
        let right = config("meet.example.org");
        assert_eq!(judged(right, Some("meet.jit.si"), Found::ElementConfig).cause, wrong);
        assert_eq!(judged(config("x.example"), None, Found::Configured).cause, wrong);
        assert_eq!(judged(json!({}), None, Found::Name).cause, wrong);
        let scheme = judged(config("https://meet.example.org"), None, Found::ElementConfig);
        assert_eq!((scheme.cause, scheme.outcome), (wrong, Outcome::Fail));
        let chosen = judged(config("meet.jit.si"), None, Found::Name);
        assert_eq!((chosen.cause, chosen.outcome), (wrong, Outcome::Warn));
    }
}
