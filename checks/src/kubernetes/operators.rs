//! `kubernetes.operators`

use mxdoctor_model::Finding;
use mxdoctor_probes::kube::{Outcome, Reach};
use mxdoctor_probes::manifest::Object;

use super::shared::{View, condition, judge};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The operators in the namespaces that were named are alive: their Deployments are available,
    /// their leases are renewed, and their webhooks have endpoints.
    ///
    /// ## Why it matters
    /// What an operator looks after keeps its last good status when the operator is dead. Nothing
    /// is renewed, moved or mended any more, and a webhook without endpoints refuses every change.
    ///
    /// ## What makes it fail
    /// A Deployment scaled to 0 or not available; a lease that was not renewed for three times its
    /// duration while its holder should be there; a webhook with `failurePolicy: Fail` whose Service
    /// has no endpoint.
    ///
    /// ## How to fix it
    /// `kubectl -n NAMESPACE rollout restart deploy NAME`.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "Leases" and "Dynamic Admission Control".
    "kubernetes.operators" at C: "the operators are alive"
    causes ["operator-down", "operator-stale", "webhook-without-endpoints"]
    timeout 50
}

async fn run(cx: &Cx) -> Verdict {
    if let Some(kubernetes) = &cx.target().kubernetes
        && kubernetes.operators.is_empty()
    {
        let text = "no namespace of an operator is named: kubernetes.operators in stack.toml";
        return Ok(Finding::skip(text).into());
    }
    judge(cx, CHECK.id, &["ValidatingWebhookConfiguration"], opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let own = Some(view.snapshot.namespace.as_str());
    let theirs = |object: &&Object| object.namespace().is_some() && object.namespace() != own;
    let mut findings: Vec<Finding> = refused(view);
    findings.extend(view.all("Deployment").filter(theirs).filter_map(|one| down(view, one)));
    findings.extend(view.all("Lease").filter(theirs).filter_map(|one| stale(view, one)));
    findings
        .extend(view.all("ValidatingWebhookConfiguration").filter_map(|one| webhook(view, one)));
    findings
}

/// Namespaces that may not be looked at.
fn refused(view: &View<'_>) -> Vec<Finding> {
    let listed = view.snapshot.listed.iter().filter(|one| one.kind.reach == Reach::Operators);
    listed
        .filter_map(|one| {
            let namespace = one.namespace.as_deref()?;
            matches!(one.outcome, Outcome::Forbidden(_)).then(|| {
                let rule = mxdoctor_probes::kube::missing_right(one.kind, Some(namespace));
                let text = format!(
                    "{} may not be listed in {namespace}; missing rule: {rule}",
                    one.kind.resource
                );
                Finding::skip(text).on(format!("{namespace} {}", one.kind.resource))
            })
        })
        .collect()
}

fn name(object: &Object) -> String {
    format!("{} {}/{}", object.kind(), object.namespace().unwrap_or_default(), object.name())
}

fn down(view: &View<'_>, deployment: &Object) -> Option<Finding> {
    let name = name(deployment);
    if deployment.node.i64("spec.replicas") == Some(0) {
        let text = format!("{name} is scaled to 0: what it looks after keeps its last status");
        return Some(Finding::fail("operator-down", text).remedy(scale(deployment)).on(name));
    }
    let available = condition(deployment, "Available").filter(|c| c.status == "False")?;
    view.ago(available.since).is_none_or(|age| age > 60).then(|| {
        let text = format!("{name} is not available: {}", available.message);
        Finding::fail("operator-down", text).remedy(restart(deployment)).on(name)
    })
}

fn scale(deployment: &Object) -> String {
    let (namespace, name) = (deployment.namespace().unwrap_or_default(), deployment.name());
    format!("`kubectl -n {namespace} scale deploy/{name} --replicas=1`")
}

fn restart(deployment: &Object) -> String {
    let (namespace, name) = (deployment.namespace().unwrap_or_default(), deployment.name());
    format!(
        "`kubectl -n {namespace} describe pods` says why; `kubectl -n {namespace} rollout restart \
         deploy/{name}` starts it anew"
    )
}

fn stale(view: &View<'_>, lease: &Object) -> Option<Finding> {
    let holder = lease.node.str("spec.holderIdentity").filter(|holder| !holder.is_empty())?;
    let duration = lease.node.i64("spec.leaseDurationSeconds").unwrap_or(15);
    let age = view.ago(lease.node.str("spec.renewTime"))?;
    // A lease of another election than the running operator's is left over and says nothing.
    let newer = view.all("Lease").any(|other| {
        other.namespace() == lease.namespace()
            && view.ago(other.node.str("spec.renewTime")).is_some_and(|other| other < 60)
    });
    (age > (3 * duration).max(60) && !newer).then(|| {
        let text = format!("{holder} has not renewed {} for {age} s", name(lease));
        Finding::fail("operator-stale", text).on(name(lease)).likely()
    })
}

fn webhook(view: &View<'_>, configuration: &Object) -> Option<Finding> {
    configuration.node.list("webhooks").iter().find_map(|hook| {
        let service = hook.str("clientConfig.service.name")?;
        let namespace = hook.str("clientConfig.service.namespace")?;
        if hook.str("failurePolicy") == Some("Ignore") {
            return None;
        }
        let seen = view.snapshot.listed.iter().any(|one| {
            one.kind.kind == "EndpointSlice"
                && one.namespace.as_deref() == Some(namespace)
                && matches!(one.outcome, Outcome::Listed { whole: true, .. })
        });
        let serves = view.all("EndpointSlice").filter(|one| one.namespace() == Some(namespace)).any(|slice| {
            let label = |e: &mxdoctor_probes::manifest::Entry| {
                e.key == "kubernetes.io/service-name" && e.node.scalar() == Some(service)
            };
            slice.labels().iter().any(label)
                && slice.node.list("endpoints").iter().any(|e| e.bool("conditions.ready") != Some(false))
        });
        (seen && !serves).then(|| {
            let text = format!("{configuration} asks {namespace}/{service}, which has no endpoint: changes are refused");
            Finding::fail("webhook-without-endpoints", text).on(configuration.to_string())
        })
    })
}
