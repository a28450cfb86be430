//! Variables of a container among themselves.

use std::collections::HashMap;

use mxdoctor_probes::manifest::Node;

use super::own::own;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A name stands twice in one `env` list. The container gets the last of the two, and
    /// `kubectl apply`, which puts lists together by their names, may keep either of them at the
    /// next change. Mostly one was added without a look at the other.
    ///
    /// A variable that overrides one of `envFrom` is meant so, and is not spoken of.
    ///
    /// Source: Kubernetes, `Container.env`: a list by the key `name`.
    TWICE = "WL-13" Warning: "a variable is given once"
    breaks "the program runs with one of the two values, and after an apply perhaps with the other"
    remedy "take one of the two out"
    cause "variable-given-twice"
    check "kubernetes.workloads"
    look twice
}

rule! {
    /// `$(NAME)` in a variable's value is replaced only where NAME stands above it in the list, or
    /// comes from `envFrom`. Where it stands below, the program gets the text `$(NAME)` itself.
    ///
    /// Source: Kubernetes, "Define Dependent Environment Variables".
    LATER = "WL-15" Warning: "a variable that another uses stands above it"
    breaks "the program gets the text $(NAME) in place of the value"
    remedy "move the variable that is used above the one that uses it"
    cause "variable-not-expanded"
    check "kubernetes.workloads"
    look later
}

fn twice(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack) {
        for container in workload.containers() {
            let mut seen: HashMap<&str, &Node> = HashMap::new();
            for node in container.node.list("env").iter().filter_map(|item| item.get("name")) {
                let Some(name) = node.scalar() else { continue };
                if let Some(first) = seen.insert(name, node) {
                    let message = format!("{name} is given for the second time, and the last wins");
                    found.at(workload.object, node, message).also(first, "the first");
                }
            }
        }
    }
}

fn later(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack) {
        for container in workload.containers() {
            // What is given from elsewhere is there before the list.
            if container.env_is_open(stack, &workload) {
                continue;
            }
            let all = container.env(stack, &workload);
            let written = container.node.list("env").iter();
            let items: Vec<&Node> = written.filter(|item| item.str("name").is_some()).collect();
            let from: Vec<&str> =
                all[..all.len().saturating_sub(items.len())].iter().map(|it| &*it.name).collect();
            let names: Vec<&str> =
                items.iter().map(|item| item.str("name").unwrap_or_default()).collect();
            for (index, item) in items.iter().enumerate() {
                let Some(value) = item.get("value") else { continue };
                for name in references(value.as_str().unwrap_or_default()) {
                    let above = names[..index].contains(&name) || from.contains(&name);
                    let below = names[index + 1..].iter().position(|it| *it == name);
                    if let (false, Some(below)) = (above, below) {
                        let message = format!(
                            "$({name}) stays as it is: {name} stands below {}",
                            names[index]
                        );
                        let problem = found.at(workload.object, value, message);
                        problem.also(items[index + 1 + below], format!("{name} stands here"));
                    }
                }
            }
        }
    }
}

/// The names in `$(NAME)` of a value; `$$` stands for a dollar sign.
fn references(value: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else if let Some((name, after)) =
            rest.strip_prefix('(').and_then(|inside| inside.split_once(')'))
        {
            all.push(name);
            rest = after;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::references;
    use crate::lint::testing::{found, jitsi};

    fn with(items: &[(&str, &str)]) -> String {
        let items: String = items
            .iter()
            .map(|(name, value)| format!("        - {{name: {name}, value: '{value}'}}\n"))
            .collect();
        jitsi("web", "TZ: UTC", "hostPID: false")
            .replace("        envFrom:", &format!("        env:\n{items}        envFrom:"))
    }

    #[test]
    fn a_variable_is_given_once() {
        let text = with(&[("A", "1"), ("B", "2"), ("A", "3")]);
        let expected = "25:18 A is given for the second time, and the last wins";
        assert_eq!(found("WL-13", &text), [expected]);
        assert_eq!(found("WL-13", &with(&[("A", "1"), ("TZ", "CET")])), [""; 0]);
    }

    #[test]
    fn what_is_used_stands_above() {
        let text = with(&[("URL", "http://$(HOST)/"), ("HOST", "a")]);
        let expected = "23:30 $(HOST) stays as it is: HOST stands below URL";
        assert_eq!(found("WL-15", &text), [expected]);
        for good in [
            with(&[("HOST", "a"), ("URL", "http://$(HOST)/")]),
            with(&[("URL", "$$(HOST)"), ("HOST", "a")]),
            with(&[("URL", "$(hostname)"), ("HOST", "a")]),
            with(&[("A", "$(TZ)"), ("TZ", "CET")]),
            text.replace("jitsi-config\ndata", "other\ndata"),
        ] {
            assert_eq!(found("WL-15", &good), [""; 0], "{good}");
        }
    }

    #[test]
    fn references_are_read_as_the_kubelet_does() {
        assert_eq!(references("$(A)-$$(B)-$(C)$"), ["A", "C"]);
        assert_eq!(references("$$$(A) $(B"), ["A"]);
    }
}
