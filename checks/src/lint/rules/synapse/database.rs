//! Synapse's database, and the Cluster that it should be.

use mxdoctor_probes::manifest::{Node, Object};

use super::super::secrets::near::is_near;
use crate::lint::view::Synapse;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Without `database` Synapse writes to an SQLite file.
    ///
    /// Source: Synapse documentation, "Using Postgres".
    SQLITE = "SYN-19" Error: "Synapse uses PostgreSQL"
    breaks "everything is in a file on the pod's volume: slow, and in no backup of the database"
    remedy "set database.name to psycopg2, with the address of the Cluster"
    cause "database-not-postgres-configured"
    check "kubernetes.database"
    look sqlite
}

rule! {
    /// Host, user and database are those of the Cluster. CloudNativePG calls both user and
    /// database `app` unless `bootstrap.initdb` names others; roles that it manages, Databases and
    /// Poolers of the Cluster are known too.
    ///
    /// Silent about a host in another namespace, and about one that resembles no Cluster here.
    ///
    /// Source: CloudNativePG, "Bootstrap"; Service names `NAME-rw`, `NAME-ro`, `NAME-r`.
    NOT_OF_THE_CLUSTER = "SYN-20" Error: "Synapse's database is the one that the Cluster makes"
    breaks "Synapse does not start: the name does not resolve, or the role or database is not there"
    remedy "use the Service NAME-rw, and database and owner as in bootstrap.initdb"
    cause "database-reference-wrong"
    check "kubernetes.database"
    look not_of_the_cluster
}

rule! {
    /// `-ro` leads to replicas, which refuse to write; with one instance it leads nowhere.
    ///
    /// Source: CloudNativePG, "Service management".
    READ_ONLY = "SYN-21" Warning: "Synapse uses the Service that writes"
    breaks "every write ends in an error, or nothing is reached at all"
    remedy "use the Service that ends in -rw"
    cause "database-reference-wrong"
    check "kubernetes.database"
    look read_only
}

fn sqlite(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        match synapse.option("database.name") {
            Some((file, node)) if node.as_str() == Some("sqlite3") => {
                found.at(file.object, node, "Synapse writes to an SQLite file");
            }
            None if synapse.option("databases").is_none() => {
                let first = &synapse.configuration[0];
                let message = "no database is named, so that Synapse writes to an SQLite file";
                found.at(first.object, &first.node, message);
            }
            _ => {}
        }
    }
}

/// The Cluster whose Service a host name is, and which one: `rw`, `ro` or `r`.
fn cluster<'a, 'h>(stack: &Stack<'a>, host: &'h str) -> Option<(&'a Object, &'h str)> {
    let name = host.split('.').next()?;
    let clusters = stack.inventory.of_kind("Cluster");
    // Of `matrix` and `matrix-db` the longer one is meant.
    clusters
        .filter(|object| object.group() == "postgresql.cnpg.io")
        .filter_map(|object| Some((object, name.strip_prefix(object.name())?.strip_prefix('-')?)))
        .min_by_key(|(_, rest)| rest.len())
}

/// Whether a Pooler of a Cluster, an additional Service of it, or a plain Service has a name.
fn is_another_way(stack: &Stack<'_>, cluster: &Object, name: &str) -> bool {
    let first = name.split('.').next().unwrap_or_default();
    let more = cluster.node.list("spec.managed.services.additional").iter();
    let mut more = more.filter_map(|it| it.str("serviceTemplate.metadata.name"));
    more.any(|it| it == first)
        || ["Pooler", "Service"].iter().any(|it| stack.inventory.named(it, first).next().is_some())
}

fn not_of_the_cluster(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((file, host)) = synapse.option("database.args.host") else { continue };
        let Some(name) = host.as_str().filter(|name| !name.contains("${")) else { continue };
        let Some((object, kind)) = cluster(stack, name) else {
            unknown_host(stack, file.object, host, name, found);
            continue;
        };
        let another = is_another_way(stack, object, name);
        if !matches!(kind, "rw" | "ro" | "r") && !another {
            let message = format!("{name} is no Service of Cluster {}", object.name());
            found.at(file.object, host, message).also_place(object.place(), "the Cluster");
        }
        foreign_namespace(object, file.object, host, name, found);
        names_differ(stack, synapse, object, found);
    }
}

