//! Element Web: where it is and how it is set up.

use std::sync::Arc;
use std::time::Duration;

use mxdoctor_model::{Evidence, EvidenceKind, Finding, Vantage};
use mxdoctor_probes::http::Exchange;
use serde_json::{Map, Value};
use url::Url;

use super::ask;
use super::candidates::{Candidate, ElementCandidates, by_dns};
use super::client::{gist, is_html, web_url};
use super::discovery::{Found, Homeserver, Located, bare, below, not_configured, same_base};
use crate::{Cx, Fact, Unavailable};

/// Element's configuration as a browser ends up with it.
#[derive(Debug, Clone)]
pub struct ElementSettings {
    /// The file that counts: `config.<host>.json` where there is one, else `config.json`.
    pub url: Url,
    /// The request for it.
    pub exchange: Arc<Exchange>,
    /// Its content.
    pub json: Map<String, Value>,
}

impl ElementSettings {
    /// The homeserver's base URL as written: `default_server_config`, or the old `default_hs_url`.
    pub fn homeserver_text(&self) -> Option<&str> {
        let new = self
            .json
            .get("default_server_config")
            .and_then(|config| config.get("m.homeserver"))
            .and_then(|homeserver| homeserver.get("base_url"));
        new.or_else(|| self.json.get("default_hs_url")).and_then(Value::as_str)
    }

    /// The homeserver's base URL, where one is written and usable.
    pub fn homeserver(&self) -> Option<Url> {
        self.homeserver_text().and_then(web_url)
    }

    /// The server name that it shows or discovers by.
    pub fn server_name(&self) -> Option<&str> {
        self.json
            .get("default_server_config")
            .and_then(|config| config.get("m.homeserver"))
            .and_then(|homeserver| homeserver.get("server_name"))
            .or_else(|| self.json.get("default_server_name"))
            .and_then(Value::as_str)
    }

    /// The Jitsi host that counts, `jitsi.preferred_domain`.
    pub fn jitsi_domain(&self) -> Option<&str> {
        self.json.get("jitsi")?.get("preferred_domain")?.as_str()
    }

    /// A Jitsi host under a key that current versions of Element do not read, with that key: their
    /// default for `jitsi.preferred_domain` is merged in first and then wins.
    pub fn ignored_jitsi_domain(&self) -> Option<(String, &str)> {
        let jitsi = self.json.get("jitsi").and_then(Value::as_object);
        let inner = jitsi.into_iter().flatten().map(|(key, value)| (format!("jitsi.{key}"), value));
        let outer = ["preferredDomain", "preferred_domain", "jitsiDomain", "jitsi_domain"]
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), self.json.get(key)?)));
        inner.chain(outer).find_map(|(key, value)| {
            let known = ["jitsi.preferred_domain", "jitsi.preferredSkin"].contains(&key.as_str());
            let host = value.as_str().filter(|text| text.contains('.') && !known)?;
            key.to_lowercase().contains("domain").then_some((key, host))
        })
    }

    /// Whether it is set up for this server: it leads to its homeserver, or says its name.
    pub fn is_for(&self, server_name: &str, homeserver: Option<&Url>) -> bool {
        let leads = matches!(
            (self.homeserver(), homeserver),
            (Some(one), Some(other)) if same_base(&one, other)
        );
        leads || self.server_name() == Some(server_name)
    }

    /// Whether it is a configuration of Element at all, and not some other program's.
    pub(super) fn is_elements(&self) -> bool {
        ["default_server_config", "default_server_name", "default_hs_url"]
            .iter()
            .any(|key| self.json.contains_key(*key))
    }
}

/// The base URL of Element Web: configured, or a usual name that is set up for this homeserver.
#[derive(Debug, Clone)]
pub struct Element;

