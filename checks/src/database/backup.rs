//! `database.backup`

use mxdoctor_model::Finding;
use mxdoctor_probes::manifest::Object;

use crate::kubernetes::{View, condition, judge};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The database is backed up: a backup of the last two days, and an archive of the write-ahead
    /// log that works, as far as CloudNativePG is configured to make them.
    ///
    /// ## Why it matters
    /// A lost database is the end of every account and room. An archive that fails also fills the
    /// volume, since the log is kept until it is archived.
    ///
    /// ## What makes it fail
    /// `ContinuousArchiving=False`, `LastBackupSucceeded=False`, or a schedule whose last backup is
    /// older than two days and not that of its last time. A cluster without any backup, and without a CronJob that dumps it, is a
    /// warning.
    ///
    /// ## How to fix it
    /// Look at `kubectl -n app-matrix get backups`, and at the credentials of the object store.
    ///
    /// ## Where it comes from
    /// CloudNativePG documentation, "Backup" and "WAL archiving".
    "database.backup" at C: "the database has a recent backup"
    causes ["database-archive-failing", "database-backup-failed", "database-backup-absent"]
    timeout 50
}

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, &["Cluster", "Backup", "ScheduledBackup", "CronJob"], opinion).await
}

/// Seconds after which a backup is old.
const OLD: i64 = 2 * DAY;
const DAY: i64 = 24 * 3600;

pub(crate) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let clusters = view.own("Cluster").filter(|one| one.group() == "postgresql.cnpg.io");
    let all: Vec<Finding> =
        clusters.map(|cluster| look(view, cluster).on(cluster.to_string())).collect();
    if all.is_empty() {
        return vec![Finding::skip("there is no CloudNativePG cluster in the namespace")];
    }
    all
}

fn look(view: &View<'_>, cluster: &Object) -> Finding {
    if let Some(archive) = condition(cluster, "ContinuousArchiving").filter(|c| c.status == "False")
    {
        let text = format!("the archive of {cluster} fails: {}", archive.message);
        return Finding::fail("database-archive-failing", text);
    }
    if let Some(last) = condition(cluster, "LastBackupSucceeded")
        .filter(|c| c.status == "False" && c.reason != "BackupStarted")
    {
        let text = format!("the last backup of {cluster} failed: {}", last.message);
        return Finding::fail("database-backup-failed", text);
    }
    let of = |object: &&Object| object.node.str("spec.cluster.name") == Some(cluster.name());
    let done = view
        .own("Backup")
        .filter(of)
        .filter(|one| one.node.str("status.phase") == Some("completed"));
    let newest = done.filter_map(|one| view.ago(one.node.str("status.stoppedAt"))).min();
    let schedule = view.own("ScheduledBackup").find(of);
    let last = [cluster.node.str("status.lastSuccessfulBackup")];
    let newest = last.into_iter().filter_map(|time| view.ago(time)).chain(newest).min();
    match (newest, schedule) {
        (Some(age), _) if age <= OLD => {
            Finding::pass(format!("the last backup is {} h old", age / 3600))
        }
        (Some(age), Some(schedule)) if in_time(view, schedule, age) => {
            Finding::pass(format!("the last backup is {} days old, as is due", age / DAY))
        }
        (Some(age), Some(_)) => {
            let text = format!("the last backup of {cluster} is {} days old", age / DAY);
            Finding::fail("database-backup-failed", text)
        }
        (None, Some(schedule))
            if view
                .ago(schedule.node.str("metadata.creationTimestamp"))
                .is_some_and(|age| age > OLD) =>
        {
            Finding::fail("database-backup-failed", format!("{schedule} has made no backup yet"))
        }
        (None, Some(schedule)) => {
            Finding::pass(format!("{schedule} is young and has made no backup yet"))
        }
        (_, None) if dumps(view) => {
            Finding::pass("a CronJob dumps the database; see kubernetes.cronjob")
        }
        (_, None) => Finding::warn("database-backup-absent", format!("nothing backs {cluster} up")),
    }
}

/// Whether a backup of this age is the one of the schedule's last time, and none is overdue: a
/// schedule may be of once a week.
fn in_time(view: &View<'_>, schedule: &Object, age: i64) -> bool {
    let last = view.ago(schedule.node.str("status.lastScheduleTime"));
    let next = view.ago(schedule.node.str("status.nextScheduleTime"));
    let overdue = next.is_none_or(|age| age > 3600);
    let suspended = schedule.node.bool("spec.suspend") == Some(true);
    last.is_some_and(|last| age <= last + 3600) && !overdue && !suspended
}

/// Whether a CronJob dumps databases, by what it runs.
fn dumps(view: &View<'_>) -> bool {
    view.own("CronJob").any(|job| {
        let mut found = false;
        let mut look = |node: &mxdoctor_probes::manifest::Node| {
            found |= node.as_str().is_some_and(|text| text.contains("pg_dump"));
        };
        if let Some(spec) = job.at("spec") {
            spec.scalars(&mut look);
        }
        found
    })
}
