//! `synapse.well_known_client`.

use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome};
use serde_json::Value;
use url::Url;

use super::cors::allowed_origin;
use crate::facts::{
    ClientWellKnown, Found, Homeserver, Versions, WellKnownClient, WellKnownTrouble, ask, bare,
    below, gist, read_versions, same_base, web_url,
};
use crate::{Cx, Verdict, check};

check! {
    /// Clients find the homeserver by the server name.
    ///
    /// ## What it asserts
    /// `https://<server name>/.well-known/matrix/client` is a JSON object whose
    /// `m.homeserver.base_url` is an https URL at which a homeserver answers, and the answer may be
    /// read by web clients (`Access-Control-Allow-Origin`, on redirects too). Its content type does
    /// not matter: clients do not look at it.
    ///
    /// ## Why it matters
    /// People type `@me:testing.borooka.ee`; this file is how a client gets from there to
    /// `matrix.testing.borooka.ee`. Without it they must know the homeserver's address, and several
    /// clients cannot be told.
    ///
    /// ## What makes it fail
    /// No such file (404), a page instead of JSON, no usable `base_url`, one that leads elsewhere,
    /// or missing CORS headers; an `m.identity_server` that is not one. Everything else goes on with the homeserver that was found
    /// otherwise.
    ///
    /// ## How to fix it
    /// Serve on the server name's own host, not just on the homeserver's:
    /// `{"m.homeserver": {"base_url": "https://matrix.testing.borooka.ee"}}` with
    /// `Access-Control-Allow-Origin: *`. Synapse serves it itself when `public_baseurl` is set, but
    /// on its own host: route `/.well-known/matrix/client` of the server name to it, or to a static
    /// responder (a TunnelBinding subject for `testing.borooka.ee`).
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Well-known URIs" and "Web Browser Clients"; `AutoDiscovery` of
    /// matrix-js-sdk, whose names of errors are used. `docs/autodiscovery.md` shows where the two
    /// differ, and why.
    "synapse.well_known_client" at P: "clients find the homeserver by the server name"
    causes ["well-known-client-missing", "well-known-client-wrong", "cors-blocked"]
    timeout 40
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let known = cx.fact(WellKnownClient).await?;
    let base = match judge(&known) {
        Ok(base) => base,
        Err(finding) => return Ok(finding.into()),
    };
    if let Some(finding) = identity_silent(cx, &known).await {
        return Ok(finding.into());
    }
    let homeserver = cx.fact(Homeserver).await?;
    let line = known.exchange.last().line();
    if same_base(&base, &homeserver.base) {
        cx.fact(Versions).await?;
        let summary = format!("it leads to {}", bare(&base));
        return Ok(Finding::pass(summary).evidence(EvidenceKind::Request, line).into());
    }
    let other = match ask::get(cx, below(&base, "/_matrix/client/versions")).await {
        Ok(exchange) => read_versions(exchange).map(drop),
        Err(by) => Err(*by.finding),
    };
    let finding = compare(&base, &homeserver.base, homeserver.found, other);
    Ok(finding.evidence(EvidenceKind::Request, line).into())
}

/// The base URL, if clients of all kinds can get it.
fn judge(known: &ClientWellKnown) -> Result<Url, Finding> {
    let answer = known.exchange.last();
    let base = known.base_url().map_err(|trouble| {
        broken(&trouble).expected("200 with a JSON object that names the homeserver").actual(
            match &trouble {
                WellKnownTrouble::InvalidBaseUrl(text) => format!("base_url is `{text}`"),
                _ => gist(answer),
            },
        )
    });
    let lines =
        known.exchange.hops.iter().map(|hop| Evidence::new(EvidenceKind::Request, hop.line()));
    let base = base.and_then(|base| agrees_with_browsers(known, base));
    base.map_err(|finding| finding.evidences(lines))
}

fn agrees_with_browsers(known: &ClientWellKnown, base: Url) -> Result<Url, Finding> {
    if base.scheme() != "https" {
        return Err(Finding::fail(
            "well-known-client-wrong",
            "Invalid base_url for m.homeserver: it is not https, and browsers refuse to go there \
             from a page that is",
        )
        .expected("an https URL")
        .actual(base.to_string()));
    }
    if let Some(identity) = identity(known)
        && identity.get("base_url").and_then(Value::as_str).and_then(web_url).is_none()
    {
        return Err(Finding::fail(
            "well-known-client-wrong",
            "Invalid base_url for m.identity_server: clients ask the user what to do",
        )
        .expected("an https URL, or no m.identity_server")
        .actual(identity.to_string()));
    }
    for hop in &known.exchange.hops {
        allowed_origin(&hop.headers, None).map_err(|why| {
            Finding::fail("cors-blocked", format!("web clients may not read the file: {why}"))
                .expected("Access-Control-Allow-Origin: *")
                .actual(format!("{}: {why}", hop.url))
                .remedy(format!(
                    "add `Access-Control-Allow-Origin: *` to what answers {}, on redirects too",
                    hop.url
                ))
        })?;
    }
    Ok(base)
}

/// What the file says of an identity server; `null` is something that clients stumble over.
fn identity(known: &ClientWellKnown) -> Option<&Value> {
    known.document.as_ref().ok()?.get("m.identity_server")
}

