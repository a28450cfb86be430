//! `kubernetes.permissions`

use std::collections::BTreeSet;

use mxdoctor_model::{Evidence, Finding};
use mxdoctor_probes::kube::{Outcome, missing_right};

use super::shared::absent;
use crate::facts::Cluster;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The API server answers, and everything that the checks of this family look at may be listed.
    ///
    /// ## Why it matters
    /// What may not be seen is not judged: each check that lacks something is skipped with the rule
    /// that is missing, and here they all stand together.
    ///
    /// ## What makes it fail
    /// Nothing: a kind that may not be listed is a warning with the missing rule, an API server
    /// that does not answer is an error, and a kind that is not served (its operator is not
    /// installed) is told.
    ///
    /// ## How to fix it
    /// `mxdoctor list rbac` prints the permissions as manifests.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "Using RBAC Authorization".
    "kubernetes.permissions" at C: "what the checks look at may be listed"
    causes ["cluster-permission-missing", "cluster-credentials-refused", "cluster-not-asked"]
    timeout 50
}

async fn run(cx: &Cx) -> Verdict {
    if cx.target().kubernetes.is_none() {
        return Ok(absent().into());
    }
    let namespace = cx.fact(Cluster).await?;
    Ok(opinion(&namespace.snapshot).into())
}

pub(super) fn opinion(snapshot: &mxdoctor_probes::kube::Snapshot) -> Finding {
    let mut rules = Vec::new();
    let mut unserved = BTreeSet::new();
    let mut failed = Vec::new();
    for listed in &snapshot.listed {
        match &listed.outcome {
            Outcome::Forbidden(_) => {
                rules.push(missing_right(listed.kind, listed.namespace.as_deref()));
            }
            Outcome::NotServed => {
                unserved.insert(format!("{}.{}", listed.kind.resource, listed.kind.group));
            }
            Outcome::Failed(error) => failed.push(format!("{}: {error}", listed.kind.resource)),
            Outcome::Listed { .. } => {}
        }
    }
    let note = (!unserved.is_empty()).then(|| {
        let all: Vec<String> = unserved.into_iter().collect();
        Evidence::note(format!(
            "not served, what defines them is not installed: {}",
            all.join(", ")
        ))
    });
    let objects = snapshot.inventory.objects().len();
    let finding = if let Some(first) = failed.first() {
        Finding::error_of(
            "cluster-not-asked",
            format!("{} lists failed, such as {first}", failed.len()),
        )
    } else if let Some(first) = rules.first() {
        let text = format!("{} kinds may not be listed; missing rule: {first}", rules.len());
        let all = rules.iter().map(|rule| Evidence::note(format!("missing rule: {rule}")));
        Finding::warn("cluster-permission-missing", text).evidences(all)
    } else {
        Finding::pass(format!("{objects} objects of namespace {} are seen", snapshot.namespace))
    };
    finding.evidences(note)
}
