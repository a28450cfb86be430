//! `element.headers`.

use http::HeaderMap;
use mxdoctor_model::{EvidenceKind, Finding};
use url::Url;

use crate::facts::{Element, ElementConfig, Homeserver, Jitsi, ask};
use crate::{Cx, Verdict, check};

check! {
    /// Element's headers keep others from framing it, and still let calls work.
    ///
    /// ## What it asserts
    /// Element's page may be framed by itself and by nobody else (`X-Frame-Options: SAMEORIGIN` or
    /// `frame-ancestors 'self'`), is sent with `X-Content-Type-Options: nosniff`, and lives on
    /// another host than the homeserver. What is sent does not keep the Jitsi widget from working.
    ///
    /// ## Why it matters
    /// A page that strangers can frame lets them steal clicks in a logged-in session. On the
    /// homeserver's own host, a file that somebody uploaded could run in Element's name. And
    /// forbidding too much breaks calls: Element frames its own `jitsi.html`, which frames the
    /// Jitsi host and asks for camera and microphone.
    ///
    /// ## What makes it fail
    /// `X-Frame-Options: DENY` or `frame-ancestors 'none'`, a `frame-src` without the Jitsi host, a
    /// `Permissions-Policy` that denies camera or microphone. Missing protection is a warning: the
    /// stock image does not add it.
    ///
    /// ## How to fix it
    /// Add `X-Frame-Options: SAMEORIGIN`, `X-Content-Type-Options: nosniff` and
    /// `Content-Security-Policy: frame-ancestors 'self'` where Element is served: a headers
    /// middleware of its IngressRoute, a transform rule at the edge, or its nginx configuration.
    ///
    /// ## Where it comes from
    /// Element Web's README, "Important Security Notes"; Content Security Policy Level 3.
    "element.headers" at P: "headers are safe and still allow the Jitsi widget"
    causes ["element-frames-blocked", "element-headers-missing", "element-shares-origin"]
    timeout 60
}

async fn run(cx: &Cx) -> Verdict {
    cx.fact(ElementConfig).await?;
    let element = cx.fact(Element).await?;
    let exchange = ask::get(cx, element.url("/")).await?;
    let homeserver = cx.fact(Homeserver).await.ok();
    let jitsi = cx.fact(Jitsi).await.ok();
    let answer = exchange.last();
    let shared = homeserver.is_some_and(|one| one.base.origin() == element.base.origin());
    let finding = judge(&answer.headers, jitsi.as_ref().map(|jitsi| &jitsi.base), shared);
    Ok(finding.evidence(EvidenceKind::Request, answer.line()).into())
}

