//! API versions that are gone.

use super::super::network::grammar::runs_version_2;
use crate::lint::{Change, Found, Stack};
use crate::rule;

rule! {
    /// The API server no longer serves a version, or (Traefik's old group) no controller reads it.
    /// `kubectl apply` says "no matches for kind"; where old definitions are still installed it
    /// accepts the object and nothing happens.
    ///
    /// Silent about Traefik's old group where the image in the tree is of Traefik 2, which reads it.
    ///
    /// Source: Kubernetes, "Deprecated API Migration Guide"; Traefik v3, "Migration"; cert-manager,
    /// "Migrating Deprecated API Resources".
    GONE = "KUS-12" Error: "every object is of a version that is served"
    breaks "apply refuses the object, or no controller ever looks at it"
    remedy "use the version that took its place"
    cause "api-version-gone"
    check ""
    look_in_files look
}

/// What became of a version.
struct Gone {
    version: &'static str,
    /// Empty for all kinds.
    kind: &'static str,
    now: &'static str,
    since: &'static str,
    /// Whether the object's form is the same in both.
    same: bool,
}

const fn gone(
    version: &'static str,
    kind: &'static str,
    now: &'static str,
    since: &'static str,
    same: bool,
) -> Gone {
    Gone { version, kind, now, since, same }
}

const TABLE: &[Gone] = &[
    gone("traefik.containo.us/v1alpha1", "", "traefik.io/v1alpha1", "Traefik 3.0", true),
    gone("extensions/v1beta1", "Ingress", "networking.k8s.io/v1", "Kubernetes 1.22", false),
    gone("networking.k8s.io/v1beta1", "Ingress", "networking.k8s.io/v1", "Kubernetes 1.22", false),
    gone("extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1", "Kubernetes 1.16", true),
    gone("extensions/v1beta1", "", "apps/v1", "Kubernetes 1.16", false),
    gone("apps/v1beta1", "", "apps/v1", "Kubernetes 1.16", false),
    gone("apps/v1beta2", "", "apps/v1", "Kubernetes 1.16", false),
    gone("batch/v1beta1", "CronJob", "batch/v1", "Kubernetes 1.25", true),
    gone("batch/v2alpha1", "CronJob", "batch/v1", "Kubernetes 1.21", true),
    gone("policy/v1beta1", "PodDisruptionBudget", "policy/v1", "Kubernetes 1.25", false),
    gone("policy/v1beta1", "PodSecurityPolicy", "pod security labels", "Kubernetes 1.25", false),
    gone("autoscaling/v2beta1", "", "autoscaling/v2", "Kubernetes 1.25", false),
    gone("autoscaling/v2beta2", "", "autoscaling/v2", "Kubernetes 1.26", true),
    gone(
        "rbac.authorization.k8s.io/v1alpha1",
        "",
        "rbac.authorization.k8s.io/v1",
        "Kubernetes 1.22",
        true,
    ),
    gone(
        "rbac.authorization.k8s.io/v1beta1",
        "",
        "rbac.authorization.k8s.io/v1",
        "Kubernetes 1.22",
        true,
    ),
    gone("apiextensions.k8s.io/v1beta1", "", "apiextensions.k8s.io/v1", "Kubernetes 1.22", false),
    gone("storage.k8s.io/v1beta1", "StorageClass", "storage.k8s.io/v1", "Kubernetes 1.22", true),
    gone("scheduling.k8s.io/v1beta1", "", "scheduling.k8s.io/v1", "Kubernetes 1.22", true),
    gone("discovery.k8s.io/v1beta1", "", "discovery.k8s.io/v1", "Kubernetes 1.25", false),
    gone("cert-manager.io/v1alpha2", "", "cert-manager.io/v1", "cert-manager 1.6", false),
    gone("cert-manager.io/v1alpha3", "", "cert-manager.io/v1", "cert-manager 1.6", false),
    gone("cert-manager.io/v1beta1", "", "cert-manager.io/v1", "cert-manager 1.6", false),
    gone("certmanager.k8s.io/v1alpha1", "", "cert-manager.io/v1", "cert-manager 0.11", false),
];

fn gone_at<'a>(version: &str, kind: &str) -> Option<&'a Gone> {
    let fits = |row: &&Gone| row.version == version && (row.kind.is_empty() || row.kind == kind);
    TABLE.iter().find(fits)
}

fn look(stack: &Stack<'_>, found: &mut Found) {
    for object in stack.inventory.objects() {
        let Some(row) = gone_at(object.api_version(), object.kind()) else { continue };
        let Some(version) = object.at("apiVersion") else { continue };
        if object.group() == "traefik.containo.us" && runs_version_2(stack) {
            continue;
        }
        let message = format!("{} is gone since {}", row.version, row.since);
        let problem = found.at(object, version, message).remedy(format!("use {}", row.now));
        if row.same {
            let place = version.place.clone();
            let with = row.now.to_owned();
            problem.fix(format!("use {}", row.now), vec![Change::Replace { place, with }]);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    #[test]
    fn an_old_version_is_found_and_its_successor_is_not() {
        let text = |version: &str, kind: &str| {
            format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n")
        };
        let old = text("traefik.containo.us/v1alpha1", "IngressRoute");
        let expected = "1:13 traefik.containo.us/v1alpha1 is gone since Traefik 3.0";
        assert_eq!(found("KUS-12", &old), [expected]);
        let running = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: t}\nspec: \
                       {template: {spec: {containers: [{name: t, image: 'traefik:v2.11.3'}]}}}\n";
        assert_eq!(found("KUS-12", &(old + running)), [""; 0]);
        let cron = "1:13 batch/v1beta1 is gone since Kubernetes 1.25";
        assert_eq!(found("KUS-12", &text("batch/v1beta1", "CronJob")), [cron]);
        for (version, kind) in [("traefik.io/v1alpha1", "IngressRoute"), ("batch/v1", "CronJob")] {
            assert_eq!(found("KUS-12", &text(version, kind)), [""; 0]);
        }
    }
}
