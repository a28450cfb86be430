//! Places of what is built, what is said of what cannot be, and bounds. That the objects are those
//! of the real kustomize is tested beside it, in the fixtures.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::Tool;
use crate::manifest::files::{Input, Tree, TroubleKind, read, read_with};
use crate::manifest::{Node, Source, payload, yaml};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

fn written(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    folder
}

fn tree(files: &[(&str, &str)]) -> (Tree, String) {
    let folder = written(files);
    let root = folder.path().display().to_string();
    (read(&[Input::Path(folder.path().to_owned())]), root)
}

fn troubles((tree, root): &(Tree, String)) -> Vec<String> {
    let said = |place: &dyn std::fmt::Display, why: &str| {
        format!("{place}: {why}").replace(&format!("{root}/"), "")
    };
    tree.troubles.iter().map(|trouble| said(&trouble.place, &trouble.why)).collect()
}

/// The place of a value of an object, in its file.
fn place((tree, root): &(Tree, String), kind: &str, path: &str) -> String {
    let mut objects = tree.deployments.iter().flat_map(|one| one.inventory.of_kind(kind));
    let node = objects.next().and_then(|object| object.at(path)).expect(path);
    node.place.to_string().replace(&format!("{root}/"), "")
}

#[test]
fn only_what_is_brought_in_is_read() {
    let read = tree(&[
        ("base/kustomization.yaml", "resources:\n- a.yaml\n"),
        ("base/a.yaml", MAP),
        ("base/patch.yaml", MAP),
        ("base/sub/loose.yaml", MAP),
        ("part/kustomization.yaml", "kind: Component\nnamePrefix: x-\n"),
        ("over/kustomization.yaml", "resources:\n- ../base\n"),
    ]);
    assert_eq!(troubles(&read), [""; 0]);
    let names: Vec<_> = read.0.deployments.iter().map(|one| &one.name).collect();
    assert_eq!(names, [&format!("{}/over", read.1)]);
    assert_eq!(read.0.deployments[0].inventory.objects().len(), 1);
}

#[test]
fn what_is_wrong_or_not_read_is_said_with_its_line() {
    let read = tree(&[
        ("a/kustomization.yaml", "resources:\n- ../b\n- gone.yaml\nhelmCharts:\n- name: x\n"),
        ("b/kustomization.yaml", "resources:\n- https://example.org/c.yaml\n- ../c\n"),
        ("c/kustomization.yaml", "resources:\n- ../c/../b\nprefix: x\n"),
    ]);
    let said = troubles(&read);
    for part in [
        "a/kustomization.yaml:3:3: gone.yaml is not there",
        "a/kustomization.yaml:4:1: `helmCharts` is not applied here",
        "b/kustomization.yaml:2:3: https://example.org/c.yaml is elsewhere",
        "c/kustomization.yaml:2:3: b brings itself in: a cycle",
        "c/kustomization.yaml:3:1: `prefix` is no field of a kustomization",
    ] {
        assert!(said.iter().any(|line| line.starts_with(part)), "{part}: {said:#?}");
    }
}

