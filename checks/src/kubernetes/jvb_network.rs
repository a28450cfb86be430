//! `kubernetes.jvb_network`

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::manifest::Object;

use super::shared::{View, judge, unseen};
use crate::lint::view::JitsiPart;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The bridge runs on a node whose address it advertises, and on the host network it can still
    /// resolve the names of Services.
    ///
    /// ## Why it matters
    /// Sound and picture go to the advertised address. A bridge that was moved to another node
    /// keeps advertising the old one: calls of two work, and calls of three are silent.
    ///
    /// ## What makes it fail
    /// A pod on the host network with `dnsPolicy: ClusterFirst`, which means the node's resolver
    /// there; an advertised address that belongs to another node of this cluster. Where the node
    /// has an external address and another one is advertised that no node has, it is a warning: a
    /// load balancer or NAT in front may have it.
    ///
    /// ## How to fix it
    /// `dnsPolicy: ClusterFirstWithHostNet`; pin the bridge to its node with `nodeSelector`, and
    /// advertise that node's public address in `JVB_ADVERTISE_IPS`.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "DNS for Services and Pods"; docker-jitsi-meet, `JVB_ADVERTISE_IPS`.
    "kubernetes.jvb_network" at C: "the bridge's node has the address that it advertises"
    causes ["jvb-dns-policy", "bridge-advertises-wrong-address", "bridge-on-another-node"]
    timeout 50
}

const NEEDS: &[&str] = &["Deployment", "StatefulSet", "DaemonSet", "Pod", "ConfigMap"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let bridges = view.stack.jitsi.jvb.iter().filter(|part| part.workload.object.kind() != "Pod");
    bridges
        .flat_map(|part| {
            let running = |pod: &&Object| {
                let labels = &part.workload.labels;
                let has = |want: &mxdoctor_probes::manifest::Entry| {
                    let same = |l: &mxdoctor_probes::manifest::Entry| {
                        l.key == want.key && l.node.scalar() == want.node.scalar()
                    };
                    pod.labels().iter().any(same)
                };
                !labels.is_empty() && labels.iter().all(has)
            };
            view.own("Pod")
                .filter(running)
                .filter_map(|pod| look(view, part, pod))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn look(view: &View<'_>, part: &JitsiPart<'_>, pod: &Object) -> Option<Finding> {
    let on_host = pod.node.bool("spec.hostNetwork") == Some(true);
    if on_host && pod.node.str("spec.dnsPolicy") == Some("ClusterFirst") {
        let text = format!(
            "{pod} is on the host network with dnsPolicy ClusterFirst: Service names do not resolve there"
        );
        return Some(Finding::fail("jvb-dns-policy", text).on(pod.to_string()));
    }
    if !on_host || unseen(view.snapshot, &["Node"]).is_some() {
        return None;
    }
    let value = part.container.env_value(&view.stack, &part.workload, "JVB_ADVERTISE_IPS")?;
    let advertised: Vec<String> = value
        .known()?
        .split(',')
        .filter_map(|one| Some(one.trim().split('#').next()?.to_owned()))
        .filter(|one| one.parse::<std::net::IpAddr>().is_ok())
        .collect();
    let own = pod.node.str("spec.nodeName")?;
    let node = view.all("Node").find(|node| node.name() == own)?;
    if advertised.is_empty() || addresses(node).iter().any(|at| advertised.contains(&at.1)) {
        return None;
    }
    let evidence = |node: &Object| {
        let all: Vec<String> =
            addresses(node).into_iter().map(|(kind, at)| format!("{kind} {at}")).collect();
        Evidence::new(EvidenceKind::Manifest, format!("{node}: {}", all.join(", ")))
    };
    let listed = advertised.join(", ");
    let other = view
        .all("Node")
        .filter(|other| other.name() != own)
        .find(|other| addresses(other).iter().any(|at| advertised.contains(&at.1)));
    if let Some(other) = other {
        let text = format!(
            "{pod} runs on {node} and advertises {listed}, which is the address of {other}"
        );
        let finding = Finding::fail("bridge-on-another-node", text).on(pod.to_string());
        return Some(finding.evidences([evidence(node), evidence(other)]));
    }
    let outside = addresses(node).into_iter().any(|(kind, _)| kind == "ExternalIP");
    outside.then(|| {
        let text = format!("{pod} advertises {listed}, which is no address of its node {own}");
        Finding::warn("bridge-advertises-wrong-address", text)
            .on(pod.to_string())
            .evidences([evidence(node)])
            .likely()
    })
}

fn addresses(node: &Object) -> Vec<(String, String)> {
    let all = node.node.list("status.addresses").iter();
    all.filter_map(|at| Some((at.str("type")?.to_owned(), at.str("address")?.to_owned()))).collect()
}
