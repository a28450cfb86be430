//! Which homeserver Element leads to.

use mxdoctor_probes::manifest::Node;

use crate::lint::view::Payload;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Element's page comes over https; a browser lets it speak to https only, and people outside
    /// reach public names only.
    ///
    /// Source: Element Web, `docs/config.md`; W3C, "Mixed Content".
    BASE_URL = "ELE-03" Error: "Element leads to Synapse's public address"
    breaks "nobody can log in: \"can't connect to homeserver\""
    remedy "use the https address by which a public route leads to Synapse"
    cause "element-base-url-wrong"
    check "kubernetes.routes"
    look base_url
}

rule! {
    /// Element shows the server name at the login and makes user ids with it.
    ///
    /// Source: Element Web, `docs/config.md`.
    SERVER_NAME = "ELE-04" Warning: "Element knows Synapse's server name"
    breaks "the login names another server than people belong to"
    remedy "use Synapse's server_name"
    cause "element-server-name-wrong"
    check "kubernetes.configmaps"
    look server_name
}

rule! {
    /// The old key `default_hs_url` and the other two exclude each other. `default_server_name` may
    /// stand beside `default_server_config`: then the name is looked up, and the other taken where
    /// that fails.
    ///
    /// Source: Element Web, `src/vector/app.tsx`, `invalid_configuration_mixed_server`;
    /// `docs/config.md`, `default_server_name`.
    TWICE = "ELE-05" Warning: "Element is told its homeserver in one way"
    breaks "Element shows an error in place of the login"
    remedy "keep default_server_config alone"
    cause "element-config-fatal"
    check "kubernetes.configmaps"
    look twice
}

rule! {
    /// Media of strangers on Element's own host could act in its name.
    ///
    /// Source: Element Web, README, "Important Security Notes".
    SHARED_HOST = "ELE-09" Warning: "Element has a host of its own"
    breaks "a hole in what Synapse serves becomes one in everybody's session"
    remedy "give Element a host name that Synapse does not have"
    cause "element-shares-origin"
    check "kubernetes.routes"
    look shared_host
}

const BASE: [&str; 3] = ["default_server_config", "m.homeserver", "base_url"];

/// The value at a path of keys, of which some hold a dot.
fn at<'a>(file: &'a Payload<'_>, path: [&str; 3]) -> Option<&'a Node> {
    path.iter().try_fold(&file.node, |node, key| node.get(key))
}

fn host(url: &str) -> &str {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    after.split(['/', ':']).next().unwrap_or_default()
}

/// The names by which routes lead to Synapse.
fn synapse_hosts<'a>(stack: &Stack<'a>) -> Vec<&'a str> {
    let workloads = stack.synapse.iter().filter_map(|synapse| synapse.workload);
    let hosts = workloads.flat_map(|(workload, _)| {
        let routes = stack.routes_to(&workload);
        routes.iter().filter_map(|route| route.host).collect::<Vec<_>>()
    });
    hosts.collect()
}

fn base_url(stack: &Stack<'_>, found: &mut Found) {
    let hosts = synapse_hosts(stack);
    let workloads = || stack.synapse.iter().filter_map(|synapse| synapse.workload);
    let may = |host: &str| {
        workloads().any(|(workload, _)| {
            stack.has_other_ways(&workload)
                || stack.routes_to(&workload).iter().any(|route| route.takes(host))
        })
    };
    for file in stack.element.iter().filter_map(|element| element.configuration.as_ref()) {
        let Some(node) = at(file, BASE) else { continue };
        let Some(text) = node.as_str().filter(|text| !text.contains("${")) else { continue };
        let wrong = if text.starts_with("http://") {
            "is plain http, which a page over https may not ask".to_owned()
        } else if !hosts.is_empty()
            && !may(host(text))
            && !stack.is_lost(host(text))
            && is_for_ours(stack, file)
        {
            format!("is no name that leads to Synapse here: {}", hosts.join(", "))
        } else {
            continue;
        };
        found.at(file.object, node, format!("base_url {text} {wrong}"));
    }
}

/// Whether Element is for a Synapse of this tree, by the server name that it says.
fn is_for_ours(stack: &Stack<'_>, file: &Payload<'_>) -> bool {
    let said = at(file, ["default_server_config", "m.homeserver", "server_name"]);
    let Some(said) = said.and_then(Node::as_str) else { return true };
    let mut names = stack.synapse.iter().filter_map(|it| it.option("server_name"));
    names.any(|(_, node)| node.as_str().is_none_or(|name| name == said))
}