#[test]
fn each_value_stands_where_it_is_written() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  \
                      template:\n    spec:\n      containers:\n      - name: web\n        \
                      image: nginx:1\n        args: [a]\n";
    let read = tree(&[
        (
            "kustomization.yaml",
            "namespace: app\nnamePrefix: dev-\nresources: [all.yaml]\nimages:\n- name: nginx\n  \
             newTag: \"2\"\nreplicas:\n- name: web\n  count: 3\nlabels:\n- pairs:\n    team: chat\n\
             patches:\n- path: patch.yaml\n- target: {kind: Deployment}\n  patch: |-\n    - op: \
             add\n      path: /spec/paused\n      value: true\nconfigMapGenerator:\n- name: files\n  \
             files: [homeserver.yaml]\n  envs: [a.env]\n  literals: [one=1]\n",
        ),
        ("all.yaml", deployment),
        (
            "patch.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    \
             spec:\n      hostNetwork: true\n      containers:\n      - name: web\n        env:\n        \
             - {name: A, value: b}\n",
        ),
        ("homeserver.yaml", "server_name: a.example\nlisteners:\n- port: 8008\n"),
        ("a.env", "# comment\n TWO=2\n"),
    ]);
    assert_eq!(troubles(&read), [""; 0]);
    let at = |path: &str| place(&read, "Deployment", path);
    assert_eq!(at("metadata.name"), "all.yaml:4:9");
    assert_eq!(at("metadata.namespace"), "kustomization.yaml:1:12");
    assert_eq!(at("metadata.labels.team"), "kustomization.yaml:12:11");
    assert_eq!(at("spec.replicas"), "kustomization.yaml:9:10");
    assert_eq!(at("spec.paused"), "kustomization.yaml:19:14");
    assert_eq!(at("spec.template.spec.hostNetwork"), "patch.yaml:7:20");
    assert_eq!(at("spec.template.spec.containers.0.image"), "kustomization.yaml:6:11");
    assert_eq!(at("spec.template.spec.containers.0.args.0"), "all.yaml:11:16");
    assert_eq!(at("spec.template.spec.containers.0.env.0.value"), "patch.yaml:11:28");
    assert_eq!(place(&read, "ConfigMap", "data.one"), "kustomization.yaml:24:14");
    assert_eq!(place(&read, "ConfigMap", "data.TWO"), "a.env:2:6");
    let map = read.0.deployments[0].inventory.of_kind("ConfigMap").next().expect("a map");
    let text = map.at("data").and_then(|data| data.get("homeserver.yaml")).expect("the file");
    let inner = payload::yaml(text).expect("YAML").expect("a document");
    let port = inner.at("listeners.0.port").expect("a port").place.to_string();
    assert!(port.ends_with("homeserver.yaml:3:9"), "{port}");
    let renamed = &read.0.deployments[0].inventory.renamed;
    let web = renamed.iter().find(|it| it.from == "web").expect("renamed");
    assert_eq!((web.to.as_str(), web.by[0].line, web.by[0].column), ("dev-web", 2, 13));
}

#[test]
fn patches_that_find_nothing_and_files_that_nothing_lists_are_remembered() {
    let read = tree(&[
        (
            "kustomization.yaml",
            "resources: [sub/a.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: '[]'\n",
        ),
        ("sub/a.yaml", MAP),
        ("sub/b.yaml", &MAP.replace("name: a", "name: b")),
        ("c.yaml", "just: values\n"),
        ("other/d.yaml", MAP),
    ]);
    let kustomization = &read.0.deployments[0].inventory.kustomizations[0];
    let (place, _) = &kustomization.unmatched[0];
    assert_eq!((place.line, place.column), (3, 3));
    let beside: Vec<_> = kustomization.unlisted.iter().map(ToString::to_string).collect();
    assert_eq!(beside, ["ConfigMap b"]);
}

#[test]
fn a_file_that_one_above_names_is_no_leftover() {
    let folder = written(&[
        ("kustomization.yaml", "resources: [base, base/b.yaml]\n"),
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("base/a.yaml", MAP),
        ("base/b.yaml", MAP),
        ("base/c.yaml", MAP),
    ]);
    let tree = read(&[Input::Path(folder.path().join("base"))]);
    let unlisted = &tree.deployments[0].inventory.kustomizations[0].unlisted;
    let names: Vec<_> = unlisted.iter().map(|object| &object.place().source.name).collect();
    assert!(names.len() == 1 && names[0].ends_with("base/c.yaml"), "{names:?}");
}

#[test]
fn what_may_come_from_elsewhere_is_not_missed() {
    let read = tree(&[(
        "kustomization.yaml",
        "resources: [\"https://example.org/a.yaml\"]\nreplicas: [{name: web, count: 1}]\npatches:\n\
         - patch: 'apiVersion: v1\n\n    kind: ConfigMap\n\n    metadata: {name: a}'\n\
         configMapGenerator: [{name: b, behavior: merge, literals: [a=b]}]\n",
    )]);
    let said = troubles(&read);
    assert!(said.len() == 1 && said[0].contains("is elsewhere"), "{said:#?}");
}

