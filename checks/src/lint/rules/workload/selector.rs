//! Which pods a workload takes for its own.

use mxdoctor_probes::manifest::Node;

use super::own::is_operated;
use crate::lint::view::Workload;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A Deployment finds its pods by `spec.selector`, which its own template has to satisfy. The
    /// API server refuses one that does not, and one without a selector; what was deployed before
    /// stays as it is. The usual reason is a label that was changed at one of the two places.
    ///
    /// Source: Kubernetes, "Deployments", selector: "must match `.spec.template.metadata.labels`".
    MISMATCH = "WL-10" Error: "a workload selects the pods of its own template"
    breaks "the API server refuses the object: selector does not match template labels"
    remedy "say the same labels in spec.selector.matchLabels and spec.template.metadata.labels"
    cause "workload-selector-wrong"
    check "kubernetes.workloads"
    look mismatch
}

fn mismatch(stack: &Stack<'_>, found: &mut Found) {
    let kinds = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];
    let ours = |it: &&Workload<'_>| {
        kinds.contains(&it.object.kind()) && it.object.group() == "apps" && !is_operated(it.object)
    };
    for workload in stack.workloads.iter().filter(ours) {
        let object = workload.object;
        let selector = object.at("spec.selector");
        let labels = selector.map_or(&[][..], |it| it.map("matchLabels"));
        let expressions = selector.map_or(&[][..], |it| it.list("matchExpressions"));
        if labels.is_empty() && expressions.is_empty() {
            let message = format!("{} has no selector, which its version asks for", object.kind());
            found.on(object, message);
            continue;
        }
        for entry in labels {
            let wanted = entry.node.scalar().unwrap_or_default();
            let message = match workload.label(&entry.key) {
                Some(label) if label == wanted => continue,
                Some(label) => {
                    format!("selects {}: {wanted}, and its pods have {label}", entry.key)
                }
                None => format!("selects {}: {wanted}, which its pods lack", entry.key),
            };
            let problem = found.at(object, &entry.node, message);
            if let Some(label) = workload.labels.iter().rev().find(|it| it.key == entry.key) {
                problem.also_place(&label.place, "the label of the pods");
            }
        }
        for node in expressions.iter().filter(|it| fits(workload, it) == Some(false)) {
            let key = node.str("key").unwrap_or_default();
            found.at(object, node, format!("this expression over {key} does not fit its pods"));
        }
    }
}

/// Whether a template fits one of `matchExpressions`; none where the operator is not known.
fn fits(workload: &Workload<'_>, expression: &Node) -> Option<bool> {
    let label = workload.label(expression.str("key")?);
    let values = expression.list("values");
    let named = label.is_some_and(|label| values.iter().any(|it| it.scalar() == Some(label)));
    match expression.str("operator")? {
        "In" => Some(named),
        "NotIn" => Some(!named),
        "Exists" => Some(label.is_some()),
        "DoesNotExist" => Some(label.is_none()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    fn with(selector: &str) -> String {
        let spec = format!("spec:\n  {selector}\n  template");
        synapse("server_name: a").replacen("spec:\n  template", &spec, 1)
    }

    #[test]
    fn pods_are_selected() {
        let expression = |text: &str| with(&format!("selector: {{matchExpressions: [{text}]}}"));
        for good in [
            with("selector: {matchLabels: {app: synapse}}"),
            expression("{key: app, operator: In, values: [synapse, other]}"),
            expression("{key: app, operator: Exists}"),
            expression("{key: tier, operator: DoesNotExist}"),
            expression("{key: app, operator: Gt, values: ['1']}"),
        ] {
            assert_eq!(found("WL-10", &good), [""; 0], "{good}");
        }
        let other = with("selector: {matchLabels: {app: synaps}}");
        let expected = "14:33 selects app: synaps, and its pods have synapse";
        assert_eq!(found("WL-10", &other), [expected]);
        let lacking = with("selector: {matchLabels: {app: synapse, tier: chat}}");
        let expected = "14:48 selects tier: chat, which its pods lack";
        assert_eq!(found("WL-10", &lacking), [expected]);
        assert_eq!(
            found("WL-10", &expression("{key: app, operator: NotIn, values: [synapse]}")).len(),
            1
        );
        let none = "12:9 Deployment has no selector, which its version asks for";
        assert_eq!(found("WL-10", &synapse("server_name: a")), [none]);
    }
}
