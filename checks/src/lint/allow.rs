//! `mxdoctor/allow-RULE: reason`: what somebody decided to live with, as an annotation.
//!
//! Comments end at the API server; annotations come with the object, so they hold before and after
//! a deployment.

use mxdoctor_probes::manifest::Inventory;

use super::Problem;

/// An annotation's key, without the rule's id at its end.
const KEY: &str = "mxdoctor/allow-";

/// Takes out the problems that annotations of their own objects allow with a reason.
pub(super) fn allow(inventory: &Inventory, problems: &mut Vec<Problem>) {
    let mut allowed: Vec<(String, String)> = Vec::new();
    for object in inventory.objects() {
        for entry in object.node.map("metadata.annotations") {
            let says = entry.node.as_str().is_some_and(|text| text.contains(char::is_alphabetic));
            if let Some(rule) = entry.key.strip_prefix(KEY).filter(|_| says) {
                allowed.push((object.to_string(), rule.to_owned()));
            }
        }
    }
    problems.retain(|problem| {
        let this = |(object, rule): &(String, String)| {
            problem.object == *object && problem.rule.id == *rule
        };
        !allowed.iter().any(this)
    });
}