/// A host that no Service of the inventory has, where a Cluster stands by.
fn unknown_host(stack: &Stack<'_>, from: &Object, host: &Node, name: &str, found: &mut Found) {
    let first = name.split('.').next().unwrap_or_default();
    let in_cluster = !name.contains('.') || name.contains(".svc");
    let known = stack.inventory.named("Service", first).next().is_some();
    let said = name.split('.').nth(1);
    let clusters = stack.inventory.of_kind("Cluster");
    // What is elsewhere, or has another name altogether, may be there.
    let mut clusters = clusters.filter(|it| {
        let here = said.is_none_or(|said| it.namespace().is_none_or(|own| own == said));
        here && (first.starts_with(it.name()) || is_near(first, &format!("{}-rw", it.name())))
    });
    let other = clusters.find(|object| object.group() == "postgresql.cnpg.io");
    if let (true, false, Some(object)) = (in_cluster, known, other) {
        let wanted = format!("{}-rw", object.name());
        let message =
            format!("{name} is the name of nothing here; the Cluster's Service is {wanted}");
        found.at(from, host, message).also_place(object.place(), "the Cluster");
    }
}

/// `NAME-rw.NAMESPACE.svc` of another namespace than the Cluster's.
fn foreign_namespace(cluster: &Object, from: &Object, host: &Node, name: &str, found: &mut Found) {
    let mut parts = name.split('.').skip(1);
    let (Some(said), Some("svc")) = (parts.next(), parts.next()) else { return };
    if let Some(own) = cluster.namespace().filter(|own| *own != said) {
        let message = format!("{name} is in namespace {said}, and the Cluster is in {own}");
        found.at(from, host, message).also_place(cluster.place(), "the Cluster");
    }
}

/// Whether a role or a database is made by something else than `bootstrap.initdb`.
fn is_made(stack: &Stack<'_>, cluster: &Object, what: &str, name: &str) -> bool {
    let databases = stack.inventory.of_kind("Database").filter(|it| {
        it.group() == "postgresql.cnpg.io"
            && it.node.str("spec.cluster.name") == Some(cluster.name())
    });
    let field = if what == "user" { "spec.owner" } else { "spec.name" };
    let roles = cluster.node.list("spec.managed.roles").iter();
    let scripts = ["postInitSQL", "postInitApplicationSQL", "postInitApplicationSQLRefs"];
    let initdb = cluster.at("spec.bootstrap.initdb");
    scripts.iter().any(|key| initdb.is_some_and(|it| it.get(key).is_some()))
        || databases.into_iter().any(|it| it.node.str(field) == Some(name))
        || what == "user" && roles.into_iter().any(|it| it.str("name") == Some(name))
}

fn names_differ(stack: &Stack<'_>, synapse: &Synapse<'_>, cluster: &Object, found: &mut Found) {
    // Restored and imported clusters have the names of where they come from.
    let initdb = cluster.at("spec.bootstrap.initdb");
    if cluster.at("spec.bootstrap").is_some() && initdb.is_none() {
        return;
    }
    let of = |key: &str| initdb.and_then(|it| it.get(key)).and_then(Node::as_str);
    let database = of("database").unwrap_or("app");
    let owner = of("owner").unwrap_or(database);
    for (paths, made, what) in [
        (&["database.args.user"][..], owner, "user"),
        (&["database.args.dbname", "database.args.database"][..], database, "database"),
    ] {
        let Some((file, node)) = paths.iter().find_map(|path| synapse.option(path)) else {
            continue;
        };
        let Some(said) = node.as_str().filter(|said| !said.contains("${") && *said != made) else {
            continue;
        };
        if is_made(stack, cluster, what, said) {
            continue;
        }
        let message = format!("the {what} is {said}, and the Cluster makes {made}");
        let place = initdb.map_or(cluster.place(), |node| &node.place);
        found.at(file.object, node, message).also_place(place, "the Cluster");
    }
}

