//! Which failures explain which others although no fact ties them together.
//!
//! A rule stands for an observation that leaves hardly any other reading; what is merely usual has
//! no place here.

use mxdoctor_model::Confidence;

/// One cause explains others.
pub(super) struct Rule {
    /// The deeper cause.
    pub cause: &'static str,
    /// Causes that are its consequences.
    pub explains: &'static [&'static str],
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether it holds only of findings about objects that stand on the one that is to blame.
    pub by_object: bool,
}

/// The rules, deepest cause first.
///
/// For those of databases: Synapse does not start without its database, and answers what needs the
/// database with errors once it is gone; both are seen from outside while the database itself is
/// seen from the cluster.
pub(super) const RULES: &[Rule] = &[
    // From the operator, the node and the Secret outwards: what keeps pods from running leaves
    // their workloads, Services and routes without any.
    object("operator-down", UNTENDED),
    object("sealed-secrets-key-lost", UNSEALED),
    object("sealed-secret-not-decrypted", UNSEALED),
    object("sealed-secret-unmanaged", UNSEALED),
    object("sealed-secret-refused", UNSEALED),
    object("sealed-secret-not-seen", UNSEALED),
    object("certificate-issuer-missing", UNCERTIFIED),
    object("certificate-issuer-broken", UNCERTIFIED),
    object("certificate-not-issued", UNCERTIFIED),
    object("tunnel-missing", &["tunnel-not-taken-up"]),
    object("storage-class-missing", UNSERVED),
    object("node-not-ready", UNSERVED),
    object("secret-missing", UNSERVED),
    object("secret-key-missing", UNSERVED),
    object("configmap-missing", UNSERVED),
    object("configmap-key-missing", UNSERVED),
    object("image-not-pulled", UNSERVED),
    object("signing-key-unreadable", UNSERVED),
    object("homeserver-configuration-broken", UNSERVED),
    // What its last words say of a container that ends again and again.
    object("database-down", UNSERVED),
    object("database-auth-failed", UNSERVED),
    object("database-connections-exhausted", UNSERVED),
    object("database-name-unknown", UNSERVED),
    object("database-missing", UNSERVED),
    object("database-collation-wrong", UNSERVED),
    object("database-version-unsupported", UNSERVED),
    object("volume-not-writable", UNSERVED),
    object("volume-full", UNSERVED),
    object("xmpp-password-wrong", UNSERVED),
    object("xmpp-server-not-found", UNSERVED),
    object("service-link-variable", UNSERVED),
    object("volume-lost", UNSERVED),
    object("volume-node-lost", UNSERVED),
    object("volume-not-attached", UNSERVED),
    object("memory-limit-exceeded", UNSERVED),
    object("rollout-deadlock", UNSERVED),
    object("host-port-taken", UNSERVED),
    object("pod-security-refuses", UNSERVED),
    object("quota-exceeded", UNSERVED),
    object("pods-refused", UNSERVED),
    object("workload-scaled-to-zero", UNSERVED),
    object("network-policy-blocks", &["database-instances-not-reached"]),
    object("database-cluster-stopped", WITHOUT_DATABASE),
    object("database-cluster-broken", WITHOUT_DATABASE),
    object("database-disk-full", WITHOUT_DATABASE),
    object("container-crashes", UNSERVED),
    object("container-not-started", UNSERVED),
    object("pod-unschedulable", UNSERVED),
    object("volume-pending", UNSERVED),
    object("pod-not-starting", UNSERVED),
    object("pod-not-ready", UNSERVED),
    object("database-cluster-degraded", WITHOUT_DATABASE),
    object("port-mismatch", &["service-port-unresolved"]),
    object("workload-unavailable", UNREACHED),
    object("endpoints-not-ready", UNREACHED),
    object("service-selects-nothing", UNREACHED),
    object("service-port-unresolved", UNREACHED),
    database("database-auth-failed"),
    database("database-collation-wrong"),
    database("database-connections-exhausted"),
    // Focus and bridges meet in Prosody.
    Rule {
        cause: "prosody-down",
        explains: &["jicofo-not-connected", "bridge-not-in-brewery", "component-api-unreachable"],
        confidence: Confidence::Likely,
        by_object: false,
    },
    // Nobody else answers for the focus, and it sees bridges in a room only.
    Rule {
        cause: "jicofo-not-connected",
        explains: &["jicofo-unavailable", "bridge-not-in-brewery"],
        confidence: Confidence::Likely,
        by_object: false,
    },
    // The focus chooses no bridge that calls itself ill, and older ones do not count it.
    Rule {
        cause: "bridge-unhealthy",
        explains: &["bridge-unavailable", "bridge-not-operational", "bridge-not-in-brewery"],
        confidence: Confidence::Likely,
        by_object: false,
    },
    // Nor one that it does not meet, or has given up.
    Rule {
        cause: "bridge-not-operational",
        explains: &["bridge-unavailable"],
        confidence: Confidence::Likely,
        by_object: false,
    },
    Rule {
        cause: "bridge-not-in-brewery",
        explains: &["bridge-unavailable"],
        confidence: Confidence::Likely,
        by_object: false,
    },
    Rule {
        cause: "database-down",
        explains: &["homeserver-down", "homeserver-broken"],
        confidence: Confidence::Likely,
        by_object: false,
    },
    // Media that came in since are given by those endpoints alone.
    Rule {
        cause: "authenticated-media-missing",
        explains: &["media-download-refused", "thumbnail-failed"],
        confidence: Confidence::Likely,
        by_object: false,
    },
    // What it says of its people bears the other name.
    Rule {
        cause: "server-name-is-another",
        explains: &["openid-broken"],
        confidence: Confidence::Likely,
        by_object: false,
    },
];

/// What is seen from outside of pods that do not run.
const UNSERVED: &[&str] = &[
    "workload-unavailable",
    "rollout-stuck",
    "pod-not-ready",
    "pod-not-starting",
    "container-restarts",
    "volume-pending",
    "database-cluster-degraded",
    "endpoints-not-ready",
    "route-without-endpoints",
];

/// What lacks the database's pods, which belong to no workload.
const WITHOUT_DATABASE: &[&str] = &[
    "database-cluster-degraded",
    "pod-not-ready",
    "pod-not-starting",
    "volume-pending",
    "service-selects-nothing",
    "endpoints-not-ready",
];

/// What lacks a Service that serves.
const UNREACHED: &[&str] =
    &["endpoints-not-ready", "route-without-endpoints", "ingress-route-missing"];

/// What lacks the Secret that was sealed.
const UNSEALED: &[&str] = &[
    "secret-missing",
    "secret-key-missing",
    "workload-unavailable",
    "rollout-stuck",
    "pod-not-ready",
    "pod-not-starting",
    "endpoints-not-ready",
    "route-without-endpoints",
];

/// What lacks the certificate.
const UNCERTIFIED: &[&str] = &[
    "certificate-not-issued",
    "tls-secret-missing",
    "secret-missing",
    "ingress-default-certificate",
];

/// What a dead operator does not look after.
const UNTENDED: &[&str] = &[
    "webhook-without-endpoints",
    "certificate-not-issued",
    "certificate-renewal-overdue",
    "sealed-secret-not-seen",
    "tunnel-not-taken-up",
    "operator-stale",
];

const fn object(cause: &'static str, explains: &'static [&'static str]) -> Rule {
    Rule { cause, explains, confidence: Confidence::Likely, by_object: true }
}

const fn database(cause: &'static str) -> Rule {
    let explains = &["database-down", "homeserver-down", "homeserver-broken"];
    Rule { cause, explains, confidence: Confidence::Likely, by_object: false }
}