/// The finding where the identity server that is named does not answer as one.
async fn identity_silent(cx: &Cx, known: &ClientWellKnown) -> Option<Finding> {
    let base = web_url(identity(known)?.get("base_url")?.as_str()?)?;
    let url = below(&base, "/_matrix/identity/v2");
    let trouble = match ask::get(cx, url.clone()).await {
        Ok(exchange) => {
            let answer = exchange.last();
            let json = serde_json::from_slice::<Value>(&answer.body).is_ok();
            (!json || answer.status.as_u16() != 200).then(|| gist(answer))
        }
        Err(by) if by.finding.outcome == Outcome::Error => {
            let why = &by.finding.summary;
            return Some(Finding::error(format!("the identity server could not be asked: {why}")));
        }
        Err(by) => Some(by.finding.summary.clone()),
    };
    let trouble = trouble?;
    let base = bare(&base);
    let finding = Finding::fail(
        "well-known-client-wrong",
        format!(
            "Identity server URL does not appear to be a valid identity server: {base}, which \
             m.identity_server names, does not answer as one"
        ),
    )
    .expected(format!("200 with a JSON object at {url}"))
    .actual(trouble)
    .remedy("remove `m.identity_server` from the file, or correct its base_url: few need one");
    Some(finding)
}

fn broken(trouble: &WellKnownTrouble) -> Finding {
    use WellKnownTrouble::{
        Html, InvalidBaseUrl, Missing, NoBaseUrl, NoHomeserver, NotJson, NotObject, Redirects,
        Status,
    };
    let (cause, summary) = match trouble {
        Missing => ("well-known-client-missing", "No .well-known JSON file found: 404".to_owned()),
        Status(status) => (
            "well-known-client-missing",
            format!("Invalid homeserver discovery response: {status}"),
        ),
        Redirects(why) => (
            "well-known-client-missing",
            format!("Invalid homeserver discovery response: its redirects lead nowhere, {why}"),
        ),
        Html => (
            "well-known-client-wrong",
            "Invalid JSON: a web page answers where the file belongs".to_owned(),
        ),
        NotJson(why) => ("well-known-client-wrong", format!("Invalid JSON: {why}")),
        NotObject => ("well-known-client-wrong", "Invalid JSON: not an object".to_owned()),
        NoHomeserver => (
            "well-known-client-wrong",
            "Invalid homeserver discovery response: no m.homeserver".to_owned(),
        ),
        NoBaseUrl => (
            "well-known-client-wrong",
            "Invalid base_url for m.homeserver: there is none".to_owned(),
        ),
        InvalidBaseUrl(text) => (
            "well-known-client-wrong",
            format!("Invalid base_url for m.homeserver: `{text}` is not an http or https URL"),
        ),
    };
    Finding::fail(cause, summary)
}

/// What to make of a base URL that is not the one that is checked otherwise.
fn compare(base: &Url, checked: &Url, found: Found, other: Result<(), Finding>) -> Finding {
    let (base, checked) = (bare(base), bare(checked));
    match other {
        Ok(()) => Finding::pass(format!(
            "it leads to {base}, where a homeserver answers; checked is {checked} ({found})"
        )),
        Err(why) if why.outcome == Outcome::Error => {
            Finding::error(format!("it leads to {base}, which could not be asked: {}", why.summary))
        }
        Err(why) => Finding::fail(
            "well-known-client-wrong",
            format!("it leads to {base}, where no homeserver answers"),
        )
        .expected(checked)
        .actual(format!("{base}: {}", why.summary)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mxdoctor_probes::http::Exchange;

    use super::*;
    use crate::facts::tests::answer;

    fn known(headers: &[(&'static str, &str)], json: Value) -> ClientWellKnown {
        let hops = vec![answer(200, headers, &json.to_string())];
        let Value::Object(document) = json else { panic!("an object") };
        let exchange = Arc::new(Exchange { hops, redirect_trouble: None });
        ClientWellKnown { exchange, document: Ok(document) }
    }

    const CORS: &[(&str, &str)] = &[("access-control-allow-origin", "*")];

    #[test]
    fn a_right_file_is_right() {
        let json = serde_json::json!({"m.homeserver": {"base_url": "https://matrix.example.org"}});
        assert_eq!(
            judge(&known(CORS, json.clone())).expect("a URL").host_str(),
            Some("matrix.example.org")
        );
        let cause = judge(&known(&[], json)).expect_err("a finding").cause;
        assert_eq!(cause, Some("cors-blocked"));
    }

    #[test]
    fn wrong_urls_are_named_as_clients_name_them() {
        for (json, start) in [
            (serde_json::json!({}), "Invalid homeserver discovery response"),
            (serde_json::json!({"m.homeserver": {}}), "Invalid base_url for m.homeserver"),
            (
                serde_json::json!({"m.homeserver": {"base_url": "x"}}),
                "Invalid base_url for m.homeserver",
            ),
            (
                serde_json::json!({"m.homeserver": {"base_url": "http://x.example"}}),
                "Invalid base_url for m.homeserver",
            ),
            (
                serde_json::json!({
                    "m.homeserver": {"base_url": "https://x.example"},
                    "m.identity_server": {},
                }),
                "Invalid base_url for m.identity_server",
            ),
        ] {
            let finding = judge(&known(CORS, json)).expect_err("a finding");
            assert_eq!(finding.cause, Some("well-known-client-wrong"));
            assert!(finding.summary.starts_with(start), "{}", finding.summary);
        }
        assert_eq!(broken(&WellKnownTrouble::Missing).cause, Some("well-known-client-missing"));
    }

    #[test]
    fn another_address_is_only_wrong_where_nothing_answers() {
        let url = |text: &str| text.parse::<Url>().expect("a URL");
        let (one, two) = (url("https://a.example"), url("https://b.example"));
        let judged = |other| compare(&one, &two, Found::Configured, other).outcome;
        assert_eq!(judged(Ok(())), Outcome::Pass);
        assert_eq!(judged(Err(Finding::error("ours"))), Outcome::Error);
        assert_eq!(judged(Err(Finding::fail("x", "theirs"))), Outcome::Fail);
    }
}
