//! `mxdoctor/allow-RULE: reason`: what somebody decided to live with, as an annotation.
//!
//! Comments end at the API server; annotations come with the object, so they hold before and after
//! a deployment.

use mxdoctor_probes::manifest::{Inventory, Object};

use super::Problem;

/// An annotation's key, without the rule's id at its end.
const KEY: &str = "mxdoctor/allow-";

/// Takes out the problems that annotations allow with a reason: those of the object that a problem
/// is about, or that its line stands in.
pub(super) fn allow(inventory: &Inventory, problems: &mut Vec<Problem>) {
    let mut allowed: Vec<(&Object, &str)> = Vec::new();
    for object in inventory.objects() {
        for entry in object.node.map("metadata.annotations") {
            let says = entry.node.as_str().is_some_and(|text| text.contains(char::is_alphabetic));
            if let Some(rule) = entry.key.strip_prefix(KEY).filter(|_| says) {
                allowed.push((object, rule));
            }
        }
    }
    problems.retain(|problem| {
        let this = |(object, rule): &(&Object, &str)| {
            problem.rule.id == *rule
                && (problem.object == object.to_string() || holds(inventory, object, problem))
        };
        !allowed.iter().any(this)
    });
}

/// Whether the line of a problem stands in an object: of those that begin above it in its source,
/// the last one.
fn holds(inventory: &Inventory, object: &Object, problem: &Problem) -> bool {
    let place = &problem.place;
    let above = inventory.objects().iter().filter(|other| {
        let start = &other.node.place;
        start.source.name == place.source.name && start.line <= place.line
    });
    above.max_by_key(|other| other.node.place.line).is_some_and(|last| std::ptr::eq(last, object))
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{inventory, synapse};

    fn looked(annotation: &str) -> bool {
        let text = synapse("server_name: a.example\nform_secret: \"${X}\"");
        let metadata = format!("metadata:\n  annotations:\n    {annotation}\n");
        let inventory = inventory(&text.replacen("metadata:\n", &metadata, 1));
        crate::lint::run(&inventory).iter().any(|problem| problem.rule.id == "SYN-01")
    }

    #[test]
    fn an_annotation_allows_with_a_reason() {
        assert!(looked("other: text"));
        assert!(looked("mxdoctor/allow-SYN-01: \"\""));
        assert!(looked("mxdoctor/allow-SYN-08: rendered by the pipeline"));
        assert!(!looked("mxdoctor/allow-SYN-01: rendered by the pipeline"));
    }
}
