//! Files that lie beside a kustomization.

use mxdoctor_probes::manifest::Object;

use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A kustomization applies what it lists, not what lies in its folder. A file that was
    /// forgotten there, such as the SealedSecret that the pods wait for, is never applied, and
    /// nobody says so.
    ///
    /// It looks into the folder of each kustomization, and into those below it from which files
    /// are listed one by one. Silent about files that are used otherwise (patches, generators'
    /// files, what any kustomization names), about objects that the deployment has by another
    /// file, about what is run by hand (Jobs, Pods), about what brings the folder in (objects of
    /// Flux and Argo CD), and about files called examples, samples or templates. A path that is
    /// listed and not there is LINT-07.
    ///
    /// Source: kustomize, "resources".
    UNLISTED = "KUS-01" Error: "every manifest of the folder is listed in its kustomization"
    breaks "it is never applied: what needs it waits, as pods do for a Secret"
    remedy "list it under `resources`, or take it out of the folder"
    cause "manifest-not-listed"
    check ""
    look_in_files unlisted
}

/// Parts of the names of files that are meant to be copied, not applied.
const COPIES: &[&str] = &["example", "sample", "template", "backup", "old", "disabled"];

fn unlisted(stack: &Stack<'_>, found: &mut Found) {
    for kustomization in &stack.inventory.kustomizations {
        for object in kustomization.unlisted.iter().filter(|object| is_meant(stack, object)) {
            let message = format!("{} is in no kustomization, beside one", object);
            let list = kustomization.node.entry("resources");
            let place = list.map_or(&kustomization.node.place, |list| &list.place);
            let name = &object.place().source.name;
            let own = name.strip_prefix(&format!("{}/", kustomization.folder)).unwrap_or(name);
            found
                .on(object, message)
                .remedy(format!("add `{own}` to `resources`, or take it out of the folder"))
                .also_place(place, "what is listed");
        }
    }
}

fn is_meant(stack: &Stack<'_>, object: &Object) -> bool {
    let file = object.place().source.name.to_lowercase();
    let file = file.rsplit('/').next().unwrap_or_default();
    let copy = file.split(['-', '_', '.']).any(|word| COPIES.iter().any(|it| word.starts_with(it)));
    let by_hand = matches!(object.kind(), "Job" | "Pod" | "Kustomization" | "Component");
    let brings_in = object.group().ends_with("fluxcd.io") || object.group() == "argoproj.io";
    let elsewhere = |one: &Object| one.kind() == object.kind() && one.name() == object.name();
    let renamed = stack.inventory.renamed.iter();
    let there = stack.inventory.objects().iter().any(elsewhere)
        || renamed.into_iter().any(|it| it.kind == object.kind() && it.from == object.name());
    !copy && !by_hand && !brings_in && !there
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::built;

    fn map(name: &str) -> String {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
    }

    #[test]
    fn a_file_that_nothing_lists_is_found() {
        let files = [
            ("kustomization.yaml", "resources:\n- sub/a.yaml\npatches:\n- path: patch.yaml\n".into()),
            ("sub/a.yaml", map("a")),
            ("sub/b.yaml", format!("{}---\n{}", map("b"), map("a"))),
            ("patch.yaml", map("a")),
            ("unused-patch.yaml", map("a")),
            ("c.example.yaml", map("c")),
            ("values.yaml", "a: b\n".to_owned()),
            ("docs/d.yaml", map("d")),
            ("flux.yaml", "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: f}\n".into()),
            ("job.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: once}\n".into()),
        ];
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let expected = "sub/b.yaml:4:9 ConfigMap b is in no kustomization, beside one";
        assert_eq!(built("KUS-01", &files), [expected]);
    }

    #[test]
    fn a_file_that_another_kustomization_names_is_left_alone() {
        let files = [
            ("kustomization.yaml", "resources: [base, base/b.yaml]\n".to_owned()),
            ("base/kustomization.yaml", "resources: [a.yaml]\n".to_owned()),
            ("base/a.yaml", map("a")),
            ("base/b.yaml", map("b")),
        ];
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        assert_eq!(built("KUS-01", &files), [""; 0]);
    }
}
