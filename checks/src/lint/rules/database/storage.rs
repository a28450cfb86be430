//! The database's volumes.

use mxdoctor_probes::manifest::{Node, Object};

use super::cluster::{clusters, instances};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// The size of a volume is a quantity: `5Gi`, `20G`. `5GB` is none, and `5` are five bytes.
    ///
    /// Source: Kubernetes, `resource.Quantity`; CloudNativePG, `StorageConfiguration`.
    SIZE = "DB-03" Error: "the size of the database's volumes is given"
    breaks "the operator refuses the Cluster, or waits for its volume: there is no database"
    remedy "write the size as a quantity: `size: 5Gi`"
    cause "volume-pending"
    check "kubernetes.database"
    look size
}

rule! {
    /// PostgreSQL and Longhorn both keep copies. Several instances on volumes of several replicas
    /// write everything many times; one instance on a volume of one replica keeps no copy at all.
    ///
    /// Source: CloudNativePG, "Storage"; Longhorn, `numberOfReplicas`.
    REPLICAS = "DB-04" Warning: "either the database or its volume keeps copies"
    breaks "every write costs several times as much, or one lost disk is the end of all data"
    remedy "several instances on a class with one replica"
    cause "storage-replicas-unfit"
    check "kubernetes.database"
    look replicas
}

rule! {
    /// WAL that is kept for an archive or a replica piles up beside the data. When the volume is
    /// full, the primary shuts down.
    ///
    /// Source: CloudNativePG, "Storage", volume for WAL.
    SHARED_WITH_WAL = "DB-05" Warning: "WAL has a volume of its own, or plenty of room"
    breaks "an archive that fails fills the disk, and the database stops"
    remedy "add walStorage, or give the volume more than 10Gi"
    cause "database-disk-full"
    check "kubernetes.database"
    look shared_with_wal
}

/// Bytes of a quantity.
fn quantity(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let unit = match &text[end..] {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0_f64.powi(2),
        "Gi" => 1024.0_f64.powi(3),
        "Ti" => 1024.0_f64.powi(4),
        _ => return None,
    };
    Some(number * unit)
}

/// The size of a volume: its own, or that of its claim's template.
fn size_of(storage: &Node) -> Option<&Node> {
    storage.get("size").or_else(|| storage.at("pvcTemplate.resources.requests.storage"))
}

fn size(stack: &Stack<'_>, found: &mut Found) {
    for cluster in clusters(stack) {
        let Some(spec) = cluster.at("spec") else { continue };
        if spec.get("storage").is_none() {
            found.on(cluster, "no storage is given, and so no size of the volume");
        }
        for key in ["storage", "walStorage"] {
            let Some(entry) = spec.entry(key) else { continue };
            let Some(node) = size_of(&entry.node) else {
                let message = format!("{key} has no size");
                found.place(cluster, entry.place.clone(), message);
                continue;
            };
            let text = node.scalar().unwrap_or_default();
            let wrong = match quantity(text) {
                _ if text.contains('$') => continue,
                None => format!("`{text}` is no quantity"),
                Some(bytes) if bytes < 1024.0 * 1024.0 => format!("`{text}` are bytes"),
                Some(_) => continue,
            };
            found.at(cluster, node, format!("{key}: {wrong}"));
        }
    }
}

/// How many replicas Longhorn keeps of the volumes of a class, where the class is shown.
fn longhorn<'a>(stack: &Stack<'a>, class: &str) -> Option<(&'a Object, i64)> {
    let object = stack.inventory.named("StorageClass", class).next()?;
    let ours = object.node.str("provisioner") == Some("driver.longhorn.io");
    let count = object.at("parameters.numberOfReplicas")?.scalar()?.parse().ok()?;
    ours.then_some((object, count))
}

fn replicas(stack: &Stack<'_>, found: &mut Found) {
    for cluster in clusters(stack) {
        let Some(node) = cluster.at("spec.storage.storageClass") else { continue };
        let Some((class, count)) = node.as_str().and_then(|name| longhorn(stack, name)) else {
            continue;
        };
        let instances = instances(cluster);
        let message = match (instances > 1, count > 1) {
            (true, true) => format!("{instances} instances on {count} replicas each"),
            (false, false) => "one instance on one replica: there is no copy".to_owned(),
            _ => continue,
        };
        found.at(cluster, node, message).also_place(class.place(), "the class");
    }
}

fn shared_with_wal(stack: &Stack<'_>, found: &mut Found) {
    const ENOUGH: f64 = 10.0 * 1024.0 * 1024.0 * 1024.0;
    for cluster in clusters(stack) {
        if cluster.at("spec.walStorage").is_some() {
            continue;
        }
        let Some(node) = cluster.at("spec.storage").and_then(size_of) else { continue };
        let text = node.scalar().unwrap_or_default();
        // Less than a MiB is a slip of its own.
        let small = |bytes: &f64| *bytes <= ENOUGH && *bytes >= 1024.0 * 1024.0;
        if quantity(text).as_ref().is_some_and(small) {
            let message = format!("data and WAL share {text}, and WAL may fill it");
            found.at(cluster, node, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    fn cluster(spec: &str, more: &str) -> String {
        let head = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata:\n  name: db\n";
        format!("{head}spec:\n  {spec}\n---\n{more}")
    }

    const CLASS: &str = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: l}\n\
                         provisioner: driver.longhorn.io\nparameters: {numberOfReplicas: '1'}\n";

    #[test]
    fn a_size_is_a_quantity() {
        let good = cluster("storage: {size: 5Gi}\n  walStorage: {size: 2Gi}", "");
        for rule in ["DB-03", "DB-04", "DB-05"] {
            assert_eq!(found(rule, &good), [""; 0], "{rule}");
        }
        for (spec, expected) in [
            ("instances: 1", "4:9 no storage is given, and so no size of the volume"),
            ("storage: {storageClass: l}", "6:3 storage has no size"),
            ("storage: {size: 5GB}", "6:19 storage: `5GB` is no quantity"),
            ("storage: {size: 5}", "6:19 storage: `5` are bytes"),
        ] {
            assert_eq!(found("DB-03", &cluster(spec, "")), [expected]);
        }
        let template = "storage: {pvcTemplate: {resources: {requests: {storage: 20Gi}}}}";
        assert_eq!(found("DB-03", &cluster(template, "")), [""; 0]);
    }

    #[test]
    fn wal_may_fill_a_small_volume() {
        let expected = "6:19 data and WAL share 5Gi, and WAL may fill it";
        assert_eq!(found("DB-05", &cluster("storage: {size: 5Gi}", "")), [expected]);
        assert_eq!(found("DB-05", &cluster("storage: {size: 100Gi}", "")), [""; 0]);
    }

    #[test]
    fn one_of_two_keeps_copies() {
        let spec = |instances| format!("instances: {instances}\n  storage: {{storageClass: l}}");
        let expected = "7:27 one instance on one replica: there is no copy";
        assert_eq!(found("DB-04", &cluster(&spec(1), CLASS)), [expected]);
        assert_eq!(found("DB-04", &cluster(&spec(3), CLASS)), [""; 0]);
        let three = CLASS.replace("'1'", "'3'");
        assert_eq!(
            found("DB-04", &cluster(&spec(3), &three)),
            ["7:27 3 instances on 3 replicas each"]
        );
        assert_eq!(found("DB-04", &cluster(&spec(1), "")), [""; 0]);
    }
}
