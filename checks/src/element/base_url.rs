//! `element.base_url`.

use mxdoctor_model::{EvidenceKind, Finding, Outcome, Vantage};
use serde_json::Value;
use url::Url;

use crate::facts::{
    Element, ElementConfig, ElementSettings, Homeserver, Versions, WellKnownClient, ask, bare,
    below, read_versions, same_base,
};
use crate::{Cx, Verdict, check};

check! {
    /// Element leads to this homeserver.
    ///
    /// ## What it asserts
    /// `default_server_config` → `m.homeserver` → `base_url` in Element's configuration (or what
    /// the client well-known of `default_server_name` says) is an https URL, and it is this stack's
    /// homeserver: the same address, or one whose key document bears the same server name.
    ///
    /// ## Why it matters
    /// It is where everybody's Element goes first.
    ///
    /// ## What makes it fail
    /// A base URL that is missing, unreadable or http ("Invalid base_url for m.homeserver"), where
    /// no homeserver answers ("Homeserver URL does not appear to be a valid Matrix homeserver"), or
    /// where another server's homeserver answers. If it cannot be told whose homeserver answers
    /// there, that is a warning.
    ///
    /// ## How to fix it
    /// In ConfigMap `element-config` (`apps/base/matrix/config/element-config.yaml`) set
    /// `"base_url": "https://matrix.testing.borooka.ee"`, the same as in
    /// `/.well-known/matrix/client`, and restart Element.
    ///
    /// ## Where it comes from
    /// Element Web's `docs/config.md`; `AutoDiscovery` of matrix-js-sdk, whose names of errors are
    /// used.
    "element.base_url" at PI: "Element leads to this homeserver"
    causes ["element-base-url-wrong"]
    timeout 60
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let config = cx.fact(ElementConfig).await?;
    let element = cx.fact(Element).await?;
    let base = match named(&config, &element.base) {
        Ok(Some(base)) => base,
        Ok(None) => match by_name(cx, &config).await {
            Ok(base) => base,
            Err(verdict) => return verdict,
        },
        Err(finding) => return Ok(seen(finding, &config).into()),
    };
    let homeserver = cx.fact(Homeserver).await?;
    if same_base(&base, &homeserver.base) {
        cx.fact(Versions).await?;
        let finding = Finding::pass(format!("Element leads to {}", bare(&base)));
        return Ok(seen(finding, &config).into());
    }
    if cx.vantage() != Vantage::Public {
        let reason = format!(
            "Element leads to {}, not to the {} vantage's own {}: looked at from outside",
            bare(&base),
            cx.vantage(),
            bare(&homeserver.base)
        );
        return Ok(Finding::skip(reason).into());
    }
    let there = look(cx, &base).await;
    let finding = judge(&base, &homeserver.base, &cx.target().server_name, there);
    Ok(seen(finding, &config).into())
}

fn seen(finding: Finding, config: &ElementSettings) -> Finding {
    finding.evidence(EvidenceKind::Request, config.exchange.last().line())
}

/// The base URL as written; none where just a server name is given.
fn named(config: &ElementSettings, element: &Url) -> Result<Option<Url>, Finding> {
    let wrong = |actual: String| {
        Finding::fail(
            "element-base-url-wrong",
            "Invalid base_url for m.homeserver in Element's configuration",
        )
        .expected("an https URL")
        .actual(actual)
    };
    let Some(text) = config.homeserver_text() else {
        return if config.json.get("default_server_name").is_some() {
            Ok(None)
        } else {
            Err(wrong("there is none".into()))
        };
    };
    match config.homeserver() {
        None => Err(wrong(format!("`{text}`"))),
        Some(base) if base.scheme() == "http" && element.scheme() == "https" => {
            Err(wrong(format!("`{text}`, to which browsers refuse to go from a page over https")))
        }
        Some(base) => Ok(Some(base)),
    }
}

