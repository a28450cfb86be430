//! Which namespace objects land in, and which one they speak of.

use std::collections::{BTreeMap, HashMap};

use mxdoctor_probes::manifest::{Node, Object, Place, Value, payload};

use super::kinds::namespaced;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// An object without a namespace lands in the one of whoever applies it, which is `default`
    /// unless said otherwise. Where the other objects of the tree say theirs, nothing finds it.
    ///
    /// Silent where most objects say none: then the command that applies them decides for all.
    MISSING = "KUS-03" Error: "an object says its namespace where the others do"
    breaks "it lands in `default`, where the pods that need it do not look"
    remedy "add `namespace:` to its metadata, or to the kustomization for all"
    cause "manifest-in-another-namespace"
    check ""
    look_in_files missing
}

rule! {
    /// A configuration names a Service of this tree by its full name in another namespace. With
    /// an overlay that changes the namespace, as for a staging deployment, the objects move and the
    /// name stays: staging then writes into the database of production.
    ///
    /// The host of Synapse's database is a matter of SYN-20.
    ///
    /// Source: Kustomize's namespace transformer changes fields that it knows, not texts.
    ELSEWHERE = "KUS-04" Warning: "full names of Services name the namespace that they are in"
    breaks "the pod speaks to the Service of another namespace, or to none"
    remedy "use the short name, which is looked up in the pod's own namespace"
    cause "manifest-in-another-namespace"
    check "kubernetes.configmaps"
    look elsewhere
}

rule! {
    /// Two objects of the same kind, name and namespace: Kustomize refuses to build, and
    /// `kubectl apply` makes the second one out of the first.
    ///
    /// One object that a kustomization brings in on two ways is LINT-07, at the line that brings it
    /// in again.
    TWICE = "KUS-09" Error: "no object is there twice"
    breaks "what the first one says is lost, or nothing at all can be built"
    remedy "put them together, or give them different names"
    cause "manifest-broken"
    check ""
    look_in_files twice
}

rule! {
    /// The namespace that the objects are in is not made by the tree. Where nobody has made it by
    /// hand, the first `kubectl apply` fails for every object.
    ///
    /// Silent about what Helm has rendered, which makes the namespace itself, and about a single
    /// workload.
    NOT_MADE = "KUS-14" Info: "the tree makes the namespace that it uses"
    breaks "on a new cluster the first apply fails: the namespace is not found"
    remedy "add a Namespace, or make it beforehand"
    cause "manifest-in-another-namespace"
    check ""
    look_in_files not_made
}

