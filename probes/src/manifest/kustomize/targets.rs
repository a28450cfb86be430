//! Which fields name objects of which kind.

/// A kind that others name.
pub(super) struct Target {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    pub(super) referrers: Vec<Referrer>,
}

/// A field of a kind that holds a name.
pub(super) struct Referrer {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    pub(super) path: String,
}

/// Kinds with pods, and where their pods are.
const PODS: &[(&str, &str)] = &[
    ("Pod", "spec"),
    ("PodTemplate", "template/spec"),
    ("Deployment", "spec/template/spec"),
    ("ReplicaSet", "spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
    ("StatefulSet", "spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
];

/// The same for accounts, claims and priorities.
const OWNERS: &[(&str, &str)] = &[
    ("Pod", "spec"),
    ("StatefulSet", "spec/template/spec"),
    ("Deployment", "spec/template/spec"),
    ("ReplicationController", "spec/template/spec"),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
];

const CONFIG_MAP: &[&str] = &[
    "volumes/configMap/name",
    "containers/env/valueFrom/configMapKeyRef/name",
    "initContainers/env/valueFrom/configMapKeyRef/name",
    "containers/envFrom/configMapRef/name",
    "initContainers/envFrom/configMapRef/name",
    "volumes/projected/sources/configMap/name",
];

const SECRET: &[&str] = &[
    "volumes/secret/secretName",
    "containers/env/valueFrom/secretKeyRef/name",
    "initContainers/env/valueFrom/secretKeyRef/name",
    "containers/envFrom/secretRef/name",
    "initContainers/envFrom/secretRef/name",
    "imagePullSecrets/name",
    "volumes/projected/sources/secret/name",
];

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// Fields outside of pods, as group, kind and path.
type Spots = &'static [(&'static str, &'static str, &'static str)];

const OF_CONFIG_MAP: Spots = &[
    ("", "Node", "spec/configSource/configMap"),
    ("", "Role", "rules/resourceNames"),
    ("", "ClusterRole", "rules/resourceNames"),
    ("", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap"),
];

const OF_SECRET: Spots = &[
    ("", "Ingress", "spec/tls/secretName"),
    ("", "Ingress", "metadata/annotations/ingress.kubernetes.io\\/auth-secret"),
    ("", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret"),
    ("", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret"),
    ("", "ServiceAccount", "imagePullSecrets/name"),
    ("", "StorageClass", "parameters/secretName"),
    ("", "StorageClass", "parameters/adminSecretName"),
    ("", "StorageClass", "parameters/userSecretName"),
    ("", "StorageClass", "parameters/secretRef"),
    ("", "Role", "rules/resourceNames"),
    ("", "ClusterRole", "rules/resourceNames"),
    ("", "PersistentVolume", "spec/azureFile/secretName"),
];

const OF_SERVICE: Spots = &[
    ("apps", "StatefulSet", "spec/serviceName"),
    ("", "Ingress", "spec/rules/http/paths/backend/serviceName"),
    ("", "Ingress", "spec/backend/serviceName"),
    ("", "Ingress", "spec/rules/http/paths/backend/service/name"),
    ("", "Ingress", "spec/defaultBackend/service/name"),
    ("apiregistration.k8s.io", "APIService", "spec/service/name"),
    (ADMISSION, "ValidatingWebhookConfiguration", "webhooks/clientConfig/service"),
    (ADMISSION, "MutatingWebhookConfiguration", "webhooks/clientConfig/service"),
];

const OF_ROLE: Spots = &[(RBAC, "RoleBinding", "roleRef/name")];

const OF_CLUSTER_ROLE: Spots =
    &[(RBAC, "RoleBinding", "roleRef/name"), (RBAC, "ClusterRoleBinding", "roleRef/name")];

const OF_ACCOUNT: Spots =
    &[(RBAC, "RoleBinding", "subjects"), (RBAC, "ClusterRoleBinding", "subjects")];

const OF_VOLUME: Spots =
    &[("", "PersistentVolumeClaim", "spec/volumeName"), ("", "ClusterRole", "rules/resourceNames")];

const OF_CLASS: Spots = &[
    ("", "PersistentVolume", "spec/storageClassName"),
    ("", "PersistentVolumeClaim", "spec/storageClassName"),
    ("", "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
];

const OF_POLICY: Spots = &[(ADMISSION, "ValidatingAdmissionPolicyBinding", "spec/policyName")];

const OF_SCALED: Spots = &[("", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name")];

/// All kinds that are named, with the fields that name them.
pub(super) fn targets() -> Vec<Target> {
    let mut all = Vec::new();
    for kind in ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"] {
        all.push(target("", "", kind, &[], &[], OF_SCALED));
    }
    all.push(target("", "v1", "ConfigMap", PODS, CONFIG_MAP, OF_CONFIG_MAP));
    all.push(target("", "v1", "Secret", PODS, SECRET, OF_SECRET));
    all.push(target("", "v1", "Service", &[], &[], OF_SERVICE));
    all.push(target(RBAC, "", "Role", &[], &[], OF_ROLE));
    all.push(target(RBAC, "", "ClusterRole", &[], &[], OF_CLUSTER_ROLE));
    let account = &["serviceAccountName"];
    all.push(target("", "v1", "ServiceAccount", OWNERS, account, OF_ACCOUNT));
    let claim = &["volumes/persistentVolumeClaim/claimName"];
    all.push(target("", "v1", "PersistentVolumeClaim", OWNERS, claim, &[]));
    all.push(target("", "v1", "PersistentVolume", &[], &[], OF_VOLUME));
    all.push(target("storage.k8s.io", "v1", "StorageClass", &[], &[], OF_CLASS));
    let priority = &["priorityClassName"];
    all.push(target("scheduling.k8s.io", "v1", "PriorityClass", OWNERS, priority, &[]));
    all.push(target(ADMISSION, "", "ValidatingAdmissionPolicy", &[], &[], OF_POLICY));
    all
}

fn target(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    pods: &[(&'static str, &str)],
    paths: &[&str],
    spots: Spots,
) -> Target {
    let mut referrers = Vec::new();
    for (kind, pod) in pods.iter().copied() {
        // A pod of another version than `v1` would be another kind.
        let version = if kind == "Pod" { "v1" } else { "" };
        for path in paths {
            referrers.push(Referrer { group: "", version, kind, path: format!("{pod}/{path}") });
        }
    }
    for (group, kind, path) in spots.iter().copied() {
        referrers.push(Referrer { group, version: "", kind, path: path.to_owned() });
    }
    Target { group, version, kind, referrers }
}
