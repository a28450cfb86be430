//! `dns.cluster`

use mxdoctor_model::{Finding, Outcome};
use mxdoctor_probes::kube::Access;

use crate::facts::{Addresses, Cluster};
use crate::kubernetes::absent;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The names of the stack's Services resolve, from a pod.
    ///
    /// ## Why it matters
    /// Synapse finds its database, and Jitsi's parts find Prosody, by these names alone. Without
    /// the cluster's DNS everything that starts anew fails, and what runs goes on for a while.
    ///
    /// ## What makes it fail
    /// A Service of the namespace whose name does not resolve. Outside of a pod these names mean
    /// nothing, and the check is skipped.
    ///
    /// ## How to fix it
    /// `kubectl -n kube-system get pods -l k8s-app=kube-dns`; a NetworkPolicy that allows egress
    /// must allow UDP and TCP 53 to it.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "DNS for Services and Pods".
    "dns.cluster" at C: "Service names resolve in the cluster"
    causes ["cluster-dns-broken"]
    timeout 50
}

/// Names that are asked for.
const MOST: usize = 16;

async fn run(cx: &Cx) -> Verdict {
    if cx.target().kubernetes.is_none() {
        return Ok(absent().into());
    }
    if !Access::in_cluster() {
        return Ok(Finding::skip("this is no pod: Service names mean nothing here").into());
    }
    let namespace = cx.fact(Cluster).await?;
    if let Some(unseen) = crate::kubernetes::unseen(&namespace.snapshot, &["Service"]) {
        return Ok(unseen.into());
    }
    let own = &namespace.snapshot.namespace;
    let names = namespace.snapshot.inventory.of_kind("Service");
    let hosts: Vec<String> = names
        .filter(|service| service.namespace() == Some(own))
        .filter(|service| service.node.str("spec.clusterIP").is_some_and(|ip| ip != "None"))
        .take(MOST)
        .map(|service| format!("{}.{own}.svc.cluster.local", service.name()))
        .collect();
    let looks = hosts.iter().map(|host| cx.fact(Addresses { host: host.clone() }));
    let answers = futures_util::future::join_all(looks).await;
    let ours = answers.iter().filter_map(|answer| answer.as_ref().err());
    if let Some(by) = ours.into_iter().find(|by| by.finding.outcome != Outcome::Fail) {
        return Err(by.clone());
    }
    let lost: Vec<&str> = hosts
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answer.is_err())
        .map(|(host, _)| host.as_str())
        .collect();
    Ok(match lost.as_slice() {
        [] => Finding::pass(format!("{} names of Services resolve", hosts.len())).into(),
        lost => {
            let text = format!("names of Services do not resolve: {}", lost.join(", "));
            Finding::fail("cluster-dns-broken", text).transient().into()
        }
    })
}