fn judge(headers: &HeaderMap, jitsi: Option<&Url>, shares_origin: bool) -> Finding {
    let policies = policies(headers);
    if let Some(what) = blocks_calls(headers, &policies, jitsi) {
        return Finding::fail(
            "element-frames-blocked",
            format!("Element's headers keep the Jitsi widget from working: {what}"),
        )
        .expected("frames of its own, the Jitsi host, camera and microphone are permitted")
        .actual(what);
    }
    let framing = value(headers, "x-frame-options").is_some()
        || policies.iter().any(|(name, _)| name == "frame-ancestors");
    let sniffing = value(headers, "x-content-type-options").is_some_and(|v| v == "nosniff");
    let missing: Vec<&str> = [
        (!framing).then_some("X-Frame-Options or frame-ancestors"),
        (!sniffing).then_some("X-Content-Type-Options"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if shares_origin {
        return Finding::warn(
            "element-shares-origin",
            "Element and the homeserver share one host: uploaded files could run in Element's name",
        )
        .expected("two hosts")
        .actual("one host");
    }
    if missing.is_empty() {
        return Finding::pass("Element cannot be framed by others, and calls are permitted");
    }
    Finding::warn(
        "element-headers-missing",
        format!("Element's page is sent without {}", missing.join(" and ")),
    )
    .expected("X-Frame-Options: SAMEORIGIN and X-Content-Type-Options: nosniff")
    .actual(format!("no {}", missing.join(", no ")))
}

pub(super) fn blocks_calls(
    headers: &HeaderMap,
    policies: &[(String, Vec<String>)],
    jitsi: Option<&Url>,
) -> Option<String> {
    if value(headers, "x-frame-options").is_some_and(|value| value == "deny")
        && !policies.iter().any(|(name, _)| name == "frame-ancestors")
    {
        return Some("X-Frame-Options: DENY forbids Element to frame its own jitsi.html".into());
    }
    let none = |sources: &[String]| sources.is_empty() || sources == ["'none'"];
    if policies.iter().any(|(name, sources)| name == "frame-ancestors" && none(sources)) {
        return Some("frame-ancestors 'none' forbids Element to frame its own jitsi.html".into());
    }
    let jitsi = jitsi?;
    let frames = ["frame-src", "child-src", "default-src"]
        .iter()
        .find_map(|wanted| policies.iter().find(|(name, _)| name == wanted));
    if let Some((name, sources)) = frames
        && !sources.iter().any(|source| permits(source, jitsi))
    {
        return Some(format!("{name} does not name {}", jitsi.host_str().unwrap_or_default()));
    }
    let policy = value(headers, "permissions-policy").unwrap_or_default();
    let denied = ["camera", "microphone"].into_iter().find(|feature| {
        policy.split(',').any(|item| item.trim().replace(' ', "") == format!("{feature}=()"))
    });
    denied.map(|feature| format!("Permissions-Policy denies the {feature}"))
}

/// The directives of all content security policies, in order.
pub(super) fn policies(headers: &HeaderMap) -> Vec<(String, Vec<String>)> {
    let values = headers.get_all("content-security-policy").iter().filter_map(|v| v.to_str().ok());
    values
        .flat_map(|value| value.split([';', ',']))
        .filter_map(|directive| {
            let mut words = directive.split_whitespace().map(str::to_lowercase);
            Some((words.next()?, words.collect()))
        })
        .collect()
}

/// Whether a source expression permits a host (Content Security Policy, "host-source").
pub(super) fn permits(source: &str, jitsi: &Url) -> bool {
    let host = jitsi.host_str().unwrap_or_default();
    let source = source.strip_suffix('/').unwrap_or(source);
    let named = source.strip_prefix("https://").unwrap_or(source);
    let named = named.split(':').next().unwrap_or(named);
    match named.strip_prefix("*.") {
        _ if matches!(source, "*" | "https:") => true,
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => named == host,
    }
}

pub(super) fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(|value| value.trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    fn judged(headers: &[(&'static str, &str)]) -> Finding {
        let jitsi = "https://meet.example.org/".parse().expect("a URL");
        judge(&answer(200, headers, "").headers, Some(&jitsi), false)
    }

    const SNIFF: (&str, &str) = ("x-content-type-options", "nosniff");

    #[test]
    fn safe_headers_pass() {
        let framing = ("x-frame-options", "SAMEORIGIN");
        assert_eq!(judged(&[framing, SNIFF]).outcome, Outcome::Pass);
        let policy = ("content-security-policy", "frame-ancestors 'self'; frame-src 'self' https:");
        assert_eq!(judged(&[policy, SNIFF]).outcome, Outcome::Pass);
        let wild = ("content-security-policy", "frame-src *.example.org; frame-ancestors 'self'");
        assert_eq!(judged(&[wild, SNIFF]).outcome, Outcome::Pass);
    }

    #[test]
    fn missing_protection_is_a_warning() {
        let finding = judged(&[]);
        assert_eq!(
            (finding.outcome, finding.cause),
            (Outcome::Warn, Some("element-headers-missing"))
        );
        let jitsi = None;
        let shared = judge(&HeaderMap::new(), jitsi, true);
        assert_eq!(shared.cause, Some("element-shares-origin"));
    }

    #[test]
    fn too_much_protection_breaks_calls() {
        for header in [
            ("x-frame-options", "DENY"),
            ("content-security-policy", "frame-ancestors 'none'"),
            ("content-security-policy", "default-src 'self'; frame-ancestors 'self'"),
            ("content-security-policy", "frame-src 'self' https://other.example"),
            ("permissions-policy", "geolocation=(), camera=()"),
        ] {
            assert_eq!(
                judged(&[header, SNIFF]).cause,
                Some("element-frames-blocked"),
                "{header:?}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_policy_makes_it_panic(policy in "[ -~]*") {
            let _ = judged(&[("content-security-policy", policy.as_str()), SNIFF]);
            let _ = judged(&[("permissions-policy", policy.as_str())]);
        }
    }
}
