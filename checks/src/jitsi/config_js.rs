//! `jitsi.config_js`

use mxdoctor_model::{EvidenceKind, Finding, Outcome, Vantage};
use mxdoctor_probes::jsconfig::JsConfig;
use url::Url;

use crate::facts::{Ask, Asked, JitsiConfig, JitsiSettings};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// `config.js` is Jitsi Meet's configuration, names the XMPP domains, and its BOSH and
    /// WebSocket addresses are of this host, encrypted.
    ///
    /// ## Why it matters
    /// Browsers connect to just these addresses. A wrong one loads the page and never a call.
    ///
    /// ## What makes it fail
    /// - `localhost:8443` in the addresses: `PUBLIC_URL` was never set on the web container.
    /// - `wss://http://…`, a path, or a scheme that browsers refuse: `PUBLIC_URL` has a wrong form.
    /// - Another host, which does not answer.
    /// - `<!--#` in the text: server-side includes are not expanded, since something else than the
    ///   web container serves the file.
    /// - A web page, or no XMPP domain.
    ///
    /// It warns where the addresses are of another host that answers.
    ///
    /// The file is read without running it: literals, concatenation and the file's own variables
    /// are understood, what stands in an `if` is not.
    ///
    /// ## How to fix it
    /// `PUBLIC_URL=https://meet.testing.borooka.ee` in the ConfigMap of the Jitsi parts, with
    /// scheme and without path, on web, Prosody and the bridge; then restart the web container.
    ///
    /// ## Where it comes from
    /// docker-jitsi-meet, `web` container, `settings-config.js`.
    "jitsi.config_js" at PI: "config.js is of this deployment"
    causes [
        "jitsi-public-url-unset",
        "jitsi-public-url-wrong",
        "jitsi-config-unexpanded",
        "jitsi-config-invalid",
    ]
    timeout 60
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let settings = cx.fact(JitsiConfig).await?;
    Ok(opinion(cx, &settings).await.into())
}

/// What this check thinks of a configuration.
pub(crate) async fn opinion(cx: &Cx, settings: &JitsiSettings) -> Finding {
    let mut finding = judge(settings, cx.vantage());
    if finding.outcome == Outcome::Warn
        && let Some(Ok(url)) = settings.url("websocket").or_else(|| settings.url("bosh"))
        && let Err(by) = cx.fact(Asked(Ask::get(over_http(&url)))).await
        && by.finding.outcome == Outcome::Fail
    {
        finding.outcome = Outcome::Fail;
        finding.summary = format!("{}, which does not answer", finding.summary);
        finding = finding.evidence(EvidenceKind::Note, by.finding.summary.clone());
    }
    finding.evidence(EvidenceKind::Request, settings.exchange.last().line())
}

/// A WebSocket's URL for a plain request.
pub(super) fn over_http(url: &Url) -> Url {
    let mut url = url.clone();
    let scheme = if matches!(url.scheme(), "ws" | "http") { "http" } else { "https" };
    // These schemes are all special, so that one can be set for another.
    let _ = url.set_scheme(scheme);
    url
}

fn judge(settings: &JitsiSettings, vantage: Vantage) -> Finding {
    let config = &settings.config;
    let [bosh, websocket] = ["bosh", "websocket"].map(|key| config.text(key).unwrap_or_default());
    let actual = format!("bosh: {bosh}, websocket: {websocket}");
    let fail = |cause, what: String| Finding::fail(cause, what).actual(actual.clone());
    if config.raw_ssi {
        let summary = "config.js holds server-side includes that were not expanded";
        return fail("jitsi-config-unexpanded", summary.into());
    }
    if let Some(finding) = domains(config) {
        return finding;
    }
    if bosh.is_empty() && websocket.is_empty() {
        let summary = "config.js names neither BOSH nor a WebSocket";
        return fail("jitsi-config-invalid", summary.into());
    }
    let base = &settings.base;
    let expected = format!("addresses of {}", base.host_str().unwrap_or_default());
    for key in ["websocket", "bosh"] {
        if let Some((cause, summary)) = url_trouble(settings, key, vantage) {
            return fail(cause, summary).expected(expected).remedy(remedy(base));
        }
    }
    let elsewhere = |key| settings.url(key)?.ok().filter(|url| authority(url) != authority(base));
    if vantage == Vantage::Public
        && let Some(url) = elsewhere("websocket").or_else(|| elsewhere("bosh"))
    {
        let summary = format!("config.js sends clients to {}", authority(&url));
        return Finding::warn("jitsi-public-url-wrong", summary)
            .expected(expected)
            .actual(actual)
            .remedy(remedy(base));
    }
    let domain = settings.guest_domain().unwrap_or_default();
    let skipped = format!("{} statements of config.js were left out", config.skipped);
    Finding::pass(format!("XMPP domain {domain}, {actual}")).evidence(EvidenceKind::Note, skipped)
}

fn domains(config: &JsConfig) -> Option<Finding> {
    let missing = ["hosts.domain", "hosts.muc"]
        .into_iter()
        .find(|key| config.text(key).is_none_or(|text| text.is_empty()))?;
    let summary = format!("config.js does not say `{missing}`");
    let finding = Finding::fail("jitsi-config-invalid", summary);
    let left_out = format!("{} statements were left out", config.skipped);
    Some(finding.expected("`config.hosts.domain` and `config.hosts.muc`").actual(left_out))
}

