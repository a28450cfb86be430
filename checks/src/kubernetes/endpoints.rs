//! `kubernetes.endpoints`

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::manifest::{Entry, Node, Object};

use super::shared::{View, judge};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Each Service with a selector has at least one endpoint that serves, on the ports that it
    /// names.
    ///
    /// ## Why it matters
    /// Traefik takes a route whose Service has no endpoint out of service and answers with its own
    /// `404 page not found`, which looks like a wrong host name and is not. The tunnel answers 502.
    ///
    /// ## What makes it fail
    /// A selector that fits no pod; pods that are there and not ready; a `targetPort` by a name
    /// that the pods do not have. `-ro` of a CloudNativePG cluster with one instance has no
    /// endpoints, and that is as it should be.
    ///
    /// ## How to fix it
    /// Compare `kubectl get svc NAME -o jsonpath={.spec.selector}` with the labels of the pods.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "EndpointSlices"; Traefik's documentation, `allowEmptyServices`.
    "kubernetes.endpoints" at C: "each Service has an endpoint that serves"
    causes [
        "service-selects-nothing",
        "endpoints-not-ready",
        "service-port-unresolved",
        "workload-scaled-to-zero",
    ]
    timeout 50
}

const NEEDS: &[&str] =
    &["Service", "EndpointSlice", "Pod", "Deployment", "StatefulSet", "DaemonSet"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let judged = |service: &&Object| {
        !service.node.map("spec.selector").is_empty()
            && view.settled(service)
            && !idle(view, service)
    };
    view.own("Service")
        .filter(judged)
        .filter_map(|service| unserved(view, service).map(|f| f.on(service.to_string())))
        .collect()
}

/// Services that may have no endpoints: the replicas' of a database with one instance, and those
/// that cert-manager makes for the time of a challenge.
fn idle(view: &View<'_>, service: &Object) -> bool {
    let label = |key: &str| service.labels().iter().find(|entry| entry.key == key);
    if label("acme.cert-manager.io/http01-solver").is_some() {
        return true;
    }
    let cluster = label("cnpg.io/cluster").and_then(|entry| entry.node.scalar());
    let Some(cluster) = cluster.filter(|_| service.name().ends_with("-ro")) else { return false };
    // Of a cluster that is not seen it is not known how many instances it has.
    view.own("Cluster")
        .find(|one| one.name() == cluster)
        .is_none_or(|one| one.node.i64("spec.instances").unwrap_or(1) <= 1)
}

/// The endpoints of a Service, and whether each serves.
fn endpoints(view: &View<'_>, service: &str) -> (usize, usize, bool) {
    let (mut all, mut serving, mut ports) = (0, 0, false);
    let of = |slice: &&Object| {
        let named = |entry: &Entry| {
            entry.key == "kubernetes.io/service-name" && entry.node.scalar() == Some(service)
        };
        slice.labels().iter().any(named)
    };
    for slice in view.own("EndpointSlice").filter(of) {
        let here = slice.node.list("endpoints");
        let serves = |endpoint: &&Node| {
            let said = endpoint.bool("conditions.serving");
            said.or_else(|| endpoint.bool("conditions.ready")).unwrap_or(true)
        };
        all += here.len();
        serving += here.iter().filter(serves).count();
        ports |= !slice.node.list("ports").is_empty();
    }
    (all, serving, ports)
}

/// Whether a Service has an endpoint that serves.
pub(super) fn serves(view: &View<'_>, service: &str) -> bool {
    let (_, serving, ports) = endpoints(view, service);
    serving > 0 && ports
}

/// Why a Service has no endpoint that serves; none where one does.
pub(crate) fn unserved(view: &View<'_>, service: &Object) -> Option<Finding> {
    let (all, serving, ports) = endpoints(view, service.name());
    let selector = service.node.map("spec.selector");
    let written: Vec<String> = selector
        .iter()
        .map(|entry| format!("{}={}", entry.key, entry.node.scalar().unwrap_or_default()))
        .collect();
    let evidence = Evidence::new(
        EvidenceKind::Manifest,
        format!("{service} selector {}: {serving} of {all} endpoints serve", written.join(",")),
    );
    let finding = if serving > 0 && ports {
        return None;
    } else if serving > 0 {
        let text = format!("no pod of {service} has the port that it names");
        Finding::fail("service-port-unresolved", text)
    } else if all > 0 {
        let text = format!("none of the {all} pods behind {service} is ready");
        Finding::fail("endpoints-not-ready", text).transient()
    } else {
        empty(view, service, selector, &written.join(", "))
    };
    Some(finding.evidences([evidence]))
}

/// Why a Service has no endpoint at all.
fn empty(view: &View<'_>, service: &Object, selector: &[Entry], written: &str) -> Finding {
    let fits = |labels: &[Entry]| {
        let has = |want: &Entry| {
            labels.iter().any(|l| l.key == want.key && l.node.scalar() == want.node.scalar())
        };
        selector.iter().all(has)
    };
    if view.own("Pod").any(|pod| fits(pod.labels())) {
        let text = format!("no pod behind {service} has an address yet");
        return Finding::fail("endpoints-not-ready", text).transient();
    }
    let wanted = view.stack.workloads.iter().find(|workload| {
        workload.object.kind() != "Pod" && !workload.runs_once() && workload.has(selector)
    });
    match wanted {
        Some(workload) if workload.replicas() == 0 => Finding::fail(
            "workload-scaled-to-zero",
            format!("{service} has no endpoint: {} is scaled to 0", workload.object),
        )
        .remedy(super::workloads::scale(view, workload.object)),
        Some(workload) => Finding::fail(
            "endpoints-not-ready",
            format!("{service} has no endpoint: {} has no pod", workload.object),
        ),
        None => Finding::fail(
            "service-selects-nothing",
            format!("{service} selects {written}, which no pod has"),
        ),
    }
}
