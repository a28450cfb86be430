//! Whose Jitsi Element's calls are held on.

use crate::lint::{Change, Found, Stack};
use crate::rule;

rule! {
    /// In config.json the key is `preferred_domain`, a bare host name. The spelling
    /// `preferredDomain` belongs to the well-known file; here Element passes over it, and calls are
    /// held on `meet.element.io`.
    ///
    /// Source: Element Web, `docs/jitsi.md`, `src/SdkConfig.ts`.
    DOMAIN = "ELE-06" Warning: "Element's calls are held on this stack's Jitsi"
    breaks "every call is held on somebody else's server, and nobody notices"
    remedy "write \"jitsi\": {\"preferred_domain\": \"HOST\"}, without a scheme"
    cause "element-jitsi-key-ignored"
    check "kubernetes.configmaps"
    look domain
}

/// Whether a document for clients, or Synapse's own, names a Jitsi.
fn is_well_known(stack: &Stack<'_>) -> bool {
    let maps = stack.inventory.of_kind("ConfigMap").flat_map(|map| map.node.map("data"));
    let mut texts = maps.filter_map(|entry| entry.node.as_str());
    texts.any(|text| text.contains("im.vector.riot.jitsi") || text.contains("io.element.jitsi"))
}

fn domain(stack: &Stack<'_>, found: &mut Found) {
    let web = stack.jitsi.web.map(|part| stack.routes_to(&part.workload));
    let hosts: Vec<&str> = web.iter().flatten().filter_map(|route| route.host).collect();
    for file in stack.element.iter().filter_map(|element| element.configuration.as_ref()) {
        if file.error.is_some() {
            continue;
        }
        let jitsi = file.node.get("jitsi");
        if let Some(entry) = jitsi.and_then(|jitsi| jitsi.entry("preferredDomain"))
            && jitsi.is_none_or(|jitsi| jitsi.get("preferred_domain").is_none())
        {
            let message = "Element does not read preferredDomain here: the key is preferred_domain";
            let problem = found.place(file.object, entry.place.clone(), message);
            if entry.place.field.is_none() && file.text.place.line > 0 {
                let with = "\"preferred_domain\"".to_owned();
                let change = Change::Replace { place: entry.place.clone(), with };
                problem.fix("call the key preferred_domain", vec![change]);
            }
            continue;
        }
        match jitsi.and_then(|jitsi| jitsi.get("preferred_domain")) {
            Some(node) => {
                let Some(text) = node.as_str() else { continue };
                let may = stack.jitsi.web.is_none_or(|part| {
                    stack.has_other_ways(&part.workload)
                        || web.iter().flatten().any(|route| route.takes(text))
                });
                if text.contains("://") || text.contains('/') {
                    let message =
                        format!("preferred_domain is {text}, and must be a bare host name");
                    found.at(file.object, node, message);
                } else if !hosts.is_empty() && !may {
                    let message =
                        format!("preferred_domain is {text}, and Jitsi is at {}", hosts.join(", "));
                    found.at(file.object, node, message);
                }
            }
            // The well-known document goes before this key.
            None if !hosts.is_empty() && !is_well_known(stack) => {
                let message = format!("calls are held on meet.element.io, and not on {}", hosts[0]);
                found.at(file.object, &file.node, message);
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{element, found};

    #[test]
    fn a_key_that_element_does_not_read_is_found() {
        let text =
            element("{\n  \"jitsi\": {\n    \"preferredDomain\": \"meet.a.example\"\n  }\n}");
        let expected =
            "9:9 Element does not read preferredDomain here: the key is preferred_domain";
        assert_eq!(found("ELE-06", &text), [expected]);
        let text = element("{\"jitsi\": {\"preferred_domain\": \"https://meet.a.example\"}}");
        assert_eq!(found("ELE-06", &text).len(), 1);
        let text = element("{\"jitsi\": {\"preferred_domain\": \"meet.a.example\"}}");
        assert_eq!(found("ELE-06", &text), [""; 0]);
        assert_eq!(found("ELE-06", &element("{}")), [""; 0]);
    }

    #[test]
    fn the_well_known_document_may_name_it() {
        let text = element("{}")
            + "---\n"
            + &crate::lint::testing::jitsi("web", "TZ: UTC", "hostNetwork: false")
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: w}\nspec: {selector: {app: web}, \
               ports: [{port: 80}]}\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: \
               {name: w}\nspec: {rules: [{host: meet.a.example, http: {paths: [{path: /, backend: \
               {service: {name: w, port: {number: 80}}}}]}}]}\n";
        assert_eq!(found("ELE-06", &text).len(), 1);
        let named = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {client: \
                     '{\"im.vector.riot.jitsi\": {}}'}\n";
        assert_eq!(found("ELE-06", &(text + named)), [""; 0]);
    }
}
