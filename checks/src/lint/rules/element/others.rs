//! Whom Element asks besides its homeserver.

use mxdoctor_probes::manifest::Node;

use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Addresses in `config.json` by which people's clients ask somebody else: the integration
    /// manager and the identity server of vector.im, maps, reports of errors. Whom they ask learns
    /// who is there and when.
    ///
    /// Source: Element Web, `docs/config.md`.
    THIRD_PARTY = "ELE-11" Info: "Element asks nobody else unless somebody decided so"
    breaks "nothing breaks; others learn of people's sessions more than somebody may have meant"
    remedy "take the key out, or name a server of your own"
    cause "third-party-dependence"
    check "kubernetes.configmaps"
    look_in_files third_party
}

/// Hosts of others that samples of the configuration name.
const OTHERS: &[&str] = &["vector.im", "matrix.org", "maptiler.com", "posthog.com", "sentry.io"];

/// The keys under which an address is asked by itself.
const KEYS: &[&str] = &[
    "integrations_ui_url",
    "integrations_rest_url",
    "integrations_widgets_urls",
    "bug_report_endpoint_url",
    "map_style_url",
    "posthog",
    "sentry",
];

fn third_party(stack: &Stack<'_>, found: &mut Found) {
    for file in stack.element.iter().filter_map(|element| element.configuration.as_ref()) {
        let identity = ["default_server_config", "m.identity_server", "base_url"];
        let identity = identity.iter().try_fold(&file.node, |node, key| node.get(key));
        let named = KEYS.iter().filter_map(|key| Some((*key, file.node.get(key)?)));
        let all = named.chain(identity.map(|node| ("m.identity_server", node)));
        for (key, value) in all {
            let mut first: Option<(&Node, &str)> = None;
            value.scalars(&mut |node| {
                let host = node.as_str().and_then(host).filter(|host| is_of_others(host));
                first = first.or(host.map(|host| (node, host)));
            });
            if let Some((node, host)) = first {
                found.at(file.object, node, format!("{key} asks {host}"));
            }
        }
    }
}

fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', ':', '?']).next()
}

fn is_of_others(host: &str) -> bool {
    OTHERS.iter().any(|other| {
        host.strip_suffix(other).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{element, found};

    #[test]
    fn whom_element_asks_is_said() {
        let text = element(
            "{\n  \"integrations_ui_url\": \"https://scalar.vector.im/\",\n  \
             \"integrations_widgets_urls\": [\"https://scalar.vector.im/_matrix\"],\n  \
             \"default_server_config\": {\"m.identity_server\": {\"base_url\": \
             \"https://vector.im\"}}\n}",
        );
        let expected = [
            "8:30 integrations_ui_url asks scalar.vector.im",
            "9:37 integrations_widgets_urls asks scalar.vector.im",
            "10:67 m.identity_server asks vector.im",
        ];
        assert_eq!(found("ELE-11", &text), expected);
        for good in [
            "{\"integrations_ui_url\": \"https://dimension.a.example/\"}",
            "{\"integrations_ui_url\": \"https://notvector.im/\"}",
            "{\"brand\": \"https://vector.im\"}",
            "{\"integrations_ui_url\": null}",
        ] {
            assert_eq!(found("ELE-11", &element(good)), [""; 0], "{good}");
        }
    }
}
