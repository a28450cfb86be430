//! Fields that name other objects and that kustomize does not know.

use mxdoctor_probes::manifest::{Node, Object, Value};

/// A field that names an object.
pub(super) struct Reference<'a> {
    pub(super) object: &'a Object,
    /// The kind of what it names.
    pub(super) kind: &'a str,
    /// The name.
    pub(super) name: &'a Node,
}

/// A field of a kind: whose, where (`[]` for each item), and the kind that it names.
type Spot = (&'static str, &'static str, &'static str);

const SPOTS: &[Spot] = &[
    ("IngressRoute", "spec.routes[].services[].name", "Service"),
    ("IngressRoute", "spec.routes[].middlewares[].name", "Middleware"),
    ("IngressRoute", "spec.tls.secretName", "Secret"),
    ("IngressRoute", "spec.tls.options.name", "TLSOption"),
    ("IngressRouteTCP", "spec.routes[].services[].name", "Service"),
    ("IngressRouteTCP", "spec.tls.secretName", "Secret"),
    ("IngressRouteUDP", "spec.routes[].services[].name", "Service"),
    ("Middleware", "spec.chain.middlewares[].name", "Middleware"),
    ("Middleware", "spec.basicAuth.secret", "Secret"),
    ("Middleware", "spec.digestAuth.secret", "Secret"),
    ("Middleware", "spec.errors.service.name", "Service"),
    ("TraefikService", "spec.weighted.services[].name", "Service"),
    ("TunnelBinding", "subjects[].name", "Service"),
    ("TunnelBinding", "tunnelRef.name", ""),
    ("Certificate", "spec.issuerRef.name", ""),
    ("Issuer", "spec.ca.secretName", "Secret"),
    ("ClusterIssuer", "spec.ca.secretName", "Secret"),
    ("Cluster", "spec.bootstrap.initdb.secret.name", "Secret"),
    ("Cluster", "spec.superuserSecret.name", "Secret"),
    ("Cluster", "spec.managed.roles[].passwordSecret.name", "Secret"),
    ("Backup", "spec.cluster.name", "Cluster"),
    ("ScheduledBackup", "spec.cluster.name", "Cluster"),
    ("Pooler", "spec.cluster.name", "Cluster"),
    ("Database", "spec.cluster.name", "Cluster"),
    ("HTTPRoute", "spec.rules[].backendRefs[].name", "Service"),
    ("Ingress", "spec.tls[].secretName", "Secret"),
];

/// What an object names, in fields that rules know.
pub(super) fn references(object: &Object) -> Vec<Reference<'_>> {
    let mut all = Vec::new();
    for (of, path, kind) in SPOTS.iter().filter(|(of, ..)| *of == object.kind()) {
        let path: Vec<&str> = path.split('.').collect();
        walk(&object.node, &path, &mut |parent, name| {
            // Where a reference says the kind itself, that counts; one in another namespace is
            // not of this deployment for sure.
            let kind = match (parent.str("kind"), *kind) {
                (Some(said), _) => said,
                (None, "") if *of == "Certificate" => "Issuer",
                (None, "") => "ClusterTunnel",
                (None, kind) => kind,
            };
            if parent.get("namespace").is_none() {
                all.push(Reference { object, kind, name });
            }
        });
    }
    if ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod"].contains(&object.kind())
    {
        secrets(object, &object.node, &mut all);
    }
    all
}

/// Calls `each` with the values at a path, and with the map that each stands in.
fn walk<'a>(node: &'a Node, path: &[&str], each: &mut impl FnMut(&'a Node, &'a Node)) {
    let Some((step, rest)) = path.split_first() else { return };
    let (key, list) = match step.strip_suffix("[]") {
        Some(key) => (key, true),
        None => (*step, false),
    };
    let Some(below) = node.get(key) else { return };
    match (rest.is_empty(), list) {
        (true, _) => each(node, below),
        (false, true) => below.items().iter().for_each(|item| walk(item, rest, each)),
        (false, false) => walk(below, rest, each),
    }
}

/// The Secrets that pods name, wherever in the object.
fn secrets<'a>(object: &'a Object, node: &'a Node, all: &mut Vec<Reference<'a>>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| secrets(object, item, all)),
        Value::Map(entries) => {
            for entry in entries {
                let name = match entry.key.as_str() {
                    "secretKeyRef" | "secretRef" => entry.node.get("name"),
                    "secret" => entry.node.get("secretName").or_else(|| entry.node.get("name")),
                    _ => None,
                };
                all.extend(name.map(|name| Reference { object, kind: "Secret", name }));
                secrets(object, &entry.node, all);
            }
        }
        _ => {}
    }
}
