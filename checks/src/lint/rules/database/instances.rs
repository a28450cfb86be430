//! How many instances a Cluster has, and what that means for its updates.

use mxdoctor_probes::manifest::{Object, Place};

use super::cluster::{clusters, instances};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// One instance is one node. While that node is drained there is no database; and with the
    /// disruption budget that CloudNativePG makes by default the drain waits for ever.
    ///
    /// Source: CloudNativePG, "Kubernetes Upgrade and Maintenance"; `spec.enablePDB`.
    ONE = "DB-02" Warning: "the database has more than one instance"
    breaks "a drained or a lost node takes the whole homeserver down"
    remedy "run 3 instances on 3 nodes, or plan drains with nodeMaintenanceWindow"
    cause "database-single-instance"
    check "kubernetes.database"
    look_in_files one
}

rule! {
    /// A new image, or a parameter that needs a restart, is taken up at once. With several
    /// instances one of the others takes over; the only one is simply gone for a while. The
    /// strategy `supervised`, which waits for a person, is refused for one instance.
    ///
    /// Source: CloudNativePG, "Rolling Updates"; `internal/webhook/v1/cluster_webhook.go`.
    UNATTENDED = "DB-13" Warning: "an update of the database does not come without warning"
    breaks "a change of the image stops the database in the middle of the day"
    remedy "change the image in a quiet hour, or run 3 instances"
    cause "database-single-instance"
    check "kubernetes.database"
    look_in_files unattended
}

/// Where a Cluster says how many it wants.
fn place(cluster: &Object) -> Place {
    cluster.at("spec.instances").map_or(cluster.place(), |node| &node.place).clone()
}

fn one(stack: &Stack<'_>, found: &mut Found) {
    for cluster in clusters(stack).filter(|cluster| instances(cluster) == 1) {
        let blocks = cluster.node.bool("spec.enablePDB") != Some(false);
        let message = if blocks {
            "one instance, whose disruption budget blocks every drain of its node"
        } else {
            "one instance: while its node is drained there is no database"
        };
        found.place(cluster, place(cluster), message);
    }
}

fn unattended(stack: &Stack<'_>, found: &mut Found) {
    for cluster in clusters(stack).filter(|cluster| instances(cluster) == 1) {
        match cluster.at("spec.primaryUpdateStrategy") {
            Some(node) if node.as_str() == Some("supervised") => {
                let message = "the operator refuses `supervised` for one instance";
                found.at(cluster, node, message).remedy("take primaryUpdateStrategy out");
            }
            _ => {
                let message = "a new image restarts the only instance at once";
                found.place(cluster, place(cluster), message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    fn cluster(spec: &str) -> String {
        let head = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata:\n  name: db\n";
        format!("{head}spec:\n  {spec}\n")
    }

    #[test]
    fn one_instance_is_said() {
        for (spec, expected) in [
            (
                "instances: 1",
                "6:14 one instance, whose disruption budget blocks every drain of its node",
            ),
            (
                "instances: 1\n  enablePDB: false",
                "6:14 one instance: while its node is drained there is no database",
            ),
            (
                "storage: {size: 5Gi}",
                "4:9 one instance, whose disruption budget blocks every drain of its node",
            ),
        ] {
            assert_eq!(found("DB-02", &cluster(spec)), [expected]);
        }
        let expected = "6:14 a new image restarts the only instance at once";
        assert_eq!(found("DB-13", &cluster("instances: 1")), [expected]);
        let refused = cluster("instances: 1\n  primaryUpdateStrategy: supervised");
        let expected = "7:26 the operator refuses `supervised` for one instance";
        assert_eq!(found("DB-13", &refused), [expected]);
        for rule in ["DB-02", "DB-13"] {
            assert_eq!(found(rule, &cluster("instances: 3")), [""; 0]);
        }
    }
}
