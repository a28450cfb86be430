//! `kubernetes.tunnels`

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::manifest::Object;

use super::shared::{View, judge, not_to_be_judged};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Each TunnelBinding was taken up by its operator, every host in it leads to a Service, and
    /// the tunnel that it names exists.
    ///
    /// ## Why it matters
    /// The operator refuses nothing: a Service that it does not find is published as
    /// `http_status:404`, and people get an empty page with that status.
    ///
    /// ## What makes it fail
    /// `status.services[].target` of `http_status:404`; a host that is not in the status, which is
    /// compared by position since a TunnelBinding has no generation; a Tunnel or ClusterTunnel that
    /// is absent or has no `tunnelId`.
    ///
    /// ## How to fix it
    /// Correct `subjects[].name`, at the top level of the object: a TunnelBinding has no `spec`.
    ///
    /// ## Where it comes from
    /// The sources of cloudflare-operator.
    "kubernetes.tunnels" at C: "each tunnel leads to Services"
    causes ["tunnel-service-missing", "tunnel-not-taken-up", "tunnel-missing", "object-stuck-deleting"]
    timeout 50
}

const NEEDS: &[&str] = &["TunnelBinding", "Tunnel", "Service"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let bindings = view.own("TunnelBinding");
    bindings
        .flat_map(|binding| match not_to_be_judged(view, binding) {
            Some(finding) => vec![finding],
            None => look(view, binding),
        })
        .collect()
}

fn look(view: &View<'_>, binding: &Object) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tunnel(view, binding).into_iter().collect();
    let published = binding.node.list("status.services");
    for (index, subject) in binding.node.list("subjects").iter().enumerate() {
        let name = subject.str("name").unwrap_or_default();
        let wanted = subject.str("spec.fqdn");
        let instance = format!("{binding} {}", wanted.unwrap_or(name));
        let Some(row) = published.get(index) else {
            if view.settled(binding) {
                let warning = view.warnings("TunnelBinding", binding.name());
                let said = warning.first().map(|(r, n)| format!(": {r}, {n}")).unwrap_or_default();
                let text = format!("the operator has not published {name}{said}");
                findings.push(Finding::fail("tunnel-not-taken-up", text).on(instance).transient());
            }
            continue;
        };
        let (host, target) = (row.str("hostname"), row.str("target").unwrap_or_default());
        let seen = format!("{binding} status: {} → {target}", host.unwrap_or_default());
        let seen = Evidence::new(EvidenceKind::Manifest, seen);
        if target.starts_with("http_status:") {
            let text = format!(
                "{} is published as {target}: the operator found no Service {name}",
                host.unwrap_or(name)
            );
            findings
                .push(Finding::fail("tunnel-service-missing", text).on(instance).evidences([seen]));
        } else if wanted.is_some() && host != wanted {
            let text = format!(
                "the operator publishes {} in the place of {}",
                host.unwrap_or("nothing"),
                wanted.unwrap_or_default()
            );
            findings.push(
                Finding::fail("tunnel-not-taken-up", text)
                    .on(instance)
                    .evidences([seen])
                    .transient(),
            );
        }
    }
    findings
}

/// The tunnel that a binding names.
fn tunnel(view: &View<'_>, binding: &Object) -> Option<Finding> {
    let (kind, name) = (binding.node.str("tunnelRef.kind")?, binding.node.str("tunnelRef.name")?);
    let known = super::shared::unseen(view.snapshot, &[kind]).is_none();
    let found = view.all(kind).find(|tunnel| tunnel.name() == name);
    let text = match found {
        None if known && view.snapshot.outcome(kind).is_some() => {
            format!("{binding} names {kind} {name}, which is not there")
        }
        Some(tunnel) if tunnel.node.str("status.tunnelId").is_none_or(str::is_empty) => {
            format!("{kind} {name} has no tunnelId: Cloudflare knows no such tunnel yet")
        }
        _ => return None,
    };
    Some(Finding::fail("tunnel-missing", text).on(format!("{binding} {name}")))
}
