//! What is listed, and with it what permission is asked for.

/// Where objects of a kind live, and whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// In the stack's namespace.
    Namespace,
    /// In no namespace.
    Cluster,
    /// In the namespaces of the operators, where those were named.
    Operators,
}

/// A kind that is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The API group; empty for the core.
    pub group: &'static str,
    /// The versions that are understood, the best first.
    pub versions: &'static [&'static str],
    /// `deployments`.
    pub resource: &'static str,
    /// `Deployment`.
    pub kind: &'static str,
    /// Where its objects live.
    pub reach: Reach,
}

const fn own(group: &'static str, resource: &'static str, kind: &'static str) -> Kind {
    Kind { group, versions: &["v1"], resource, kind, reach: Reach::Namespace }
}

const fn at(version: &'static [&'static str], kind: Kind) -> Kind {
    Kind { versions: version, ..kind }
}

const fn wide(kind: Kind) -> Kind {
    Kind { reach: Reach::Cluster, ..kind }
}

const fn theirs(kind: Kind) -> Kind {
    Kind { reach: Reach::Operators, ..kind }
}

const TRAEFIK: &[&str] = &["v1alpha1"];
const CLOUDFLARE: &[&str] = &["v1alpha2", "v1alpha1"];
const BINDINGS: &[&str] = &["v1alpha1"];

/// Every kind that is listed; the permissions are made of this table.
pub static KINDS: &[Kind] = &[
    own("", "pods", "Pod"),
    own("", "services", "Service"),
    own("", "configmaps", "ConfigMap"),
    own("", "persistentvolumeclaims", "PersistentVolumeClaim"),
    own("", "resourcequotas", "ResourceQuota"),
    own("", "limitranges", "LimitRange"),
    own("", "serviceaccounts", "ServiceAccount"),
    own("apps", "deployments", "Deployment"),
    own("apps", "replicasets", "ReplicaSet"),
    own("apps", "statefulsets", "StatefulSet"),
    own("apps", "daemonsets", "DaemonSet"),
    own("batch", "cronjobs", "CronJob"),
    own("batch", "jobs", "Job"),
    own("discovery.k8s.io", "endpointslices", "EndpointSlice"),
    own("networking.k8s.io", "networkpolicies", "NetworkPolicy"),
    own("networking.k8s.io", "ingresses", "Ingress"),
    own("policy", "poddisruptionbudgets", "PodDisruptionBudget"),
    own("events.k8s.io", "events", "Event"),
    own("postgresql.cnpg.io", "clusters", "Cluster"),
    own("postgresql.cnpg.io", "backups", "Backup"),
    own("postgresql.cnpg.io", "scheduledbackups", "ScheduledBackup"),
    own("postgresql.cnpg.io", "poolers", "Pooler"),
    own("cert-manager.io", "certificates", "Certificate"),
    own("cert-manager.io", "certificaterequests", "CertificateRequest"),
    own("cert-manager.io", "issuers", "Issuer"),
    own("acme.cert-manager.io", "orders", "Order"),
    own("acme.cert-manager.io", "challenges", "Challenge"),
    at(TRAEFIK, own("traefik.io", "ingressroutes", "IngressRoute")),
    at(TRAEFIK, own("traefik.io", "ingressroutetcps", "IngressRouteTCP")),
    at(TRAEFIK, own("traefik.io", "ingressrouteudps", "IngressRouteUDP")),
    at(TRAEFIK, own("traefik.io", "middlewares", "Middleware")),
    at(TRAEFIK, own("traefik.io", "tlsoptions", "TLSOption")),
    at(TRAEFIK, own("traefik.io", "tlsstores", "TLSStore")),
    at(TRAEFIK, own("traefik.io", "serverstransports", "ServersTransport")),
    at(TRAEFIK, own("traefik.io", "traefikservices", "TraefikService")),
    at(BINDINGS, own("bitnami.com", "sealedsecrets", "SealedSecret")),
    at(BINDINGS, own("networking.cfargotunnel.com", "tunnelbindings", "TunnelBinding")),
    at(CLOUDFLARE, own("networking.cfargotunnel.com", "tunnels", "Tunnel")),
    wide(own("", "nodes", "Node")),
    wide(own("", "persistentvolumes", "PersistentVolume")),
    wide(own("storage.k8s.io", "storageclasses", "StorageClass")),
    wide(own("storage.k8s.io", "volumeattachments", "VolumeAttachment")),
    wide(own("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition")),
    wide(own("cert-manager.io", "clusterissuers", "ClusterIssuer")),
    wide(at(CLOUDFLARE, own("networking.cfargotunnel.com", "clustertunnels", "ClusterTunnel"))),
    wide(own("networking.k8s.io", "ingressclasses", "IngressClass")),
    wide(own(
        "admissionregistration.k8s.io",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
    )),
    theirs(own("apps", "deployments", "Deployment")),
    theirs(own("coordination.k8s.io", "leases", "Lease")),
    theirs(own("discovery.k8s.io", "endpointslices", "EndpointSlice")),
];

/// The stack's own kind of that name, or the cluster's.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.kind == name)
}

impl Kind {
    /// The path below which it is listed, by a version and, where it has one, a namespace.
    pub fn path(&self, version: &str, namespace: Option<&str>) -> String {
        let root = match self.group {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        match namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.resource),
            None => format!("{root}/{}", self.resource),
        }
    }

    /// `apps/v1`.
    pub fn api_version(&self, version: &str) -> String {
        if self.group.is_empty() { version.to_owned() } else { format!("{}/{version}", self.group) }
    }
}