fn read_only(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((file, host)) = synapse.option("database.args.host") else { continue };
        let Some(name) = host.as_str() else { continue };
        if let Some((object, kind @ ("ro" | "r"))) = cluster(stack, name) {
            let message = format!("{name} is the Service -{kind} of Cluster {}", object.name());
            found.at(file.object, host, message).also_place(object.place(), "the Cluster");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    fn with(args: &str, bootstrap: &str) -> String {
        synapse(&format!("database:\n  name: psycopg2\n  args: {args}"))
            + "---\napiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata:\n  name: \
               matrix-db\n  namespace: app-matrix\n"
            + &format!("spec: {{instances: 1, {bootstrap}}}\n")
    }

    const MADE: &str = "bootstrap: {initdb: {database: synapse, owner: synapse}}";

    #[test]
    fn a_database_as_the_reference_has_it_is_right() {
        let host = "matrix-db-rw.app-matrix.svc";
        let text = with(&format!("{{host: {host}, user: synapse, dbname: synapse}}"), MADE);
        for rule in ["SYN-19", "SYN-20", "SYN-21"] {
            assert_eq!(found(rule, &text), [""; 0], "{rule}");
        }
    }

    #[test]
    fn what_the_cluster_does_not_make_is_found() {
        for (args, bootstrap, expected) in [
            (
                "{host: matrix-db}",
                MADE,
                "9:20 matrix-db is the name of nothing here; the Cluster's Service is matrix-db-rw",
            ),
            (
                "{host: matrix-db-rw.chat.svc}",
                MADE,
                "9:20 matrix-db-rw.chat.svc is in namespace chat, and the Cluster is in app-matrix",
            ),
            (
                "{host: matrix-db-rw, user: synapse}",
                "storage: {size: 5Gi}",
                "9:40 the user is synapse, and the Cluster makes app",
            ),
            (
                "{host: matrix-db-rw, database: matrix}",
                MADE,
                "9:44 the database is matrix, and the Cluster makes synapse",
            ),
        ] {
            assert_eq!(found("SYN-20", &with(args, bootstrap)), [expected]);
        }
        let expected = "9:20 matrix-db-ro is the Service -ro of Cluster matrix-db";
        assert_eq!(found("SYN-21", &with("{host: matrix-db-ro}", MADE)), [expected]);
        assert_eq!(found("SYN-20", &with("{host: db.example.org}", MADE)), [""; 0]);
    }

    #[test]
    fn sqlite_is_found() {
        assert_eq!(found("SYN-19", &synapse("database: {name: sqlite3}")).len(), 1);
        assert_eq!(found("SYN-19", &synapse("server_name: a")).len(), 1);
    }

    #[test]
    fn other_ways_to_the_cluster_are_known() {
        let of = |args: &str, cluster: &str, more: &str| {
            found("SYN-20", &(with(args, cluster) + "---\n" + more))
        };
        let pooler = "apiVersion: postgresql.cnpg.io/v1\nkind: Pooler\nmetadata: {name: \
                      matrix-db-pool}\n";
        let args = "{host: matrix-db-pool, user: synapse}";
        assert_eq!(of(args, MADE, "{}").len(), 1);
        assert_eq!(of(args, MADE, pooler), [""; 0]);
        let roles = format!("{MADE}, managed: {{roles: [{{name: chat}}]}}");
        assert_eq!(of("{host: matrix-db-rw, user: chat}", &roles, "{}"), [""; 0]);
        let database = "apiVersion: postgresql.cnpg.io/v1\nkind: Database\nmetadata: {name: d}\n\
                        spec: {name: chat, owner: me, cluster: {name: matrix-db}}\n";
        let args = "{host: matrix-db-rw, user: me, dbname: chat}";
        assert_eq!(of(args, MADE, "{}").len(), 2);
        assert_eq!(of(args, MADE, database), [""; 0]);
    }

    #[test]
    fn the_cluster_of_somebody_else_is_left_alone() {
        for host in ["pg.databases.svc.cluster.local", "matrix-db-rw.other.svc", "postgres"] {
            let text = with(&format!("{{host: {host}}}"), MADE).replace("matrix-db\n", "wiki\n");
            assert_eq!(found("SYN-20", &text), [""; 0], "{host}");
        }
        // Of two Clusters the one with the longer name is meant.
        let two = with("{host: matrix-db-rw, user: synapse, dbname: synapse}", MADE);
        let first = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: matrix}\n\
                     spec: {instances: 1}\n---\n";
        assert_eq!(found("SYN-20", &(first.to_owned() + &two)), [""; 0]);
    }
}
