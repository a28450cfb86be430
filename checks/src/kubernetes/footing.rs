//! What an object of a namespace stands on: what must work for it to work.

use std::collections::{BTreeMap, BTreeSet};

use mxdoctor_model::{Finding, Outcome};
use mxdoctor_probes::manifest::{Entry, Node, Object};

use super::shared::View;
use crate::lint::view::policy::{End, Truth, policies};
use crate::lint::view::{EnvValue, VolumeKind, Workload};

/// Objects that one may stand on, at most; more tell nobody anything.
const MOST: usize = 500;

/// The label by which what belongs to a database names its cluster.
const CLUSTER: &str = "cnpg.io/cluster";

/// Operators by the start of their Deployments' names, with the kinds that they look after.
const OPERATORS: &[(&str, &[&str])] = &[
    ("cert-manager", &["Certificate", "CertificateRequest"]),
    ("sealed-secrets", &["SealedSecret"]),
    ("cloudflare-operator", &["TunnelBinding", "Tunnel", "ClusterTunnel"]),
    ("cnpg", &["Cluster", "Backup", "ScheduledBackup"]),
];

/// For each object, those that it stands on directly.
pub(crate) struct Footing {
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Footing {
    pub(crate) fn new(view: &View<'_>) -> Self {
        let mut footing = Self { edges: BTreeMap::new() };
        for workload in view.snapshot.inventory.objects().iter().filter_map(Workload::new) {
            footing.workload(view, &workload);
        }
        for pod in view.own("Pod") {
            footing.pod(pod);
        }
        for service in view.own("Service") {
            footing.service(view, service);
        }
        for route in &view.stack.routes {
            let service = route.target(&view.stack);
            footing.add(route.object, service.map(|it| name(view, it.object)));
        }
        for kind in ["IngressRoute", "Certificate", "SealedSecret", "TunnelBinding"] {
            view.own(kind).for_each(|object| footing.part(object));
        }
        for claim in view.own("PersistentVolumeClaim") {
            let class = claim.node.str("spec.storageClassName");
            footing.add(claim, class.map(|class| format!("StorageClass {class}")));
            let volume = claim.node.str("spec.volumeName");
            footing.add(claim, volume.map(|volume| format!("PersistentVolume {volume}")));
        }
        for policy in policies(&view.stack) {
            let clusters = view.own("Cluster");
            let selected = clusters.filter(|it| policy.selects(&End::Instances(it)) == Truth::Yes);
            selected.for_each(|cluster| footing.add(cluster, [policy.object.to_string()]));
        }
        footing.operators(view);
        footing
    }

    /// Says of a finding which object it is about, and what this one stands on.
    pub(super) fn tell(&self, check: &str, finding: &mut Finding) {
        if matches!(finding.outcome, Outcome::Fail | Outcome::Error) {
            let instance = finding.instance.as_deref();
            finding.about = instance.map_or(Vec::new(), |it| self.of(object(check, it)));
        }
    }

    /// The object, and all that it stands on.
    pub(crate) fn of(&self, object: String) -> Vec<String> {
        let mut all = vec![object];
        let mut next = 0;
        while let Some(one) = all.get(next).filter(|_| all.len() < MOST) {
            let more = self.edges.get(one).into_iter().flatten();
            let more: Vec<String> = more.filter(|it| !all.contains(it)).cloned().collect();
            all.extend(more);
            next += 1;
        }
        all
    }

    fn add(&mut self, object: &Object, on: impl IntoIterator<Item = String>) {
        self.link(object.to_string(), on);
    }

    fn link(&mut self, object: String, on: impl IntoIterator<Item = String>) {
        self.edges.entry(object).or_default().extend(on);
    }

    /// What a pod template names.
    fn workload(&mut self, view: &View<'_>, workload: &Workload<'_>) {
        let object = workload.object;
        for volume in workload.volumes() {
            let on = match volume.kind {
                VolumeKind::Secret(name) => Some(format!("Secret {name}")),
                VolumeKind::ConfigMap(name) => Some(format!("ConfigMap {name}")),
                VolumeKind::Claim(name) => Some(format!("PersistentVolumeClaim {name}")),
                VolumeKind::Empty | VolumeKind::Other => None,
            };
            self.add(object, on);
        }
        for container in workload.containers() {
            for from in container.node.list("envFrom") {
                let secret = from.str("secretRef.name").map(|name| format!("Secret {name}"));
                let map = from.str("configMapRef.name").map(|name| format!("ConfigMap {name}"));
                self.add(object, secret.into_iter().chain(map));
            }
            for env in container.env(&view.stack, workload) {
                let on = match env.value {
                    EnvValue::Secret { name, .. } => Some(format!("Secret {name}")),
                    EnvValue::ConfigMap { name, .. } => Some(format!("ConfigMap {name}")),
                    _ => None,
                };
                self.add(object, on);
            }
        }
    }

    /// A pod stands on its node and on who made it, and who made it stands on its pods.
    fn pod(&mut self, pod: &Object) {
        let node = pod.node.str("spec.nodeName");
        self.add(pod, node.map(|node| format!("Node {node}")));
        for owner in pod.node.list("metadata.ownerReferences") {
            let (kind, owner) = (owner.str("kind"), owner.str("name").unwrap_or_default());
            let maker = match kind {
                // The name of a Deployment's ReplicaSet is the Deployment's with a hash.
                Some("ReplicaSet") => owner.rsplit_once('-').map(|(name, _)| ("Deployment", name)),
                kind => kind.map(|kind| (kind, owner)),
            };
            if let Some((kind, name)) = maker {
                let maker = format!("{kind} {name}");
                self.link(maker.clone(), [pod.to_string()]);
                self.link(pod.to_string(), [maker]);
            }
        }
        if let Some(cluster) = label(pod, CLUSTER) {
            self.link(format!("Cluster {cluster}"), [pod.to_string()]);
        }
    }

    fn service(&mut self, view: &View<'_>, service: &Object) {
        let selector = service.node.map("spec.selector");
        let cluster = label(service, CLUSTER).map(|cluster| format!("Cluster {cluster}"));
        self.add(service, cluster);
        let fits = |labels: &[Entry]| {
            let has = |want: &Entry| {
                labels.iter().any(|l| l.key == want.key && l.node.scalar() == want.node.scalar())
            };
            !selector.is_empty() && selector.iter().all(has)
        };
        let pods = view.own("Pod").filter(|pod| fits(pod.labels())).map(ToString::to_string);
        self.add(service, pods);
        let wanted = view.stack.workloads.iter().filter(|it| !it.runs_once() && it.has(selector));
        self.add(service, wanted.map(|workload| workload.object.to_string()));
    }

    /// The parts of the operators' kinds.
    fn part(&mut self, object: &Object) {
        let own = object.to_string();
        match object.kind() {
            "IngressRoute" => {
                let secret = object.node.str("spec.tls.secretName");
                self.add(object, secret.map(|secret| format!("Secret {secret}")));
            }
            "Certificate" => {
                let secret = object.node.str("spec.secretName").unwrap_or_default();
                self.link(format!("Secret {secret}"), [own]);
                let kind = object.node.str("spec.issuerRef.kind").unwrap_or("Issuer");
                let issuer = object.node.str("spec.issuerRef.name");
                self.add(object, issuer.map(|name| format!("{kind} {name}")));
            }
            "SealedSecret" => self.link(format!("Secret {}", object.name()), [own]),
            _ => {
                let kind = object.node.str("tunnelRef.kind").unwrap_or("Tunnel");
                let tunnel = object.node.str("tunnelRef.name");
                self.add(object, tunnel.map(|name| format!("{kind} {name}")));
            }
        }
    }

    /// What an operator looks after stands on it.
    fn operators(&mut self, view: &View<'_>) {
        let own = Some(&*view.snapshot.namespace);
        for deployment in view.all("Deployment").filter(|it| it.namespace() != own) {
            for (start, kinds) in OPERATORS {
                if deployment.name().starts_with(start) {
                    for object in kinds.iter().flat_map(|kind| view.own(kind)) {
                        self.add(object, [name(view, deployment)]);
                    }
                }
            }
        }
        for hooks in view.all("ValidatingWebhookConfiguration") {
            for hook in hooks.node.list("webhooks") {
                let place = hook.str("clientConfig.service.namespace");
                let there = view.all("Deployment").filter(|it| it.namespace() == place);
                self.add(hooks, there.map(|deployment| name(view, deployment)));
            }
        }
        for claim in view.own("PersistentVolumeClaim") {
            let cluster = label(claim, CLUSTER).map(|cluster| format!("Cluster {cluster}"));
            cluster.into_iter().for_each(|cluster| self.link(cluster, [claim.to_string()]));
        }
    }
}

/// The object in a finding's instance: its first two words, without a container behind a pod.
fn object(check: &str, instance: &str) -> String {
    if check == "kubernetes.secrets" {
        return format!("Secret {}", instance.split('/').next().unwrap_or(instance));
    }
    let mut words = instance.split(' ');
    let (kind, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let name = if kind == "Pod" { name.split('/').next().unwrap_or(name) } else { name };
    format!("{kind} {name}")
}

/// `Kind name`, with the namespace where it is another than the stack's.
fn name(view: &View<'_>, object: &Object) -> String {
    match object.namespace().filter(|namespace| *namespace != view.snapshot.namespace) {
        Some(namespace) => format!("{} {namespace}/{}", object.kind(), object.name()),
        None => object.to_string(),
    }
}

fn label<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object
        .labels()
        .iter()
        .find(|entry| entry.key == key)
        .and_then(|entry| Node::scalar(&entry.node))
}
