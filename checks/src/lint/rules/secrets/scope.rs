//! For which name and namespace a SealedSecret can be opened.

use mxdoctor_probes::manifest::{Node, Object, Renamed};

use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A SealedSecret is sealed for one name in one namespace, its own. The template's name and
    /// namespace make nothing of the Secret's; `kubeseal` writes them as they were when it sealed.
    /// Where they differ, the object was most likely copied or renamed since.
    ///
    /// Source: sealed-secrets, README, "Scopes"; `pkg/apis/sealedsecrets/v1alpha1`.
    OTHER_NAME = "SEC-06" Error: "a SealedSecret has the name and namespace it was sealed for"
    breaks "the controller cannot open it: no key could decrypt secret"
    remedy "seal the values again, for the name and the namespace that the object has"
    cause "sealed-secret-not-decrypted"
    check "kubernetes.sealed_secrets"
    look other_name
}

rule! {
    /// `namePrefix`, `nameSuffix` and `namespace` of a kustomization change a SealedSecret's name,
    /// and what is inside stays sealed for the old one.
    ///
    /// Source: sealed-secrets, README, "Scopes".
    RENAMED = "SEC-07" Error: "no kustomization renames a SealedSecret"
    breaks "the controller cannot open it: no key could decrypt secret"
    remedy "seal it for the overlay's own name, or with the scope namespace-wide"
    cause "sealed-secret-not-decrypted"
    check "kubernetes.sealed_secrets"
    look_in_files renamed
}

rule! {
    /// The controller reads the scope from the annotations of the SealedSecret itself. Those of
    /// the template are for the Secret, and for the next sealing. With both scopes set
    /// `cluster-wide` wins.
    ///
    /// Source: sealed-secrets, `pkg/apis/sealedsecrets/v1alpha1`, `labelFor`.
    TEMPLATE_ONLY = "SEC-08" Warning: "a SealedSecret's scope stands on the object itself"
    breaks "the controller takes the scope for strict, or for the wider one, and cannot open it"
    remedy "put the same annotation on the SealedSecret and on its template"
    cause "sealed-secret-not-decrypted"
    check "kubernetes.sealed_secrets"
    look template_only
}

rule! {
    /// With `cluster-wide` whoever may make SealedSecrets in any namespace can have this one
    /// opened there, and read it.
    ///
    /// Source: sealed-secrets, README, "Scopes".
    CLUSTER_WIDE = "SEC-10" Warning: "a SealedSecret can be opened in its own namespace only"
    breaks "everybody with a namespace of their own can have the values opened there"
    remedy "seal it again with the scope strict"
    cause "sealed-secret-scope-wide"
    check "kubernetes.sealed_secrets"
    look cluster_wide
}

const CLUSTER: &str = "sealedsecrets.bitnami.com/cluster-wide";
const NAMESPACE: &str = "sealedsecrets.bitnami.com/namespace-wide";

fn is_on(node: Option<&Node>) -> bool {
    node.and_then(Node::scalar) == Some("true")
}

/// Whether every namespace can open a SealedSecret.
pub(super) fn is_cluster_wide(sealed: &Object) -> bool {
    is_on(sealed.annotation(CLUSTER))
}

/// The fields that a SealedSecret is bound to.
fn bound(sealed: &Object) -> &'static [&'static str] {
    if is_cluster_wide(sealed) {
        &[]
    } else if is_on(sealed.annotation(NAMESPACE)) {
        &["namespace"]
    } else {
        &["name", "namespace"]
    }
}

/// A field of the object and of its template.
fn both<'a>(sealed: &'a Object, field: &str) -> (Option<&'a Node>, Option<&'a Node>) {
    let own = sealed.at("metadata").and_then(|it| it.get(field));
    (own, sealed.at("spec.template.metadata").and_then(|it| it.get(field)))
}

/// Whether a field was set by another file than the one with the sealed values.
fn is_moved(sealed: &Object, own: &Node) -> bool {
    let values = sealed.at("spec.encryptedData");
    values.is_some_and(|values| values.place.source.name != own.place.source.name)
        && own.place.line > 0
}

/// How a kustomization gave a SealedSecret its name, which stands in its file as it was.
fn by_kustomization<'a>(stack: &Stack<'a>, sealed: &Object) -> Option<&'a Renamed> {
    let same = |it: &&Renamed| {
        it.kind == sealed.kind()
            && it.to == sealed.name()
            && it.namespace.as_deref() == sealed.namespace()
    };
    stack.inventory.renamed.iter().find(same)
}

fn other_name(stack: &Stack<'_>, found: &mut Found) {
    for sealed in stack.inventory.of_kind("SealedSecret") {
        for field in bound(sealed) {
            let (Some(own), Some(template)) = both(sealed, field) else { continue };
            let renamed = *field == "name" && by_kustomization(stack, sealed).is_some();
            if renamed || is_moved(sealed, own) || own.scalar() == template.scalar() {
                continue;
            }
            let (Some(has), Some(said)) = (own.scalar(), template.scalar()) else { continue };
            let message = format!("its {field} is {has}, and it was sealed as {said}");
            found.at(sealed, own, message).also(template, "as it was sealed");
        }
    }
}