impl Fact for Element {
    type Value = Located;
    const OWNER: &'static str = "element.index";
    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<Located, Unavailable> {
        if let Some(base) = &cx.target().element {
            return Ok(Located::new(base.clone(), Found::Configured));
        }
        if cx.vantage() != Vantage::Public {
            return Err(not_configured(cx, Self::OWNER, "Element Web"));
        }
        // Most are found beside the server name, which needs not wait for the homeserver.
        let (homeserver, near) =
            tokio::join!(cx.fact(Homeserver), cx.fact(ElementCandidates { homeserver: None }),);
        let homeserver = homeserver.ok().map(|located| located.base.clone());
        let name = &cx.target().server_name;
        let fits = |candidate: &&Candidate| match &candidate.config {
            Ok(config) => config.is_for(name, homeserver.as_ref()),
            Err(_) => candidate.is_element,
        };
        if let Some(candidate) = near?.iter().find(fits) {
            return Ok(Located::new(candidate.base.clone(), Found::Name));
        }
        let candidates = cx.fact(ElementCandidates { homeserver: homeserver.clone() }).await?;
        if let Some(candidate) = candidates.iter().find(fits) {
            return Ok(Located::new(candidate.base.clone(), Found::Name));
        }
        match by_dns(cx, &candidates).await {
            Some(base) => Ok(Located::new(base, Found::Name)),
            None => Err(Unavailable::by(Self::OWNER, none_found(name, &candidates))),
        }
    }
}

fn none_found(name: &str, candidates: &[Candidate]) -> Finding {
    let elsewhere = candidates.iter().find_map(|candidate| {
        let config = candidate.config.as_ref().ok()?;
        let base = config.homeserver_text().or_else(|| config.server_name())?;
        Some(format!("; {} is an Element Web, but set up for {base}", bare(&candidate.base)))
    });
    let tried = candidates.iter().map(|candidate| {
        let said = match &candidate.config {
            Ok(config) => format!("set up for {}", config.homeserver_text().unwrap_or("nothing")),
            Err(finding) => finding.summary.clone(),
        };
        Evidence::note(format!("tried {}: {said}", bare(&candidate.base)))
    });
    Finding::skip(format!(
        "no Element Web for {name} was found{}",
        elsewhere.as_deref().unwrap_or_default()
    ))
    .remedy("if there is one, name it with `element.base_url` in stack.toml")
    .evidences(tried)
}

/// Element's configuration, once it is one that Element can start with.
#[derive(Debug, Clone)]
pub struct ElementConfig;

impl Fact for ElementConfig {
    type Value = ElementSettings;
    const OWNER: &'static str = "element.config";
    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<ElementSettings, Unavailable> {
        let element = cx.fact(Element).await?;
        read_config(cx, &element.base).await
    }
}

/// Reads both files as Element does: the host's own, unless it is missing, empty or unreadable,
/// and else the common one.
pub(super) async fn read_config(cx: &Cx, base: &Url) -> Result<ElementSettings, Unavailable> {
    let host = base.host_str().unwrap_or_default().trim_end_matches('.');
    let (own, common) = futures_util::join!(
        ask::get(cx, below(base, &format!("/config.{host}.json"))),
        ask::get(cx, below(base, "/config.json")),
    );
    if let Ok(exchange) = own
        && let Ok(json) = read_settings(&exchange)
        && !json.is_empty()
    {
        return Ok(ElementSettings { url: exchange.last().url.clone(), exchange, json });
    }
    let exchange = common?;
    match read_settings(&exchange) {
        Ok(json) => Ok(ElementSettings { url: exchange.last().url.clone(), exchange, json }),
        Err(finding) => {
            let finding = finding.evidence(EvidenceKind::Request, exchange.last().line());
            Err(Unavailable::by("element.config", finding))
        }
    }
}

fn read_settings(exchange: &Exchange) -> Result<Map<String, Value>, Finding> {
    let answer = exchange.last();
    let status = answer.status.as_u16();
    let file = answer.url.path().rsplit('/').next().unwrap_or_default();
    let expected = "200 with a JSON object";
    if status == 404 {
        return Err(Finding::fail(
            "element-config-missing",
            format!("{file} is not there: Element starts without any homeserver and gives up"),
        )
        .expected(expected)
        .actual(gist(answer)));
    }
    if status != 200 {
        let summary = format!("{file} is answered with {status}");
        return Err(Finding::fail("element-config-missing", summary)
            .expected(expected)
            .actual(gist(answer)));
    }
    if let Some(cut) = &answer.cut {
        let summary = format!("{file} is not served whole: {cut}");
        let finding = Finding::fail("element-config-missing", summary);
        return Err(finding.expected(expected).actual(cut).transient());
    }
    match serde_json::from_slice(&answer.body) {
        Ok(Value::Object(json)) => Ok(json),
        Ok(_) => Err(Finding::fail(
            "element-config-invalid",
            format!("{file} is JSON, but not an object"),
        )
        .expected(expected)
        .actual(gist(answer))),
        Err(_) if is_html(&answer.body) => Err(Finding::fail(
            "element-config-missing",
            format!(
                "{file} is answered with a web page: the file is missing and a fallback serves \
                     the index instead"
            ),
        )
        .expected(expected)
        .actual(gist(answer))),
        Err(error) => Err(Finding::fail(
            "element-config-invalid",
            format!("{file} is not valid JSON: {error}"),
        )
        .expected(expected)
        .actual(quote(&answer.body, &error))),
    }
}