/// The base URL that the client well-known of `default_server_name` gives.
async fn by_name(cx: &Cx, config: &ElementSettings) -> Result<Url, Verdict> {
    let ours = &cx.target().server_name;
    if config.server_name() != Some(ours.as_str()) {
        let name = config.server_name().unwrap_or_default();
        let finding = Finding::fail(
            "element-base-url-wrong",
            format!("Element looks for the homeserver of `{name}`, which is not {ours}"),
        );
        return Err(Ok(seen(finding.expected(ours).actual(name), config).into()));
    }
    let known = cx.fact(WellKnownClient).await.map_err(Err)?;
    known.base_url().map_err(|_| {
        let reason = "Element finds the homeserver by the client well-known, which is not usable: \
                      see synapse.well_known_client";
        Ok(Finding::skip(reason).into())
    })
}

/// Whose homeserver answers at a base URL.
enum There {
    /// The homeserver of that server name.
    Server(String),
    /// A homeserver whose name is not told there.
    Somebody,
    /// No homeserver; why.
    Nobody(Finding),
}

async fn look(cx: &Cx, base: &Url) -> There {
    let versions = match ask::get(cx, below(base, "/_matrix/client/versions")).await {
        Ok(exchange) => read_versions(exchange).map(drop),
        Err(by) => Err(*by.finding),
    };
    if let Err(finding) = versions {
        return There::Nobody(finding);
    }
    let key = ask::any(cx, below(base, "/_matrix/key/v2/server")).await.ok();
    let document: Option<Value> =
        key.and_then(|exchange| serde_json::from_slice(&exchange.last().body).ok());
    match document.as_ref().and_then(|keys| keys.get("server_name")).and_then(Value::as_str) {
        Some(name) => There::Server(name.to_owned()),
        None => There::Somebody,
    }
}

fn judge(base: &Url, homeserver: &Url, server_name: &str, there: There) -> Finding {
    let (base, homeserver) = (bare(base), bare(homeserver));
    let wrong = |summary: String, actual: String| {
        Finding::fail("element-base-url-wrong", summary)
            .expected(&homeserver)
            .actual(actual)
            .remedy(format!(
                "set `default_server_config` → `m.homeserver` → `base_url` to `{homeserver}` in \
                 Element's config.json (ConfigMap element-config)"
            ))
    };
    match there {
        There::Server(name) if name == server_name => {
            Finding::pass(format!("Element leads to {base}, another address of this homeserver"))
        }
        There::Server(name) => wrong(
            format!("Element leads to the homeserver of {name}"),
            format!("{base}, of {name}"),
        ),
        There::Somebody => Finding::warn(
            "element-base-url-wrong",
            format!("Element leads to {base}; whether that is {server_name}'s cannot be told"),
        )
        .expected(homeserver)
        .actual(base),
        There::Nobody(why) if why.outcome == Outcome::Error => Finding::error(format!(
            "Element leads to {base}, which could not be asked: {}",
            why.summary
        )),
        There::Nobody(why) => {
            let summary = format!(
                "Homeserver URL does not appear to be a valid Matrix homeserver: Element leads to \
                 {base}, where none answers"
            );
            wrong(summary, format!("{base}: {}", why.summary))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::tests::settings;

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[test]
    fn what_is_written_must_be_usable() {
        let element = url("https://element.example.org");
        let named = |json| named(&settings(json), &element);
        let config =
            |base: &str| json!({"default_server_config": {"m.homeserver": {"base_url": base}}});
        assert!(matches!(named(config("https://matrix.example.org")), Ok(Some(_))));
        assert!(matches!(named(json!({"default_server_name": "example.org"})), Ok(None)));
        for json in [config("matrix.example.org"), config("http://x.example"), json!({})] {
            let finding = named(json).expect_err("a finding");
            assert_eq!(finding.cause, Some("element-base-url-wrong"));
            assert!(finding.summary.starts_with("Invalid base_url for m.homeserver"));
        }
    }

    #[test]
    fn another_address_is_judged_by_who_answers() {
        let judged = |there| {
            let (base, homeserver) = (url("https://a.example"), url("https://b.example"));
            judge(&base, &homeserver, "example.org", there).outcome
        };
        assert_eq!(judged(There::Server("example.org".into())), Outcome::Pass);
        assert_eq!(judged(There::Server("matrix.org".into())), Outcome::Fail);
        assert_eq!(judged(There::Somebody), Outcome::Warn);
        assert_eq!(judged(There::Nobody(Finding::fail("x", "nothing"))), Outcome::Fail);
        assert_eq!(judged(There::Nobody(Finding::error("ours"))), Outcome::Error);
    }
}
