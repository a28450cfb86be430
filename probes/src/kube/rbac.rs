//! The permissions, made of what is asked for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{KINDS, Kind, Reach};

/// One permission: verbs on a resource of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// The API group; empty for the core.
    pub group: &'static str,
    /// The resource, with a subresource where it is one: `pods/log`.
    pub resource: &'static str,
    /// `get`, `list`.
    pub verbs: &'static [&'static str],
    /// Where it is needed.
    pub reach: Reach,
    /// What needs it beyond the plain run; none where every run does.
    pub option: Option<&'static str>,
}

const OPTIONS: &[Right] = &[
    option("pods/log", "logs = true"),
    option("services/proxy", "ingress.hops_agree"),
    option("pods/proxy", "ingress.hops_agree"),
    option("secrets", "key names of Secrets, or read_secrets = true"),
];

const fn option(resource: &'static str, option: &'static str) -> Right {
    let (group, verbs, reach) = ("", &["get"], Reach::Namespace);
    Right { group, resource, verbs, reach, option: Some(option) }
}

/// Everything that a run asks for.
pub fn rights() -> Vec<Right> {
    let listed = KINDS.iter().map(|kind| Right {
        group: kind.group,
        resource: kind.resource,
        verbs: &["get", "list"],
        reach: kind.reach,
        option: None,
    });
    listed.chain(OPTIONS.iter().cloned()).collect()
}

/// The rule that a refused list lacks, as a person adds it.
pub fn missing_right(kind: &Kind, namespace: Option<&str>) -> String {
    let group = if kind.group.is_empty() { "\"\"" } else { kind.group };
    let place = match namespace {
        Some(namespace) => format!("Role in namespace {namespace}"),
        None => "ClusterRole".to_owned(),
    };
    format!("{place}: apiGroups: [{group}], resources: [{}], verbs: [get, list]", kind.resource)
}

/// Name of the account, and of everything that gives it a right.
const NAME: &str = "mxdoctor";

/// The permissions as manifests: an account in the namespace, a Role for it there, a ClusterRole,
/// and a Role in each operator's namespace, each bound to the account. The optional rights are
/// comments.
pub fn yaml(namespace: &str, operators: &[String]) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {NAME}\n  \
         namespace: {namespace}\nautomountServiceAccountToken: false\n"
    );
    role(&mut text, Some(namespace), Reach::Namespace);
    for right in OPTIONS {
        let what = right.option.unwrap_or_default();
        let _ = writeln!(
            text,
            "  # For {what}:\n  # - apiGroups: [\"\"]\n  #   resources: [{}]\n  #   verbs: [get]",
            right.resource
        );
    }
    binding(&mut text, Some(namespace), namespace);
    role(&mut text, None, Reach::Cluster);
    binding(&mut text, None, namespace);
    for operator in operators {
        role(&mut text, Some(operator), Reach::Operators);
        binding(&mut text, Some(operator), namespace);
    }
    text
}

/// A Role in a namespace, or a ClusterRole.
fn role(text: &mut String, place: Option<&str>, reach: Reach) {
    head(text, if place.is_some() { "Role" } else { "ClusterRole" }, place);
    text.push_str("rules:\n");
    rules(text, reach);
}

/// Gives the role of a place to the account, which lives in `namespace`.
fn binding(text: &mut String, place: Option<&str>, namespace: &str) {
    let kind = if place.is_some() { "Role" } else { "ClusterRole" };
    head(text, &format!("{kind}Binding"), place);
    let _ = writeln!(
        text,
        "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {kind}\n  name: {NAME}\n\
         subjects:\n  - kind: ServiceAccount\n    name: {NAME}\n    namespace: {namespace}"
    );
}

fn head(text: &mut String, kind: &str, namespace: Option<&str>) {
    let _ = writeln!(
        text,
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {NAME}"
    );
    if let Some(namespace) = namespace {
        let _ = writeln!(text, "  namespace: {namespace}");
    }
}

fn rules(text: &mut String, reach: Reach) {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for kind in KINDS.iter().filter(|kind| kind.reach == reach) {
        groups.entry(kind.group).or_default().push(kind.resource);
    }
    for (group, resources) in groups {
        let _ = writeln!(text, "  - apiGroups: [\"{group}\"]\n    resources:");
        for resource in resources {
            let _ = writeln!(text, "      - {resource}");
        }
        text.push_str("    verbs: [get, list]\n");
    }
}
