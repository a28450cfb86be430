//! What the database's pods may use.

use super::cluster::clusters;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Without `resources` the pods are of the class BestEffort, which the kubelet ends first when
    /// a node's memory runs short.
    ///
    /// Source: Kubernetes, "Pod Quality of Service Classes"; CloudNativePG, "Resource management".
    UNSET = "DB-09" Warning: "the database's memory is set aside"
    breaks "the database is the first to be ended when a node runs short of memory"
    remedy "set resources with the same memory in requests and limits, and shared_buffers to a \
            quarter"
    cause "database-resources-unset"
    check "kubernetes.database"
    look unset
}

fn unset(stack: &Stack<'_>, found: &mut Found) {
    for cluster in clusters(stack) {
        let of =
            |kind: &str| cluster.at("spec.resources").and_then(|it| it.get(kind)?.get("memory"));
        if of("requests").is_none() && of("limits").is_none() {
            let message = "no memory is set aside for this database";
            match cluster.at("spec").and_then(|spec| spec.entry("resources")) {
                Some(entry) => found.place(cluster, entry.place.clone(), message),
                None => found.on(cluster, message),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    #[test]
    fn memory_is_set_aside() {
        let text = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata:\n  name: db\nspec:\n  \
                    instances: 1\n";
        let expected = "4:9 no memory is set aside for this database";
        assert_eq!(found("DB-09", text), [expected]);
        let good = format!("{text}  resources: {{requests: {{memory: 1Gi}}}}\n");
        assert_eq!(found("DB-09", &good), [""; 0]);
        let cpu = good.replace("memory: 1Gi", "cpu: 1");
        assert_eq!(found("DB-09", &cpu), ["7:3 no memory is set aside for this database"]);
    }
}