/// What is wrong with an address by its text alone.
fn url_trouble(
    settings: &JitsiSettings,
    key: &str,
    vantage: Vantage,
) -> Option<(&'static str, String)> {
    let text = settings.config.text(key)?;
    let wrong = |why: &str| {
        Some(("jitsi-public-url-wrong", format!("`{key}` in config.js is {text}: {why}")))
    };
    let url = match settings.url(key)? {
        Ok(url) => url,
        Err(_) => return wrong("that is no URL"),
    };
    let host = url.host_str().unwrap_or_default();
    let local = |host: &str| host == "localhost" || host == "127.0.0.1" || host == "[::1]";
    if local(host) && !settings.base.host_str().is_some_and(local) {
        let summary = format!("`{key}` in config.js is {text}, the default of an unset PUBLIC_URL");
        return Some(("jitsi-public-url-unset", summary));
    }
    // `PUBLIC_URL` with another scheme than https is put behind `wss://` whole.
    if text.matches("//").count() > 1 || matches!(host, "http" | "https") {
        return wrong("two addresses in one");
    }
    let secure = settings.base.scheme() == "https";
    match (key, url.scheme()) {
        ("websocket", "wss") | ("bosh", "https") => None,
        ("websocket", "https") if !text.contains(':') => None,
        ("websocket", "ws") | ("bosh", "http") if !secure || vantage != Vantage::Public => None,
        _ => wrong("browsers refuse that scheme on a page over https"),
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(443 | 80) | None => host.to_owned(),
        Some(port) => format!("{host}:{port}"),
    }
}

fn remedy(base: &Url) -> String {
    let host = authority(base);
    format!(
        "set `PUBLIC_URL: https://{host}` in the ConfigMap of the Jitsi parts, on web, Prosody and \
         the bridge, and restart the web container"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mxdoctor_probes::http::Exchange;

    use super::*;
    use crate::facts::tests::answer;

    fn settings(text: &str) -> JitsiSettings {
        let base = Url::parse("https://meet.testing.borooka.ee/").expect("a URL");
        let hosts = "config.hosts = { domain: 'meet.jitsi', muc: 'muc.meet.jitsi' };\n";
        let config = JsConfig::parse(format!("{hosts}{text}").as_bytes(), &base);
        let config = config.expect("a configuration");
        let exchange = Exchange { hops: vec![answer(200, &[], text)], redirect_trouble: None };
        JitsiSettings { base, exchange: Arc::new(exchange), config }
    }

    fn addresses(host: &str) -> JitsiSettings {
        settings(&format!(
            "config.bosh = 'https://{host}/http-bind';\n\
             config.websocket = 'wss://{host}/xmpp-websocket';"
        ))
    }

    fn cause(settings: &JitsiSettings) -> (Outcome, Option<&'static str>) {
        let finding = judge(settings, Vantage::Public);
        (finding.outcome, finding.cause)
    }

    #[test]
    fn addresses_of_this_host_pass() {
        assert_eq!(cause(&addresses("meet.testing.borooka.ee")).0, Outcome::Pass);
        assert_eq!(cause(&addresses("meet.testing.borooka.ee:443")).0, Outcome::Pass);
        assert_eq!(cause(&settings("config.bosh = '/http-bind';")).0, Outcome::Pass);
        let relative = "config.bosh = '//meet.testing.borooka.ee/http-bind';";
        assert_eq!(cause(&settings(relative)).0, Outcome::Pass);
    }

    #[test]
    fn what_public_url_does_wrong_has_its_cause() {
        let unset = addresses("localhost:8443");
        assert_eq!(cause(&unset), (Outcome::Fail, Some("jitsi-public-url-unset")));
        for host in ["http://meet.testing.borooka.ee", "meet.testing.borooka.ee//x"] {
            let wrong = cause(&addresses(host));
            assert_eq!(wrong, (Outcome::Fail, Some("jitsi-public-url-wrong")), "{host}");
        }
        let plain = settings("config.websocket = 'ws://meet.testing.borooka.ee/xmpp-websocket';");
        assert_eq!(cause(&plain), (Outcome::Fail, Some("jitsi-public-url-wrong")));
        let other = addresses("calls.example.org");
        assert_eq!(cause(&other), (Outcome::Warn, Some("jitsi-public-url-wrong")));
        assert_eq!(judge(&other, Vantage::Internal).outcome, Outcome::Pass);
    }

    #[test]
    fn what_is_missing_has_its_cause() {
        assert_eq!(cause(&settings("")).1, Some("jitsi-config-invalid"));
        let raw = settings("var subdir = '<!--# echo var=\"subdir\" default=\"\" -->';");
        assert_eq!(cause(&raw).1, Some("jitsi-config-unexpanded"));
        let mut nameless = addresses("meet.testing.borooka.ee");
        nameless.config.config.remove("hosts");
        assert_eq!(cause(&nameless).1, Some("jitsi-config-invalid"));
    }
}
