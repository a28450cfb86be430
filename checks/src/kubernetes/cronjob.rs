//! `kubernetes.cronjob`

use mxdoctor_model::Finding;
use mxdoctor_probes::manifest::Object;

use super::shared::{View, condition, judge, not_to_be_judged};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Each CronJob runs when it should, and its last run came to a good end.
    ///
    /// ## Why it matters
    /// Nobody misses a backup until it is needed.
    ///
    /// ## What makes it fail
    /// The last Job failed and none came to a good end since. One that is suspended, or that was
    /// started and never came to a good end, is a warning.
    ///
    /// ## How to fix it
    /// `kubectl -n app-matrix logs job/NAME`; `kubectl create job --from=cronjob/NAME try`.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "CronJob"; API reference, CronJobStatus and JobStatus.
    "kubernetes.cronjob" at C: "each CronJob comes to a good end"
    causes ["cronjob-failing", "cronjob-suspended", "object-stuck-deleting"]
    timeout 50
}

const NEEDS: &[&str] = &["CronJob", "Job"];
const HOUR: i64 = 3600;
/// How much older than its last start the last good end may be.
const LATE: i64 = 12 * HOUR;

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let all = view.own("CronJob");
    all.filter_map(|one| not_to_be_judged(view, one).or_else(|| look(view, one)))
        .map(|finding| finding.transient())
        .collect()
}

fn look(view: &View<'_>, cron: &Object) -> Option<Finding> {
    let on = |finding: Finding| Some(finding.on(cron.to_string()));
    if cron.node.bool("spec.suspend") == Some(true) {
        return on(Finding::warn("cronjob-suspended", format!("{cron} is suspended")));
    }
    let success = view.ago(cron.node.str("status.lastSuccessfulTime"));
    let owned = |job: &&Object| {
        let owners = job.node.list("metadata.ownerReferences").iter();
        owners.filter_map(|owner| owner.str("name")).any(|name| name == cron.name())
    };
    let failed = view
        .own("Job")
        .filter(owned)
        .filter_map(|job| {
            let failed = condition(job, "Failed").filter(|c| c.status == "True")?;
            Some((view.ago(failed.since)?, failed.reason, job))
        })
        .min_by_key(|(age, ..)| *age);
    if let Some((age, reason, job)) = failed
        && success.is_none_or(|success| success > age)
    {
        let text = format!("the last run of {cron} failed {} min ago ({reason}): {job}", age / 60);
        let remedy = format!("`kubectl -n {} logs job/{}`", view.snapshot.namespace, job.name());
        return on(Finding::fail("cronjob-failing", text).remedy(remedy));
    }
    let scheduled = view.ago(cron.node.str("status.lastScheduleTime"))?;
    let active = !cron.node.list("status.active").is_empty();
    if active {
        return None;
    }
    let text = match success {
        None if scheduled > HOUR => format!("{cron} was started and has never come to a good end"),
        // Jobs are cleared away; that one was due and came to no good end is still to be seen.
        Some(success) if scheduled > HOUR && success > scheduled + LATE => format!(
            "{cron} last came to a good end {} h ago, and was started {} h ago",
            success / HOUR,
            scheduled / HOUR
        ),
        _ => return None,
    };
    on(Finding::warn("cronjob-failing", text))
}
