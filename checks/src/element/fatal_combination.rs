//! `element.fatal_combination`.

use mxdoctor_model::{EvidenceKind, Finding};
use serde_json::{Map, Value};

use crate::facts::ElementConfig;
use crate::{Cx, Verdict, check};

check! {
    /// Element's configuration is none that it refuses to start with.
    ///
    /// ## What it asserts
    /// `config.json` says in one way which homeserver is the default: by `default_server_config`,
    /// by `default_server_name`, by both of these, or by the old `default_hs_url` alone; each of
    /// the type that Element reads.
    ///
    /// ## Why it matters
    /// Whoever has no session yet sees "Your Element is misconfigured" and nothing else. Who is
    /// logged in sees no difference, so the operator often does not.
    ///
    /// ## What makes it fail
    /// `default_hs_url` beside one of the others ("mixed"), none of the three ("no default
    /// server"), or one that is not of its type. `default_hs_url` alone is a warning: it works and
    /// is deprecated.
    ///
    /// ## How to fix it
    /// Keep `default_server_config` in ConfigMap `element-config` and remove `default_hs_url`,
    /// `default_is_url` and, unless it is wanted, `default_server_name`.
    ///
    /// ## Where it comes from
    /// Element Web's `docs/config.md`, "Homeserver configuration", and `src/vector/app.tsx`.
    "element.fatal_combination" at PI: "the configuration is none that Element refuses"
    causes ["element-config-fatal"]
    timeout 60
}

async fn run(cx: &Cx) -> Verdict {
    let config = cx.fact(ElementConfig).await?;
    let finding = judge(&config.json);
    Ok(finding.evidence(EvidenceKind::Request, config.exchange.last().line()).into())
}

const CONFIG: &str = "default_server_config";
const NAME: &str = "default_server_name";
const URL: &str = "default_hs_url";

fn judge(config: &Map<String, Value>) -> Finding {
    let fatal = |summary: String, actual: String| {
        Finding::fail("element-config-fatal", summary)
            .expected("default_server_config, and nothing beside it but default_server_name")
            .actual(actual)
    };
    let there: Vec<&str> = [CONFIG, NAME, URL]
        .into_iter()
        .filter(|key| config.get(*key).is_some_and(is_something))
        .collect();
    let ill = |key: &&str| !right_type(key, &config[*key]);
    if let Some(key) = there.iter().copied().find(|key| ill(key)) {
        let wanted = if key == CONFIG { "an object" } else { "a text" };
        return fatal(
            format!("Element does not start: {key} in its configuration is not {wanted}"),
            format!("{key}: {}", kind(&config[key])),
        );
    }
    match there.as_slice() {
        [] => fatal(
            "Element does not start: its configuration names no default homeserver".into(),
            format!("none of {CONFIG}, {NAME} and {URL}"),
        ),
        [URL] => Finding::warn(
            "element-config-fatal",
            "Element's configuration names the homeserver by the deprecated default_hs_url",
        )
        .expected(CONFIG)
        .actual(URL),
        keys if keys.contains(&URL) => fatal(
            "Element does not start: its configuration names the homeserver in two ways that do \
             not go together"
                .into(),
            keys.join(" and "),
        ),
        keys => Finding::pass(format!("the homeserver is named by {}", keys.join(" and "))),
    }
}

/// What JavaScript takes for true: Element asks no more of it.
fn is_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => true,
    }
}

fn right_type(key: &str, value: &Value) -> bool {
    if key == CONFIG { value.is_object() } else { value.is_string() }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;
    use serde_json::json;

    use super::*;

    fn judged(config: Value) -> Outcome {
        let Value::Object(config) = config else { panic!("an object") };
        let finding = judge(&config);
        assert_eq!(finding.cause.is_some(), finding.outcome != Outcome::Pass);
        finding.outcome
    }

    #[test]
    fn what_element_starts_with_passes() {
        let full = json!({"m.homeserver": {"base_url": "https://matrix.example.org"}});
        assert_eq!(judged(json!({"default_server_config": full})), Outcome::Pass);
        assert_eq!(judged(json!({"default_server_name": "example.org"})), Outcome::Pass);
        let both = json!({"default_server_config": full, "default_server_name": "example.org"});
        assert_eq!(judged(both), Outcome::Pass);
        let empty = json!({"default_server_config": full, "default_hs_url": ""});
        assert_eq!(judged(empty), Outcome::Pass);
        let old = json!({"default_hs_url": "https://matrix.example.org"});
        assert_eq!(judged(old), Outcome::Warn);
    }

    #[test]
    fn what_element_refuses_fails() {
        let url = "https://matrix.example.org";
        for config in [
            json!({}),
            json!({"default_server_config": null, "brand": "x"}),
            json!({"default_server_config": {}, "default_hs_url": url}),
            json!({"default_server_name": "example.org", "default_hs_url": url}),
            json!({"default_server_config": "https://matrix.example.org"}),
            json!({"default_server_name": ["example.org"]}),
        ] {
            assert_eq!(judged(config.clone()), Outcome::Fail, "{config}");
        }
    }
}