fn renamed(stack: &Stack<'_>, found: &mut Found) {
    for sealed in stack.inventory.of_kind("SealedSecret") {
        for field in bound(sealed) {
            let (Some(own), template) = both(sealed, field) else { continue };
            // The namespace is often left to the kustomization on purpose.
            let same = match template {
                Some(template) => own.scalar() == template.scalar(),
                None => *field == "namespace",
            };
            let by = by_kustomization(stack, sealed).and_then(|renamed| renamed.by.last());
            let by = by.filter(|_| *field == "name");
            if (by.is_none() && !is_moved(sealed, own)) || same {
                continue;
            }
            let has = own.scalar().unwrap_or_default();
            let message = format!("this makes the {field} of a SealedSecret {has}");
            let problem = found.place(sealed, by.unwrap_or(&own.place).clone(), message);
            if let Some(values) = sealed.at("spec.encryptedData") {
                problem.also(values, "sealed before that");
            }
        }
    }
}

fn template_only(stack: &Stack<'_>, found: &mut Found) {
    for sealed in stack.inventory.of_kind("SealedSecret") {
        let template = sealed.at("spec.template.metadata.annotations");
        for (key, scope) in [(CLUSTER, "cluster-wide"), (NAMESPACE, "namespace-wide")] {
            let below = template.and_then(|it| it.get(key)).filter(|it| is_on(Some(it)));
            if let (Some(node), false) = (below, is_on(sealed.annotation(key))) {
                let message = format!("{scope} stands on the template, and not on the object");
                found.at(sealed, node, message);
            }
        }
        let (wide, narrow) = (sealed.annotation(CLUSTER), sealed.annotation(NAMESPACE));
        if let (Some(node), true, true) = (narrow, is_on(wide), is_on(narrow)) {
            found.at(sealed, node, "namespace-wide counts for nothing beside cluster-wide");
        }
    }
}

fn cluster_wide(stack: &Stack<'_>, found: &mut Found) {
    for sealed in stack.inventory.of_kind("SealedSecret") {
        if let Some(node) = sealed.annotation(CLUSTER).filter(|node| is_on(Some(node))) {
            found.at(sealed, node, "every namespace of the cluster can open it");
        }
    }
}

#[cfg(test)]
mod tests {
    use mxdoctor_probes::manifest::{Inventory, Object, Origin, Source, yaml};

    use crate::lint::testing::found;

    fn sealed(metadata: &str, template: &str) -> String {
        format!(
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  {metadata}\nspec:\
             \n  encryptedData: {{a: AgA=}}\n  template:\n    metadata:\n      {template}\n"
        )
    }

    const OWN: &str = "name: s\n  namespace: chat";
    const TEMPLATE: &str = "name: s\n      namespace: chat";
    const WIDE: &str = "annotations: {sealedsecrets.bitnami.com/cluster-wide: 'true'}";

    #[test]
    fn a_secret_as_kubeseal_writes_it_is_right() {
        let wide = |text: &str, indent: &str| format!("{text}\n{indent}{WIDE}");
        for text in [sealed(OWN, TEMPLATE), sealed(OWN, "creationTimestamp: null")] {
            for rule in ["SEC-06", "SEC-07", "SEC-08", "SEC-10"] {
                assert_eq!(found(rule, &text), [""; 0], "{rule}");
            }
        }
        let both = sealed(&wide(OWN, "  "), &wide("name: other", "      "));
        assert_eq!(found("SEC-06", &both), [""; 0]);
        assert_eq!(found("SEC-08", &both), [""; 0]);
        assert_eq!(found("SEC-10", &both), ["6:57 every namespace of the cluster can open it"]);
    }

    #[test]
    fn another_name_than_the_one_it_was_sealed_for_is_found() {
        let text = sealed(OWN, "name: t\n      namespace: chat");
        assert_eq!(found("SEC-06", &text), ["4:9 its name is s, and it was sealed as t"]);
        let text = sealed(OWN, "name: s\n      namespace: other");
        assert_eq!(
            found("SEC-06", &text),
            ["5:14 its namespace is chat, and it was sealed as other"]
        );
    }

    #[test]
    fn a_scope_on_the_template_alone_is_found() {
        let text = sealed(OWN, &format!("name: s\n      {WIDE}"));
        let expected = "11:61 cluster-wide stands on the template, and not on the object";
        assert_eq!(found("SEC-08", &text), [expected]);
    }

    #[test]
    fn what_a_kustomization_renames_is_found_there() {
        let read = |name: &str, text: &str| {
            yaml::documents(&Source::file(name, text)).expect("YAML").remove(0)
        };
        let mut node = read("sealed.yaml", &sealed(OWN, TEMPLATE));
        let other = read("kustomization.yaml", "nameSuffix: s-dev\n");
        let mxdoctor_probes::manifest::Value::Map(entries) = &mut node.value else { panic!() };
        let metadata = entries.iter_mut().find(|it| it.key == "metadata").expect("metadata");
        let mxdoctor_probes::manifest::Value::Map(own) = &mut metadata.node.value else { panic!() };
        own[0].node = other.get("nameSuffix").expect("suffix").clone();
        let objects = vec![Object::new(node).expect("an object")];
        let problems = crate::lint::run(&Inventory::new(Origin::Files, objects));
        let told: Vec<_> = problems
            .iter()
            .filter(|it| matches!(it.rule.id, "SEC-06" | "SEC-07"))
            .map(|it| format!("{} {}: {}", it.rule.id, it.place, it.message))
            .collect();
        let expected =
            "SEC-07 kustomization.yaml:1:13: this makes the name of a SealedSecret s-dev";
        assert_eq!(told, [expected]);
    }
}
