//! What Flux does to texts before it applies them.

use mxdoctor_probes::manifest::{Node, Object};

use super::namespaces::within;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A Flux Kustomization with `postBuild` puts variables into every text of the tree. One that
    /// it does not know becomes nothing at all (unless it runs strictly), so that a secret which
    /// was meant to be filled in later is empty.
    ///
    /// Silent where the values come from elsewhere (`substituteFrom`), where the text says a
    /// default, and where the object says `kustomize.toolkit.fluxcd.io/substitute: disabled`.
    ///
    /// Source: fluxcd/pkg `kustomize/kustomize_varsub.go`, drone/envsubst.
    EMPTIED = "KUS-08" Critical: "every variable that Flux replaces has a value"
    breaks "Flux applies the text with nothing in its place: an empty secret"
    remedy "name it under postBuild.substitute, or annotate the object with \
            `kustomize.toolkit.fluxcd.io/substitute: disabled`"
    cause "configuration-not-rendered"
    check ""
    look_in_files emptied
}

const DISABLED: &str = "kustomize.toolkit.fluxcd.io/substitute";

fn emptied(stack: &Stack<'_>, found: &mut Found) {
    let flux = |object: &&Object| object.group() == "kustomize.toolkit.fluxcd.io";
    let mut rules = stack.inventory.of_kind("Kustomization").filter(flux);
    let Some(build) = rules.find(|rule| rule.at("spec.postBuild").is_some()) else { return };
    let Some(post) = build.at("spec.postBuild") else { return };
    if !post.list("substituteFrom").is_empty() {
        return;
    }
    let known: Vec<&str> = post.map("substitute").iter().map(|entry| entry.key.as_str()).collect();
    for object in stack.inventory.objects() {
        let setting = object.annotation(DISABLED).or_else(|| {
            object.labels().iter().find(|label| label.key == DISABLED).map(|label| &label.node)
        });
        let flux_itself = object.group().ends_with("fluxcd.io");
        if flux_itself || setting.and_then(Node::scalar) == Some("disabled") {
            continue;
        }
        object.node.scalars(&mut |value| {
            for (line, column, name) in variables(value) {
                if !known.contains(&name.as_str()) {
                    let message = format!("Flux knows no {name} and puts nothing in its place");
                    let place = within(value, line, column, name.len() + 3);
                    found.place(object, place, message).also(post, "what Flux puts in");
                }
            }
        });
    }
}

/// The variables `${NAME}` of a text, without those that say a default: line, column, name.
fn variables(value: &Node) -> Vec<(u32, usize, String)> {
    let mut all = Vec::new();
    for (number, line) in (1..).zip(value.as_str().unwrap_or_default().lines()) {
        for (start, _) in line.match_indices("${") {
            // `$${` is how a text says that it means `${`.
            let escaped = line[..start].ends_with('$');
            let Some((name, _)) = line[start + 2..].split_once('}') else { continue };
            let whole = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if whole && !name.is_empty() && !escaped {
                all.push((number, line[..start].chars().count() + 1, name.to_owned()));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    const FLUX: &str = "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
                        metadata: {name: matrix}\nspec:\n  postBuild:\n    substitute: {A: b}\n";

    #[test]
    fn a_variable_that_flux_lacks_is_found() {
        let text = synapse("server_name: ${A}\nform_secret: ${SECRET}\nx: ${B:-c}\ny: $${D}");
        let expected = "8:18 Flux knows no SECRET and puts nothing in its place";
        assert_eq!(found("KUS-08", &(text.clone() + FLUX)), [expected]);
        assert_eq!(found("KUS-08", &text), [""; 0]);
        let from = FLUX.replace("substitute: {A: b}", "substituteFrom: [{kind: Secret, name: s}]");
        assert_eq!(found("KUS-08", &(text.clone() + &from)), [""; 0]);
        let disabled = text.replacen(
            "metadata:\n",
            "metadata:\n  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\n",
            1,
        );
        assert_eq!(found("KUS-08", &(disabled + FLUX)), [""; 0]);
    }
}