/// The line that a JSON parser stumbled over.
fn quote(body: &[u8], error: &serde_json::Error) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let line: String = line.trim().chars().filter(|c| !c.is_control()).take(100).collect();
    format!("line {}: {line}", error.line())
}

#[cfg(test)]
mod tests {
    use mxdoctor_probes::http::Response;

    use super::super::looks_like_element;
    use super::*;
    use crate::facts::tests::settings;

    #[test]
    fn the_jitsi_key_counts_only_in_its_own_spelling() {
        let right =
            settings(serde_json::json!({"jitsi": {"preferred_domain": "meet.example.org"}}));
        assert_eq!(right.jitsi_domain(), Some("meet.example.org"));
        assert_eq!(right.ignored_jitsi_domain(), None);
        for (json, key) in [
            (
                serde_json::json!({"jitsi": {"preferredDomain": "m.example"}}),
                "jitsi.preferredDomain",
            ),
            (serde_json::json!({"jitsi": {"domain": "m.example"}}), "jitsi.domain"),
            (serde_json::json!({"preferredDomain": "m.example"}), "preferredDomain"),
        ] {
            let wrong = settings(json);
            assert_eq!(wrong.jitsi_domain(), None);
            assert_eq!(wrong.ignored_jitsi_domain(), Some((key.to_owned(), "m.example")));
        }
    }

    #[test]
    fn an_element_is_ours_by_url_or_name() {
        let homeserver = Url::parse("https://matrix.example.org").expect("a URL");
        let config = |base: &str, name: &str| {
            settings(serde_json::json!({"default_server_config":
                {"m.homeserver": {"base_url": base, "server_name": name}}}))
        };
        let ours = |base, name| config(base, name).is_for("example.org", Some(&homeserver));
        assert!(ours("https://matrix.example.org/", "whatever"));
        assert!(ours("https://elsewhere.example", "example.org"));
        assert!(!ours("https://matrix-client.matrix.org", "matrix.org"));
    }

    fn read(status: u16, body: &str) -> Result<Map<String, Value>, Finding> {
        let mut answer: Response = crate::facts::tests::answer(status, &[], body);
        answer.url = Url::parse("https://element.example.org/config.json").expect("a URL");
        read_settings(&Exchange { hops: vec![answer], redirect_trouble: None })
    }

    #[test]
    fn what_is_wrong_with_a_configuration_is_named() {
        assert!(read(200, "{}").is_ok());
        let cause = |status, body| read(status, body).expect_err("a finding").cause;
        assert_eq!(cause(404, "nope"), Some("element-config-missing"));
        assert_eq!(cause(200, "<!doctype html>"), Some("element-config-missing"));
        assert_eq!(cause(200, "[]"), Some("element-config-invalid"));
        let comma = read(200, "{\n  \"a\": 1,\n}").expect_err("a finding");
        assert_eq!(comma.cause, Some("element-config-invalid"));
        assert_eq!(comma.actual.as_deref(), Some("line 3: }"));
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_it_panic(body: String) {
            let _ = read(200, &body);
            let _ = (looks_like_element(&body), super::super::jitsi::bare_host(&body));
        }

        #[test]
        fn no_object_makes_it_panic(key in "[a-zA-Z_.]{0,20}", text: String) {
            let json = serde_json::json!({
                "jitsi": {&key: &text}, &key: &text, "default_hs_url": &text,
            });
            let settings = settings(json);
            let _ = (settings.ignored_jitsi_domain(), settings.homeserver());
        }
    }
}
