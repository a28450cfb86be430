//! `labels`, `commonLabels` and `commonAnnotations`.

use crate::manifest::{Entry, Node, Value};

use super::build::Build;
use super::document::Document;
use super::edit;
use super::fields::Field;
use super::resource::Resource;

/// Kinds with a template of pods, the group where kustomize asks for it, and the path to it.
const TEMPLATES: &[(&str, &str, &[&str])] = &[
    ("", "ReplicationController", &["spec/template"]),
    ("", "Deployment", &["spec/template"]),
    ("", "ReplicaSet", &["spec/template"]),
    ("", "DaemonSet", &["spec/template"]),
    ("apps", "StatefulSet", &["spec/template"]),
    ("batch", "Job", &["spec/template"]),
    ("batch", "CronJob", &["spec/jobTemplate", "spec/jobTemplate/spec/template"]),
];

/// Selectors: group, version, kind, path, and whether it is made where it is not there.
const SELECTORS: &[(&str, &str, &str, &str, bool)] = &[
    ("", "v1", "Service", "spec/selector", true),
    ("", "v1", "ReplicationController", "spec/selector", true),
    ("", "", "Deployment", "spec/selector/matchLabels", true),
    ("", "", "ReplicaSet", "spec/selector/matchLabels", true),
    ("", "", "DaemonSet", "spec/selector/matchLabels", true),
    ("apps", "", "StatefulSet", "spec/selector/matchLabels", true),
    ("batch", "", "Job", "spec/selector/matchLabels", false),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
    ("policy", "", "PodDisruptionBudget", "spec/selector/matchLabels", false),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/podSelector/matchLabels", false),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false),
];

/// Selectors in the pods of Deployments and StatefulSets.
const SPREADING: &[&str] = &[
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector",
    "topologySpreadConstraints/labelSelector",
];

/// A field of a kind, with a path of its own.
struct Spot {
    group: String,
    version: String,
    kind: String,
    path: String,
    create: bool,
}

impl Spot {
    fn new(group: &str, version: &str, kind: &str, path: &str, create: bool) -> Self {
        let own = str::to_owned;
        Self { group: own(group), version: own(version), kind: own(kind), path: own(path), create }
    }

    fn field(&self) -> Field<'_> {
        let Self { group, version, kind, path, create } = self;
        Field { group, version, kind, path, create: *create }
    }
}

/// Adds labels: to the objects, to their pods, to what selects them, as each entry says.
pub(super) fn add(build: &mut Build<'_>, document: &Document, all: &mut [Resource]) {
    for item in document.list("labels") {
        let mut spots: Vec<Spot> = item.list("fields").iter().map(custom).collect();
        spots.push(Spot::new("", "", "", "metadata/labels", true));
        let selectors = item.bool("includeSelectors") == Some(true);
        if selectors || item.bool("includeTemplates") == Some(true) {
            templates("labels", &mut spots);
            claims(&mut spots);
        }
        if selectors {
            selecting(&mut spots);
        }
        write(build, item.map("pairs"), &spots, all);
    }
    let mut spots = vec![Spot::new("", "", "", "metadata/labels", true)];
    templates("labels", &mut spots);
    claims(&mut spots);
    selecting(&mut spots);
    write(build, document.map("commonLabels"), &spots, all);
}

/// Adds annotations to the objects and to their pods.
pub(super) fn annotate(build: &mut Build<'_>, document: &Document, all: &mut [Resource]) {
    let mut spots = vec![Spot::new("", "", "", "metadata/annotations", true)];
    templates("annotations", &mut spots);
    write(build, document.map("commonAnnotations"), &spots, all);
}

fn custom(node: &Node) -> Spot {
    let word = |key: &str| node.get(key).and_then(Node::scalar).unwrap_or_default();
    let create = node.bool("create") == Some(true);
    Spot::new(word("group"), word("version"), word("kind"), word("path"), create)
}

fn templates(what: &str, spots: &mut Vec<Spot>) {
    for (group, kind, paths) in TEMPLATES {
        let version = if *kind == "ReplicationController" { "v1" } else { "" };
        for path in *paths {
            let path = format!("{path}/metadata/{what}");
            spots.push(Spot::new(group, version, kind, &path, true));
        }
    }
}

fn claims(spots: &mut Vec<Spot>) {
    let path = "spec/volumeClaimTemplates[]/metadata/labels";
    spots.push(Spot::new("apps", "", "StatefulSet", path, true));
}

fn selecting(spots: &mut Vec<Spot>) {
    for (group, version, kind, path, create) in SELECTORS {
        spots.push(Spot::new(group, version, kind, path, *create));
    }
    for kind in ["Deployment", "StatefulSet"] {
        for path in SPREADING {
            let path = format!("spec/template/spec/{path}/matchLabels");
            spots.push(Spot::new("apps", "", kind, &path, false));
        }
    }
}

fn write(build: &mut Build<'_>, pairs: &[Entry], spots: &[Spot], all: &mut [Resource]) {
    for pair in pairs {
        if build.text(&pair.node).is_none() {
            continue;
        }
        for resource in all.iter_mut() {
            if !build.spend(4 * edit::weight(&pair.node), &pair.place) {
                return;
            }
            for spot in spots {
                spot.field().each(&mut resource.node, &pair.place, &mut |node| {
                    if node.is_null() {
                        node.value = Value::Map(Vec::new());
                    }
                    edit::set(node, &pair.key, &pair.place, pair.node.clone());
                });
            }
        }
    }
}
