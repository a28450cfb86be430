//! References that keep the names that a kustomization changes.

use mxdoctor_probes::manifest::{Object, Place, Renamed};

use super::named::{Reference, references};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// `namePrefix`, `nameSuffix` and the hash of a generator change the names of all objects.
    /// Kustomize changes the references in Kubernetes' own kinds with them. In kinds of operators
    /// (IngressRoute, TunnelBinding, Cluster, Certificate) it does not know which fields are
    /// names, and of a SealedSecret or a Cluster it does not know which Secrets and Services come
    /// of them: those references keep the old names and lead nowhere.
    ///
    /// It is said once, at the line that changes the names, with every reference that it breaks;
    /// the rules about those references say nothing more. Silent where the kustomization names
    /// such fields itself (`configurations`, `crds`, `transformers`).
    ///
    /// Source: kustomize, `api/internal/konfig/builtinpluginconsts/namereference.go`.
    BROKEN = "KUS-05" Error: "what refers to a renamed object is renamed with it"
    breaks "the reference leads nowhere: 404 from the ingress, pods that wait for a Secret"
    remedy "name the fields in a file under `configurations`, as `nameReference`, or drop the \
            prefix; for a generator, `disableNameSuffixHash: true`"
    cause "reference-not-renamed"
    check ""
    look_in_files broken
}

/// References that one line breaks.
struct Broken<'a> {
    place: Place,
    all: Vec<(&'a Renamed, Reference<'a>)>,
}

fn broken(stack: &Stack<'_>, found: &mut Found) {
    let inventory = stack.inventory;
    let configured =
        |key: &&str| inventory.kustomizations.iter().any(|it| it.node.get(key).is_some());
    if inventory.renamed.is_empty()
        || ["configurations", "crds", "transformers"].iter().any(configured)
    {
        return;
    }
    let mut lines: Vec<Broken<'_>> = Vec::new();
    for reference in inventory.objects().iter().flat_map(references) {
        let Some(name) = reference.name.as_str() else { continue };
        if is_there(stack, &reference, name) {
            continue;
        }
        let Some(renamed) = inventory.renamed.iter().find(|it| gives(it, &reference, name)) else {
            continue;
        };
        let Some(place) = line(stack, renamed) else { continue };
        match lines.iter_mut().find(|line| line.place == place) {
            Some(line) => line.all.push((renamed, reference)),
            None => lines.push(Broken { place, all: vec![(renamed, reference)] }),
        }
    }
    for line in lines {
        let Some((renamed, first)) = line.all.first() else { continue };
        let Renamed { kind, from, to, .. } = renamed;
        let mut message = format!(
            "this renames {kind} {from} to {to}, and {} still means {}",
            first.object,
            first.name.as_str().unwrap_or_default()
        );
        match line.all.len() {
            1 => {}
            2 => message.push_str("; one more reference keeps its name"),
            more => message.push_str(&format!("; {} more references keep their names", more - 1)),
        }
        let problem = found.nowhere(line.place, message);
        for (_, reference) in &line.all {
            let name = reference.name.as_str().unwrap_or_default();
            problem.also(reference.name, format!("still means {} {name}", reference.kind));
        }
    }
}

/// The line that changed a name: the first, where several did.
fn line(stack: &Stack<'_>, renamed: &Renamed) -> Option<Place> {
    let object = || stack.inventory.named(&renamed.kind, &renamed.to).next().map(Object::place);
    renamed.by.first().or_else(object).cloned()
}

/// Whether something of that name is there all the same.
fn is_there(stack: &Stack<'_>, reference: &Reference<'_>, name: &str) -> bool {
    let object = reference.object;
    let of_cluster = ["-rw", "-ro", "-r"].iter().filter_map(|end| name.strip_suffix(end));
    stack.inventory.beside(object, reference.kind, name).is_some()
        || (reference.kind == "Secret" && stack.secret(object, name).is_some())
        || (reference.kind == "Service"
            && of_cluster
                .into_iter()
                .any(|it| stack.inventory.beside(object, "Cluster", it).is_some()))
}

/// Whether an object had or made what is meant, before it was renamed.
fn gives(renamed: &Renamed, reference: &Reference<'_>, name: &str) -> bool {
    let near = match (&renamed.namespace, reference.object.namespace()) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    let made = |ends: &[&str]| {
        renamed.kind == "Cluster"
            && ends.iter().any(|end| name.strip_suffix(end) == Some(renamed.from.as_str()))
    };
    let same = renamed.from == name;
    let secrets = ["SealedSecret", "ExternalSecret"];
    near && match reference.kind {
        "Secret" => {
            (same && (renamed.kind == "Secret" || secrets.contains(&renamed.kind.as_str())))
                || made(&["-app", "-ca", "-superuser", "-server", "-replication"])
        }
        "Service" => (same && renamed.kind == "Service") || made(&["-rw", "-ro", "-r"]),
        kind => same && renamed.kind == kind,
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::built;

    const OBJECTS: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: \
                           [{port: 80}]}\n---\napiVersion: traefik.io/v1alpha1\nkind: \
                           IngressRoute\nmetadata: {name: web}\nspec:\n  routes:\n  - match: \
                           Host(`a.example`)\n    kind: Rule\n    services: [{name: web, port: \
                           80}]\n  tls: {secretName: web-tls}\n---\napiVersion: \
                           bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: s}\nspec: \
                           {encryptedData: {a: b}}\n---\napiVersion: v1\nkind: Pod\nmetadata: \
                           {name: p}\nspec:\n  containers:\n  - name: p\n    image: a\n    envFrom: \
                           [{secretRef: {name: s}}]\n";

    fn looked(text: &str) -> Vec<String> {
        let text = format!("resources: [a.yaml]\n{text}");
        built("KUS-05", &[("kustomization.yaml", &text), ("a.yaml", OBJECTS)])
    }

    #[test]
    fn references_that_keep_the_old_name_are_found_once() {
        let expected = "kustomization.yaml:2:13 this renames Service web to dev-web, and \
                        IngressRoute dev-web still means web; one more reference keeps its name";
        assert_eq!(looked("namePrefix: dev-\n"), [expected]);
        assert_eq!(looked("namespace: dev\n"), [""; 0]);
        assert_eq!(looked("namePrefix: dev-\nconfigurations: [names.yaml]\n"), [""; 0]);
    }

    #[test]
    fn a_hash_that_an_operator_does_not_follow_is_found() {
        let cluster = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: \
                       db}\nspec: {bootstrap: {initdb: {secret: {name: user}}}}\n";
        let generator = "resources: [a.yaml]\nsecretGenerator:\n- name: user\n  literals: [a=b]\n";
        let files = [("kustomization.yaml", generator), ("a.yaml", cluster)];
        let said = built("KUS-05", &files);
        assert!(said[0].starts_with("kustomization.yaml:3:9 this renames Secret user to user-"));
        let plain = format!("{generator}  options: {{disableNameSuffixHash: true}}\n");
        assert_eq!(built("KUS-05", &[("kustomization.yaml", &plain), files[1]]), [""; 0]);
    }
}
