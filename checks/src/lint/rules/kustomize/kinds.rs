//! Kinds that live in a namespace.

use mxdoctor_probes::manifest::Object;

/// Namespaced kinds of Kubernetes and of the operators of the stack. A kind that is not listed is
/// not judged.
const NAMESPACED: &[&str] = &[
    "Backup",
    "Certificate",
    "Cluster",
    "ConfigMap",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "HTTPRoute",
    "Ingress",
    "IngressRoute",
    "IngressRouteTCP",
    "IngressRouteUDP",
    "Issuer",
    "Job",
    "Middleware",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "ScheduledBackup",
    "SealedSecret",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
    "TLSOption",
    "Tunnel",
    "TunnelBinding",
];

/// Whether an object is known to live in a namespace.
pub(super) fn namespaced(object: &Object) -> bool {
    NAMESPACED.contains(&object.kind())
}
