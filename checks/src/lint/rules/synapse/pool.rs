//! Synapse's connections to its database.

use mxdoctor_probes::manifest::Node;

use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Each process of Synapse opens up to `cp_max` connections, 10 unless told otherwise. The
    /// database takes `max_connections`, 100 unless told otherwise, of which some are kept for its
    /// administrators, the operator and the dump.
    ///
    /// Source: Synapse, `database.args.cp_max`; PostgreSQL, `max_connections`.
    POOL = "SYN-22" Warning: "the database takes all connections that Synapse opens"
    breaks "requests fail under load: remaining connection slots are reserved"
    remedy "lower cp_max, or raise max_connections in the Cluster"
    cause "database-connections-few"
    check "kubernetes.database"
    look pool
}

/// What administrators, the operator and a dump need.
const KEPT: i64 = 10;

fn pool(stack: &Stack<'_>, found: &mut Found) {
    let number = |node: &Node| node.scalar().and_then(|text| text.parse::<i64>().ok());
    for synapse in &stack.synapse {
        let Some((file, node)) = synapse.option("database.args.cp_max") else { continue };
        let host = synapse.option("database.args.host").and_then(|(_, host)| host.as_str());
        let Some(name) = host.and_then(|host| host.split('.').next()) else { continue };
        let Some(wanted) = number(node) else { continue };
        let cluster = stack.inventory.of_kind("Cluster").find(|it| {
            it.group() == "postgresql.cnpg.io" && name.strip_suffix("-rw") == Some(it.name())
        });
        let Some(cluster) = cluster else { continue };
        let given = cluster.at("spec.postgresql.parameters.max_connections");
        let takes = given.and_then(number).unwrap_or(100);
        if wanted + KEPT > takes {
            let message =
                format!("up to {wanted} connections, and the database takes {takes} in all");
            let place = given.map_or(cluster.place(), |node| &node.place);
            found.at(file.object, node, message).also_place(place, "the database");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    #[test]
    fn the_pool_fits_the_database() {
        let with = |most: &str, takes: &str| {
            synapse(&format!("database: {{args: {{host: db-rw.a.svc, cp_max: {most}}}}}"))
                + "---\napiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: db}\n"
                + &format!("spec: {{postgresql: {{parameters: {{{takes}}}}}}}\n")
        };
        let expected = "7:50 up to 200 connections, and the database takes 100 in all";
        assert_eq!(found("SYN-22", &with("200", "")), [expected]);
        assert_eq!(found("SYN-22", &with("200", "max_connections: '300'")), [""; 0]);
        assert_eq!(found("SYN-22", &with("10", "")), [""; 0]);
    }
}