#[test]
fn an_object_of_flux_is_no_kustomization() {
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: \
                a}\nspec: {path: ./b}\n";
    let read = tree(&[("kustomization.yaml", flux), ("a.yaml", MAP)]);
    assert_eq!((troubles(&read), read.0.deployments[0].inventory.objects().len()), (vec![], 2));
}

#[cfg(unix)]
fn program(folder: &Path, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("kustomize");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

#[cfg(unix)]
#[test]
fn a_tool_is_asked_for_what_is_not_read_here() {
    let folder = written(&[
        ("kustomization.yaml", "resources: [a.yaml]\nvars:\n- name: X\n"),
        ("a.yaml", &format!("{MAP}data: {{a: $(X)}}\n")),
    ]);
    let bin = tempfile::tempdir().expect("a folder");
    let built = "cat <<'END'\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: \
                 built, env: none}\nEND\n[ -z \"$HOME\" ]";
    let inputs = [Input::Path(folder.path().to_owned())];
    let tool = Tool::new(program(bin.path(), built), &["build"]);
    let tree = read_with(&inputs, Some(&tool));
    assert!(tree.troubles.is_empty(), "{:?}", tree.troubles);
    assert_eq!(tree.deployments[0].by.as_deref(), Some("kustomize build"));
    let object = &tree.deployments[0].inventory.objects()[0];
    let at = |path: &str| object.at(path).map(|node| (node.place.line, node.place.column));
    assert_eq!(object.at("data.a").and_then(Node::as_str), Some("built"));
    assert_eq!((at("data.a"), at("data.env")), (Some((5, 11)), Some((5, 7))));
    let refusing = Tool::new(program(bin.path(), "echo no >&2; exit 1"), &["build"]);
    let tree = read_with(&inputs, Some(&refusing));
    assert_eq!(tree.troubles[0].kind, TroubleKind::Feature);
    assert_eq!(tree.troubles[0].also[0].1, "kustomize build: no");
    assert_eq!((tree.deployments[0].by.as_deref(), tree.deployments.len()), (None, 1));
}

#[test]
fn a_few_lines_do_not_fill_the_memory() {
    let mut files: Vec<(String, String)> = vec![("0/a.yaml".to_owned(), MAP.to_owned())];
    files.push(("0/kustomization.yaml".to_owned(), "resources: [a.yaml]\n".to_owned()));
    for level in 1..24 {
        let below = level - 1;
        for side in ["x", "y"] {
            let text = format!("resources: [../{below}]\nnameSuffix: -{side}\n");
            files.push((format!("{level}{side}/kustomization.yaml"), text));
        }
        let text = format!("resources: [../{level}x, ../{level}y]\n");
        files.push((format!("{level}/kustomization.yaml"), text));
    }
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = written(&files);
    let tree = read(&[Input::Path(folder.path().join("23"))]);
    assert!(tree.troubles.iter().any(|it| it.kind == TroubleKind::Limit), "{:?}", tree.troubles);
}

fn document(text: &str) -> Option<Node> {
    yaml::documents(&Source::file("p.yaml", text)).ok()?.into_iter().next()
}

proptest! {
    #[test]
    fn any_kustomization_is_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("kustomization.yaml"), &bytes).expect("written");
        read(&[Input::Path(folder.path().to_owned())]);
    }

    #[test]
    fn any_words_of_a_kustomization_are_read(
        words in prop::collection::vec("(resources|patches|images|labels|namespace|replicas|\
            configMapGenerator|target|patch|path|name|kind|files|a\\.yaml|ConfigMap|: |\n|- |  |\\[|\\]|[{}])", 0..40)
    ) {
        let folder = written(&[("kustomization.yaml", &words.concat()), ("a.yaml", MAP)]);
        read(&[Input::Path(folder.path().to_owned())]);
    }

    #[test]
    fn any_patch_is_merged_or_refused(object in "[a-d:{}\\[\\] ,$\n]{0,60}", patch in "[a-d:{}\\[\\] ,$\n]{0,60}") {
        if let (Some(object), Some(patch)) = (document(&object), document(&patch)) {
            let _ = super::patch(object, patch);
        }
    }
}
