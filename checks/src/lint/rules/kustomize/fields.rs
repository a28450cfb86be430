//! Fields that a kind does not have.

use mxdoctor_probes::manifest::schema::{self, Shape, Type};
use mxdoctor_probes::manifest::{Node, Object};

use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A field whose name is misspelt, or that stands one level too high or too low. `kubectl
    /// apply` and Flux refuse the object for it; what applies it without looking loses the field,
    /// and the default holds instead of what was written.
    ///
    /// It knows the fields of Kubernetes' own kinds in their stable versions, as of Kubernetes
    /// 1.35. Silent about kinds of operators, about alpha and beta versions, about `status`, and
    /// about `sops` at the top, which is taken out when the object is decrypted.
    ///
    /// Source: Kubernetes, API description; "Server Side Field Validation".
    UNKNOWN = "KUS-11" Info: "an object has no field that its kind does not have"
    breaks "the API server refuses the object, or drops the field without a word"
    remedy "mend the name of the field, or where it stands"
    cause "field-unknown"
    check ""
    look_in_files unknown
}

/// How many letters may differ in a name that was meant.
const NEAR: usize = 2;

fn unknown(stack: &Stack<'_>, found: &mut Found) {
    for object in stack.inventory.objects() {
        if let Some(kind) = schema::kind(object.api_version(), object.kind()) {
            walk(object, &object.node, kind, "", found);
        }
    }
}

fn walk(object: &Object, node: &Node, kind: &Type, path: &str, found: &mut Found) {
    for entry in node.entries() {
        let Some(field) = kind.field(&entry.key) else {
            if path.is_empty() && entry.key == "sops" {
                continue;
            }
            let at = if path.is_empty() { "its top" } else { path };
            let message = format!("`{}` is no field of {object} at {at}", entry.key);
            let problem = found.place(object, entry.place.clone(), message);
            if let Some(near) = near(kind, &entry.key) {
                problem.remedy(format!("use `{near}`, if that was meant"));
            }
            continue;
        };
        let Some(below) = field.below() else { continue };
        let path =
            if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
        match field.shape {
            Shape::One => walk(object, &entry.node, below, &path, found),
            Shape::List => {
                entry.node.items().iter().for_each(|item| walk(object, item, below, &path, found));
            }
            Shape::Map => {
                let values = entry.node.entries().iter();
                values.for_each(|value| walk(object, &value.node, below, &path, found));
            }
            Shape::Opaque => {}
        }
    }
}

/// The field whose name is nearly that one.
fn near(kind: &Type, name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&known.to_ascii_lowercase(), &lower);
    let near = kind.names().filter(|known| distance(known) <= NEAR);
    near.min_by_key(|known| (distance(known), *known))
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    #[test]
    fn a_field_that_nobody_knows_is_found() {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, label: {b: c}}\nspec:\
                    \n  replica: 1\n  template:\n    spec:\n      hostNetwork: true\n      \
                    containers:\n      - name: a\n        resources: {limit: {cpu: 1}}\n        \
                    securityContext: {fsGroup: 991}\n        env: [{name: A, valueFrom: \
                    {fieldRef: {fieldPath: x}}}]\n      volumes:\n      - {name: d, configMap: \
                    {name: c, items: [{key: a, path: b}]}}\nstatus: {any: thing}\n";
        let expected = [
            "3:21 `label` is no field of Deployment a at metadata",
            "5:3 `replica` is no field of Deployment a at spec",
            "11:21 `limit` is no field of Deployment a at spec.template.spec.containers.resources",
            "12:27 `fsGroup` is no field of Deployment a at \
             spec.template.spec.containers.securityContext",
        ];
        assert_eq!(found("KUS-11", text), expected);
    }

    #[test]
    fn what_is_not_known_is_not_judged() {
        for text in [
            "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: a}\nspec: {x: 1}\n",
            "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\nspec: {x: 1}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: y}\n",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nsops: {mac: x}\n",
        ] {
            assert_eq!(found("KUS-11", text), [""; 0]);
        }
    }
}
