//! Labels that a kustomization writes into selectors.

use mxdoctor_probes::manifest::{Entry, Kustomization, Node};

use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// `commonLabels`, and `labels` with `includeSelectors`, write into selectors as well. The
    /// selector of a Deployment or StatefulSet can never change: a label whose value changes with
    /// each release, such as a version, makes the next apply fail. And a Service or a
    /// NetworkPolicy that means the pods of an operator (`cnpg.io/cluster`) means none any more,
    /// for the operator's pods do not get the label.
    ///
    /// Silent about other labels: that one was added to what is deployed already, files do not
    /// say.
    ///
    /// Source: Kubernetes, "Deployments", "Label selector updates"; kustomize, "labels".
    SELECTING = "KUS-07" Error: "labels in selectors stay, and are on the pods that are meant"
    breaks "apply fails (field is immutable), or the selector fits no pod"
    remedy "use `labels` without `includeSelectors`; `includeTemplates: true` labels the pods too"
    cause "selector-label-unfit"
    check ""
    look_in_files selecting
}

/// Last words of keys whose values change with each release.
const CHANGING: &[&str] =
    &["version", "chart", "revision", "commit", "sha", "build", "tag", "timestamp", "date"];

/// Beginnings of labels that only operators give to their pods.
const OPERATORS: &[&str] = &["cnpg.io/", "acme.cert-manager.io/"];

/// Selectors of pods, by kind.
const SELECTORS: &[(&str, &[&str])] = &[
    ("Service", &["spec.selector"]),
    ("PodDisruptionBudget", &["spec.selector.matchLabels"]),
    ("NetworkPolicy", &["spec.podSelector.matchLabels"]),
];

/// The pairs that a kustomization writes into selectors.
fn pairs(kustomization: &Kustomization) -> impl Iterator<Item = &Entry> {
    let node = &kustomization.node;
    let selecting = |item: &&Node| item.bool("includeSelectors") == Some(true);
    let labels = node.list("labels").iter().filter(selecting).flat_map(|item| item.map("pairs"));
    node.map("commonLabels").iter().chain(labels)
}

fn selecting(stack: &Stack<'_>, found: &mut Found) {
    for pair in stack.inventory.kustomizations.iter().flat_map(pairs) {
        let value = pair.node.scalar().unwrap_or_default();
        if changes(&pair.key) {
            let kinds = ["Deployment", "StatefulSet", "DaemonSet"];
            let mut objects = kinds.iter().flat_map(|kind| stack.inventory.of_kind(kind));
            let object = objects.find(|object| {
                let labels = object.at("spec.selector.matchLabels");
                let written = labels.and_then(|labels| labels.entry(&pair.key));
                written.is_some_and(|entry| entry.place == pair.place)
            });
            if let Some(object) = object {
                let message = format!(
                    "{}={value} stands in the selector of {object}, which can never change",
                    pair.key
                );
                found.nowhere(pair.place.clone(), message).also_place(object.place(), "the object");
            }
        }
        unfit(stack, pair, value, found);
    }
}

fn changes(key: &str) -> bool {
    let last = key.rsplit(['/', '.', '-', '_']).next().unwrap_or_default();
    CHANGING.contains(&last)
}

/// Selectors for pods of operators, which do not have the label.
fn unfit(stack: &Stack<'_>, pair: &Entry, value: &str, found: &mut Found) {
    for (kind, paths) in SELECTORS {
        for object in stack.inventory.of_kind(kind) {
            for selector in paths.iter().filter_map(|path| object.at(path)) {
                let written = selector.entry(&pair.key).is_some_and(|it| it.place == pair.place);
                let of_operator =
                    |entry: &&Entry| OPERATORS.iter().any(|begin| entry.key.starts_with(begin));
                let Some(theirs) = selector.entries().iter().find(of_operator) else { continue };
                if !written || inherited(stack, &pair.key) {
                    continue;
                }
                let message = format!(
                    "{object} selects {}={} with {}={value}, which the operator's pods do not have",
                    theirs.key,
                    theirs.node.scalar().unwrap_or_default(),
                    pair.key
                );
                found
                    .place(object, pair.place.clone(), message)
                    .also_place(&theirs.place, "what it selects");
            }
        }
    }
}

/// Whether a cluster of CloudNativePG hands a label on to its pods.
fn inherited(stack: &Stack<'_>, key: &str) -> bool {
    let mut clusters = stack.inventory.of_kind("Cluster");
    clusters.any(|it| it.at("spec.inheritedMetadata.labels").is_some_and(|l| l.get(key).is_some()))
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::built;

    const OBJECTS: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  \
                           selector: {matchLabels: {app: web}}\n  template: {metadata: {labels: \
                           {app: web}}}\n---\napiVersion: networking.k8s.io/v1\nkind: \
                           NetworkPolicy\nmetadata: {name: db}\nspec:\n  podSelector: \
                           {matchLabels: {cnpg.io/cluster: db}}\n";

    fn looked(text: &str) -> Vec<String> {
        let text = format!("resources: [a.yaml]\n{text}");
        built("KUS-07", &[("kustomization.yaml", &text), ("a.yaml", OBJECTS)])
    }

    #[test]
    fn a_label_that_selectors_cannot_bear_is_found() {
        let version = "commonLabels:\n  app.kubernetes.io/version: \"2\"\n";
        assert_eq!(
            looked(version),
            [
                "kustomization.yaml:3:3 app.kubernetes.io/version=2 stands in the selector of \
                 Deployment web, which can never change",
                "kustomization.yaml:3:3 NetworkPolicy db selects cnpg.io/cluster=db with \
                 app.kubernetes.io/version=2, which the operator's pods do not have"
            ]
        );
        let team = "labels:\n- includeSelectors: true\n  pairs: {team: chat}\n";
        let expected = "kustomization.yaml:4:11 NetworkPolicy db selects cnpg.io/cluster=db with \
                        team=chat, which the operator's pods do not have";
        assert_eq!(looked(team), [expected]);
        for right in [
            "labels:\n- includeTemplates: true\n  pairs: {version: \"2\"}\n",
            "labels:\n- pairs: {version: \"2\"}\n",
        ] {
            assert_eq!(looked(right), [""; 0]);
        }
    }
}
