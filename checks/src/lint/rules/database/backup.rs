//! Whether anything is left when the volume is lost.

use mxdoctor_probes::manifest::{Node, Object};

use super::cluster::clusters;
use crate::lint::{Change, Found, Stack};
use crate::rule;

rule! {
    /// Something has to make backups of a Cluster: a ScheduledBackup, an archive of its WAL, or a
    /// CronJob that runs `pg_dump`. `spec.backup` with a class for snapshots says how, and makes
    /// none by itself.
    ///
    /// Backups that another repository makes are not seen: a comment
    /// `# mxdoctor: allow DB-01 reason` says so.
    ///
    /// Source: CloudNativePG, "Backup".
    NONE = "DB-01" Critical: "something makes backups of the database"
    breaks "with the volume every message and every account is gone"
    remedy "add a ScheduledBackup, or a CronJob that runs pg_dump to another place"
    cause "database-backup-absent"
    check "kubernetes.database"
    look_in_files none
}

rule! {
    /// CloudNativePG's schedules begin with the seconds: six fields, where a CronJob has five.
    ///
    /// Source: CloudNativePG, "Backup", "Scheduled backups".
    FIVE_FIELDS = "DB-10" Error: "a ScheduledBackup's schedule has six fields"
    breaks "the object is refused, or runs at other times than meant: there are no backups"
    remedy "put the seconds in front: `0 0 3 * * *`"
    cause "database-backup-absent"
    check "kubernetes.database"
    look five_fields
}

rule! {
    /// `barmanObjectStore` inside the Cluster is given up since 1.26 in favour of the Barman Cloud
    /// plugin.
    ///
    /// Source: CloudNativePG 1.26, release notes.
    IN_TREE = "DB-11" Warning: "backups are made by the plugin"
    breaks "an upgrade of the operator ends the backups"
    remedy "move the settings to an ObjectStore and name the plugin barman-cloud.cloudnative-pg.io"
    cause "configuration-deprecated"
    check "kubernetes.database"
    look in_tree
}

rule! {
    /// A backup inside the same cluster, on the same disks, goes with them.
    ///
    /// Source: CloudNativePG, "Backup", object stores.
    SAME_CLUSTER = "DB-12" Warning: "backups leave the cluster"
    breaks "what takes the database takes its backups with it"
    remedy "use an object store outside, or copy the bucket to one"
    cause "backup-in-the-same-place"
    check "kubernetes.database"
    look_in_files same_cluster
}

fn none(stack: &Stack<'_>, found: &mut Found) {
    for cluster in clusters(stack) {
        if is_archived(cluster) || is_scheduled(stack, cluster) || is_dumped(stack, cluster) {
            continue;
        }
        match cluster.at("spec").and_then(|spec| spec.entry("backup")) {
            Some(entry) => {
                let message = "this says how, and no ScheduledBackup says when";
                found.place(cluster, entry.place.clone(), message);
            }
            None => {
                found.on(cluster, "nothing here makes a backup of this database");
            }
        }
    }
}

/// Whether its WAL goes to an archive, or Longhorn's recurring jobs have its volumes.
fn is_archived(cluster: &Object) -> bool {
    let archiver = |plugin: &Node| plugin.bool("isWALArchiver") == Some(true);
    let labels = cluster.node.map("spec.inheritedMetadata.labels");
    cluster.at("spec.backup.barmanObjectStore").is_some()
        || cluster.node.list("spec.plugins").iter().any(archiver)
        || labels.iter().any(|label| label.key.contains("recurring-job"))
}

fn is_scheduled(stack: &Stack<'_>, cluster: &Object) -> bool {
    stack.inventory.of_kind("ScheduledBackup").any(|backup| {
        backup.node.str("spec.cluster.name") == Some(cluster.name())
            && backup.node.bool("spec.suspend") != Some(true)
    })
}

/// Whether a CronJob dumps it, or another tool for backups is there.
fn is_dumped(stack: &Stack<'_>, cluster: &Object) -> bool {
    let alone = clusters(stack).count() == 1;
    let dumps = stack.workloads.iter().any(|workload| {
        let (mut dump, mut named) = (false, false);
        workload.pod.scalars(&mut |node| {
            let text = node.as_str().unwrap_or_default();
            dump |= text.contains("pg_dump") || text.contains("pg_basebackup");
            named |= text.contains(cluster.name());
        });
        let suspended = workload.object.node.bool("spec.suspend") == Some(true);
        workload.object.kind() == "CronJob" && dump && (named || alone) && !suspended
    });
    let other = |object: &Object| {
        let group = object.group();
        ["velero.io", "k8up.io", "stash.appscode.com", "backup.appuio.ch"].contains(&group)
    };
    dumps || stack.inventory.objects().iter().any(other)
}

