//! Patches that change nothing.

use mxdoctor_probes::manifest::Node;

use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A patch with a `target` is done to every object that fits, and to none where none does:
    /// then the build succeeds, and nothing of what the patch says is deployed. Names and the like
    /// are regular expressions for the whole name, as it is before prefixes and suffixes, or as it
    /// is by then.
    ///
    /// Silent about components, which are written for whatever they are used with. A patch without
    /// a target that finds no object cannot be built at all: LINT-07.
    ///
    /// Source: kustomize, `api/types/selector.go`, "patches".
    IDLE = "KUS-10" Warning: "the target of a patch fits an object"
    breaks "the patch is left out without a word, and the object stays as it was"
    remedy "mend the target, or take the patch out"
    cause "patch-without-object"
    check ""
    look_in_files idle
}

fn idle(stack: &Stack<'_>, found: &mut Found) {
    for kustomization in stack.inventory.kustomizations.iter().filter(|it| !it.component) {
        for (place, patch) in &kustomization.unmatched {
            let said = patch.get("target").map(words).unwrap_or_default();
            let message = format!("no object fits the target {said}");
            let problem = found.nowhere(place.clone(), message);
            let word = |key: &str| patch.get("target").and_then(|it| it.str(key));
            let (Some(kind), Some(name)) = (word("kind"), word("name")) else { continue };
            let near = stack.inventory.of_kind(kind);
            let near = near.min_by_key(|object| strsim::damerau_levenshtein(object.name(), name));
            if let Some(near) = near {
                problem.remedy(format!("mend the target: there is {near}"));
                problem.also_place(near.place(), "an object of the kind");
            }
        }
    }
}

/// `kind Deployment, name web`.
fn words(target: &Node) -> String {
    let said = target
        .entries()
        .iter()
        .filter_map(|entry| entry.node.scalar().map(|text| format!("{} {text}", entry.key)));
    said.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::built;

    const OBJECT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: synapse}\n";

    fn looked(target: &str, kind: &str) -> Vec<String> {
        let text = format!(
            "kind: {kind}\nresources: [a.yaml]\npatches:\n- target: {target}\n  patch: |-\n    \
             - {{op: add, path: /spec, value: {{}}}}\n"
        );
        built("KUS-10", &[("kustomization.yaml", &text), ("a.yaml", OBJECT)])
    }

    #[test]
    fn a_target_that_fits_nothing_is_found() {
        let expected = "kustomization.yaml:4:3 no object fits the target kind Deployment, name \
                        sinapse";
        assert_eq!(looked("{kind: Deployment, name: sinapse}", "Kustomization"), [expected]);
        assert_eq!(looked("{kind: Deployment, name: syn}", "Kustomization").len(), 1);
        assert_eq!(looked("{kind: Deployment, name: syn.*}", "Kustomization"), [""; 0]);
        assert_eq!(looked("{kind: StatefulSet}", "Component"), [""; 0]);
    }
}
