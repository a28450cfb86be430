//! How jobs on a schedule run.

use super::super::storage::disk::{Disk, disk, is_for_one};
use crate::lint::view::{Mount, Volume, VolumeKind, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Unless it is forbidden, a job begins while the one before is still at it. Two dumps write
    /// into the same file and take the database's connections twice.
    ///
    /// Silent about jobs without a volume that they may write to, whose runs cannot meet in a file.
    ///
    /// Source: Kubernetes, "CronJob", `concurrencyPolicy`, default `Allow`.
    OVERLAP = "CRON-01" Warning: "a job that writes files does not run beside itself"
    breaks "when a run takes longer than the interval, the next one writes into its file"
    remedy "concurrencyPolicy: Forbid"
    cause "backup-job-unfit"
    check "kubernetes.cronjob"
    look overlap
}

rule! {
    /// A job's pods end; the policy `Always`, which is also the default of a pod, is refused.
    ///
    /// Source: Kubernetes, "Jobs", pod template: `restartPolicy` is `Never` or `OnFailure`.
    RESTART = "CRON-03" Error: "a job says what happens when it fails"
    breaks "the API server refuses the object: restartPolicy Always is not supported"
    remedy "restartPolicy: OnFailure in the pod template"
    cause "backup-job-unfit"
    check "kubernetes.cronjob"
    look restart
}

rule! {
    /// A claim for one node (`ReadWriteOnce`) is held by the workload that mounts it. A job that
    /// is scheduled to another node waits for it without end.
    ///
    /// Silent about volumes on a node's own disk, whose pods are scheduled there, and where nothing
    /// tells the class of the claim.
    ///
    /// Source: Kubernetes, "Persistent Volumes", access modes.
    APART = "CRON-05" Warning: "a job that mounts another's claim runs on its node"
    breaks "the job's pod waits for its volume (Multi-Attach error), and nothing is backed up"
    remedy "add podAffinity to the owner's labels with topologyKey kubernetes.io/hostname"
    cause "backup-job-unfit"
    check "kubernetes.cronjob"
    look apart
}

fn overlap(stack: &Stack<'_>, found: &mut Found) {
    for workload in stack.workloads.iter().filter(|it| it.object.kind() == "CronJob") {
        let writes = workload.volumes().any(|volume| writes(workload, &volume));
        let policy = workload.object.at("spec.concurrencyPolicy");
        let allowed = policy.is_none_or(|policy| policy.as_str() == Some("Allow"));
        if writes && allowed {
            let place = policy.or_else(|| workload.object.at("spec.schedule"));
            let node = place.unwrap_or(&workload.object.node);
            found.at(workload.object, node, "may begin while the run before is still writing");
        }
    }
}

/// Whether a job may write to a claim.
fn writes(workload: &Workload<'_>, volume: &Volume<'_>) -> bool {
    let claim = volume.node.get("persistentVolumeClaim");
    let mut mounts = Vec::new();
    for container in workload.containers() {
        mounts.extend(workload.mounts(&container));
    }
    let of_it = |it: &Mount<'_>| it.volume.is_some_and(|own| own.name() == volume.name());
    let own: Vec<_> = mounts.iter().filter(|it| of_it(it)).collect();
    let reads = claim.and_then(|it| it.bool("readOnly")) == Some(true)
        || !own.is_empty() && own.iter().all(|it| it.node.bool("readOnly") == Some(true));
    matches!(volume.kind, VolumeKind::Claim(_)) && !reads
}

fn restart(stack: &Stack<'_>, found: &mut Found) {
    for workload in stack.workloads.iter().filter(|workload| workload.runs_once()) {
        match workload.pod.get("restartPolicy") {
            None => {
                let message = "says no restartPolicy, and Always is refused for a job";
                found.at(workload.object, workload.pod, message);
            }
            Some(node) if node.as_str() == Some("Always") => {
                found.at(workload.object, node, "Always is refused for a job");
            }
            Some(_) => {}
        }
    }
}

fn apart(stack: &Stack<'_>, found: &mut Found) {
    for job in stack.workloads.iter().filter(|workload| workload.runs_once()) {
        let pinned = ["affinity.podAffinity", "nodeSelector", "nodeName", "affinity.nodeAffinity"];
        if pinned.iter().any(|path| job.pod.at(path).is_some()) {
            continue;
        }
        for volume in job.volumes() {
            let VolumeKind::Claim(name) = volume.kind else { continue };
            let claim = stack.inventory.beside(job.object, "PersistentVolumeClaim", name);
            let once = claim
                .is_some_and(|claim| is_for_one(claim) && disk(stack, claim) == Disk::Attached);
            let owner = stack.workloads.iter().find(|other| {
                !other.runs_once()
                    && other.object.namespace() == job.object.namespace()
                    && other.volumes().any(|volume| volume.kind == VolumeKind::Claim(name))
            });
            if let (true, Some(owner)) = (once, owner) {
                let message = format!("mounts the claim {name}, which {} holds", owner.object);
                found.at(job.object, volume.node, message).also_place(owner.object.place(), "it");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    fn job(spec: &str, pod: &str) -> String {
        format!(
            "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: dump}}\nspec:\n  schedule: '0 3 \
             * * *'\n  {spec}\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          \
             {pod}\n          containers: [{{name: d, image: a/b:1}}]\n          volumes: [{{name: \
             v, persistentVolumeClaim: {{claimName: media}}}}]\n"
        )
    }

    #[test]
    fn a_job_is_alone_and_ends() {
        let good = job("concurrencyPolicy: Forbid", "restartPolicy: OnFailure");
        assert_eq!(found("CRON-01", &good), [""; 0]);
        assert_eq!(found("CRON-03", &good), [""; 0]);
        let bad = job("suspend: false", "restartPolicy: Always");
        assert_eq!(
            found("CRON-01", &bad),
            ["5:13 may begin while the run before is still writing"]
        );
        assert_eq!(found("CRON-03", &bad), ["11:26 Always is refused for a job"]);
        assert_eq!(found("CRON-03", &job("suspend: false", "hostPID: false")).len(), 1);
        let reads = bad.replace("claimName: media", "claimName: media, readOnly: true");
        assert_eq!(found("CRON-01", &reads), [""; 0]);
    }

    #[test]
    fn a_job_is_where_its_volume_is() {
        let others = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: \
                      media}\nspec: {storageClassName: fast, accessModes: [ReadWriteOnce]}\n---\napiVersion: \
                      apps/v1\nkind: Deployment\nmetadata: {name: s}\nspec: {template: {spec: \
                      {containers: [], volumes: [{name: v, persistentVolumeClaim: {claimName: \
                      media}}]}}}\n";
        let bad = job("suspend: false", "restartPolicy: Never") + others;
        assert_eq!(found("CRON-05", &bad).len(), 1);
        assert_eq!(found("CRON-05", &bad.replace("ReadWriteOnce", "ReadWriteMany")), [""; 0]);
        assert_eq!(found("CRON-05", &bad.replace("fast", "local-path")), [""; 0]);
        let affine = "restartPolicy: Never\n          affinity: {podAffinity: {}}";
        assert_eq!(found("CRON-05", &(job("suspend: false", affine) + others)), [""; 0]);
    }
}