fn five_fields(stack: &Stack<'_>, found: &mut Found) {
    for backup in stack.inventory.of_kind("ScheduledBackup") {
        let Some(node) = backup.at("spec.schedule") else { continue };
        let Some(text) = node.as_str().filter(|text| !text.starts_with('@')) else { continue };
        let fields = text.split_whitespace().filter(|field| !field.contains('='));
        let count = fields.count();
        if count == 6 || text.contains("${") {
            continue;
        }
        let message = format!("`{text}` has {count} fields, and the first of six is the seconds");
        let problem = found.at(backup, node, message);
        if count == 5 && node.place.line > 0 && !text.contains('=') {
            let with = format!("\"0 {text}\"");
            let change = Change::Replace { place: node.place.clone(), with };
            problem.fix("put the seconds in front", vec![change]);
        }
    }
}

fn in_tree(stack: &Stack<'_>, found: &mut Found) {
    for cluster in clusters(stack) {
        let backup = cluster.at("spec.backup");
        if let Some(entry) = backup.and_then(|backup| backup.entry("barmanObjectStore")) {
            let message = "barmanObjectStore is given up since CloudNativePG 1.26";
            found.place(cluster, entry.place.clone(), message);
        }
    }
}

fn same_cluster(stack: &Stack<'_>, found: &mut Found) {
    let own = clusters(stack).map(|it| (it, "spec.backup.barmanObjectStore.endpointURL"));
    let stores = stack.inventory.of_kind("ObjectStore");
    let stores = stores.filter(|it| it.group() == "barmancloud.cnpg.io");
    let stores = stores.map(|it| (it, "spec.configuration.endpointURL"));
    for (object, path) in own.chain(stores) {
        let Some(node) = object.at(path) else { continue };
        let Some((_, rest)) = node.as_str().and_then(|url| url.split_once("://")) else { continue };
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        let inside = !host.contains('.') || host.ends_with(".svc") || host.contains(".svc.");
        if inside && !host.is_empty() && !host.contains('$') {
            found.at(object, node, format!("{host} is a Service of this cluster"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    fn cluster(spec: &str, more: &str) -> String {
        format!(
            "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata:\n  name: db\nspec:\n  \
             {spec}\n  storage: {{size: 20Gi}}\n---\n{more}\n"
        )
    }

    const SCHEDULED: &str = "apiVersion: postgresql.cnpg.io/v1\nkind: ScheduledBackup\nmetadata: \
                             {name: b}\nspec:\n  schedule: \"0 30 3 * * 0\"\n  cluster: {name: db}";
    const DUMP: &str = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: d}\nspec:\n  \
                        jobTemplate:\n    spec:\n      template:\n        spec:\n          \
                        containers: [{name: d, args: [pg_dump --format=custom]}]";

    #[test]
    fn a_database_without_backups_is_found() {
        let expected = "4:9 nothing here makes a backup of this database";
        assert_eq!(found("DB-01", &cluster("instances: 1", "")), [expected]);
        let snapshots = "backup: {volumeSnapshot: {className: c}}";
        let expected = "6:3 this says how, and no ScheduledBackup says when";
        assert_eq!(found("DB-01", &cluster(snapshots, "")), [expected]);
        for good in [
            cluster("instances: 1", SCHEDULED),
            cluster("instances: 1", DUMP),
            cluster("backup: {barmanObjectStore: {destinationPath: s3://b}}", ""),
            cluster("plugins: [{name: barman-cloud.cloudnative-pg.io, isWALArchiver: true}]", ""),
        ] {
            assert_eq!(found("DB-01", &good), [""; 0], "{good}");
        }
        let suspended = SCHEDULED.replace("spec:\n", "spec:\n  suspend: true\n");
        assert_eq!(found("DB-01", &cluster("instances: 1", &suspended)).len(), 1);
    }

    #[test]
    fn a_schedule_begins_with_the_seconds() {
        assert_eq!(found("DB-10", &cluster("instances: 1", SCHEDULED)), [""; 0]);
        let five = SCHEDULED.replace("0 30 3", "30 3");
        let expected = "13:13 `30 3 * * 0` has 5 fields, and the first of six is the seconds";
        assert_eq!(found("DB-10", &cluster("instances: 1", &five)), [expected]);
        let daily = SCHEDULED.replace("0 30 3 * * 0", "@daily");
        assert_eq!(found("DB-10", &cluster("instances: 1", &daily)), [""; 0]);
    }

    #[test]
    fn backups_go_outside_by_the_plugin() {
        let inside = "backup: {barmanObjectStore: {endpointURL: http://minio.minio.svc:9000}}";
        let expected = "6:12 barmanObjectStore is given up since CloudNativePG 1.26";
        assert_eq!(found("DB-11", &cluster(inside, "")), [expected]);
        let expected = "6:45 minio.minio.svc is a Service of this cluster";
        assert_eq!(found("DB-12", &cluster(inside, "")), [expected]);
        let outside = inside.replace("http://minio.minio.svc:9000", "https://s3.example.org");
        assert_eq!(found("DB-12", &cluster(&outside, "")), [""; 0]);
        assert_eq!(found("DB-11", &cluster("instances: 1", "")), [""; 0]);
    }
}