fn server_name(stack: &Stack<'_>, found: &mut Found) {
    let names: Vec<_> = stack.synapse.iter().filter_map(|it| it.option("server_name")).collect();
    let [(synapse, wanted)] = names[..] else { return };
    let Some(name) = wanted.as_str().filter(|name| !name.contains("${")) else { return };
    for file in stack.element.iter().filter_map(|element| element.configuration.as_ref()) {
        let path = ["default_server_config", "m.homeserver", "server_name"];
        let Some(node) = at(file, path) else { continue };
        if let Some(said) = node.as_str().filter(|said| *said != name) {
            let message = format!("Element says {said}, and Synapse's server_name is {name}");
            found
                .at(file.object, node, message)
                .also_place(&wanted.place, format!("in {}", synapse.key));
        }
    }
}

fn twice(stack: &Stack<'_>, found: &mut Found) {
    for file in stack.element.iter().filter_map(|element| element.configuration.as_ref()) {
        let Some(node) = file.node.get("default_hs_url") else { continue };
        let others = ["default_server_config", "default_server_name"];
        if let Some(other) = others.iter().find(|key| file.node.get(key).is_some()) {
            found.at(file.object, node, format!("default_hs_url stands beside {other}"));
        }
    }
}

fn shared_host(stack: &Stack<'_>, found: &mut Found) {
    let hosts = synapse_hosts(stack);
    for (workload, _) in stack.element.iter().filter_map(|element| element.workload) {
        for route in stack.routes_to(&workload) {
            if let Some(host) = route.host.filter(|host| hosts.contains(host)) {
                let message = format!("{host} leads to Element and to Synapse");
                found.place(route.object, route.place.clone(), message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{element, found, synapse};

    const ROUTE: &str = "---\napiVersion: v1\nkind: Service\nmetadata: {name: synapse}\nspec:\n  \
                         selector: {app: synapse}\n  ports: [{port: 8008}]\n---\napiVersion: \
                         networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\nmetadata: \
                         {name: t}\nsubjects:\n- name: synapse\n  spec: {fqdn: matrix.a.example}\n";

    fn with(base: &str, name: &str) -> String {
        let config = format!(
            "{{\n  \"default_server_config\": {{\n    \"m.homeserver\": {{\n      \"base_url\": \
             \"{base}\",\n      \"server_name\": \"{name}\"\n    }}\n  }}\n}}"
        );
        element(&config) + "---\n" + &synapse("server_name: a.example") + ROUTE
    }

    #[test]
    fn a_homeserver_as_the_reference_has_it_is_right() {
        let text = with("https://matrix.a.example", "a.example");
        for rule in ["ELE-01", "ELE-02", "ELE-03", "ELE-04", "ELE-05", "ELE-09"] {
            assert_eq!(found(rule, &text), [""; 0], "{rule}");
        }
    }

    #[test]
    fn each_mistake_is_found_in_the_json() {
        let expected = "10:23 base_url http://matrix.a.example is plain http, which a page over \
                        https may not ask";
        assert_eq!(found("ELE-03", &with("http://matrix.a.example", "a.example")), [expected]);
        assert_eq!(found("ELE-03", &with("https://matrix.cluster.arpa", "a.example")).len(), 1);
        let expected =
            "11:26 Element says matrix.a.example, and Synapse's server_name is a.example";
        let text = with("https://matrix.a.example", "matrix.a.example");
        assert_eq!(found("ELE-04", &text), [expected]);
        let both = element("{\"default_server_config\": {}, \"default_hs_url\": \"https://a\"}");
        assert_eq!(found("ELE-05", &both).len(), 1);
        let broken = element("{\n  \"brand\": \"x\",\n}");
        assert_eq!(found("ELE-01", &broken), ["9:5 config.json is no JSON: trailing comma"]);
        let other = element("{}").replace("config.json: |", "element.json: |");
        let message = &found("ELE-02", &other)[0];
        let expected = "ConfigMap element-config has no key config.json; it has element.json";
        assert!(message.ends_with(expected), "{message}");
    }

    #[test]
    fn the_name_may_stand_beside_the_configuration() {
        let both = element("{\"default_server_config\": {}, \"default_server_name\": \"a\"}");
        assert_eq!(found("ELE-05", &both), [""; 0]);
        let old = both.replace("default_server_config", "default_hs_url");
        assert_eq!(found("ELE-05", &old).len(), 1);
    }

    #[test]
    fn a_homeserver_may_be_reached_otherwise_or_be_another() {
        let other = with("https://chat.a.example", "a.example");
        assert_eq!(found("ELE-03", &other).len(), 1);
        let star = other.replace("fqdn: matrix.a.example", "fqdn: '*.a.example'");
        assert_eq!(found("ELE-03", &star), [""; 0]);
        assert_eq!(found("ELE-03", &with("https://b.example", "b.example")), [""; 0]);
    }
}
