//! ConfigMaps that variables come from.

use mxdoctor_probes::manifest::{Node, Object, Origin};

use super::super::secrets::near::is_near;
use super::super::secrets::others::may_be_made;
use super::super::secrets::unseal::is_rendered;
use super::own::{own, shares};
use crate::lint::{Change, Found, Problem, Stack};
use crate::rule;

rule! {
    /// `envFrom` and `configMapKeyRef` name a ConfigMap, and a key, by their exact spelling. A
    /// container whose variables cannot be found is not started; pods that run already keep serving
    /// until something ends them.
    ///
    /// Somebody may also make a ConfigMap by hand. So in files it is said only where variables of
    /// the same workloads come from other ConfigMaps of the tree, and no chart or operator may make
    /// the one that is named; or where its name is nearly that of another. Keys that are no names
    /// of variables are not looked at: since 1.34 the kubelet takes them as they are.
    ///
    /// Source: Kubernetes, "Configure a Pod to Use a ConfigMap".
    NOT_THERE = "WL-14" Error: "the ConfigMaps that variables come from are there"
    breaks "the pod does not start: CreateContainerConfigError, configmap not found"
    remedy "use the name and the key of a ConfigMap that is made, or add it"
    cause "configmap-missing"
    check "kubernetes.configmaps"
    look not_there
}

/// Where a container names a ConfigMap.
struct Reference<'a> {
    object: &'a Object,
    name: &'a Node,
    key: Option<&'a Node>,
}

fn references<'a>(stack: &Stack<'a>) -> Vec<Reference<'a>> {
    let mut all = Vec::new();
    for workload in own(stack) {
        let mut add = |node: &'a Node, key: Option<&'a Node>| {
            let must = node.bool("optional") != Some(true);
            let name = node.get("name").filter(|_| must);
            all.extend(name.map(|name| Reference { object: workload.object, name, key }));
        };
        for container in workload.containers() {
            for from in container.node.list("envFrom") {
                from.get("configMapRef").into_iter().for_each(|node| add(node, None));
            }
            for item in container.node.list("env") {
                let node = item.at("valueFrom.configMapKeyRef");
                node.into_iter().for_each(|node| add(node, node.get("key")));
            }
        }
    }
    all
}

fn not_there(stack: &Stack<'_>, found: &mut Found) {
    let all = references(stack);
    let map = |reference: &Reference<'_>| {
        stack.inventory.beside(reference.object, "ConfigMap", reference.name.as_str()?)
    };
    let made_here = all.iter().any(|reference| map(reference).is_some());
    for reference in &all {
        let Some(name) = reference.name.as_str().filter(|it| !it.contains(['$', '{'])) else {
            continue;
        };
        if let Some(map) = map(reference) {
            no_key(reference, map, found);
            continue;
        }
        let near = near(stack, reference.object, name);
        let live = stack.inventory.origin == Origin::Live;
        let elsewhere =
            is_rendered(reference.object) || may_be_made(stack, name) || name == "kube-root-ca.crt";
        let ours = made_here && !elsewhere;
        if !live && near.is_none() && !ours {
            continue;
        }
        let message = match near {
            Some(map) => format!("there is no ConfigMap {name}; there is {}", map.name()),
            None => format!("there is no ConfigMap {name}"),
        };
        let problem = found.at(reference.object, reference.name, message);
        if let Some(map) = near {
            problem.also_place(map.place(), "the other one");
            offer(problem, reference.name, "ConfigMap", map.name());
        }
    }
}

fn no_key(reference: &Reference<'_>, map: &Object, found: &mut Found) {
    let Some(node) = reference.key else { return };
    let Some(key) = node.scalar() else { return };
    let parts = ["data", "binaryData"].iter();
    let keys: Vec<&str> =
        parts.flat_map(|part| map.node.map(part)).map(|entry| &*entry.key).collect();
    if keys.contains(&key) || key.contains(['$', '{']) {
        return;
    }
    let has = keys.join(", ");
    let message = format!("ConfigMap {} has no key {key}; it has {has}", map.name());
    let problem = found.at(reference.object, node, message);
    problem.also_place(map.place(), "the ConfigMap");
    let near: Vec<_> = keys.iter().filter(|have| is_near(have, key)).collect();
    if let [near] = near[..] {
        offer(problem, node, "key", near);
    }
}

/// The one ConfigMap of the tree whose name is nearly this one.
fn near<'a>(stack: &Stack<'a>, from: &Object, name: &str) -> Option<&'a Object> {
    let maps = stack.inventory.of_kind("ConfigMap");
    let mut near =
        maps.filter(|map| shares(map.namespace(), from.namespace()) && is_near(map.name(), name));
    near.next().filter(|_| near.next().is_none())
}

/// Offers to say another name at a place.
fn offer(problem: &mut Problem, node: &Node, what: &str, name: &str) {
    if node.place.line > 0 {
        let change = Change::Replace { place: node.place.clone(), with: name.to_owned() };
        problem.fix(format!("name the {what} {name}"), vec![change]);
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    fn with(env: &str) -> String {
        jitsi("web", "TZ: UTC", "hostPID: false").replace(
            "        envFrom:",
            &format!("        env:\n        - {env}\n        envFrom:"),
        )
    }

    fn key(reference: &str) -> String {
        with(&format!("{{name: A, valueFrom: {{configMapKeyRef: {{{reference}}}}}}}"))
    }

    #[test]
    fn a_config_map_is_there() {
        assert_eq!(found("WL-14", &key("name: jitsi-config, key: TZ")), [""; 0]);
        let expected = "23:57 there is no ConfigMap place";
        assert_eq!(found("WL-14", &key("name: place, key: TZ")), [expected]);
        let typo = jitsi("web", "TZ: UTC", "hostPID: false")
            .replace("configMapRef: {name: jitsi-config}", "configMapRef: {name: jitsi-configs}");
        let expected = "23:32 there is no ConfigMap jitsi-configs; there is jitsi-config";
        assert_eq!(found("WL-14", &typo), [expected]);
    }

    #[test]
    fn a_key_is_there() {
        let expected = "23:76 ConfigMap jitsi-config has no key ZONE; it has TZ";
        assert_eq!(found("WL-14", &key("name: jitsi-config, key: ZONE")), [expected]);
    }

    #[test]
    fn what_may_come_from_elsewhere_is_left_alone() {
        let only = jitsi("web", "TZ: UTC", "hostPID: false")
            .replace("name: jitsi-config\ndata", "name: other\ndata");
        let bundle = "---\napiVersion: trust.cert-manager.io/v1alpha1\nkind: Bundle\nmetadata: \
                      {name: place}\n";
        for silent in [
            only,
            key("name: place, key: TZ") + bundle,
            key("name: place, key: TZ, optional: true"),
            key("name: kube-root-ca.crt, key: ca.crt"),
            key("name: place, key: TZ")
                .replace("metadata:\n  name: jitsi-web", "metadata:\n  labels: {helm.sh/chart: a}"),
        ] {
            assert_eq!(found("WL-14", &silent), [""; 0], "{silent}");
        }
    }
}