/// The namespace that most objects say, with how many say it, where it is more than half.
fn usual<'a>(stack: &Stack<'a>) -> Option<(&'a str, usize)> {
    let objects = stack.inventory.objects().iter().filter(|object| namespaced(object));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = 0;
    for object in objects {
        all += 1;
        if let Some(namespace) = object.namespace() {
            *counts.entry(namespace).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (most.1 * 2 > all).then_some(most)
}

fn missing(stack: &Stack<'_>, found: &mut Found) {
    let Some((namespace, count)) = usual(stack) else { return };
    for object in stack.inventory.objects() {
        if namespaced(object) && object.namespace().is_none() {
            let message = format!("says no namespace; {count} others are in {namespace}");
            found.on(object, message).remedy(format!("add `namespace: {namespace}`"));
        }
    }
}

fn elsewhere(stack: &Stack<'_>, found: &mut Found) {
    let services = names(stack);
    for object in stack.inventory.objects() {
        let Some(own) = object.namespace() else { continue };
        if !matches!(object.kind(), "ConfigMap" | "Deployment" | "StatefulSet" | "CronJob") {
            continue;
        }
        object.node.scalars(&mut |value| {
            for (name, place) in full_names(value) {
                let mut labels = name.split('.');
                let (Some(service), Some(namespace)) = (labels.next(), labels.next()) else {
                    continue;
                };
                // One that is in both may be meant in either.
                let here = services
                    .get(service)
                    .is_some_and(|there| there.contains(&own) && !there.contains(&namespace));
                if namespace != own && here && !is_database(stack, object, &name) {
                    let message = format!("{name} is not the {service} of this tree, in {own}");
                    let short = format!("write {service}, which is looked up in {own}");
                    found.place(object, place, message).remedy(short);
                }
            }
        });
    }
}

/// Whether it is the host of Synapse's database, which has a rule of its own (SYN-20).
fn is_database(stack: &Stack<'_>, object: &Object, name: &str) -> bool {
    stack
        .synapse
        .iter()
        .filter_map(|it| it.option("database.args.host"))
        .any(|(file, host)| std::ptr::eq(file.object, object) && host.as_str() == Some(name))
}

/// The Services of a tree and those that CloudNativePG makes, with their namespaces.
fn names<'a>(stack: &Stack<'a>) -> HashMap<String, Vec<&'a str>> {
    let mut all: HashMap<String, Vec<&str>> = HashMap::new();
    for object in stack.inventory.objects() {
        let Some(namespace) = object.namespace() else { continue };
        let mut add = |name: String| all.entry(name).or_default().push(namespace);
        match object.kind() {
            "Service" => add(object.name().to_owned()),
            "Cluster" => {
                ["rw", "ro", "r"].iter().for_each(|end| add(format!("{}-{end}", object.name())));
            }
            _ => {}
        }
    }
    all
}

/// The full names of Services (`name.namespace.svc…`) in a text, outside comments.
fn full_names(value: &Node) -> Vec<(String, Place)> {
    let Some(text) = value.as_str() else { return Vec::new() };
    if !text.contains(".svc") {
        return Vec::new();
    }
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let mut all = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let code = super::placeholders::code(line);
        for word in code.split(|c| !of_name(c)) {
            let svc = word.split('.').nth(2) == Some("svc");
            let start = word.as_ptr() as usize - code.as_ptr() as usize;
            let column = code[..start].chars().count() + 1;
            if svc {
                let length = word.len();
                all.push((word.to_owned(), within(value, number, column, length)));
            }
        }
    }
    all
}

/// A stretch of a line of a value: of a block, or of a text on one line.
pub(super) fn within(value: &Node, line: u32, column: usize, length: usize) -> Place {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    match &value.value {
        Value::Text(text) if text.block.is_some() => {
            payload::place(value, line, number(column), number(length))
        }
        _ => value.place.clone(),
    }
}

fn twice(stack: &Stack<'_>, found: &mut Found) {
    let mut seen: HashMap<(&str, &str, &str, &str), &Object> = HashMap::new();
    for object in stack.inventory.objects() {
        let namespace = object.namespace().unwrap_or_default();
        let key = (object.group(), object.kind(), namespace, object.name());
        // Names that the API server makes up are never the same.
        if object.name().is_empty() {
            continue;
        }
        match seen.get(&key) {
            Some(first) => {
                found
                    .on(object, "stands here for the second time")
                    .also_place(first.place(), "the first one");
            }
            None => {
                seen.insert(key, object);
            }
        }
    }
}

