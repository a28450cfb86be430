//! Services, routes, certificates, tunnels, Secrets and configuration.

use super::Step::{Change, Controllers, Make, Services};
use super::{Fault, NOT_ISSUED, fails};

pub(super) const FAULTS: &[Fault] = &[
    fails(
        "load_balancer",
        "kubernetes.services",
        "load-balancer-pending",
        &[Change("v1/services/element", r#"{"spec": {"type": "LoadBalancer"}}"#)],
    ),
    fails(
        "selector",
        "kubernetes.endpoints",
        "service-selects-nothing",
        &[
            Change(
                "v1/services/synapse",
                r#"{"spec": {"selector": {"app.kubernetes.io/name": "synaps"}}}"#,
            ),
            Services,
        ],
    ),
    fails(
        "endpoints",
        "kubernetes.endpoints",
        "endpoints-not-ready",
        &[Change(
            "discovery.k8s.io/v1/endpointslices/element-slice",
            r#"{"endpoints": [{"addresses": ["10.42.0.99"],
            "conditions": {"ready": false, "serving": false, "terminating": false}}]}"#,
        )],
    ),
    fails(
        "route",
        "kubernetes.routes",
        "ingress-route-missing",
        &[Change(
            "traefik.io/v1alpha1/ingressroutes/element",
            r#"{"spec": {"routes": [{"kind": "Rule", "match": "Host(`element.cluster.arpa`)",
            "services": [{"kind": "Service", "name": "elment", "port": 80}]}]}}"#,
        )],
    ),
    fails(
        "issuer",
        "kubernetes.certificates",
        "certificate-issuer-broken",
        &[
            Change(
                "/apis/cert-manager.io/v1/clusterissuers/custom-ca-cluster-issuer/status",
                r#"{"status": {"conditions": [{"type": "Ready", "status": "False",
                "reason": "ErrGetKeyPair", "lastTransitionTime": "ago:7200",
                "message": "Error getting keypair for CA issuer: secret \"ca\" not found"}]}}"#,
            ),
            Change("cert-manager.io/v1/certificates/element-tls/status", NOT_ISSUED),
        ],
    ),
    fails(
        "order",
        "kubernetes.certificates",
        "certificate-not-issued",
        &[
            Change("cert-manager.io/v1/certificates/element-tls/status", NOT_ISSUED),
            Change(
                "cert-manager.io/v1/certificaterequests/element-tls-1/status",
                r#"{"status": {"certificate": null, "failureTime": "ago:7200", "conditions": [
                {"type": "Ready", "status": "False", "reason": "Failed",
                 "message": "Failed to wait for order resource to become ready: order is in \"invalid\" state",
                 "lastTransitionTime": "ago:7200"}]}}"#,
            ),
            Make(
                "acme.cert-manager.io/v1/orders",
                r#"{"apiVersion": "acme.cert-manager.io/v1", "kind": "Order",
                "metadata": {"name": "element-tls-1-1", "ownerReferences": [
                 {"apiVersion": "cert-manager.io/v1", "kind": "CertificateRequest",
                  "name": "element-tls-1", "uid": "0"}]},
                "spec": {"request": "AA==", "issuerRef": {"name": "acme", "kind": "ClusterIssuer"}}}"#,
                r#"{"status": {"state": "invalid"}}"#,
            ),
        ],
    ),
    fails(
        "binding_not_taken_up",
        "kubernetes.tunnels",
        "tunnel-not-taken-up",
        &[Change(
            "networking.cfargotunnel.com/v1alpha1/tunnelbindings/element/status",
            r#"{"status": {"hostnames": "", "services": []}}"#,
        )],
    ),
    fails(
        "binding_without_service",
        "kubernetes.tunnels",
        "tunnel-service-missing",
        &[Change(
            "networking.cfargotunnel.com/v1alpha1/tunnelbindings/element/status",
            r#"{"status": {"services": [
            {"hostname": "element.testing.borooka.ee", "target": "http_status:404"}]}}"#,
        )],
    ),
    fails(
        "sealed_for_another_place",
        "kubernetes.sealed_secrets",
        "sealed-secret-not-decrypted",
        &[Change(
            "bitnami.com/v1alpha1/sealedsecrets/jitsi-secrets/status",
            r#"{"status": {"conditions": [{"type": "Synced", "status": "False",
            "message": "no key could decrypt secret (jvb-auth-password)",
            "lastTransitionTime": "ago:600", "lastUpdateTime": "ago:600"}]}}"#,
        )],
    ),
    fails(
        "configuration",
        "kubernetes.configmaps",
        "element-config-invalid",
        &[Change("v1/configmaps/element-config", r#"{"data": {"config.json": "{\"brand\": "}}"#)],
    ),
    fails(
        "rollout_deadlock",
        "kubernetes.rollouts",
        "rollout-deadlock",
        &[
            Change(
                "apps/v1/deployments/synapse",
                r#"{"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {
                "maxSurge": 1, "maxUnavailable": 0}}}}"#,
            ),
            Controllers,
        ],
    ),
    fails(
        "read_only",
        "kubernetes.security",
        "security-context-unfit",
        &[
            Change(
                "apps/v1/deployments/element",
                r#"[{"op": "remove",
                "path": "/spec/template/spec/containers/0/volumeMounts/1"}]"#,
            ),
            Controllers,
        ],
    ),
    fails(
        "dns_policy",
        "kubernetes.jvb_network",
        "jvb-dns-policy",
        &[
            Change(
                "apps/v1/deployments/jitsi-jvb",
                r#"{"spec": {"template": {"spec": {"dnsPolicy": "ClusterFirst"}}}}"#,
            ),
            Controllers,
        ],
    ),
    fails(
        "admin_public",
        "kubernetes.tunnels",
        "admin-api-public",
        &[
            Change(
                "networking.cfargotunnel.com/v1alpha1/tunnelbindings/synapse",
                r#"[{"op": "remove", "path": "/subjects/0/spec/path"}]"#,
            ),
            Controllers,
        ],
    ),
    fails(
        "netpol_cuts",
        "kubernetes.network_policies",
        "network-policy-blocks",
        &[Change(
            "networking.k8s.io/v1/networkpolicies/synapse",
            r#"[{"op": "test", "path": "/spec/egress/0/ports/0/port", "value": 5432},
            {"op": "replace", "path": "/spec/egress/0/ports/0/port", "value": 5433}]"#,
        )],
    ),
];
