//! `element.mixed_content`.

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use serde_json::Value;

use crate::facts::{Element, ElementConfig, ask};
use crate::{Cx, Verdict, check};

check! {
    /// Nothing that Element needs is fetched over plain http.
    ///
    /// ## What it asserts
    /// On an Element that is served over https, neither the page nor `config.json` names a
    /// resource with `http://` that the browser would load into the page: scripts, styles, the
    /// identity server, integration managers, maps, pages, pictures. The homeserver's own base URL
    /// is `element.base_url`'s. Links that people only follow (terms, help) do not count.
    ///
    /// ## Why it matters
    /// Browsers refuse to load such things into a page that came over https, without a word to the
    /// person: the part that needs it stays empty.
    ///
    /// ## What makes it fail
    /// - fail: a script or a style of the page over `http://`.
    /// - warn: an `http://` URL in one of the keys of `config.json` that Element fetches.
    ///
    /// ## How to fix it
    /// Write `https://` in ConfigMap `element-config`, or take the key out.
    ///
    /// ## Where it comes from
    /// Mixed Content, section 4; Element Web's `docs/config.md`.
    "element.mixed_content" at PI: "nothing in the page is fetched over plain http"
    causes ["mixed-content"]
    timeout 60
}

/// Keys that Element fetches from, with the path to them.
const FETCHED: &[&[&str]] = &[
    &["default_is_url"],
    &["default_server_config", "m.identity_server", "base_url"],
    &["integrations_ui_url"],
    &["integrations_rest_url"],
    &["integrations_widgets_urls"],
    &["bug_report_endpoint_url"],
    &["map_style_url"],
    &["embedded_pages", "welcome_url"],
    &["embedded_pages", "home_url"],
    &["embeddedPages", "welcomeUrl"],
    &["embeddedPages", "homeUrl"],
    &["branding", "welcome_background_url"],
    &["branding", "auth_header_logo_url"],
    &["element_call", "url"],
    &["posthog", "api_host"],
];

async fn run(cx: &Cx) -> Verdict {
    let config = cx.fact(ElementConfig).await?;
    let element = cx.fact(Element).await?;
    if element.base.scheme() != "https" {
        return Ok(Finding::skip("Element is not served over https here").into());
    }
    let page = ask::get(cx, element.url("/")).await?;
    let finding = judge(&page.last().text(), &Value::Object(config.json.clone()));
    let lines = [page.last(), config.exchange.last()];
    let lines = lines.map(|answer| Evidence::new(EvidenceKind::Request, answer.line()));
    Ok(finding.evidences(lines).into())
}

fn judge(page: &str, config: &Value) -> Finding {
    let loaded = loaded_plainly(page);
    if !loaded.is_empty() {
        return Finding::fail("mixed-content", "Element's page loads parts of it over plain http")
            .expected("https, or paths of its own")
            .actual(loaded.join("; "));
    }
    let named: Vec<String> = FETCHED.iter().flat_map(|path| plain(config, path)).collect();
    if named.is_empty() {
        return Finding::pass("neither the page nor the configuration leads over plain http");
    }
    Finding::warn("mixed-content", "Element's configuration names URLs that browsers refuse")
        .expected("https URLs")
        .actual(named.join("; "))
}

/// The `http://` URLs at a path of keys, each with its key.
fn plain(config: &Value, path: &[&str]) -> Vec<String> {
    let found = path.iter().try_fold(config, |value, key| value.get(key));
    let texts: Vec<&str> = match found {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).take(20).collect(),
        _ => Vec::new(),
    };
    let plain = texts.into_iter().filter(|text| is_plain(text));
    plain.map(|text| format!("{}: {}", path.join("."), short(text))).collect()
}

/// Scripts and styles of a page that are named with `http://`.
fn loaded_plainly(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for tag in page.split('<').skip(1).take(5000) {
        let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let attribute = match name.to_ascii_lowercase().as_str() {
            "script" | "iframe" => "src",
            "link" if tag.to_ascii_lowercase().contains("stylesheet") => "href",
            _ => continue,
        };
        let tag = tag.split('>').next().unwrap_or_default();
        if let Some(value) = value_of(tag, attribute).filter(|value| is_plain(value))
            && found.len() < 5
        {
            found.push(format!("{name} {}", short(value)));
        }
    }
    found
}

/// The value of an attribute in the text of a tag.
fn value_of<'a>(tag: &'a str, attribute: &str) -> Option<&'a str> {
    let (_, rest) = tag.match_indices('=').map(|(at, _)| (&tag[..at], &tag[at + 1..])).find(
        |(before, _)| {
            before
                .trim_end()
                .rsplit(char::is_whitespace)
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case(attribute))
        },
    )?;
    let rest = rest.trim_start();
    match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].split(quote).next(),
        _ => rest.split(char::is_whitespace).next(),
    }
}

fn is_plain(url: &str) -> bool {
    url.trim_start().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;
    use serde_json::json;

    use super::*;

    const PAGE: &str = "<!doctype html><link rel=\"stylesheet\" href=\"bundles/x.css\">\
        <a href=\"http://example.org/help\">help</a><script src=\"bundles/x.js\"></script>";

    #[test]
    fn paths_of_its_own_and_links_pass() {
        let config = json!({
            "integrations_ui_url": "https://scalar.example.org/",
            "terms_and_conditions_links": [{"url": "http://example.org/terms", "text": "terms"}],
        });
        assert_eq!(judge(PAGE, &config).outcome, Outcome::Pass);
    }

    #[test]
    fn what_is_fetched_plainly_is_named() {
        let fails = |page: &str| judge(page, &json!({})).outcome;
        for page in [
            "<script src=\"http://cdn.example.org/x.js\"></script>",
            "<SCRIPT async SRC=http://cdn.example.org/x.js></SCRIPT>",
            "<link href='http://cdn.example.org/x.css' rel='stylesheet'>",
        ] {
            assert_eq!(fails(page), Outcome::Fail, "{page}");
        }
        for config in [
            json!({"integrations_widgets_urls": ["https://a.example", "http://b.example"]}),
            json!({"embedded_pages": {"home_url": "HTTP://example.org/home.html"}}),
            json!({"default_server_config": {"m.identity_server":
                {"base_url": "http://is.example"}}}),
        ] {
            let finding = judge(PAGE, &config);
            assert_eq!((finding.outcome, finding.cause), (Outcome::Warn, Some("mixed-content")));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_page_makes_it_panic(page: String, inside: String) {
            let _ = loaded_plainly(&page);
            let _ = loaded_plainly(&format!("<script src={inside}><link {inside}=\"{page}\">"));
        }
    }
}
