//! `element.server_name`.

use mxdoctor_model::Finding;

use crate::facts::{ElementConfig, ElementSettings};
use crate::{Cx, Verdict, check};

check! {
    /// Element names the right server.
    ///
    /// ## What it asserts
    /// `server_name` (or `default_server_name`) in Element's configuration is the homeserver's
    /// server name, the part of user ids after the colon.
    ///
    /// ## Why it matters
    /// It is what people read on the login page and complete their user ids with. Where only
    /// `default_server_name` is given, Element even finds the homeserver by it.
    ///
    /// ## What makes it fail
    /// Another name; most often the homeserver's host (`matrix.testing.borooka.ee`) where the
    /// server name (`testing.borooka.ee`) belongs. If none is given it is a skip: Element shows the
    /// host.
    ///
    /// ## How to fix it
    /// Set `"server_name": "testing.borooka.ee"` beside `base_url` in ConfigMap `element-config`,
    /// `apps/base/matrix/config/element-config.yaml`.
    ///
    /// ## Where it comes from
    /// Element Web's `docs/config.md`, "Homeserver configuration".
    "element.server_name" at P: "Element names the homeserver's server name"
    causes ["element-server-name-wrong"]
    timeout 60
}

async fn run(cx: &Cx) -> Verdict {
    let config = cx.fact(ElementConfig).await?;
    Ok(judge(&config, &cx.target().server_name).into())
}

fn judge(config: &ElementSettings, ours: &str) -> Finding {
    let Some(name) = config.server_name() else {
        return Finding::skip("Element's configuration names no server name; it shows the host");
    };
    if name == ours {
        return Finding::pass(format!("Element names {name}"));
    }
    let host = config.homeserver().and_then(|base| base.host_str().map(str::to_owned));
    let summary = if host.as_deref() == Some(name) {
        format!("Element names the homeserver's host {name} where the server name {ours} belongs")
    } else {
        format!("Element names {name}, and the server name is {ours}")
    };
    Finding::fail("element-server-name-wrong", summary).expected(ours).actual(name).remedy(format!(
        "set the server name to `{ours}` in {}",
        config.url.path().trim_start_matches('/')
    ))
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;
    use serde_json::json;

    use super::*;
    use crate::facts::tests::settings;

    #[test]
    fn only_the_servers_own_name_will_do() {
        let judged = |name: &str| {
            let homeserver = json!({"base_url": "https://matrix.example.org", "server_name": name});
            judge(
                &settings(json!({"default_server_config": {"m.homeserver": homeserver}})),
                "example.org",
            )
        };
        assert_eq!(judged("example.org").outcome, Outcome::Pass);
        assert_eq!(judged("example.net").cause, Some("element-server-name-wrong"));
        assert!(judged("matrix.example.org").summary.contains("where the server name"));
        assert_eq!(judge(&settings(json!({})), "example.org").outcome, Outcome::Skip);
    }
}