fn not_made(stack: &Stack<'_>, found: &mut Found) {
    let Some((namespace, count)) = usual(stack) else { return };
    let by_helm = |object: &Object| {
        object.labels().iter().any(|label| label.key == "helm.sh/chart")
            || object.labels().iter().any(|label| {
                label.key == "app.kubernetes.io/managed-by" && label.node.as_str() == Some("Helm")
            })
    };
    let there = stack.inventory.named("Namespace", namespace).next().is_some();
    let made_by_kubernetes = matches!(namespace, "default" | "kube-system" | "kube-public");
    if there || made_by_kubernetes || stack.workloads.len() < 2 {
        return;
    }
    let objects = stack.inventory.objects();
    if objects.iter().any(by_helm) {
        return;
    }
    let of_it = |object: &&Object| namespaced(object) && object.namespace() == Some(namespace);
    if let Some(first) = objects.iter().find(of_it) {
        let message = format!("{count} objects are in {namespace}, which nothing here makes");
        let place = first.at("metadata.namespace").unwrap_or(&first.node);
        found.at(first, place, message);
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    fn object(kind: &str, name: &str, namespace: &str) -> String {
        let namespace = match namespace {
            "" => String::new(),
            namespace => format!(", namespace: {namespace}"),
        };
        format!("---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}{namespace}}}\n")
    }

    #[test]
    fn the_one_without_a_namespace_is_found() {
        let two = object("Service", "a", "matrix") + &object("Service", "b", "matrix");
        let text = two.clone() + &object("ConfigMap", "c", "");
        let expected = "12:18 says no namespace; 2 others are in matrix";
        assert_eq!(found("KUS-03", &text), [expected]);
        assert_eq!(found("KUS-03", &(two + &object("ClusterRole", "c", ""))), [""; 0]);
        // Most say none: `kubectl apply -n` decides.
        let none = object("Service", "a", "") + &object("Service", "b", "");
        assert_eq!(found("KUS-03", &(none + &object("Service", "c", "matrix"))), [""; 0]);
    }

    #[test]
    fn a_service_of_another_namespace_is_found_in_a_payload() {
        let text = |namespace: &str| {
            object("Cluster", "matrix-db", "staging")
                + &object("ConfigMap", "c", "staging")
                + "data:\n  homeserver.yaml: |\n    # matrix-db-rw.old.svc\n    host: matrix-db-rw."
                + namespace
                + ".svc.cluster.local\n"
        };
        let expected = "12:11 matrix-db-rw.matrix.svc.cluster.local is not the matrix-db-rw of \
                        this tree, in staging";
        assert_eq!(found("KUS-04", &text("matrix")), [expected]);
        assert_eq!(found("KUS-04", &text("staging")), [""; 0]);
        // Two of one name, as for production and staging: each may be meant.
        let both = text("matrix") + &object("Cluster", "matrix-db", "matrix");
        assert_eq!(found("KUS-04", &both), [""; 0]);
        // What is not of this tree may well be elsewhere.
        assert_eq!(found("KUS-04", &text("matrix").replace("name: matrix-db", "name: x")), [""; 0]);
    }

    #[test]
    fn the_second_of_two_is_found() {
        let text = object("Service", "a", "x") + &object("Service", "a", "y");
        assert_eq!(found("KUS-09", &text), [""; 0]);
        let text = text + &object("Service", "a", "x");
        assert_eq!(found("KUS-09", &text), ["12:18 stands here for the second time"]);
    }

    #[test]
    fn a_namespace_that_nobody_makes_is_found() {
        let workload = |name: &str| {
            object("Deployment", name, "matrix") + "spec: {template: {spec: {containers: []}}}\n"
        };
        let text = workload("a") + &workload("b");
        let expected = "4:32 2 objects are in matrix, which nothing here makes";
        assert_eq!(found("KUS-14", &text), [expected]);
        let made = text.clone() + &object("Namespace", "matrix", "");
        assert_eq!(found("KUS-14", &made), [""; 0]);
        assert_eq!(found("KUS-14", &text.replace("matrix", "default")), [""; 0]);
    }

    #[test]
    fn the_host_of_the_database_has_a_rule_of_its_own() {
        let cluster = object("Cluster", "pg", "a").replace("v1\n", "postgresql.cnpg.io/v1\n");
        let text = cluster
            + &object("ConfigMap", "c", "a")
            + "data:\n  homeserver.yaml: |\n    database: {args: {host: pg-rw.b.svc}}\n";
        assert_eq!(found("KUS-04", &text), [""; 0]);
        assert_eq!(found("SYN-20", &text).len(), 1);
    }
}
