//! `kubernetes.routes`

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::kube::SecretUse;

use super::endpoints;
use super::shared::{View, judge};
use crate::lint::view::RouteKind;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Each IngressRoute and Ingress leads to a Service with an endpoint, and its certificate's
    /// Secret is there.
    ///
    /// ## Why it matters
    /// An IngressRoute has no status: Traefik leaves out what it cannot use, and says so in its own
    /// log alone. Without the Secret it serves a certificate of its own making.
    ///
    /// ## What makes it fail
    /// What the rules of this check find, a route to a Service of which no endpoint serves, and a
    /// `tls.secretName` that does not exist (where Secrets may be looked at).
    ///
    /// ## How to fix it
    /// See `kubernetes.endpoints` and `kubernetes.certificates`.
    ///
    /// ## Where it comes from
    /// The sources of Traefik's Kubernetes CRD provider.
    "kubernetes.routes" at C: "each route leads to a Service that serves"
    causes ["route-without-endpoints", "tls-secret-missing"]
    timeout 50
}

const NEEDS: &[&str] = &["IngressRoute", "Ingress", "Middleware", "Service", "EndpointSlice"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for route in view.stack.routes.iter().filter(|route| route.kind != RouteKind::TunnelBinding) {
        let Some(service) = route.target(&view.stack) else { continue };
        let here = service.object.namespace() == Some(&*view.snapshot.namespace);
        let selects = !service.object.node.map("spec.selector").is_empty();
        if !here || !selects || endpoints::serves(view, service.object.name()) {
            continue;
        }
        let host = route.host.unwrap_or("any host");
        let text = format!(
            "{} leads {host} to {}, of which no endpoint serves",
            route.object, service.object
        );
        let place = Evidence::new(EvidenceKind::Manifest, route.place.to_string());
        findings.push(
            Finding::fail("route-without-endpoints", text)
                .on(format!("{} {host}", route.object))
                .evidences([place]),
        );
    }
    for route in view.own("IngressRoute") {
        let Some(name) = route.node.str("spec.tls.secretName") else { continue };
        if view.snapshot.secrets.get(name) == Some(&SecretUse::Absent) {
            let text = format!(
                "{route} names Secret {name}, which is not there: Traefik serves its own certificate"
            );
            findings.push(Finding::fail("tls-secret-missing", text).on(format!("{route} tls")));
        }
    }
    findings.dedup_by(|one, other| one.instance == other.instance);
    findings
}
