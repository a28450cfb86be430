//! `ingress.hops_agree`

use mxdoctor_model::Finding;

use super::hops;
use crate::facts::{Cluster, ClusterApi, Hosts};
use crate::kubernetes::{View, absent};
use crate::{Cx, Findings, Verdict, check};

check! {
    /// ## What it asserts
    /// The same request is answered by the pod, by the Service and at the name that is looked at
    /// from here (the public name, or the internal ingress). Else the first hop, from the pod
    /// outwards, that does not answer is named.
    ///
    /// Asked are `/_matrix/client/versions` of Synapse, `/config.json` of Element Web and `/` of
    /// Jitsi Meet, at the pod and the Service by way of the API server's proxy.
    ///
    /// ## Why it matters
    /// One wrong line breaks one hop, and every hop before it shows a page of its own. Traefik's
    /// `404 page not found` is as well said of a Service without endpoints as of a wrong host name,
    /// and without any route for a name it shows a certificate of its own.
    ///
    /// ## What makes it fail
    /// A hop that does not answer while the one behind it does.
    ///
    /// ## How to fix it
    /// The cause names the hop. It needs `get` on `services/proxy` and `pods/proxy`, which permits
    /// requests to every port of the namespace: grant it to a person, or for a while.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "Access Services Running on Clusters"; the sources of Traefik.
    "ingress.hops_agree" at PIC: "the pod, the Service and the name give the same answer"
    causes [
        "homeserver-down",
        "element-down",
        "jitsi-web-down",
        "service-selects-nothing",
        "service-port-unresolved",
        "endpoints-not-ready",
        "workload-scaled-to-zero",
        "network-policy-blocks",
        "ingress-route-missing",
        "ingress-default-certificate",
        "tunnel-service-missing",
        "tunnel-down",
    ]
    timeout 55
}

async fn run(cx: &Cx) -> Verdict {
    if cx.target().kubernetes.is_none() {
        return Ok(absent().into());
    }
    let api = cx.fact(ClusterApi).await?;
    let namespace = cx.fact(Cluster).await?;
    let needs = ["Service", "Pod", "Deployment", "StatefulSet"];
    if let Some(unseen) = crate::kubernetes::unseen(&namespace.snapshot, &needs) {
        return Ok(unseen.into());
    }
    let view = View::new(&namespace.snapshot);
    let ways = hops::ways(&view);
    if ways.is_empty() {
        return Ok(Finding::skip("no part of the stack has a Service in the namespace").into());
    }
    let hosts = cx.fact(Hosts).await?;
    let looks = ways.iter().map(|way| {
        let host = hosts.iter().find(|host| host.is(way.role));
        hops::look(cx, &api, &view, way, host)
    });
    let mut findings = Vec::new();
    for (way, found) in ways.iter().zip(futures_util::future::join_all(looks).await) {
        findings.push(found?.on(way.role.as_str()));
    }
    Ok(findings.into_iter().collect::<Findings>())
}
