//! `element.config`.

use mxdoctor_model::{EvidenceKind, Finding};
use serde_json::Value;

use crate::facts::{ElementConfig, ElementSettings};
use crate::{Cx, Verdict, check};

check! {
    /// Element's configuration can be read, and Element can start with it.
    ///
    /// ## What it asserts
    /// `config.<host>.json`, or where that is missing or empty `config.json`, is a JSON object,
    /// names a homeserver in one way and not in two that exclude each other.
    ///
    /// ## Why it matters
    /// Element reads nothing else. With a file that is not JSON it says "Your Element configuration
    /// contains invalid JSON"; without a homeserver, or with old and new keys mixed, "Your Element
    /// is misconfigured".
    ///
    /// ## What makes it fail
    /// A comma after the last entry, a missing file, a fallback that answers every path with the
    /// index page, or `default_hs_url` together with `default_server_config` or
    /// `default_server_name`. The host's own file replaces the common one as a whole; nothing is
    /// merged. That it is missing is normal.
    ///
    /// ## How to fix it
    /// Correct ConfigMap `element-config` in `apps/base/matrix/config/element-config.yaml`, and
    /// restart: `kubectl -n app-matrix rollout restart deploy/element` (a file mounted by `subPath`
    /// is not renewed by itself).
    ///
    /// ## Where it comes from
    /// Element Web's `docs/config.md`; its start-up code for the order of files and the errors.
    "element.config" at PI: "Element's configuration is valid JSON and complete"
    causes ["element-config-missing", "element-config-invalid"]
    timeout 60
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let config = cx.fact(ElementConfig).await?;
    Ok(judge(&config).evidence(EvidenceKind::Request, config.exchange.last().line()).into())
}

fn judge(config: &ElementSettings) -> Finding {
    let has = |key: &str| config.json.get(key).is_some_and(|value| !value.is_null());
    let file = config.url.path().rsplit('/').next().unwrap_or_default();
    let new: Vec<&str> = ["default_server_config", "default_server_name"]
        .into_iter()
        .filter(|key| has(key))
        .collect();
    let old = has("default_hs_url");
    if new.is_empty() && !old {
        return Finding::fail(
            "element-config-invalid",
            format!("{file} names no homeserver: Your Element is misconfigured"),
        )
        .expected("default_server_config")
        .actual(format!("keys {}", keys(config)));
    }
    if old && !new.is_empty() {
        return Finding::fail(
            "element-config-invalid",
            format!("{file} mixes old and new keys for the homeserver, which Element refuses"),
        )
        .expected("default_server_config alone")
        .actual(format!("default_hs_url and {}", new.join(" and ")))
        .remedy(format!("remove `default_hs_url` and `default_is_url` from {file}"));
    }
    Finding::pass(format!("{file} is valid and names a homeserver"))
}

fn keys(config: &ElementSettings) -> String {
    let keys: Vec<&str> =
        config.json.iter().filter(|(_, v)| **v != Value::Null).map(|(k, _)| k.as_str()).collect();
    if keys.is_empty() { "none".into() } else { keys.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::tests::settings;

    #[test]
    fn a_homeserver_is_named_in_one_way() {
        let cause = |json| judge(&settings(json)).cause;
        assert_eq!(cause(json!({"default_server_config": {}})), None);
        assert_eq!(cause(json!({"default_server_config": {}, "default_server_name": "x"})), None);
        assert_eq!(cause(json!({"default_hs_url": "https://x"})), None);
        assert_eq!(cause(json!({"brand": "x"})), Some("element-config-invalid"));
        let mixed = json!({"default_hs_url": "https://x", "default_server_name": "x"});
        assert_eq!(cause(mixed), Some("element-config-invalid"));
    }
}
